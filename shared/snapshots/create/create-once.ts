import type { Time } from "../../core/clock.ts";
import { asSnapshotError, REASONS, SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import type { JsonObject } from "../../core/json.ts";
import { textAt } from "../../core/json.ts";
import {
  backoff,
  LISTED_AFTER_MS,
  type RetryBudget,
  raceDeadline,
  refundRetryToken,
  retryRead,
  takeRetryToken,
} from "../../core/retry.ts";
import { type FoundSnapshot, isLive, type Kind, type State } from "../kinds/kind.ts";
import { deriveKey, hashRequest, type Marker, snapshotName } from "../marker.ts";
import { foreignReason } from "../ownership.ts";
import type { Creation } from "../ports.ts";
import type { EndFields } from "../reporting.ts";

/** A snapshot that shall exist once. */
export interface SnapshotRequest {
  kind: Kind;
  /** The API's own options, as the caller or the policy gave them. */
  options: JsonObject;
  /** What makes it one, see `keyOf`. */
  idempotencyKey: string;
  /** The project it is in: keys of two projects have nothing to do with each other. */
  projectId: string;
  /** The policy it is marked with. */
  policy: string;
  /** What a name that we make up begins with, and the time in it. */
  label: string;
  time?: Instant;
  makeRoom?: MakeRoom;
}

/** Called before a create: makes room on a resource that takes no more. True where that took time. */
export type MakeRoom = (kind: Kind, options: JsonObject) => Promise<boolean>;

export interface CreateResult {
  /** `accepted`: this call made it. `existing`: an earlier delivery did. */
  outcome: "accepted" | "existing";
  snapshotId: string;
  name: string;
  jobId?: string;
  /** The API's own status and body for a create. */
  status: number;
  body: string;
  /** How many times the create was sent. */
  attempts: number;
  /** Of one that was found: its state. */
  state?: State;
}

/**
 * What is under way in this process: creates, by project, kind, resource and key, and runs. A second caller waits for the
 * first. What has ended stays for as long as a list may not show it.
 */
export type InFlight = Map<string, Entry>;

interface Entry {
  content?: string;
  ensuring?: Promise<CreateResult | undefined>;
  /** Without an id: a run, or a create of which could not be found out whether it made anything. `at`: see `elapsed`. */
  ended?: { at: number; snapshotId?: string };
}

/** On a clock that all invocations of this process share. */
const elapsed = (time: Time): number => time.elapsed?.() ?? time.now();

/** For so long what has ended is known here, whether or not a list shows it. */
const UNLISTED_MS = 10_000;
/** Left of the time for the look itself. */
const LAST_LOOK_MS = 1_000;
/** A create whose outcome stays open is not sent more often than this. */
const CREATE_TRIES = 3;

/**
 * Makes sure that the snapshot exists, once: looks for its marker, creates it, and where the answer leaves open
 * whether the cloud acted, looks again before it tries again. Neither EVS nor DWS takes a client token, so the
 * snapshot itself is the record of having been made (DESIGN 4.4).
 *
 * @param known what a look would find, where it was looked up before, for many targets at once
 *
 * Rejects with a SnapshotError: `Conflict` where the key stands for other content, `OutcomeUnknown` where it could not
 * be found out in time, else the cloud's refusal.
 */
export async function createOnce(
  request: SnapshotRequest,
  service: Creation,
  retryBudget: RetryBudget,
  inFlight: InFlight,
  known?: FoundSnapshot[],
): Promise<CreateResult> {
  const { kind, options, idempotencyKey, projectId } = request;
  const content = hashRequest(kind.name, options);
  // A hash: what is remembered beyond the invocation says nothing of it.
  // Stryker disable next-line StringLiteral: any word does that no other key begins with
  const identity = deriveKey("ensure", projectId, kind.name, kind.resourceOf(options), idempotencyKey);
  const first = inFlight.get(identity);
  if (first?.ensuring !== undefined) {
    const created = await within(
      first.ensuring.catch(() => undefined),
      retryBudget,
    );
    if (created === undefined) return createOnce(request, service, retryBudget, inFlight);
    if (first.content !== content) throw conflict(kind, created.snapshotId);
    return { ...created, outcome: "existing", attempts: 0 };
  }
  const { time } = retryBudget;
  forget(inFlight, time);
  const before = inFlight.get(identity);
  const ensuring = lookThenCreate(request, service, retryBudget, known, before);
  inFlight.set(identity, { content, ensuring });
  const end = (snapshotId?: string) => {
    // What has ended stands behind what ended before it.
    inFlight.delete(identity);
    inFlight.set(identity, { content, ended: { at: elapsed(time), snapshotId } });
  };
  // Where nothing was made, what was known stays known, for as long as it was to be.
  const restore = () => {
    if (before === undefined) inFlight.delete(identity);
    else inFlight.set(identity, before);
  };
  try {
    const ensured = await ensuring;
    if (ensured.outcome === "accepted") end(ensured.snapshotId);
    else restore();
    return ensured;
  } catch (thrown) {
    if (asSnapshotError(thrown).reason === "OutcomeUnknown") end();
    else restore();
    throw thrown;
  }
}

/** Forgets what ended so long ago that a list shows it. */
function forget(inFlight: InFlight, time: Time): void {
  for (const [name, { ended }] of inFlight) {
    if (ended !== undefined && elapsed(time) - ended.at <= UNLISTED_MS) return;
    if (ended !== undefined) inFlight.delete(name);
  }
}

/**
 * Begins `work` once what is under way by that name in this process has ended and a list must show what it made: a look
 * for many targets at once, and the creates after it, are not to be mixed with those of another delivery.
 *
 * @param work is told whether what was under way by that name ended in this process a moment ago
 *
 * Rejects with DeadlineExceeded where that takes longer than there is time.
 */
export async function serializeRuns(
  name: string,
  inFlight: InFlight,
  retryBudget: RetryBudget,
  work: (again: boolean) => Promise<void>,
): Promise<void> {
  const { time } = retryBudget;
  forget(inFlight, time);
  const { ensuring: before, ended } = inFlight.get(name) ?? {};
  const listed = before?.then(() => time.sleep(LISTED_AFTER_MS));
  const working = listed === undefined ? work(ended !== undefined) : within(listed, retryBudget).then(() => work(true));
  const ensuring = Promise.allSettled([before, working]).then(() => undefined);
  const turn: Entry = { ensuring };
  inFlight.set(name, turn);
  void ensuring.then(() => {
    if (inFlight.get(name) !== turn) return;
    inFlight.delete(name);
    inFlight.set(name, { ended: { at: elapsed(time) } });
  });
  await working;
}

async function lookThenCreate(
  request: SnapshotRequest,
  service: Creation,
  retryBudget: RetryBudget,
  known?: FoundSnapshot[],
  earlier?: Entry,
): Promise<CreateResult> {
  const { kind, options, idempotencyKey, policy } = request;
  const content = hashRequest(kind.name, options);
  const marker: Marker = { policy, idempotencyKey, requestHash: content };

  const list = () => retryRead(() => service.listFor(options), retryBudget);
  const look = async () => matchExisting(await list(), request, marker);
  const { ended, content: contentBefore } = earlier ?? {};
  const id = ended?.snapshotId;
  const open = ended !== undefined && id === undefined;
  // What may have been made a moment ago is to be seen before anything is made.
  if (open) await untilListed(ended.at, retryBudget);
  const found = (open ? undefined : known) ?? (await list());
  const before = matchExisting(found, request, marker);
  if (before.standing !== undefined) return toExistingResult(kind, before.standing);
  if (id !== undefined && !found.some((one) => one.id === id)) {
    if (contentBefore !== content) throw conflict(kind, id);
    return toExistingResult(kind, kind.read({ ...options, id, status: "creating" }) as FoundSnapshot);
  }
  if (await request.makeRoom?.(kind, options)) {
    const { standing } = await look();
    if (standing !== undefined) return toExistingResult(kind, standing);
  }

  const name = textAt(options, "name") ?? freeName(request, before.failed + 1, found);
  const marked = kind.mark({ ...options, name }, marker);

  for (let tries = 1; ; tries += 1) {
    try {
      const created = await service.create(marked);
      refundRetryToken(retryBudget);
      return { outcome: "accepted", name, attempts: tries, ...created };
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      error.attempts = error.requestSent ? tries : tries - 1;
      if (error.ambiguous) {
        const made = await lookAgain(look, retryBudget, error);
        if (made !== undefined) return { ...toExistingResult(kind, made), outcome: "accepted", attempts: tries };
        // The look proved that nothing was created, so an error that a retry cannot change is final.
        if (isFinal(error) || tries >= CREATE_TRIES || !takeRetryToken(retryBudget)) throw error;
      } else if (await backoff(error, tries, retryBudget)) {
        // Another delivery of this request may have created the snapshot during the wait, so look before the create is repeated.
        const { standing } = await look().catch((thrown) => {
          throw Object.assign(asSnapshotError(thrown), { attempts: error.attempts });
        });
        if (standing !== undefined) return toExistingResult(kind, standing);
      } else {
        // Another delivery of this request may have created the snapshot that has the name.
        const worthALook = kind.uniqueNames && error.status !== undefined;
        const standing = worthALook ? (await look().catch(() => undefined))?.standing : undefined;
        if (standing !== undefined) return toExistingResult(kind, standing);
        throw await reclassifyQuotaError(error, request, service, retryBudget);
      }
    }
  }
}

const isFinal = ({ reason }: SnapshotError): boolean => REASONS[reason].wait === "never";

/** The name of an attempt, or of a later one: an earlier attempt may be gone and another one have its number's name. */
function freeName(request: SnapshotRequest, attempt: number, found: readonly FoundSnapshot[]): string {
  const { kind, options, idempotencyKey, label, time } = request;
  const name = snapshotName(label, time, {
    kind: kind.name,
    resource: kind.resourceOf(options),
    key: idempotencyKey,
    attempt,
  });
  return found.some((one) => sameName(one.name, name)) ? freeName(request, attempt + 1, found) : name;
}

/**
 * How EVS refuses one snapshot more than a disk takes is UNCONFIRMED (cloud-apis.md 4.2): what looks like a fault of the
 * request is the quota where the disk is full.
 */
async function reclassifyQuotaError(
  error: SnapshotError,
  { kind, options }: SnapshotRequest,
  service: Creation,
  retryBudget: RetryBudget,
): Promise<SnapshotError> {
  const { maxPerResource } = kind;
  if (maxPerResource === undefined || error.reason !== "InvalidRequest") return error;
  const count = await retryRead(() => service.listFor(options), retryBudget).then(
    (found) => found.length,
    () => 0,
  );
  if (count < maxPerResource) return error;
  const { code, cloudMessage: said, status, requestId, attempts } = error;
  const message = `Expected fewer than ${maxPerResource} snapshots of ${kind.resourceOf(options)}, there are ${count}; the cloud says of another one: ${status} ${code}: ${said}. ${REASONS.QuotaExceeded.advice}`;
  return new SnapshotError("QuotaExceeded", message, { code, cloudMessage: said, status, requestId, attempts });
}

const conflict = (kind: Kind, id: string) =>
  new SnapshotError(
    "Conflict",
    `Expected the request of ${kind.name} ${id}, which was made under the same key; this request asks for something else. Repeat the first request unchanged, or use a new key (Idempotency-Key, deployment_id).`,
  );

/** What the list says of a request: the snapshot that stands for it, and how many failed before. */
function matchExisting(
  found: FoundSnapshot[],
  { kind, options, idempotencyKey }: SnapshotRequest,
  marker: Marker,
): { standing?: FoundSnapshot; failed: number } {
  const resource = kind.resourceOf(options);
  const name = textAt(options, "name");
  // A description that had no room for the marker stands for itself: the same name of the same resource, word for word.
  const unmarked = kind.uniqueNames ? textAt(kind.mark(options, marker), "description") : undefined;
  const ofResource = found.filter(
    (one) => foreignReason(one) === undefined && isOf(one, kind, options, resource, marker),
  );
  const matches = ofResource.filter(
    (one) =>
      one.marker?.idempotencyKey === idempotencyKey ||
      (unmarked !== undefined && sameName(one.name, name) && one.description?.trimEnd() === unmarked.trimEnd()),
  );
  const [oldest, ...others] = matches
    .filter(isLive)
    // Stryker disable next-line EqualityOperator: no two have the same id
    .sort((a, b) => (a.created ?? 0) - (b.created ?? 0) || (a.id < b.id ? -1 : 1));
  if (oldest?.marker !== undefined && oldest.marker.requestHash !== marker.requestHash) {
    throw conflict(kind, oldest.id);
  }
  // Prefer an available duplicate to an older one that is not available and may never become so.
  const better = others.find((one) => one.state === "available" && one.marker?.requestHash === marker.requestHash);
  const standing = oldest?.state === "available" ? oldest : (better ?? oldest);
  const taken = kind.uniqueNames && standing === undefined ? found.find((one) => sameName(one.name, name)) : undefined;
  if (taken !== undefined) {
    throw new SnapshotError(
      "Conflict",
      `Expected a name that is free in this project; "${name}" is the name of snapshot ${taken.id} (${taken.status}) of ${taken.resource ?? "another resource"}. Choose another name${taken.state === "failed" ? ", or delete that snapshot" : ""}.`,
    );
  }
  return { standing, failed: matches.filter((one) => one.state === "failed").length };
}

/**
 * Returns whether a snapshot is of the resource. If the list does not name the resource, the hash of the request decides,
 * because it covers the resource. If the snapshot has no marker, its name decides. For a group of single disks its members
 * count, too.
 */
function isOf(
  found: FoundSnapshot,
  kind: Kind,
  options: JsonObject,
  resource: string,
  { requestHash }: Marker,
): boolean {
  if (!(kind.target.idOption in options)) {
    const disks = found.members?.map((member) => String(member.resource).toLowerCase()).sort();
    return found.marker?.requestHash === requestHash || disks?.join(",") === resource;
  }
  return found.resource === undefined
    ? (found.marker?.requestHash ?? requestHash) === requestHash
    : found.resource === resource;
}

/** Where names are unique they are so in whichever case (cloud-apis.md 3). */
const sameName = (a: string, b: string | undefined): boolean => a.toLowerCase() === b?.toLowerCase();

/**
 * After an open outcome: looks once more, when a list that is late must show it, or as late as there is time. Undefined:
 * it was not made.
 */
async function lookAgain(
  look: () => Promise<{ standing?: FoundSnapshot }>,
  { time, deadline }: RetryBudget,
  error: SnapshotError,
): Promise<FoundSnapshot | undefined> {
  const rest = deadline - time.now();
  await time.sleep(Math.max(0, Math.min(LISTED_AFTER_MS, rest - LAST_LOOK_MS)));
  try {
    const { standing } = await look();
    if (standing !== undefined) return standing;
  } catch (cause) {
    // If the look fails for the same reason as the create, its error adds nothing. A deadline refuses nothing.
    const isSame = asSnapshotError(cause).reason === error.reason && error.reason !== "DeadlineExceeded";
    throw isFinal(error) && isSame ? error : outcomeUnknownError(error, cause);
  }
  // Too early a look proves nothing.
  if (rest - LAST_LOOK_MS < LISTED_AFTER_MS) throw outcomeUnknownError(error, error);
  return undefined;
}

const outcomeUnknownError = (error: SnapshotError, cause: unknown) => {
  const { code, status, requestId, attempts } = error;
  const message = `${error.message} Whether the snapshot was made could not be found out in time. ${REASONS.OutcomeUnknown.advice}`;
  return new SnapshotError("OutcomeUnknown", message, { code, status, requestId, attempts, cause });
};

/** What the record of a snapshot says of it. */
export function toRecordFields({ outcome, name, snapshotId, jobId, attempts, state }: CreateResult) {
  const end: EndFields & { outcome: CreateResult["outcome"] } = {
    outcome,
    name,
    snapshot_id: snapshotId,
    job_id: jobId,
    attempts,
  };
  // Nothing may be made beside it, and nothing good be said of it.
  const detail = "It exists, in a status that is not known.";
  return state === "unknown" ? { ...end, outcome: "unverified" as const, detail } : end;
}

const toExistingResult = (kind: Kind, found: FoundSnapshot): CreateResult => ({
  outcome: "existing",
  snapshotId: found.id,
  name: found.name,
  status: kind.acceptedStatus,
  body: JSON.stringify(kind.answer(found)),
  attempts: 0,
  state: found.state,
});

/** Waits until a list must show what was made by a moment. Rejects with OutcomeUnknown where that is later than there is time. */
async function untilListed(at: number, { time, deadline }: RetryBudget): Promise<void> {
  const rest = at + LISTED_AFTER_MS - elapsed(time);
  if (time.now() + rest + LAST_LOOK_MS > deadline) {
    throw new SnapshotError(
      "OutcomeUnknown",
      `The same request ended a moment ago, and whether it made a snapshot cannot be seen yet. ${REASONS.OutcomeUnknown.advice}`,
    );
  }
  await time.sleep(Math.max(0, rest));
}

/** Waits for another caller's work, but not beyond the own deadline. */
const within = <T>(work: Promise<T>, { time, deadline }: RetryBudget): Promise<T> =>
  raceDeadline(
    work,
    time,
    deadline,
    () => new SnapshotError("DeadlineExceeded", "The same request is still under way and this one's time ran out."),
  );
