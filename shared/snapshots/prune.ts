import { eachOf } from "./each-of.ts";
import { KINDS } from "./kinds/index.ts";
import type { FoundSnapshot, Kind } from "./kinds/kind.ts";
import type { Policy, Retention } from "./policy.ts";
import { asSnapshotError, SnapshotError } from "./reasons.ts";
import { keepsSomething, planRetention, type RetentionOptions, type Verdict } from "./retention.ts";
import type { Means } from "./take.ts";
import { lastBegin, retryRead } from "./waiting.ts";
import { wallClockOf } from "./zone.ts";

/** What prune needs of a policy; its targets do not matter: retention goes over what the policy made. */
export type PrunePolicy = Pick<Policy, "policy" | "time_zone" | "hold" | "dry_run"> & { retention?: Retention };

/** The retention of a policy as prune takes it. Throws InvalidRequest where it keeps nothing by any rule. */
export function retentionOf({ retention = {}, time_zone = "UTC", hold = [] }: PrunePolicy): RetentionOptions {
  if (!keepsSomething(retention)) {
    throw new SnapshotError(
      "InvalidRequest",
      "retention: expected at least one of keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly above 0, got none; that would delete all but min_keep.",
    );
  }
  return { retention, wallClock: wallClockOf(time_zone), hold };
}

/**
 * Deletes what a policy's retention no longer keeps, of everything that is marked with the policy: per kind and resource,
 * whether or not the resource still exists. The plan is made whole before anything is deleted. Each snapshot has its
 * record with the rule; one that cannot be deleted does not stop the others.
 *
 * @returns how many snapshots there were
 */
export async function prune(policy: PrunePolicy, means: Means): Promise<number> {
  const options = retentionOf(policy);
  const plan: { kind: Kind; verdict: Verdict }[] = [];
  for (const kind of Object.values<Kind>(KINDS)) {
    for (const verdict of await planOf(kind, policy, options, means)) plan.push({ kind, verdict });
  }
  const begin = ({ kind, verdict: { snapshot } }: (typeof plan)[number]) =>
    means.report({
      action: "prune",
      kind: kind.kind,
      resource_id: snapshot.resource,
      name: snapshot.name,
      snapshot_id: snapshot.id,
      policy: policy.policy,
    });
  for (const entry of plan) {
    const { decision, rule } = entry.verdict;
    if (policy.dry_run) begin(entry)({ outcome: "planned", rule, detail: decision });
    else if (decision !== "deleted") begin(entry)({ outcome: decision, rule });
  }
  if (policy.dry_run) return plan.length;

  const { cloud, patience, concurrency } = means;
  const until = lastBegin(patience);
  let stopped: SnapshotError | undefined;
  const deletions = plan.filter(({ verdict }) => verdict.decision === "deleted").sort(twinsFirst);
  await eachOf(deletions, concurrency, async (entry) => {
    const { kind, verdict } = entry;
    const end = begin(entry);
    try {
      if (stopped !== undefined) throw stopped;
      if (patience.time.now() >= until) throw outOfTime();
      await retryRead(() => cloud(kind).remove(verdict.snapshot.id), patience);
      end({ outcome: "deleted", rule: verdict.rule });
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      if (error.reason === "AccountSuspended") stopped = error;
      // Somebody was faster, or the reply to an earlier call was lost: it is gone, which is what was wanted.
      if (error.reason === "NotFound") end({ outcome: "deleted", rule: verdict.rule, detail: "It was gone already." });
      else end({ outcome: "failed", rule: verdict.rule, error });
    }
  });
  return plan.length;
}

/** The verdicts over a kind's snapshots that are marked with the policy, resource by resource. */
async function planOf(
  kind: Kind,
  { policy }: PrunePolicy,
  options: RetentionOptions,
  { cloud, patience }: Means,
): Promise<Verdict[]> {
  const found = await retryRead(() => cloud(kind).listAll(), patience);
  const byResource = new Map<string, FoundSnapshot[]>();
  for (const snapshot of found) {
    if (snapshot.marker?.policy !== policy) continue;
    // A group whose disks are gone and cannot be named: those that were asked for alike belong together.
    const resource = snapshot.resource ?? `content ${snapshot.marker.content}`;
    const others = byResource.get(resource);
    if (others === undefined) byResource.set(resource, [snapshot]);
    else others.push(snapshot);
  }
  const verdicts: Verdict[] = [];
  for (const snapshots of byResource.values()) verdicts.push(...planRetention(snapshots, options));
  return verdicts;
}

const twinsFirst = (a: { verdict: Verdict }, b: { verdict: Verdict }): number =>
  Number(b.verdict.rule.startsWith("twin")) - Number(a.verdict.rule.startsWith("twin"));

const outOfTime = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before this was deleted; the next run does it. Raise the function's timeout.",
  );
