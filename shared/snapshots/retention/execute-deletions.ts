import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError, REASONS, SnapshotError } from "../../core/errors.ts";
import { backoff, LISTED_AFTER_MS, pauses, type RetryBudget, retryRead, startCutoff } from "../../core/retry.ts";
import { cannotBeDeleted, type FoundSnapshot, isBeingDeleted, type Kind } from "../kinds/kind.ts";
import type { Policy } from "../policy.ts";
import type { EndFields } from "../reporting.ts";
import type { RunContext } from "../run-context.ts";
import { resourceOf, type Verdict } from "./plan.ts";

/** The verdict on a snapshot of a kind. */
export interface Planned {
  kind: Kind;
  verdict: Verdict;
}

/** A planned deletion. Contains only what its record needs, because a run can have 100,000 of them. */
export interface PendingDeletion {
  kind: Kind;
  id: string;
  name: string;
  resource: string | undefined;
  rule: string;
  /** Whether the snapshot is a younger duplicate of another one. */
  isDuplicate: boolean;
  /** How many delete requests were sent. */
  tries: number;
  /** The error of the last request. */
  error?: SnapshotError;
  /** Completes its record. */
  end?: (fields: EndFields) => void;
  /** Whether the snapshot may be deleted although a late list still shows it. */
  spent?: boolean;
}

/** Creates the pending deletion of a snapshot. */
export const deletionOf = ({ kind, verdict: { snapshot, rule, isDuplicate = false } }: Planned): PendingDeletion => ({
  kind,
  id: snapshot.id,
  name: snapshot.name,
  resource: resourceOf(snapshot),
  rule,
  isDuplicate,
  tries: 0,
});

/** Makes a plan again from a new list. */
export interface Replan {
  /** Lists at least the snapshots to delete, and every snapshot that matters for the plans of their resources. */
  list(kind: Kind, deletions: readonly PendingDeletion[]): Promise<FoundSnapshot[]>;
  plan(kind: Kind, found: readonly FoundSnapshot[]): Iterable<Planned>;
}

/** How many delete requests are sent for a busy snapshot in one run. */
const MAX_BUSY_TRIES = 4;
/** How many rounds of deletions a run has. Each round after the first lists every kind that has deletions left. */
const MAX_ROUNDS = 10;
/**
 * From this round on, a permanent error no longer defers the other deletions of its resource. Otherwise the same few errors
 * would prevent the other deletions in every run.
 */
const FIRST_ROUND_WITHOUT_DEFERRAL = 4;

/**
 * Executes the deletions of a plan, several at a time, and writes their records. Deletes younger duplicates first. Announces
 * the plan before the first deletion.
 *
 * If a deletion fails, the other deletions of its resource are deferred, because the resource may have changed. At the end of
 * a round, all failed deletions wait together. Then each kind is listed and planned again, once, and the next round executes
 * the deletions that are still planned. A throttled account therefore costs one list per round instead of one per deletion.
 *
 * @param outdated kinds that must be listed again before their first deletion, because their list is old
 */
export async function executeDeletions(
  deletions: readonly PendingDeletion[],
  policy: Pick<Policy, "policy">,
  runContext: RunContext,
  replan: Replan,
  outdated: readonly Kind[] = [],
): Promise<void> {
  const { cloud, retryBudget, concurrency } = runContext;
  const { time } = retryBudget;
  // No deletion may start after the cutoff, so a longer wait would be useless.
  const waits: RetryBudget = { ...retryBudget, deadline: startCutoff(retryBudget) };
  const duplicatesFirst = [
    ...deletions.filter(({ isDuplicate }) => isDuplicate),
    ...deletions.filter(({ isDuplicate }) => !isDuplicate),
  ];
  if (deletions.length > 0) runContext.announceDeletions(duplicatesFirst.map(announced));

  /** Completes the record of a deletion. All tries of a deletion share one record. */
  const end = (one: PendingDeletion, fields: EndFields) => {
    one.spent = fields.outcome === "deleted" || fields.outcome === "failed";
    one.end ??= openRecord(one, policy, runContext);
    one.end({ rule: one.rule, ...fields });
    // Releases the memory of the record, because a run can have thousands of deletions.
    one.end = COMPLETED;
  };

  let round = 1;
  let untried: PendingDeletion[] = [];
  let failed: PendingDeletion[] = [];
  let blocked = new Map<string, SnapshotError>();
  const pause = pauses(time);
  const remove = async (one: PendingDeletion) => {
    const { kind, id } = one;
    await pause();
    if (blocked.has(placeOf(one))) {
      untried.push(one);
      return;
    }
    one.end ??= openRecord(one, policy, runContext);
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
      const isFinal = REASONS[error.reason].retryClass === "never";
      if (!isFinal || round < FIRST_ROUND_WITHOUT_DEFERRAL) blocked.set(placeOf(one), error);
      one.error = error;
      // An ambiguous "not found" can be about something else, such as the cluster or the path.
      if (!isFinal || error.ambiguous) failed.push(one);
      // Somebody else deleted the snapshot, or the response to an earlier request was lost.
      else if (error.reason === "NotFound") end(one, { outcome: "deleted", detail: GONE });
      else end(one, { outcome: "failed", error });
    }
  };

  /** Lists a kind again and completes the records of deletions that succeeded or are no longer planned. Returns the others. */
  const stillToDelete = async (kind: Kind, ones: readonly PendingDeletion[], again: ReadonlySet<PendingDeletion>) => {
    const rows = new Map<string, FoundSnapshot>();
    const verdicts = new Map<string, Verdict>();
    const spent = new Set(deletions.filter((one) => one.kind === kind && one.spent).map(({ id }) => id));
    try {
      const found = await retryRead(() => replan.list(kind, ones), waits);
      // Retention keeps at least one good snapshot, so an empty list is probably wrong.
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
      const isPlanned = verdict.decision === "deleted";
      if (row === undefined || isBeingDeleted(row)) {
        end(one, { outcome: "deleted", detail: row === undefined ? GONE : "It was being deleted already." });
      } else if (isPlanned ? !again.has(one) : error !== undefined && cannotBeDeleted(row)) {
        end(one, { outcome: "failed", error });
      } else if (isPlanned) {
        one.rule = verdict.rule;
        return true;
      } else {
        end(one, { outcome: verdict.decision, rule: verdict.rule, detail: changed(rule) });
      }
      return false;
    });
  };

  untried = duplicatesFirst.filter(({ kind }) => outdated.includes(kind));
  await forEachConcurrent(
    duplicatesFirst.filter(({ kind }) => !outdated.includes(kind)),
    concurrency,
    remove,
  );
  while (untried.length + failed.length > 0) {
    const again = new Set<PendingDeletion>();
    const hasRounds = round < MAX_ROUNDS;
    if (hasRounds) await Promise.all(failed.map(async (one) => (await mayTryAgain(one, waits)) && again.add(one)));
    const left = [...failed];
    for (const one of untried) {
      if (time.now() >= waits.deadline) end(one, { outcome: "failed", error: one.error ?? outOfTime() });
      else if (!hasRounds)
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
const UNREAD = "Not deleted, because the list could not be read again.";
const UNTRIED = "Not tried, because another deletion of the same resource failed.";
const UNMARKED = { decision: "held", rule: "no longer marked with this policy" } as const;
const changed = (rule: string): string =>
  `The plan changed: a later list shows that this snapshot must be kept. Before: ${rule}.`;

/** Identifies the resource whose other deletions a failed deletion defers. */
const placeOf = ({ kind, resource }: PendingDeletion): string => `${kind.name} ${resource}`;

const announced = ({ kind, id, resource, rule }: PendingDeletion) => ({
  kind: kind.name,
  resource_id: resource,
  snapshot_id: id,
  rule,
});

/**
 * Waits before the next try of a deletion. After an error that leaves open whether the cloud deleted the snapshot, waits until
 * a list must show the result.
 *
 * @returns false if there is no next try
 */
async function mayTryAgain({ error, tries }: PendingDeletion, waits: RetryBudget): Promise<boolean> {
  const { time, deadline } = waits;
  if (error === undefined || (error.reason === "Busy" && tries >= MAX_BUSY_TRIES)) return false;
  const isTransient = REASONS[error.reason].retryClass === "transient";
  if (isTransient && time.now() + LISTED_AFTER_MS >= deadline) return false;
  if (!(await backoff(error, tries, waits))) return false;
  if (isTransient) await time.sleep(LISTED_AFTER_MS);
  return true;
}

/** Opens the record of a deletion, or of a snapshot that prune keeps. */
export const openRecord = (
  { kind, id, resource, name }: PendingDeletion,
  { policy }: Pick<Policy, "policy">,
  { report }: RunContext,
) =>
  report({
    action: "prune",
    kind: kind.name,
    resource_id: resource,
    name,
    snapshot_id: id,
    policy,
  });

const emptyList = ({ name }: Kind) =>
  new SnapshotError(
    "BadResponse",
    `Expected the ${name}s that are kept in the list, got an empty list. ${REASONS.BadResponse.advice}`,
  );

const outOfTime = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before this snapshot was deleted. The next run deletes it. Raise the function's timeout.",
  );
