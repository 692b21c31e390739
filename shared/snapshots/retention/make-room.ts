import { SnapshotError } from "../../core/errors.ts";
import { retryRead, startCutoff } from "../../core/retry.ts";
import type { RunContext, SnapshotIndex } from "../create/create-all.ts";
import type { MakeRoom } from "../create/create-once.ts";
import { type FoundSnapshot, isGoing } from "../kinds/kind.ts";
import { foreignReason } from "../ownership.ts";
import { deletionOf, executeDeletions, type Planned, type PrunePolicy, planOf, retentionOf } from "./prune.ts";

/** How often it is looked whether what was deleted is gone: the first wait and the longest; and for how long. */
const LOOK_MS = { first: 1_000, most: 10_000, whole: 180_000 };

/**
 * Makes room by a policy's retention: a resource that has as many snapshots as it takes is pruned before another one is
 * made, as `prune` does it and with the same records, and it is waited until the deleted ones are gone.
 *
 * What is returned rejects with QuotaExceeded where nothing may go, with DeadlineExceeded where it takes too long.
 *
 * @param count how many snapshots a resource has, where that was looked up before, for many at once
 */
export function makeRoomBy(policy: PrunePolicy, runContext: RunContext, count?: SnapshotIndex["count"]): MakeRoom {
  const { cloud, retryBudget } = runContext;
  const { time } = retryBudget;
  return async (kind, options) => {
    const { maxPerResource } = kind;
    const resource = kind.resourceOf(options);
    if (maxPerResource === undefined || ((await count?.(kind, resource)) ?? maxPerResource) < maxPerResource)
      return false;
    const list = () => retryRead(() => cloud(kind).listFor(options), retryBudget);
    const isFull = (found: readonly FoundSnapshot[]) => found.filter((one) => !isGoing(one)).length >= maxPerResource;
    const planFor = (found: readonly FoundSnapshot[]) => {
      const plan = planOf(kind, found, policy, retentionOf(policy, time.now()));
      return isFull(found) ? orFailed(plan) : plan;
    };
    let found = await list();
    if (found.length < maxPerResource) return false;
    if (isFull(found)) {
      const plan = planFor(found);
      const deletions = plan.filter(({ verdict }) => verdict.decision === "deleted").map(deletionOf);
      if (deletions.length === 0) {
        // Those that a backup made may not count: then the cloud takes another one.
        if (found.filter((one) => foreignReason(one) === undefined).length < maxPerResource) return false;
        throw full(maxPerResource, resource, found, whyNone(policy, plan.length, maxPerResource));
      }
      const replan = {
        list: () => cloud(kind).listFor(options),
        plan: (_: unknown, again: FoundSnapshot[]) => planFor(again),
      };
      await executeDeletions(deletions, policy, runContext, replan);
      found = await list();
    }
    const until = Math.min(
      startCutoff(retryBudget),
      retryBudget.maxWait ?? retryBudget.deadline,
      time.now() + LOOK_MS.whole,
    );
    for (let wait = LOOK_MS.first; found.length >= maxPerResource; wait = Math.min(wait * 2, LOOK_MS.most)) {
      if (!found.some(isGoing)) throw full(maxPerResource, resource, found, STILL_THERE);
      if (time.now() + wait >= until) throw late(resource, found);
      await time.sleep(wait);
      found = await list();
    }
    return true;
  };
}

/**
 * Retention keeps failed snapshots until a newer good one exists, which a full disk has no room for. If no other snapshot may
 * be deleted, make_room therefore deletes the failed ones, and their records say so. It keeps them if the disk is no longer
 * full when the plan is made again.
 */
function orFailed(plan: Planned[]): Planned[] {
  if (plan.some(({ verdict }) => verdict.decision === "deleted")) return plan;
  return plan.map(({ kind, verdict }) =>
    verdict.decision === "kept" && verdict.snapshot.state === "failed"
      ? { kind, verdict: { ...verdict, decision: "deleted", rule: "failed, and there is no room for a newer one" } }
      : { kind, verdict },
  );
}

const full = (most: number, resource: string, found: readonly FoundSnapshot[], why: string) =>
  new SnapshotError(
    "QuotaExceeded",
    `Expected fewer than ${most} snapshots of ${resource}, or some that may go; there are ${found.length}. ${why}, or delete some by hand.`,
  );

const whyNone = ({ policy }: PrunePolicy, count: number, most: number): string =>
  `${count} of them are of the policy "${policy}", and its retention lets none of these go: have it keep at most ${most - 1} beside the others`;

const STILL_THERE = "What was to go is still there: see what its records and its status say";

const late = (resource: string, found: readonly FoundSnapshot[]) =>
  new SnapshotError(
    "DeadlineExceeded",
    `There is no room on ${resource} yet: ${found.filter(isGoing).length} of its ${found.length} snapshots are being deleted. Repeat when they are gone.`,
  );
