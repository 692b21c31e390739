import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError, REASONS, SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { backoff, LISTED_AFTER_MS, pauses, type RetryBudget, retryRead, startCutoff } from "../../core/retry.ts";
import { wallClockOf } from "../../core/time-zone.ts";
import type { RunContext } from "../create/create-all.ts";
import { cannotBeDeleted, type FoundSnapshot, isGoing, type Kind } from "../kinds/kind.ts";
import { listByKind } from "../list-by-kind.ts";
import { compact } from "../ownership.ts";
import type { Policy, Retention } from "../policy.ts";
import type { EndFields } from "../reporting.ts";
import { tooMany } from "../too-many.ts";
import {
  byResource,
  isNamedIn,
  keepsSomething,
  namesIn,
  planRetention,
  type RetentionOptions,
  resourceOf,
  type Verdict,
} from "./plan.ts";

/** What prune needs of a policy; its targets do not matter: retention goes over what the policy made. */
export type PrunePolicy = Pick<Policy, "policy" | "time_zone" | "hold" | "dry_run"> & { retention?: Retention };

/** What is to become of one snapshot. */
export interface Planned {
  kind: Kind;
  verdict: Verdict;
}

/** A deletion that a plan asks for. Keeps no more of the row than its record needs: a run may have 100,000 of them. */
export interface PendingDeletion {
  kind: Kind;
  id: string;
  name: string;
  resource: string | undefined;
  rule: string;
  /** How often the deletion was sent. */
  tries: number;
  /** Why the last try failed. */
  error?: SnapshotError;
  /** Completes its record. */
  end?: (fields: EndFields) => void;
  /** Whether the snapshot may be gone although a list that is late still shows it. */
  spent?: boolean;
}

export const deletionOf = ({ kind, verdict: { snapshot, rule } }: Planned): PendingDeletion => ({
  kind,
  id: snapshot.id,
  name: snapshot.name,
  resource: resourceOf(snapshot),
  rule,
  tries: 0,
});

/** Makes a plan again from a new list. */
export interface Replan {
  /** Lists at least the snapshots to delete that still exist, and every snapshot that the plan for their resources counts. */
  list(kind: Kind, deletions: readonly PendingDeletion[]): Promise<FoundSnapshot[]>;
  plan(kind: Kind, found: readonly FoundSnapshot[]): Iterable<Planned>;
}

/** How often a busy snapshot is tried before it is left for the next run. */
const BUSY_TRIES = 4;
/** How many rounds of deletions a run makes. Each round after the first lists every kind that has deletions left. */
const ROUNDS = 10;
/**
 * From this round on, a deletion that is refused for good no longer defers the others of its resource. Otherwise the same
 * few refusals would keep the others from being deleted in every run.
 */
const REFUSALS_DEFER_NONE = 4;

/**
 * The retention of a policy as prune takes it. Throws InvalidRequest where it keeps nothing by any rule.
 *
 * @param now what is dated later is held; undefined where the days are made up
 */
export function retentionOf(
  { retention = {}, time_zone = "UTC", hold = [] }: PrunePolicy,
  now?: Instant,
): RetentionOptions {
  if (!keepsSomething(retention)) {
    throw new SnapshotError(
      "InvalidRequest",
      "retention: expected at least one of keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly above 0, got none; that would delete all but min_keep.",
    );
  }
  return { retention, wallClock: wallClockOf(time_zone), hold, now };
}

/**
 * Deletes what a policy's retention no longer keeps, of everything that is marked with the policy: per kind and resource,
 * whether or not the resource still exists. The plan is made whole, and told, before anything is deleted. Each snapshot has
 * its record with the rule; one that cannot be deleted does not stop the others.
 *
 * @returns how many snapshots there were
 */
export async function prune(policy: PrunePolicy, runContext: RunContext): Promise<number> {
  const options = retentionOf(policy, runContext.retryBudget.time.now());
  const going: PendingDeletion[] = [];
  let count = 0;
  const unmatched = new Map(options.hold.map((text) => [text, namesIn([text])]));
  const marked = (found: FoundSnapshot) => {
    for (const [text, name] of unmatched) if (isNamedIn(name, found)) unmatched.delete(text);
    // Stryker disable next-line ConditionalExpression: only saves memory
    return found.marker?.policy === policy.policy ? compact(found) : undefined;
  };
  const { maxTargets = Number.POSITIVE_INFINITY } = runContext;
  const held = { ...runContext, maxSnapshots: maxTargets };
  const outdated = await listByKind(
    { action: "prune", policy: policy.policy },
    held,
    marked,
    async (kind, found, pause) => {
      for (const planned of verdictsOn(kind, found, policy, options)) {
        await pause();
        const { decision, rule } = planned.verdict;
        count += 1;
        const one = deletionOf(planned);
        if (policy.dry_run) begin(one, policy, runContext)({ outcome: "planned", rule, detail: decision });
        else if (decision === "deleted") going.push(one);
        else begin(one, policy, runContext)({ outcome: decision, rule });
      }
    },
  );
  if (unmatched.size > 0) {
    const texts = [...unmatched.keys()].map((text) => JSON.stringify(text)).join(", ");
    runContext.addNotice(`hold: expected ids or names of snapshots; none that was looked at has ${texts}.`);
  }
  const replan: Replan = {
    async list(kind, deletions) {
      const ids = new Set(deletions.map(({ id }) => id));
      const resources = new Set(deletions.map(({ resource }) => resource));
      const found: FoundSnapshot[] = [];
      await runContext.cloud(kind).listAll((one) => {
        // The resource of a group of single disks changes with its members.
        const counts = one.resource === undefined || resources.has(one.resource);
        if (!ids.has(one.id) && !(counts && one.marker?.policy === policy.policy)) return;
        // The deletions are in memory as well.
        if (found.length + deletions.length >= maxTargets) throw tooMany(kind, maxTargets);
        found.push(compact(one));
      });
      return found;
    },
    plan: (kind, found) => verdictsOn(kind, found, policy, retentionOf(policy, runContext.retryBudget.time.now())),
  };
  await executeDeletions(going, policy, runContext, replan, outdated);
  return count;
}

/** The verdicts over those of a kind's snapshots that are marked with the policy, resource by resource. */
function* verdictsOn(
  kind: Kind,
  found: readonly FoundSnapshot[],
  { policy }: PrunePolicy,
  options: RetentionOptions,
): Generator<Planned> {
  const marked = found.filter(({ marker }) => marker?.policy === policy);
  for (const snapshots of byResource(marked)) {
    for (const verdict of planRetention(snapshots, options)) yield { kind, verdict };
  }
}

/** The same at once, for few. */
export const planOf = (...of: Parameters<typeof verdictsOn>): Planned[] => [...verdictsOn(...of)];

/**
 * Deletes what a plan asks for, several at a time, younger twins first. Announces the plan before the first deletion.
 *
 * A deletion that fails defers the other deletions of its resource, because the estate has changed or time has passed. When
 * the round is over, all failed deletions wait together, each kind is listed once and planned again, and the next round
 * deletes only what every plan so far deletes. A throttled account therefore costs one list per round, not one per deletion.
 *
 * @param outdated kinds whose list is older than a wait; they are listed again before their first deletion
 */
export async function executeDeletions(
  deletions: readonly PendingDeletion[],
  policy: PrunePolicy,
  runContext: RunContext,
  replan: Replan,
  outdated: readonly Kind[] = [],
): Promise<void> {
  const { cloud, retryBudget, concurrency } = runContext;
  const { time } = retryBudget;
  // Waiting for a moment at which no deletion may begin any more would be in vain.
  const waits: RetryBudget = { ...retryBudget, deadline: startCutoff(retryBudget) };
  const twinsFirst = [...deletions.filter(isTwin), ...deletions.filter((one) => !isTwin(one))];
  // An invocation that ends in the middle has no records of what it was at: this tells of it.
  if (deletions.length > 0) runContext.announceDeletions(twinsFirst.map(announced));

  /** Completes the record of a deletion, which is the same one from the first try to the last. */
  const end = (one: PendingDeletion, fields: EndFields) => {
    one.spent = fields.outcome === "deleted" || fields.outcome === "failed";
    one.end ??= begin(one, policy, runContext);
    one.end({ rule: one.rule, ...fields });
    // Releases the record: a run may have thousands of deletions.
    one.end = COMPLETED;
  };

  let round = 1;
  let untried: PendingDeletion[] = [];
  let failed: PendingDeletion[] = [];
  let blocked = new Map<string, SnapshotError>();
  const breathe = pauses(time);
  const remove = async (one: PendingDeletion) => {
    const { kind, id } = one;
    await breathe();
    if (blocked.has(placeOf(one))) {
      untried.push(one);
      return;
    }
    one.end ??= begin(one, policy, runContext);
    if (time.now() >= waits.deadline) {
      end(one, { outcome: "failed", error: one.error ?? outOfTime() });
      return;
    }
    try {
      one.tries += 1;
      await cloud(kind).remove(id);
      end(one, { outcome: "deleted" });
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const final = REASONS[error.reason].wait === "never";
      if (!final || round < REFUSALS_DEFER_NONE) blocked.set(placeOf(one), error);
      one.error = error;
      // An ambiguous "not found" can be about something else, such as the cluster or the path.
      if (!final || error.ambiguous) failed.push(one);
      // Somebody was faster, or the reply to an earlier call was lost: it is gone, which is what was wanted.
      else if (error.reason === "NotFound") end(one, { outcome: "deleted", detail: GONE });
      else end(one, { outcome: "failed", error });
    }
  };

  /** Lists a kind again. Completes the record of each deletion that succeeded or is no longer planned; returns the rest. */
  const stillToDelete = async (kind: Kind, ones: readonly PendingDeletion[], again: ReadonlySet<PendingDeletion>) => {
    const rows = new Map<string, FoundSnapshot>();
    const verdicts = new Map<string, Verdict>();
    const spent = new Set(deletions.filter((one) => one.kind === kind && one.spent).map(({ id }) => id));
    try {
      const found = await retryRead(() => replan.list(kind, ones), waits);
      // At least one good snapshot stays, so this is more likely a fault of the list.
      if (found.length === 0) throw emptyList(kind);
      for (const row of found) rows.set(row.id, row);
      const counting = found.filter(({ id }) => !spent.has(id));
      for (const { verdict } of replan.plan(kind, counting)) verdicts.set(verdict.snapshot.id, verdict);
    } catch (thrown) {
      const unread = { error: asSnapshotError(thrown), detail: UNREAD };
      for (const one of ones) {
        end(one, { outcome: "failed", ...(again.has(one) || !one.error ? unread : { error: one.error }) });
      }
      return [];
    }
    return ones.filter((one) => {
      const { error, rule } = one;
      const row = rows.get(one.id);
      const verdict = verdicts.get(one.id) ?? UNMARKED;
      const deleted = verdict.decision === "deleted";
      if (row === undefined || isGoing(row)) {
        end(one, { outcome: "deleted", detail: row === undefined ? GONE : "It was being deleted already." });
      } else if (deleted ? !again.has(one) : error !== undefined && cannotBeDeleted(row)) {
        end(one, { outcome: "failed", error });
      } else if (deleted) {
        one.rule = verdict.rule;
        return true;
      } else {
        end(one, { outcome: verdict.decision, rule: verdict.rule, detail: changed(rule) });
      }
      return false;
    });
  };

  untried = twinsFirst.filter(({ kind }) => outdated.includes(kind));
  await forEachConcurrent(
    twinsFirst.filter(({ kind }) => !outdated.includes(kind)),
    concurrency,
    remove,
  );
  while (untried.length + failed.length > 0) {
    const again = new Set<PendingDeletion>();
    const mayGoOn = round < ROUNDS;
    if (mayGoOn) await Promise.all(failed.map(async (one) => (await mayTryAgain(one, waits)) && again.add(one)));
    const left = [...failed];
    for (const one of untried) {
      if (time.now() >= waits.deadline) end(one, { outcome: "failed", error: one.error ?? outOfTime() });
      else if (!mayGoOn)
        end(one, { outcome: "failed", error: one.error ?? blocked.get(placeOf(one)), detail: UNTRIED });
      else again.add(one);
    }
    left.unshift(...untried.filter((one) => again.has(one)));
    [untried, failed, blocked] = [[], [], new Map()];
    round += 1;
    for (const kind of new Set(left.map((one) => one.kind))) {
      const ofKind = left.filter((one) => one.kind === kind);
      await forEachConcurrent(await stillToDelete(kind, ofKind, again), concurrency, remove);
    }
  }
}

const COMPLETED = () => {};

const GONE = "It was gone already.";
const UNREAD = "The list could not be read again, and an old list is no reason to delete.";
const UNTRIED = "Not tried: another deletion of the same resource failed.";
const UNMARKED = { decision: "held", rule: "no longer marked with this policy" } as const;
const changed = (rule: string): string =>
  `The plan changed: this was to be deleted (${rule}), and a list that was read later shows that it must stay.`;

/** Names the resource whose other deletions a failed one defers. */
const placeOf = ({ kind, resource }: PendingDeletion): string => `${kind.name} ${resource}`;

const announced = ({ kind, id, resource, rule }: PendingDeletion) => ({
  kind: kind.name,
  resource_id: resource,
  snapshot_id: id,
  rule,
});

/**
 * Waits before the next try of a deletion. Returns false if there is none. After a fault that leaves open whether the cloud
 * acted, the wait lasts until a list must show the result.
 */
async function mayTryAgain({ error, tries }: PendingDeletion, waits: RetryBudget): Promise<boolean> {
  const { time, deadline } = waits;
  if (error === undefined || (error.reason === "Busy" && tries >= BUSY_TRIES)) return false;
  const open = REASONS[error.reason].wait === "transient";
  if (open && time.now() + LISTED_AFTER_MS >= deadline) return false;
  if (!(await backoff(error, tries, waits))) return false;
  if (open) await time.sleep(LISTED_AFTER_MS);
  return true;
}

const begin = ({ kind, id, resource, name }: PendingDeletion, { policy }: PrunePolicy, { report }: RunContext) =>
  report({
    action: "prune",
    kind: kind.name,
    resource_id: resource,
    name,
    snapshot_id: id,
    policy,
  });

const isTwin = ({ rule }: PendingDeletion): boolean => rule.startsWith("twin");

const emptyList = ({ name }: Kind) =>
  new SnapshotError(
    "BadResponse",
    `Expected the ${name}s that are kept in the list, got none at all. ${REASONS.BadResponse.advice}`,
  );

const outOfTime = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before this was deleted; the next run does it. Raise the function's timeout.",
  );
