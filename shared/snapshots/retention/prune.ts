import { SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { joinFirst } from "../../core/preview.ts";
import { createWallTimeConverter } from "../../core/time-zone.ts";
import { unknownPolicyNotice } from "../deployed-policies.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { listByKind } from "../list-by-kind.ts";
import { isOfPolicy, toCompactSnapshot } from "../ownership.ts";
import type { Policy, Retention } from "../policy.ts";
import type { RunContext } from "../run-context.ts";
import { confirmDeletions } from "./confirm-deletions.ts";
import { applyDuplicateRules, type DuplicateOptions, findDuplicates } from "./duplicates.ts";
import { createDeletionExecutor, type DeletionPlan } from "./execute-deletions.ts";
import { createHoldCheck, namesIn } from "./holds.ts";
import { applyEmptyGroupRule, foreignTypeReason } from "./kind-rules.ts";
import {
  openPruneRecord,
  type PendingDeletion,
  type PlannedVerdict,
  toAnnouncement,
  toPendingDeletion,
} from "./pending-deletion.ts";
import {
  groupByResource,
  keepsSomething,
  planRetention,
  type RetentionOptions,
  resourceOf,
  type Verdict,
} from "./plan.ts";
import { recheck } from "./recheck.ts";

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
 * other deletions continue. After the last deletion, the function lists the snapshots again and confirms all deletions.
 *
 * @returns the number of snapshots that the policy created
 * @throws SnapshotError InvalidRequest if the retention has no rule that keeps snapshots
 */
export async function prune(policy: PrunePolicy, runContext: RunContext): Promise<number> {
  const { cloud, maxTargets = Number.POSITIVE_INFINITY } = runContext;
  const { time } = runContext.retryBudget;
  const startedAt = time.now();
  const { hold = [], dry_run: isDryRun = false } = policy;
  const heldNames = namesIn(hold);
  const readOptions = (): DuplicateOptions => ({ hold: heldNames, now: time.now() });
  const decide = (kind: Kind, found: readonly FoundSnapshot[]) => decisionsOn(kind, found, policy, readOptions());
  if (policy.retention !== undefined) toRetentionOptions(policy);
  const deletions: PendingDeletion[] = [];
  const duplicates: PendingDeletion[] = [];
  const keptDuplicates: string[] = [];
  let count = 0;
  const policies = new Set<string>();
  const holdCheck = createHoldCheck(hold);
  const keepMarked = (found: FoundSnapshot) => {
    holdCheck.visit(found);
    if (found.marker !== undefined) policies.add(found.marker.policy);
    return isOfPolicy(found, policy.policy) ? toCompactSnapshot(found) : undefined;
  };
  const { outdated, isComplete } = await listByKind(
    { action: "prune", policy: policy.policy },
    runContext,
    keepMarked,
    async (kind, found, pause) => {
      count += found.length;
      const addKeptCounts = createKeptCounter();
      for (const planned of decide(kind, found)) {
        await pause();
        const { snapshot, decision, rule } = planned.verdict;
        const deletion = toPendingDeletion(planned);
        addKeptCounts(deletion, decision);
        if (policy.retention === undefined && decision !== "deleted") keptDuplicates.push(`${snapshot.id} (${rule})`);
        else if (isDryRun)
          openPruneRecord(deletion, policy, runContext)({ outcome: "planned", rule, detail: decision });
        else if (decision !== "deleted") openPruneRecord(deletion, policy, runContext)({ outcome: decision, rule });
        else if (deletions.length + duplicates.length >= maxTargets) {
          openPruneRecord(
            deletion,
            policy,
            runContext,
          )({ outcome: "failed", rule, error: tooManyDeletions(maxTargets) });
        } else (deletion.originalId === undefined ? deletions : duplicates).push(deletion);
      }
    },
  );
  const unknownPolicy =
    count > 0 || !isComplete ? undefined : unknownPolicyNotice(policy.policy, policies, runContext.deployed);
  if (unknownPolicy !== undefined) runContext.addNotice(unknownPolicy);
  // A snapshot that was not listed can have the name or the policy.
  const holdNotice = isComplete ? holdCheck.notice() : undefined;
  if (holdNotice !== undefined) runContext.addNotice(holdNotice);
  if (keptDuplicates.length > 0) runContext.addNotice(`Not deleted as duplicates: ${joinFirst(keptDuplicates, "; ")}.`);
  const announced = [...duplicates, ...deletions].map(toAnnouncement);
  if (announced.length > 0) runContext.announceDeletions(announced);
  const deletionPlan: DeletionPlan = {
    list: (kind, visit) => cloud(kind).listAll(visit, true),
    plan: decide,
    recheck: (deletion, waits) => recheck(deletion, cloud(deletion.kind), waits, readOptions()),
  };
  const executor = createDeletionExecutor(policy, runContext, deletionPlan, startedAt);
  // Delete duplicates before all other snapshots. Otherwise, prune could delete two duplicates at the same time: the younger snapshot
  // as a duplicate, and the older snapshot because of another rule.
  await executor.execute(duplicates);
  // Before the deletion of a duplicate, its snapshots are listed again, and other snapshots may have changed, too.
  await executor.execute(deletions, [...outdated, ...duplicates.map(({ kind }) => kind)]);
  await confirmDeletions(executor, deletionPlan, policy, runContext);
  return count;
}

/**
 * Returns a function that sets `keptCount` of the deletions of each resource. It must be called with each decision, and the decisions on
 * one resource must follow each other.
 */
function createKeptCounter(): (deletion: PendingDeletion, decision: Verdict["decision"]) => void {
  let ofResource: PendingDeletion[] = [];
  let resource: string | undefined;
  let count = 0;
  return (deletion, decision) => {
    if (deletion.resource !== resource) [resource, count, ofResource] = [deletion.resource, 0, []];
    if (decision === "deleted") ofResource.push(deletion);
    else count += 1;
    // The older snapshot of a duplicate remains.
    for (const one of ofResource) one.keptCount = Math.max(count, one.originalId === undefined ? 0 : 1);
  };
}

const tooManyDeletions = (max: number) =>
  new SnapshotError(
    "Misconfigured",
    `Expected at most ${max} snapshots to delete, because more do not fit into memory. The next run deletes further snapshots. Give the function more memory.`,
  );

/**
 * Yields the decisions about the snapshots of a policy. Without a retention, yields only decisions about the snapshots that look
 * like duplicates.
 */
function* decisionsOn(
  kind: Kind,
  found: readonly FoundSnapshot[],
  policy: PrunePolicy,
  options: DuplicateOptions,
): Generator<PlannedVerdict> {
  const marked = found.filter(({ marker }) => marker?.policy === policy.policy);
  const duplicates = findDuplicates(kind, marked, options);
  if (policy.retention === undefined) {
    for (const [snapshot, duplicate] of duplicates) {
      const verdict = applyDuplicateRules({ snapshot, decision: "deleted", rule: "", isDuplicate: true }, duplicate);
      yield { kind, verdict, original: duplicate.original };
    }
    return;
  }
  const retention = toRetentionOptions(policy, options.now);
  retention.extraHoldReason = (snapshot) => foreignTypeReason(snapshot, kind);
  const goodGroups = marked.filter(({ state, members = [] }) => state === "available" && members.length > 0);
  const goodResources = new Set(goodGroups.map(resourceOf));
  for (const planned of verdictsOn(kind, found, policy, retention)) {
    const resource = resourceOf(planned.verdict.snapshot);
    const hasGoodGroup = resource !== undefined && goodResources.has(resource);
    const verdict = applyEmptyGroupRule(planned.verdict, kind, options.now, hasGoodGroup);
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
