import { asSnapshotError, REASONS, SnapshotError, withAttempts } from "../../core/errors.ts";
import { textAt } from "../../core/json.ts";
import {
  backoff,
  LISTED_AFTER_MS,
  type RetryBudget,
  refundRetryToken,
  retryRead,
  takeRetryToken,
} from "../../core/retry.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { deriveKey, hashRequest, type Marker, snapshotName } from "../marker.ts";
import type { Creation } from "../ports.ts";
import { type Entry, elapsed, type InFlight, trackCreate, waitForConcurrentRequest } from "./in-flight.ts";
import { conflict, type Match, matchExisting, sameName } from "./match.ts";
import type { CreateResult, SnapshotRequest } from "./request.ts";

/** The time before the deadline that the last list needs. */
const LAST_LIST_MS = 1_000;
/** How many create requests are sent if each response leaves open whether the cloud created the snapshot. */
const MAX_AMBIGUOUS_TRIES = 3;

/**
 * Creates a snapshot, unless an earlier delivery of the request created it. Neither EVS nor DWS accepts an idempotency key, so
 * the marker in the list of snapshots is the only proof of an earlier create. If a response leaves open whether the cloud
 * created the snapshot, `createOnce` lists the snapshots again before it sends another create.
 *
 * @param inFlight all invocations of a process share it
 * @param listed the snapshots that `service.listFor` would return, if the caller has listed them in bulk
 * @throws SnapshotError Conflict if the key was used for another request; OutcomeUnknown if it is still unknown at the
 *   deadline whether the snapshot was created; otherwise the error of the cloud
 */
export async function createOnce(
  request: SnapshotRequest,
  service: Creation,
  retryBudget: RetryBudget,
  inFlight: InFlight,
  listed?: FoundSnapshot[],
): Promise<CreateResult> {
  const { kind, options, idempotencyKey, projectId } = request;
  const requestHash = hashRequest(kind.name, options);
  // The map outlives the invocation, so it contains a hash instead of the ids.
  // Stryker disable next-line StringLiteral: any string that no other key begins with
  const identity = deriveKey("in-flight", projectId, kind.name, kind.resourceOf(options), idempotencyKey);
  const concurrent = inFlight.get(identity);
  if (concurrent?.pending !== undefined) {
    const created = await waitForConcurrentRequest(
      concurrent.pending.catch(() => undefined),
      retryBudget,
    );
    if (created === undefined) return createOnce(request, service, retryBudget, inFlight);
    if (concurrent.requestHash !== requestHash) throw conflict(kind, created.snapshotId);
    return { ...created, outcome: "existing", attempts: 0 };
  }
  return trackCreate(identity, requestHash, inFlight, retryBudget.time, (earlier) =>
    listThenCreate(request, service, retryBudget, listed, earlier),
  );
}

async function listThenCreate(
  request: SnapshotRequest,
  service: Creation,
  retryBudget: RetryBudget,
  listed?: FoundSnapshot[],
  earlier?: Entry,
): Promise<CreateResult> {
  const { kind, options, idempotencyKey, policy } = request;
  const requestHash = hashRequest(kind.name, options);
  const marker: Marker = { policy, idempotencyKey, requestHash };

  const list = () => retryRead(() => service.listFor(options), retryBudget);
  const findExisting = async () => matchExisting(await list(), request, marker);
  const { ended, requestHash: earlierHash } = earlier ?? {};
  const id = ended?.snapshotId;
  const isAmbiguous = ended !== undefined && id === undefined;
  // A list must show what an earlier request may have created.
  if (isAmbiguous) await waitUntilListed(ended.at, retryBudget);
  const found = (isAmbiguous ? undefined : listed) ?? (await list());
  const match = matchExisting(found, request, marker);
  if (match.existing !== undefined) return toExistingResult(kind, match.existing);
  if (id !== undefined && !found.some((one) => one.id === id)) {
    if (earlierHash !== requestHash) throw conflict(kind, id);
    return toExistingResult(kind, kind.read({ ...options, id, status: "creating" }) as FoundSnapshot);
  }
  if (await request.makeRoom?.(kind, options)) {
    const { existing } = await findExisting();
    if (existing !== undefined) return toExistingResult(kind, existing);
  }

  const name = textAt(options, "name") ?? freeName(request, match.failedCount + 1, found);
  const marked = kind.mark({ ...options, name }, marker);

  for (let tries = 1; ; tries += 1) {
    try {
      const created = await service.create(marked);
      refundRetryToken(retryBudget);
      return { outcome: "accepted", name, attempts: tries, ...created };
    } catch (thrown) {
      const refused = asSnapshotError(thrown);
      const error = withAttempts(refused, refused.requestSent ? tries : tries - 1);
      if (error.ambiguous) {
        const created = await listAfterAmbiguous(findExisting, retryBudget, error);
        if (created !== undefined) return { ...toExistingResult(kind, created), outcome: "accepted", attempts: tries };
        // The list proved that no snapshot was created, so an error that a retry cannot change is final.
        if (isFinal(error) || tries >= MAX_AMBIGUOUS_TRIES || !takeRetryToken(retryBudget)) throw error;
      } else if (await backoff(error, tries, retryBudget)) {
        // Another delivery of this request may have created the snapshot during the wait.
        const { existing } = await findExisting().catch((thrown) => {
          throw withAttempts(asSnapshotError(thrown), error.attempts);
        });
        if (existing !== undefined) return toExistingResult(kind, existing);
      } else {
        // Another delivery of this request may have created the snapshot that has the name.
        const mayBeTaken = kind.uniqueNames && error.status !== undefined;
        const existing = mayBeTaken ? (await findExisting().catch(() => undefined))?.existing : undefined;
        if (existing !== undefined) return toExistingResult(kind, existing);
        throw await reclassifyQuotaError(error, request, service, retryBudget);
      }
    }
  }
}

const isFinal = ({ reason }: SnapshotError): boolean => REASONS[reason].retryClass === "never";

/** Generates the name of an attempt. If a snapshot has that name, because an earlier attempt was deleted, tries the next one. */
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
 * Returns a QuotaExceeded error if EVS rejected the request and the disk has the maximum number of snapshots. It is
 * UNCONFIRMED which error EVS returns for a full disk (SOURCES.md#evs-per-disk-limit-code), so `InvalidRequest` may be about the quota.
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
  const { code, cloudMessage, status, requestId, attempts } = error;
  const message = `Expected fewer than ${maxPerResource} snapshots of ${kind.resourceOf(options)}, got ${count}. The cloud rejected another one: ${status} ${code}: ${cloudMessage?.replace(/\.$/, "")}. ${REASONS.QuotaExceeded.advice}`;
  return new SnapshotError("QuotaExceeded", message, { code, cloudMessage, status, requestId, attempts });
}

/**
 * Lists the snapshots after an ambiguous response to a create. Waits until the list must show the snapshot, or until shortly
 * before the deadline.
 *
 * @returns the snapshot, or undefined if none was created
 * @throws SnapshotError OutcomeUnknown if the list cannot be read, or not late enough to prove anything
 */
async function listAfterAmbiguous(
  findExisting: () => Promise<Match>,
  { time, deadline }: RetryBudget,
  error: SnapshotError,
): Promise<FoundSnapshot | undefined> {
  const remaining = deadline - time.now();
  await time.sleep(Math.max(0, Math.min(LISTED_AFTER_MS, remaining - LAST_LIST_MS)));
  try {
    const { existing } = await findExisting();
    if (existing !== undefined) return existing;
  } catch (cause) {
    // If the list fails for the same reason as the create, its error adds nothing. A deadline does not reject the create.
    const isSame = asSnapshotError(cause).reason === error.reason && error.reason !== "DeadlineExceeded";
    throw isFinal(error) && isSame ? error : outcomeUnknownError(error, cause);
  }
  // A list that was read too early proves nothing.
  if (remaining - LAST_LIST_MS < LISTED_AFTER_MS) throw outcomeUnknownError(error, error);
  return undefined;
}

const outcomeUnknownError = (error: SnapshotError, cause: unknown) => {
  const { code, status, requestId, attempts } = error;
  const message = `${error.message} It is unknown whether the snapshot was created. ${REASONS.OutcomeUnknown.advice}`;
  return new SnapshotError("OutcomeUnknown", message, { code, status, requestId, attempts, cause });
};

const toExistingResult = (kind: Kind, found: FoundSnapshot): CreateResult => ({
  outcome: "existing",
  snapshotId: found.id,
  name: found.name,
  status: kind.acceptedStatus,
  body: JSON.stringify(kind.answer(found)),
  attempts: 0,
  state: found.state,
});

/**
 * Waits until a list must show a snapshot that was created at a moment.
 *
 * @throws SnapshotError OutcomeUnknown if that is after the deadline
 */
async function waitUntilListed(at: number, { time, deadline }: RetryBudget): Promise<void> {
  const remaining = at + LISTED_AFTER_MS - elapsed(time);
  if (time.now() + remaining + LAST_LIST_MS > deadline) {
    throw new SnapshotError(
      "OutcomeUnknown",
      `The same request ended less than 6 s ago, and a list may not show its snapshot yet. ${REASONS.OutcomeUnknown.advice}`,
    );
  }
  await time.sleep(Math.max(0, remaining));
}
