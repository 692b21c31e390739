import { SnapshotError } from "../../core/errors.ts";
import { retryRead, startCutoff } from "../../core/retry.ts";
import type { SnapshotIndex } from "../create/existing-snapshots.ts";
import type { MakeRoom } from "../create/request.ts";
import { type FoundSnapshot, isBeingDeleted } from "../kinds/kind.ts";
import { countTowardsLimit } from "../ownership.ts";
import type { RunContext } from "../run-context.ts";
import { executeDeletions, type PlannedVerdict, toAnnouncement, toPendingDeletion } from "./execute-deletions.ts";
import { collectVerdicts, type PrunePolicy, toRetentionOptions } from "./prune.ts";

/**
 * The waits while snapshots are being deleted, in milliseconds. `first` is the wait before the second list request. The wait
 * doubles with each list request up to `max`. `total` is the maximum sum of all waits.
 */
const POLL_MS = { first: 1_000, max: 10_000, total: 180_000 };

/**
 * Creates the function that makes room for another snapshot of a resource. If the resource has fewer than the maximum number of
 * snapshots, the created function does nothing. Otherwise it deletes the snapshots that `prune` would delete, and writes the
 * same result records. It then waits until the list response no longer contains the deleted snapshots. It throws QuotaExceeded
 * if no snapshot may be deleted, and DeadlineExceeded if a deletion takes too long.
 *
 * @param policy its retention decides which snapshots may be deleted
 * @param count returns the number of snapshots of a resource, if the caller has already listed the snapshots in bulk
 */
export function makeRoomBy(policy: PrunePolicy, runContext: RunContext, count?: SnapshotIndex["count"]): MakeRoom {
  const { cloud } = runContext;
  return async (kind, options, retryBudget) => {
    const { time } = retryBudget;
    const { maxPerResource } = kind;
    const resource = kind.resourceOf(options);
    if (maxPerResource === undefined || ((await count?.(kind, resource)) ?? maxPerResource) < maxPerResource)
      return false;
    const list = () => retryRead(() => cloud(kind).listFor(options), retryBudget);
    const isFull = (found: readonly FoundSnapshot[]) =>
      found.filter((snapshot) => !isBeingDeleted(snapshot)).length >= maxPerResource;
    const planFor = (found: readonly FoundSnapshot[]) => {
      const plan = collectVerdicts(kind, found, policy, toRetentionOptions(policy, time.now()));
      return isFull(found) ? addFailedSnapshots(plan) : plan;
    };
    let found = await list();
    if (found.length < maxPerResource) return false;
    if (isFull(found)) {
      const plan = planFor(found);
      const deletions = plan.filter(({ verdict }) => verdict.decision === "deleted").map(toPendingDeletion);
      if (deletions.length === 0) {
        // Try to create the snapshot if the limit is reached only together with the snapshots of other programs, such as
        // backups. EVS possibly does not count those snapshots.
        if (countTowardsLimit(found) < maxPerResource) return false;
        throw noRoomError(maxPerResource, resource, found, retentionAdvice(policy, plan.length, maxPerResource));
      }
      const replan = {
        list: () => cloud(kind).listFor(options),
        plan: (_: unknown, listedAgain: FoundSnapshot[]) => planFor(listedAgain),
      };
      runContext.announceDeletions(deletions.map(toAnnouncement));
      await executeDeletions(deletions, policy, { ...runContext, retryBudget }, replan);
      found = await list();
    }
    const until = Math.min(
      startCutoff(retryBudget),
      retryBudget.maxWait ?? retryBudget.deadline,
      time.now() + POLL_MS.total,
    );
    for (let wait = POLL_MS.first; found.length >= maxPerResource; wait = Math.min(wait * 2, POLL_MS.max)) {
      if (!found.some(isBeingDeleted)) throw noRoomError(maxPerResource, resource, found, NOT_DELETED);
      if (time.now() + wait >= until) throw noRoomYetError(resource, found);
      await time.sleep(wait);
      found = await list();
    }
    return true;
  };
}

/**
 * Adds the failed snapshots of a disk to the deletions, if the disk has the maximum number of snapshots and the plan deletes
 * none of them. Normally, retention keeps a failed snapshot until a newer good snapshot exists, but this disk has no room for a
 * newer snapshot.
 */
function addFailedSnapshots(plan: PlannedVerdict[]): PlannedVerdict[] {
  if (plan.some(({ verdict }) => verdict.decision === "deleted")) return plan;
  return plan.map(({ kind, verdict }) =>
    verdict.decision === "kept" && verdict.snapshot.state === "failed"
      ? {
          kind,
          verdict: { ...verdict, decision: "deleted", rule: "failed, and the disk has no room for a newer snapshot" },
        }
      : { kind, verdict },
  );
}

const noRoomError = (max: number, resource: string, found: readonly FoundSnapshot[], advice: string) =>
  new SnapshotError(
    "QuotaExceeded",
    `Expected fewer than ${max} snapshots of ${resource}, got ${countTowardsLimit(found)}. ${advice}, or delete snapshots by hand.`,
  );

const retentionAdvice = ({ policy }: PrunePolicy, count: number, max: number): string =>
  `The policy "${policy}" keeps ${count} of these snapshots. Lower its retention until at most ${max - 1} remain in total`;

const NOT_DELETED = "The snapshots to delete still exist. Check their records and their status";

const noRoomYetError = (resource: string, found: readonly FoundSnapshot[]) =>
  new SnapshotError(
    "DeadlineExceeded",
    `There is no room for a snapshot of ${resource} yet: ${found.filter(isBeingDeleted).length} of its ${found.length} snapshots are being deleted. Repeat the request later.`,
  );
