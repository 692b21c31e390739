import { SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { createWallTimeConverter } from "../../core/time-zone.ts";
import { unknownPolicyNotice } from "../deployed-policies.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { listByKind } from "../list-by-kind.ts";
import { toCompactSnapshot } from "../ownership.ts";
import type { Policy, Retention } from "../policy.ts";
import type { RunContext } from "../run-context.ts";
import { tooManySnapshotsError } from "../too-many-snapshots.ts";
import { deleteDuplicates, listOptionsOf, type PendingDuplicate } from "./delete-duplicates.ts";
import { applyDuplicateRules, type DuplicateOptions, findDuplicates } from "./duplicates.ts";
import {
  executeDeletions,
  openPruneRecord,
  type PendingDeletion,
  type PlannedVerdict,
  type Replan,
  toAnnouncement,
  toPendingDeletion,
} from "./execute-deletions.ts";
import { isNamedIn, namesIn } from "./holds.ts";
import { groupByResource, keepsSomething, planRetention, type RetentionOptions } from "./plan.ts";

/**
 * The fields of a policy that prune reads. Prune ignores `targets`, because the retention applies to all snapshots of a policy.
 * Without `retention`, prune deletes only duplicates.
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
 * Deletes the snapshots of a policy that its retention does not keep, and the younger duplicates of its snapshots. Without a
 * retention, deletes only duplicates. Applies the retention separately to each kind of snapshot and each resource, including
 * resources that no longer exist. Before the first deletion, the function plans and announces all deletions. With a retention, it
 * writes a result record with the rule for each snapshot. Without a retention, it writes a record for each deletion, and the
 * record of the run names the snapshots that look like duplicates but break a rule of duplicates.ts. If a deletion fails, the
 * other deletions continue.
 *
 * @returns the number of snapshots that the policy created
 * @throws SnapshotError InvalidRequest if the retention has no rule that keeps snapshots
 */
export async function prune(policy: PrunePolicy, runContext: RunContext): Promise<number> {
  const { cloud, maxTargets = Number.POSITIVE_INFINITY } = runContext;
  const { time } = runContext.retryBudget;
  const { hold = [], dry_run: isDryRun = false } = policy;
  const heldNames = namesIn(hold);
  const readOptions = (): DuplicateOptions => ({ hold: heldNames, now: time.now() });
  const decide = (kind: Kind, found: readonly FoundSnapshot[]) => decisionsOn(kind, found, policy, readOptions());
  if (policy.retention !== undefined) toRetentionOptions(policy);
  const deletions: PendingDeletion[] = [];
  const duplicates: PendingDuplicate[] = [];
  const keptDuplicates: string[] = [];
  let count = 0;
  const policies = new Set<string>();
  const unmatchedHolds = new Map(hold.map((idOrName) => [idOrName, namesIn([idOrName])]));
  const keepMarked = (found: FoundSnapshot) => {
    for (const [idOrName, name] of unmatchedHolds) if (isNamedIn(name, found)) unmatchedHolds.delete(idOrName);
    if (found.marker !== undefined) policies.add(found.marker.policy);
    // Stryker disable next-line ConditionalExpression: this condition only saves memory
    return found.marker?.policy === policy.policy ? toCompactSnapshot(found) : undefined;
  };
  const outdated = await listByKind(
    { action: "prune", policy: policy.policy },
    { ...runContext, maxSnapshots: maxTargets },
    keepMarked,
    async (kind, found, pause) => {
      count += found.length;
      for (const planned of decide(kind, found)) {
        await pause();
        const { original, verdict } = planned;
        const { snapshot, decision, rule, isDuplicate } = verdict;
        const deletion = toPendingDeletion(planned);
        if (policy.retention === undefined && decision !== "deleted") keptDuplicates.push(`${snapshot.id} (${rule})`);
        else if (isDryRun)
          openPruneRecord(deletion, policy, runContext)({ outcome: "planned", rule, detail: decision });
        else if (decision !== "deleted") openPruneRecord(deletion, policy, runContext)({ outcome: decision, rule });
        else if (isDuplicate && original !== undefined) {
          duplicates.push({ ...deletion, originalId: original.id, listOptions: listOptionsOf(kind, snapshot) });
        } else deletions.push(deletion);
      }
    },
  );
  const unknownPolicy = count > 0 ? undefined : unknownPolicyNotice(policy.policy, policies, runContext.deployed);
  if (unknownPolicy !== undefined) runContext.addNotice(unknownPolicy);
  if (unmatchedHolds.size > 0) {
    const unknown = [...unmatchedHolds.keys()].map((idOrName) => JSON.stringify(idOrName)).join(", ");
    runContext.addNotice(`hold: expected ids or names of existing snapshots, got ${unknown}. Correct or remove them.`);
  }
  if (keptDuplicates.length > 0) runContext.addNotice(keptDuplicatesNotice(keptDuplicates));
  const announced = [...duplicates, ...deletions].map(toAnnouncement);
  if (announced.length > 0) runContext.announceDeletions(announced);
  const { removedIds, changed } = await deleteDuplicates(duplicates, policy, runContext, readOptions);
  const replan: Replan = {
    async list(kind, pending) {
      const ids = new Set(pending.map(({ id }) => id));
      const resources = new Set(pending.map(({ resource }) => resource));
      const found: FoundSnapshot[] = [];
      await cloud(kind).listAll((snapshot) => {
        // A late list response can still contain a deleted duplicate, which must not count as a good snapshot.
        if (removedIds.has(snapshot.id)) return;
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
    plan: decide,
  };
  await executeDeletions(deletions, policy, runContext, replan, [...new Set([...outdated, ...changed])]);
  return count;
}

/** The maximum number of snapshots in the notice about kept duplicates. */
const MAX_NAMED = 20;

/** Returns the notice about snapshots that look like duplicates but break a rule. Each string contains an id and the rule. */
function keptDuplicatesNotice(kept: readonly string[]): string {
  const named = kept.slice(0, MAX_NAMED).join("; ");
  const more = kept.length > MAX_NAMED ? `; and ${kept.length - MAX_NAMED} more` : "";
  return `Not deleted as duplicates: ${named}${more}.`;
}

/** The decision of prune about one snapshot. */
interface Decision extends PlannedVerdict {
  /** The older snapshot, if the snapshot looks like a duplicate. */
  original?: FoundSnapshot;
}

/**
 * Yields the decisions about the snapshots of a policy. Without a retention, yields only decisions about the snapshots that look
 * like duplicates.
 */
function* decisionsOn(
  kind: Kind,
  found: readonly FoundSnapshot[],
  policy: PrunePolicy,
  options: DuplicateOptions,
): Generator<Decision> {
  const marked = found.filter(({ marker }) => marker?.policy === policy.policy);
  const duplicates = findDuplicates(kind, marked, options);
  if (policy.retention === undefined) {
    for (const [snapshot, duplicate] of duplicates) {
      const verdict = applyDuplicateRules({ snapshot, decision: "deleted", rule: "", isDuplicate: true }, duplicate);
      yield { kind, verdict, original: duplicate.original };
    }
    return;
  }
  for (const { verdict } of verdictsOn(kind, found, policy, toRetentionOptions(policy, options.now))) {
    const duplicate = duplicates.get(verdict.snapshot);
    yield duplicate === undefined
      ? { kind, verdict }
      : { kind, verdict: applyDuplicateRules(verdict, duplicate), original: duplicate.original };
  }
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
