import { SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { createWallTimeConverter } from "../../core/time-zone.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { listByKind } from "../list-by-kind.ts";
import { toCompactSnapshot } from "../ownership.ts";
import type { Policy, Retention } from "../policy.ts";
import type { RunContext } from "../run-context.ts";
import { tooManySnapshotsError } from "../too-many-snapshots.ts";
import {
  executeDeletions,
  openPruneRecord,
  type PendingDeletion,
  type PlannedVerdict,
  type Replan,
  toPendingDeletion,
} from "./execute-deletions.ts";
import { groupByResource, isNamedIn, keepsSomething, namesIn, planRetention, type RetentionOptions } from "./plan.ts";

/**
 * The fields of a policy that prune reads. Prune ignores `targets`, because the retention applies to all snapshots of a policy.
 */
export type PrunePolicy = Pick<Policy, "policy" | "time_zone" | "hold" | "dry_run"> & { retention?: Retention };

/**
 * Converts a policy into the options of `planRetention`.
 *
 * @param now the current time. Snapshots with a later creation time are never deleted. Undefined in a simulation.
 * @throws SnapshotError InvalidRequest if the retention has no rule that keeps snapshots
 */
export function toRetentionOptions(
  { retention = {}, time_zone = "UTC", hold = [] }: PrunePolicy,
  now?: Instant,
): RetentionOptions {
  if (!keepsSomething(retention)) {
    throw new SnapshotError(
      "InvalidRequest",
      "retention: expected at least one of keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly above 0, got none. Prune would delete all but min_keep snapshots.",
    );
  }
  return { retention, toWallTime: createWallTimeConverter(time_zone), hold, now };
}

/**
 * Deletes the snapshots of a policy that its retention does not keep. Applies the retention separately to each kind of snapshot
 * and each resource, including resources that no longer exist. Before the first deletion, the function plans and announces all
 * deletions. It writes a result record with the retention rule for each snapshot. If a deletion fails, the other deletions
 * continue.
 *
 * @returns the number of snapshots that the policy created
 * @throws SnapshotError InvalidRequest if the retention has no rule that keeps snapshots
 */
export async function prune(policy: PrunePolicy, runContext: RunContext): Promise<number> {
  const options = toRetentionOptions(policy, runContext.retryBudget.time.now());
  const deletions: PendingDeletion[] = [];
  let count = 0;
  const unmatchedHolds = new Map(options.hold.map((idOrName) => [idOrName, namesIn([idOrName])]));
  const keepMarked = (found: FoundSnapshot) => {
    for (const [idOrName, name] of unmatchedHolds) if (isNamedIn(name, found)) unmatchedHolds.delete(idOrName);
    // Stryker disable next-line ConditionalExpression: this condition only saves memory
    return found.marker?.policy === policy.policy ? toCompactSnapshot(found) : undefined;
  };
  const { maxTargets = Number.POSITIVE_INFINITY } = runContext;
  const outdated = await listByKind(
    { action: "prune", policy: policy.policy },
    { ...runContext, maxSnapshots: maxTargets },
    keepMarked,
    async (kind, found, pause) => {
      for (const planned of verdictsOn(kind, found, policy, options)) {
        await pause();
        const { decision, rule } = planned.verdict;
        count += 1;
        const deletion = toPendingDeletion(planned);
        if (policy.dry_run)
          openPruneRecord(deletion, policy, runContext)({ outcome: "planned", rule, detail: decision });
        else if (decision === "deleted") deletions.push(deletion);
        else openPruneRecord(deletion, policy, runContext)({ outcome: decision, rule });
      }
    },
  );
  if (unmatchedHolds.size > 0) {
    const unknown = [...unmatchedHolds.keys()].map((idOrName) => JSON.stringify(idOrName)).join(", ");
    runContext.addNotice(`hold: expected ids or names of existing snapshots, got ${unknown}. Correct or remove them.`);
  }
  const replan: Replan = {
    async list(kind, pending) {
      const ids = new Set(pending.map(({ id }) => id));
      const resources = new Set(pending.map(({ resource }) => resource));
      const found: FoundSnapshot[] = [];
      await runContext.cloud(kind).listAll((snapshot) => {
        // A group of individual disks has no resource id. Its members can change, so every such group may affect the plan of
        // any resource.
        const isRelevant = snapshot.resource === undefined || resources.has(snapshot.resource);
        if (!ids.has(snapshot.id) && !(isRelevant && snapshot.marker?.policy === policy.policy)) return;
        // Count the planned deletions too, because they also need memory.
        if (found.length + deletions.length >= maxTargets) throw tooManySnapshotsError(kind, maxTargets);
        found.push(toCompactSnapshot(snapshot));
      });
      return found;
    },
    plan: (kind, found) =>
      verdictsOn(kind, found, policy, toRetentionOptions(policy, runContext.retryBudget.time.now())),
  };
  await executeDeletions(deletions, policy, runContext, replan, outdated);
  return count;
}

/** Yields the retention verdicts on the snapshots of a policy, one resource after the other. */
function* verdictsOn(
  kind: Kind,
  found: readonly FoundSnapshot[],
  { policy }: PrunePolicy,
  options: RetentionOptions,
): Generator<PlannedVerdict> {
  const marked = found.filter(({ marker }) => marker?.policy === policy);
  for (const snapshots of groupByResource(marked)) {
    for (const verdict of planRetention(snapshots, options)) yield { kind, verdict };
  }
}

/**
 * Returns the retention verdicts on the snapshots of a policy in an array. The snapshots of a whole project can be too many
 * for the memory of a function; use `verdictsOn` for them.
 */
export const collectVerdicts = (...parameters: Parameters<typeof verdictsOn>): PlannedVerdict[] => [
  ...verdictsOn(...parameters),
];
