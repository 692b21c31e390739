import { asSnapshotError, SnapshotError } from "../../core/errors.ts";
import { createPause, LISTED_AFTER_MS, raceDeadline, retryRead, startCutoff } from "../../core/retry.ts";
import type { FoundSnapshot } from "../kinds/kind.ts";
import { isOfPolicy } from "../ownership.ts";
import type { Policy } from "../policy.ts";
import type { RunContext } from "../run-context.ts";
import type { DeletionExecutor, DeletionPlan } from "./execute-deletions.ts";
import { listRows } from "./list-rows.ts";
import { toConfirmation, toUnconfirmed } from "./pending-deletion.ts";
import { resourceOf } from "./plan.ts";

/**
 * Confirms the deletions whose delete request was accepted, and completes their records. Waits 6 s, because list responses can be 5 s
 * late, and then lists the snapshots of each kind once. A record says `deleted` only if the list response no longer contains the
 * snapshot or shows it in deletion. Otherwise the record says `unverified`, also if the list request fails, or if the list response lacks
 * other snapshots of the same resource that the plan keeps.
 *
 * **Cost.** 6 s for each run that deletes snapshots, and one more list of each kind of the deleted snapshots.
 */
export async function confirmDeletions(
  { accepted, complete }: Pick<DeletionExecutor, "accepted" | "complete">,
  deletionPlan: Pick<DeletionPlan, "list">,
  { policy }: Pick<Policy, "policy">,
  { retryBudget }: Pick<RunContext, "retryBudget">,
): Promise<void> {
  if (accepted.length === 0) return;
  const { time } = retryBudget;
  const cutoff = startCutoff(retryBudget);
  const pause = createPause(time);
  await time.sleep(Math.max(0, Math.min(LISTED_AFTER_MS, cutoff - time.now())));
  for (const kind of new Set(accepted.map((deletion) => deletion.kind))) {
    const ofKind = accepted.filter((deletion) => deletion.kind === kind);
    const ids = new Set(ofKind.map(({ id }) => id));
    const listed = new Map<string, FoundSnapshot>();
    const keptCounts = new Map(ofKind.map(({ resource }) => [resource, 0]));
    const listAgain = () => {
      listed.clear();
      for (const resource of keptCounts.keys()) keptCounts.set(resource, 0);
      return listRows(deletionPlan, kind, (found) => {
        if (ids.has(found.id)) return void listed.set(found.id, found);
        const count = keptCounts.get(resourceOf(found));
        if (count !== undefined && isOfPolicy(found, policy)) keptCounts.set(resourceOf(found), count + 1);
      });
    };
    const work = retryRead(listAgain, { ...retryBudget, deadline: cutoff });
    const error = await raceDeadline(work, time, cutoff, outOfTimeError).then(() => undefined, asSnapshotError);
    for (const deletion of ofKind) {
      await pause();
      const isComplete = (keptCounts.get(deletion.resource) ?? 0) >= deletion.keptCount;
      const found = listed.get(deletion.id);
      const cause = error ?? (found === undefined && !isComplete ? incompleteListError() : undefined);
      complete(deletion, cause === undefined ? toConfirmation(deletion, found) : toUnconfirmed(deletion, cause));
    }
  }
}

const incompleteListError = () =>
  new SnapshotError(
    "BadResponse",
    "The list is incomplete, because it lacks other snapshots of the same resource, which still exist.",
  );

const outOfTimeError = () =>
  new SnapshotError("DeadlineExceeded", "The invocation's time ran out. Raise the function's timeout.");
