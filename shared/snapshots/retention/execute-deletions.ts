import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError, REASONS, type SnapshotError } from "../../core/errors.ts";
import { type Instant, instant } from "../../core/instant.ts";
import { createPause, LISTED_AFTER_MS, type RetryBudget, retryRead, startCutoff } from "../../core/retry.ts";
import { cannotBeDeleted, type FoundSnapshot, isBeingDeleted, type Kind } from "../kinds/kind.ts";
import { isOfPolicy, toCompactSnapshot } from "../ownership.ts";
import type { Policy } from "../policy.ts";
import type { EndFields } from "../reporting.ts";
import type { RunContext } from "../run-context.ts";
import { listRows } from "./list-rows.ts";
import {
  IN_DELETION,
  NOT_LISTED,
  NOT_TRIED,
  notListedError,
  openPruneRecord,
  outOfTimeError,
  type PendingDeletion,
  type PlannedVerdict,
  planChanged,
  toPendingDeletion,
  UNMARKED_VERDICT,
  waitBeforeRetry,
} from "./pending-deletion.ts";

/** Where an executor of deletions reads the snapshots, and how it decides about them. */
export interface DeletionPlan {
  /** Lists at least all snapshots of each resource that has a snapshot to delete. */
  list(kind: Kind, visit: (found: FoundSnapshot) => void): Promise<void>;
  /** Makes a new plan from a list response. */
  plan(kind: Kind, found: readonly FoundSnapshot[]): Iterable<PlannedVerdict>;
  /**
   * Reads the snapshots again on which a deletion depends, immediately before the delete request.
   *
   * @returns undefined if the snapshot may be deleted, and `gone` if it is no longer listed. Otherwise the fields that complete the record
   */
  recheck(deletion: PendingDeletion, waits: RetryBudget): Promise<EndFields | "gone" | undefined>;
}

/**
 * The maximum number of deletion rounds in one run. Each round after the first sends a list request for every kind of snapshot
 * that still has pending deletions.
 */
const MAX_ROUNDS = 10;
/**
 * The first round in which a permanent error no longer postpones the deletion of other snapshots of the same resource. Without
 * this limit, one snapshot that can never be deleted could postpone the other deletions in every run.
 */
const FIRST_ROUND_WITHOUT_POSTPONING = 4;

/**
 * How long a plan is used, in milliseconds. The time of the first plan counts from its first list request, and the time of a later
 * plan from the arrival of its list response. After this time, the snapshots are listed
 * again before further deletions, because the snapshots that the plan keeps can fail, and people can hold others.
 */
const MAX_PLAN_AGE_MS = 60_000;

/** Executes planned deletions and writes their result records. */
export interface DeletionExecutor {
  /**
   * Sends the delete requests, several at the same time. The caller must announce the deletions before.
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
  execute(deletions: readonly PendingDeletion[], outdated?: readonly Kind[]): Promise<void>;
  /**
   * The deletions whose effect is unknown: those whose delete request was accepted or failed with NotFound. The caller must list the
   * snapshots again and complete the records of these deletions; see `confirmDeletions`.
   */
  readonly accepted: PendingDeletion[];
  /** Completes the result record of a deletion. */
  complete(deletion: PendingDeletion, fields: EndFields): void;
}

/**
 * Creates an executor of deletions.
 *
 * @param startedAt when the first list request for the plan was sent. The confirmation of the deletions takes as long as this listing
 */
export function createDeletionExecutor(
  policy: Pick<Policy, "policy">,
  runContext: RunContext,
  deletionPlan: DeletionPlan,
  startedAt: Instant,
): DeletionExecutor {
  const { cloud, retryBudget, concurrency } = runContext;
  const { time } = retryBudget;
  // After each wait, there must be time for one more delete request and for the confirmation of the deletion.
  const waits: RetryBudget = {
    ...retryBudget,
    deadline: deleteCutoff(retryBudget, LISTED_AFTER_MS + time.now() - startedAt),
  };
  /** When the last list response of a kind arrived. */
  const listedAt = new Map<Kind, Instant>();
  const accepted: PendingDeletion[] = [];
  const maybeDeletedIds = new Set<string>();

  /** Completes the result record of a deletion. All delete requests for a snapshot share one record. */
  const complete = (deletion: PendingDeletion, fields: EndFields) => {
    if (fields.outcome === "failed") maybeDeletedIds.add(deletion.id);
    deletion.complete ??= openPruneRecord(deletion, policy, runContext);
    deletion.complete({ rule: deletion.rule, ...fields });
    // Release the memory of the record, because a run can have thousands of deletions.
    deletion.complete = ignoreFurtherCalls;
  };
  const accept = (deletion: PendingDeletion) => {
    maybeDeletedIds.add(deletion.id);
    accepted.push(deletion);
  };

  const acceptGone = (deletion: PendingDeletion) => {
    deletion.error ??= notListedError();
    accept(deletion);
  };

  let round = 1;
  let postponed: PendingDeletion[] = [];
  let failed: PendingDeletion[] = [];
  let errorByResource = new Map<string, SnapshotError | undefined>();
  const pause = createPause(time);
  const remove = async (deletion: PendingDeletion) => {
    const { kind, id } = deletion;
    await pause();
    /** Postpones the deletion if the plan is too old, or if another deletion of the resource failed. Returns whether it did. */
    const postpone = (): boolean => {
      const isOutdated = time.now() - (listedAt.get(kind) ?? startedAt) > MAX_PLAN_AGE_MS;
      const isPostponed = isOutdated || errorByResource.has(resourceKeyOf(deletion));
      if (isPostponed) postponed.push(deletion);
      return isPostponed;
    };
    if (postpone()) return;
    deletion.complete ??= openPruneRecord(deletion, policy, runContext);
    const isLate = () => time.now() >= waits.deadline;
    const late = () => complete(deletion, { outcome: "failed", error: deletion.error ?? outOfTimeError() });
    if (isLate()) return late();
    try {
      const kept = await deletionPlan.recheck(deletion, waits);
      if (kept !== undefined) {
        errorByResource.set(resourceKeyOf(deletion), undefined);
        return kept === "gone" ? acceptGone(deletion) : complete(deletion, kept);
      }
    } catch (thrown) {
      return complete(deletion, { outcome: "failed", error: asSnapshotError(thrown), detail: NOT_LISTED });
    }
    // While the snapshots were read again, the deletion of another snapshot of the resource may have failed.
    if (postpone()) return;
    if (isLate()) return late();
    try {
      deletion.tries += 1;
      await cloud(kind).remove(id);
      deletion.error = undefined;
      accept(deletion);
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const isFinal = REASONS[error.reason].retryClass === "never";
      if (!isFinal || round < FIRST_ROUND_WITHOUT_POSTPONING) errorByResource.set(resourceKeyOf(deletion), error);
      deletion.error = error;
      // Somebody else may have deleted the snapshot, or another object is missing, such as the cluster or the URL path.
      if (error.reason === "NotFound") accept(deletion);
      else if (!isFinal || error.ambiguous) failed.push(deletion);
      else complete(deletion, { outcome: "failed", error });
    }
  };

  /** Lists the snapshots of a kind again and makes a new plan for the resources of the pending deletions. */
  const planAgain = async (kind: Kind, pending: readonly PendingDeletion[]) => {
    const listedById = new Map<string, FoundSnapshot>();
    const plannedById = new Map<string, PlannedVerdict>();
    const ids = new Set(pending.map(({ id }) => id));
    const resources = new Set(pending.map(({ resource }) => resource));
    const list = async () => {
      listedById.clear();
      await listRows(deletionPlan, kind, (found) => {
        // A group of individual disks has no resource id. Its members can change, so every such group may affect the plan of any
        // resource.
        const isOfResource = found.resource === undefined || resources.has(found.resource);
        if (ids.has(found.id) || (isOfResource && isOfPolicy(found, policy.policy)))
          listedById.set(found.id, toCompactSnapshot(found));
      });
    };
    await retryRead(list, waits);
    listedAt.set(kind, time.now());
    const remaining = [...listedById.values()].filter(({ id }) => !maybeDeletedIds.has(id));
    for (const planned of deletionPlan.plan(kind, remaining)) plannedById.set(planned.verdict.snapshot.id, planned);
    return { listedById, plannedById };
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
    let again: Awaited<ReturnType<typeof planAgain>>;
    try {
      again = await planAgain(kind, pending);
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
      const listed = again.listedById.get(id);
      const planned = again.plannedById.get(id);
      const { decision, rule: newRule } = planned?.verdict ?? UNMARKED_VERDICT;
      const isPlanned = decision === "deleted";
      if (listed === undefined) acceptGone(deletion);
      else if (isBeingDeleted(listed)) complete(deletion, IN_DELETION);
      else if (isPlanned ? !retryable.has(deletion) : error !== undefined && cannotBeDeleted(listed)) {
        complete(deletion, { outcome: "failed", error });
      } else if (planned !== undefined && isPlanned) {
        const { memberIds, originalId, listOptions } = toPendingDeletion(planned);
        Object.assign(deletion, { rule: newRule, memberIds, originalId, listOptions });
        return true;
      } else {
        complete(deletion, { outcome: decision, rule: newRule, detail: planChanged(rule) });
      }
      return false;
    });
  };

  const execute = async (deletions: readonly PendingDeletion[], outdated: readonly Kind[] = []) => {
    round = 1;
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
      // Only failures use up the rounds.
      if (failed.length > 0 || errorByResource.size > 0) round += 1;
      [postponed, failed, errorByResource] = [[], [], new Map()];
      for (const kind of new Set(pending.map((deletion) => deletion.kind))) {
        const ofKind = pending.filter((deletion) => deletion.kind === kind);
        await forEachConcurrent(await findRemainingDeletions(kind, ofKind, retryable), concurrency, remove);
      }
    }
  };

  return { execute, accepted, complete };
}

/**
 * Returns the latest time at which a delete request may be sent. It leaves enough time to confirm the deletions before the start cutoff,
 * but at least half of the remaining time is for delete requests.
 */
function deleteCutoff(retryBudget: RetryBudget, confirmMs: number): Instant {
  const now = retryBudget.time.now();
  const cutoff = startCutoff(retryBudget);
  return instant(Math.max(now + (cutoff - now) / 2, cutoff - confirmMs));
}

const ignoreFurtherCalls = () => {};

/** Identifies the resource of a snapshot among the resources of all kinds of snapshots. */
const resourceKeyOf = ({ kind, resource }: PendingDeletion): string => `${kind.name} ${resource}`;
