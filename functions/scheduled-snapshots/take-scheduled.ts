import type { TimerEvent } from "../../shared/functiongraph/timer.ts";
import { readInteger } from "../../shared/functiongraph/variables.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import { meansOf } from "../../shared/middleware/means.ts";
import { conclude } from "../../shared/middleware/summary.ts";
import { instant } from "../../shared/snapshots/instant.ts";
import { keyOf } from "../../shared/snapshots/marker.ts";
import { checkTimeZone, type Policy, type Target } from "../../shared/snapshots/policy.ts";
import { SnapshotError } from "../../shared/snapshots/reasons.ts";
import { type Run, select, takeAll, targetFields } from "../../shared/snapshots/take.ts";
import { handOver, isShard } from "./shards.ts";

/** Kept to hand over what was not begun: an attempt that hangs, and a second one. */
const HAND_OVER_MS = 12_000;

/**
 * Takes every target of a policy. What is more than SHARD_SIZE, and what there is no time left for, goes to further
 * invocations of this function, one level deep: a shard does what it was given or fails.
 */
export async function takeScheduled(
  { body: policy, time, event }: TimerEvent & { body: Policy },
  invocation: Invocation,
): Promise<void> {
  checkTimeZone(policy.time_zone ?? "UTC");
  const { records, variables, connection, patience } = invocation;
  const shardSize = readInteger(variables, "SHARD_SIZE", { byDefault: 500, from: 1, to: 100_000 });
  const means = meansOf(invocation);
  const run: Run = {
    key: keyOf("schedule", policy.policy, String(Math.floor(time / 1000))),
    policy: policy.policy,
    label: policy.policy,
    time,
    projectId: connection.projectId,
  };
  const targets = await select(policy.targets, run, means);
  if (targets.length === 0) records.remark("Nothing was selected: no resource has the tags of this policy.");

  if (policy.dry_run) {
    for (const target of targets) records.begin(targetFields(target, run))({ outcome: "planned" });
    return conclude(invocation, { policy: policy.policy, targets: targets.length });
  }
  if (isShard(event)) {
    for (const target of await takeAll(targets, run, means, patience.until)) notBegun(target, run, invocation);
    return conclude(invocation, { policy: policy.policy, targets: targets.length });
  }
  const shards = (rest: Target[]) => handOver(rest, shardSize, { policy, event, run }, invocation);
  const deferredTo = await shards(targets.slice(shardSize));
  const half = (patience.until - patience.time.now()) / 2;
  const until = instant(patience.until - Math.min(HAND_OVER_MS, half));
  deferredTo.push(...(await shards(await takeAll(targets.slice(0, shardSize), run, means, until))));
  conclude(invocation, { policy: policy.policy, targets: targets.length, deferredTo });
}

function notBegun(target: Target, run: Run, { records }: Invocation): void {
  const error = new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before this target was begun. Raise the function's timeout or lower SHARD_SIZE.",
  );
  records.begin(targetFields(target, run))({ outcome: "failed", error });
}
