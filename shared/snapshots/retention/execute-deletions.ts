import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError, REASONS, SnapshotError } from "../../core/errors.ts";
import { backoff, createPause, LISTED_AFTER_MS, type RetryBudget, retryRead, startCutoff } from "../../core/retry.ts";
import { cannotBeDeleted, type FoundSnapshot, isBeingDeleted, type Kind } from "../kinds/kind.ts";
import type { Policy } from "../policy.ts";
import type { EndFields } from "../reporting.ts";
import type { RunContext } from "../run-context.ts";
import { resourceOf, type Verdict } from "./plan.ts";

/** A snapshot kind and the retention verdict on one snapshot of this kind. */
export interface PlannedVerdict {
  kind: Kind;
  verdict: Verdict;
}

/**
 * A planned deletion of one snapshot. Contains only the fields that its result record needs, because a run can have 100,000
 * planned deletions.
 */
export interface PendingDeletion {
  kind: Kind;
  id: string;
  name: string;
  resource: string | undefined;
  rule: string;
  /** The number of delete requests that were sent. */
  tries: number;
  /** The error of the last delete request. */
  error?: SnapshotError;
  /** Completes the result record of the deletion. */
  complete?: (fields: EndFields) => void;
  /**
   * True if the result record reports the snapshot as deleted or failed. The snapshot may then no longer exist, even if a late
   * list response still contains it.
   */
  removed?: boolean;
}

/** Converts a retention verdict into the pending deletion of a snapshot. */
export const toPendingDeletion = ({ kind, verdict: { snapshot, rule } }: PlannedVerdict): PendingDeletion => ({
  kind,
  id: snapshot.id,
  name: snapshot.name,
  resource: resourceOf(snapshot),
  rule,
  tries: 0,
});

/** Lists snapshots again and makes a new retention plan from the list response. */
export interface Replan {
  /** Lists at least the snapshots to delete, and every other snapshot that the retention rules need for a verdict on them. */
  list(kind: Kind, deletions: readonly PendingDeletion[]): Promise<FoundSnapshot[]>;
  plan(kind: Kind, found: readonly FoundSnapshot[]): Iterable<PlannedVerdict>;
}

/** The maximum number of delete requests for one busy snapshot in one run. */
const MAX_BUSY_TRIES = 4;
/**
 * The maximum number of deletion rounds in one run. Each round after the first sends a list request for every kind of snapshot
 * that still has pending deletions.
 */
const MAX_ROUNDS = 10;
/**
 * The first round in which a permanent error no longer postpones the deletion of other snapshots of the same resource. Without
 * this limit, one snapshot that can never be deleted could prevent these deletions in every run.
 */
const FIRST_ROUND_WITHOUT_POSTPONING = 4;

/**
 * Executes planned deletions, several at the same time, and writes their result records. The caller must announce the
 * deletions before.
 *
 * If a deletion fails, the function postpones the deletions of other snapshots of the same resource, because the resource may
 * have changed. The function tries all other deletions of the round, and then waits once for all failed deletions. It sends one
 * list request for each kind of snapshot and makes a new plan. The next round executes the failed and postponed deletions that
 * are still in the plan. If the account is throttled, the function thus sends one list request per round instead of one list
 * request per deletion.
 *
 * @param outdated the kinds of snapshots whose list response is too old. Their snapshots are listed again before the first
 *   deletion.
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
  // No deletion may start after the start cutoff, so each wait must end before the start cutoff.
  const waits: RetryBudget = { ...retryBudget, deadline: startCutoff(retryBudget) };

  /** Completes the result record of a deletion. All delete requests for a snapshot share one record. */
  const complete = (deletion: PendingDeletion, fields: EndFields) => {
    deletion.removed = fields.outcome === "deleted" || fields.outcome === "failed";
    deletion.complete ??= openPruneRecord(deletion, policy, runContext);
    deletion.complete({ rule: deletion.rule, ...fields });
    // Release the memory of the record, because a run can have thousands of deletions.
    deletion.complete = ignoreFurtherCalls;
  };

  let round = 1;
  let postponed: PendingDeletion[] = [];
  let failed: PendingDeletion[] = [];
  let errorByResource = new Map<string, SnapshotError>();
  const pause = createPause(time);
  const remove = async (deletion: PendingDeletion) => {
    const { kind, id } = deletion;
    await pause();
    if (errorByResource.has(resourceKeyOf(deletion))) {
      postponed.push(deletion);
      return;
    }
    deletion.complete ??= openPruneRecord(deletion, policy, runContext);
    if (time.now() >= waits.deadline) {
      complete(deletion, { outcome: "failed", error: deletion.error ?? outOfTimeError() });
      return;
    }
    try {
      deletion.tries += 1;
      await cloud(kind).remove(id);
      complete(deletion, { outcome: "deleted" });
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const isFinal = REASONS[error.reason].retryClass === "never";
      if (!isFinal || round < FIRST_ROUND_WITHOUT_POSTPONING) errorByResource.set(resourceKeyOf(deletion), error);
      deletion.error = error;
      // If a NotFound error is ambiguous, another object may be missing, such as the cluster or the URL path.
      if (!isFinal || error.ambiguous) failed.push(deletion);
      // The snapshot no longer exists: somebody else deleted it, or the response to an earlier delete request was lost.
      else if (error.reason === "NotFound") complete(deletion, { outcome: "deleted", detail: ALREADY_DELETED });
      else complete(deletion, { outcome: "failed", error });
    }
  };

  /**
   * Lists the snapshots of a kind again. Completes the result record of each deletion that succeeded or is no longer planned.
   *
   * @param retryable the deletions for which another delete request may be sent
   * @returns the deletions to execute in the next round
   */
  const findRemainingDeletions = async (
    kind: Kind,
    pending: readonly PendingDeletion[],
    retryable: ReadonlySet<PendingDeletion>,
  ) => {
    const listedById = new Map<string, FoundSnapshot>();
    const verdictById = new Map<string, Verdict>();
    const maybeDeletedIds = new Set(
      deletions.filter((deletion) => deletion.kind === kind && deletion.removed).map(({ id }) => id),
    );
    try {
      const found = await retryRead(() => replan.list(kind, pending), waits);
      // Retention keeps at least one good snapshot, so an empty list response is probably wrong.
      if (found.length === 0) throw emptyListError(kind);
      for (const snapshot of found) listedById.set(snapshot.id, snapshot);
      const remaining = found.filter(({ id }) => !maybeDeletedIds.has(id));
      for (const { verdict } of replan.plan(kind, remaining)) verdictById.set(verdict.snapshot.id, verdict);
    } catch (thrown) {
      const listFailure = { error: asSnapshotError(thrown), detail: NOT_LISTED };
      for (const deletion of pending) {
        const { error } = deletion;
        complete(deletion, { outcome: "failed", ...(retryable.has(deletion) || !error ? listFailure : { error }) });
      }
      return [];
    }
    return pending.filter((deletion) => {
      const { id, error, rule } = deletion;
      const listed = listedById.get(id);
      const verdict = verdictById.get(id) ?? UNMARKED_VERDICT;
      const isPlanned = verdict.decision === "deleted";
      if (listed === undefined || isBeingDeleted(listed)) {
        complete(deletion, { outcome: "deleted", detail: listed === undefined ? ALREADY_DELETED : IN_DELETION });
      } else if (isPlanned ? !retryable.has(deletion) : error !== undefined && cannotBeDeleted(listed)) {
        complete(deletion, { outcome: "failed", error });
      } else if (isPlanned) {
        deletion.rule = verdict.rule;
        return true;
      } else {
        complete(deletion, { outcome: verdict.decision, rule: verdict.rule, detail: planChanged(rule) });
      }
      return false;
    });
  };

  postponed = deletions.filter(({ kind }) => outdated.includes(kind));
  await forEachConcurrent(
    deletions.filter(({ kind }) => !outdated.includes(kind)),
    concurrency,
    remove,
  );
  while (postponed.length + failed.length > 0) {
    const retryable = new Set<PendingDeletion>();
    const hasRounds = round < MAX_ROUNDS;
    if (hasRounds) {
      await Promise.all(
        failed.map(async (deletion) => (await waitBeforeRetry(deletion, waits)) && retryable.add(deletion)),
      );
    }
    const pending = [...failed];
    for (const deletion of postponed) {
      const { error } = deletion;
      if (time.now() >= waits.deadline) complete(deletion, { outcome: "failed", error: error ?? outOfTimeError() });
      else if (hasRounds) retryable.add(deletion);
      else {
        const cause = error ?? errorByResource.get(resourceKeyOf(deletion));
        complete(deletion, { outcome: "failed", error: cause, detail: NOT_TRIED });
      }
    }
    pending.unshift(...postponed.filter((deletion) => retryable.has(deletion)));
    [postponed, failed, errorByResource] = [[], [], new Map()];
    round += 1;
    for (const kind of new Set(pending.map((deletion) => deletion.kind))) {
      const ofKind = pending.filter((deletion) => deletion.kind === kind);
      await forEachConcurrent(await findRemainingDeletions(kind, ofKind, retryable), concurrency, remove);
    }
  }
}

const ignoreFurtherCalls = () => {};

export const ALREADY_DELETED = "Already deleted.";
export const IN_DELETION = "Already being deleted.";
export const NOT_LISTED = "Not deleted: the snapshots could not be listed again.";
const NOT_TRIED = "Not deleted, because another snapshot of the resource could not be deleted.";
const UNMARKED_VERDICT = { decision: "held", rule: "no longer marked with this policy" } as const;
export const planChanged = (rule: string): string =>
  `The plan changed after another list request. Previous rule: ${rule}.`;

/** Identifies the resource of a snapshot among the resources of all kinds of snapshots. */
const resourceKeyOf = ({ kind, resource }: PendingDeletion): string => `${kind.name} ${resource}`;

/** Returns the fields of a planned deletion that the log contains before the first delete request. */
export const toAnnouncement = ({ kind, id, resource, rule }: PendingDeletion) => ({
  kind: kind.name,
  resource_id: resource,
  snapshot_id: id,
  rule,
});

/**
 * Waits before the next delete request for a snapshot. If the last response does not show whether the snapshot was deleted,
 * waits until a list response is certain to show whether the snapshot still exists.
 *
 * @returns false if no other delete request may be sent, or if it would be sent too late
 */
export async function waitBeforeRetry({ error, tries }: PendingDeletion, waits: RetryBudget): Promise<boolean> {
  const { time, deadline } = waits;
  if (error === undefined || (error.reason === "Busy" && tries >= MAX_BUSY_TRIES)) return false;
  const isTransient = REASONS[error.reason].retryClass === "transient";
  if (isTransient && time.now() + LISTED_AFTER_MS >= deadline) return false;
  if (!(await backoff(error, tries, waits))) return false;
  if (isTransient) await time.sleep(LISTED_AFTER_MS);
  return true;
}

/** Opens the result record of a snapshot that prune deletes or keeps. */
export const openPruneRecord = (
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

const emptyListError = ({ name }: Kind) =>
  new SnapshotError(
    "BadResponse",
    `Expected a list of at least one ${name}, got an empty list. ${REASONS.BadResponse.advice}`,
  );

export const outOfTimeError = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before this snapshot was deleted. The next run deletes it. Raise the function's timeout.",
  );
