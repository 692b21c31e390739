import { asSnapshotError, SnapshotError } from "../../core/errors.ts";
import { createPause, LISTED_AFTER_MS, raceDeadline, retryRead, startCutoff } from "../../core/retry.ts";
import type { FoundSnapshot } from "../kinds/kind.ts";
import type { RunContext } from "../run-context.ts";
import { type DeletionExecutor, type DeletionPlan, listRows } from "./execute-deletions.ts";
import { toConfirmation, toUnconfirmed } from "./pending-deletion.ts";

/**
 * Confirms the deletions whose delete request was accepted, and completes their records. Waits 6 s, because list responses can be 5 s
 * late, and then lists the snapshots of each kind once. A record says `deleted` only if the list response no longer contains the
 * snapshot or shows it in deletion. Otherwise, or if the list request fails, the record says `unverified`.
 *
 * **Cost.** 6 s for each run that deletes snapshots, and one more list of each kind of the deleted snapshots.
 */
export async function confirmDeletions(
  { accepted, complete }: Pick<DeletionExecutor, "accepted" | "complete">,
  deletionPlan: Pick<DeletionPlan, "list">,
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
    const listAgain = () => {
      listed.clear();
      return listRows(deletionPlan, kind, (found) => void (ids.has(found.id) && listed.set(found.id, found)));
    };
    const work = retryRead(listAgain, { ...retryBudget, deadline: cutoff });
    const error = await raceDeadline(work, time, cutoff, outOfTimeError).then(() => undefined, asSnapshotError);
    for (const deletion of ofKind) {
      await pause();
      complete(
        deletion,
        error === undefined ? toConfirmation(deletion, listed.get(deletion.id)) : toUnconfirmed(deletion, error),
      );
    }
  }
}

const outOfTimeError = () =>
  new SnapshotError("DeadlineExceeded", "The invocation's time ran out. Raise the function's timeout.");
