import { SnapshotError } from "../../core/errors.ts";
import { retryRead, startCutoff } from "../../core/retry.ts";
import type { SnapshotIndex } from "../create/existing-snapshots.ts";
import type { MakeRoom } from "../create/request.ts";
import { type FoundSnapshot, isBeingDeleted } from "../kinds/kind.ts";
import { foreignReason } from "../ownership.ts";
import type { RunContext } from "../run-context.ts";
import { deletionOf, executeDeletions, type Planned } from "./execute-deletions.ts";
import { type PrunePolicy, planOf, retentionOf } from "./prune.ts";

/** The first and the longest wait between two lists while snapshots are being deleted, and the total wait. */
const POLL_MS = { first: 1_000, max: 10_000, total: 180_000 };

/**
 * Creates the function that makes room on a resource by a policy's retention. If the resource has the maximum number of
 * snapshots, the function deletes the snapshots that `prune` would delete, writes the same records, and waits until the
 * snapshots have disappeared. It rejects with QuotaExceeded if no snapshot may be deleted, and with DeadlineExceeded if the
 * deletion takes too long.
 *
 * @param count returns the number of snapshots of a resource, if the caller has listed them in bulk
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
    const isFull = (found: readonly FoundSnapshot[]) =>
      found.filter((one) => !isBeingDeleted(one)).length >= maxPerResource;
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
        // Snapshots that a backup created may not count for the limit, so the cloud may accept another one.
        if (found.filter((one) => foreignReason(one) === undefined).length < maxPerResource) return false;
        throw full(maxPerResource, resource, found, retentionAdvice(policy, plan.length, maxPerResource));
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
      time.now() + POLL_MS.total,
    );
    for (let wait = POLL_MS.first; found.length >= maxPerResource; wait = Math.min(wait * 2, POLL_MS.max)) {
      if (!found.some(isBeingDeleted)) throw full(maxPerResource, resource, found, NOT_DELETED);
      if (time.now() + wait >= until) throw late(resource, found);
      await time.sleep(wait);
      found = await list();
    }
    return true;
  };
}

/**
 * Deletes failed snapshots if a plan for a full disk deletes nothing else. Retention keeps failed snapshots until a newer good
 * snapshot exists, for which a full disk has no room.
 */
function orFailed(plan: Planned[]): Planned[] {
  if (plan.some(({ verdict }) => verdict.decision === "deleted")) return plan;
  return plan.map(({ kind, verdict }) =>
    verdict.decision === "kept" && verdict.snapshot.state === "failed"
      ? { kind, verdict: { ...verdict, decision: "deleted", rule: "failed, and there is no room for a newer one" } }
      : { kind, verdict },
  );
}

const full = (max: number, resource: string, found: readonly FoundSnapshot[], advice: string) =>
  new SnapshotError(
    "QuotaExceeded",
    `Expected fewer than ${max} snapshots of ${resource}, or some that may be deleted; got ${found.length}. ${advice}, or delete some by hand.`,
  );

const retentionAdvice = ({ policy }: PrunePolicy, count: number, max: number): string =>
  `${count} of them belong to the policy "${policy}", whose retention keeps them. Let it keep at most ${max - 1} with the others`;

const NOT_DELETED = "The snapshots to delete still exist. Check their records and their status";

const late = (resource: string, found: readonly FoundSnapshot[]) =>
  new SnapshotError(
    "DeadlineExceeded",
    `There is no room on ${resource} yet: ${found.filter(isBeingDeleted).length} of its ${found.length} snapshots are being deleted. Repeat the request later.`,
  );
