import { SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { wallClockOf } from "../../core/time-zone.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { listByKind } from "../list-by-kind.ts";
import { compact } from "../ownership.ts";
import type { Policy, Retention } from "../policy.ts";
import type { RunContext } from "../run-context.ts";
import { tooMany } from "../too-many.ts";
import {
  deletionOf,
  executeDeletions,
  openRecord,
  type PendingDeletion,
  type Planned,
  type Replan,
} from "./execute-deletions.ts";
import { byResource, isNamedIn, keepsSomething, namesIn, planRetention, type RetentionOptions } from "./plan.ts";

/** The fields of a policy that prune needs. Prune ignores targets, because retention applies to all snapshots of a policy. */
export type PrunePolicy = Pick<Policy, "policy" | "time_zone" | "hold" | "dry_run"> & { retention?: Retention };

/**
 * Returns the options of `planRetention` for a policy.
 *
 * @param now the current time, so snapshots with a later time are held; undefined for a simulation
 * @throws SnapshotError InvalidRequest if the retention has no rule
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
 * Deletes the snapshots of a policy that its retention does not keep, for each kind and resource, including resources that no
 * longer exist. Makes and announces the whole plan before the first deletion. Writes a record with the rule for each snapshot.
 * A failed deletion does not stop the others.
 *
 * @returns the number of snapshots of the policy
 * @throws SnapshotError InvalidRequest if the retention has no rule
 */
export async function prune(policy: PrunePolicy, runContext: RunContext): Promise<number> {
  const options = retentionOf(policy, runContext.retryBudget.time.now());
  const deletions: PendingDeletion[] = [];
  let count = 0;
  const unmatched = new Map(options.hold.map((text) => [text, namesIn([text])]));
  const keepMarked = (found: FoundSnapshot) => {
    for (const [text, name] of unmatched) if (isNamedIn(name, found)) unmatched.delete(text);
    // Stryker disable next-line ConditionalExpression: only saves memory
    return found.marker?.policy === policy.policy ? compact(found) : undefined;
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
        const one = deletionOf(planned);
        if (policy.dry_run) openRecord(one, policy, runContext)({ outcome: "planned", rule, detail: decision });
        else if (decision === "deleted") deletions.push(one);
        else openRecord(one, policy, runContext)({ outcome: decision, rule });
      }
    },
  );
  if (unmatched.size > 0) {
    const texts = [...unmatched.keys()].map((text) => JSON.stringify(text)).join(", ");
    runContext.addNotice(`hold: expected ids or names of snapshots; none that was looked at has ${texts}.`);
  }
  const replan: Replan = {
    async list(kind, pending) {
      const ids = new Set(pending.map(({ id }) => id));
      const resources = new Set(pending.map(({ resource }) => resource));
      const found: FoundSnapshot[] = [];
      await runContext.cloud(kind).listAll((one) => {
        // The resource of a group of individual disks changes with its members.
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
  await executeDeletions(deletions, policy, runContext, replan, outdated);
  return count;
}

/** Yields the verdicts on the snapshots of a policy, resource by resource. */
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

/** Returns the verdicts on the snapshots of a policy, for a list that fits into memory. */
export const planOf = (...parameters: Parameters<typeof verdictsOn>): Planned[] => [...verdictsOn(...parameters)];
