import { startCutoff } from "../../shared/core/retry.ts";
import type { TimerEvent } from "../../shared/functiongraph/read-timer.ts";
import { readInteger } from "../../shared/functiongraph/variables.ts";
import { createCloud } from "../../shared/huaweicloud/services.ts";
import { createRunContext } from "../../shared/middleware/create-run-context.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import { finishRun } from "../../shared/middleware/run-summary.ts";
import { createAll, hasCreatedSnapshots } from "../../shared/snapshots/create/create-all.ts";
import { indexExistingSnapshots } from "../../shared/snapshots/create/existing-snapshots.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import type { Policy, Target } from "../../shared/snapshots/policy.ts";
import { makeRoomBy } from "../../shared/snapshots/retention/make-room.ts";
import { type Run, targetFields } from "../../shared/snapshots/run-context.ts";
import { selectTargets } from "../../shared/snapshots/select.ts";
import { countInvocations, fanOut, isShardEvent } from "./shards.ts";

/**
 * Creates a snapshot of every target of a policy. The function invokes itself for the remaining targets if there are more
 * than SHARD_SIZE targets, or if the time until the deadline is too short for all targets. These further invocations are
 * called shards. A shard starts no further shards.
 */
export async function runSchedule(
  { body: policy, time, event }: TimerEvent & { body: Policy },
  invocation: Invocation,
): Promise<void> {
  const { records, variables, connection, retryBudget } = invocation;
  const shardSize = readInteger(variables, "SHARD_SIZE", { defaultValue: 500, min: 1, max: 100_000 });
  const runContext = createRunContext(invocation, createCloud(connection));
  const run: Run = {
    idempotencyKey: deriveKey("schedule", policy.policy, String(Math.floor(time / 1000))),
    policy: policy.policy,
    label: policy.policy,
    time,
    projectId: connection.projectId,
  };
  const { targets, failures, empty, refused } = await selectTargets(policy.targets, runContext, policy.dry_run);
  for (const { kind, error } of failures) {
    const complete = records.openRecord({ action: "create", kind: kind.name, policy: policy.policy });
    complete({ outcome: "failed", detail: "The resources of this kind could not be listed.", error });
  }
  if (empty.length > 0) {
    records.addNotice(
      `${empty.join(" and ")}: selected nothing. No resource has these tags, or exclude_tags excludes all resources with these tags.`,
    );
  }
  if (policy.dry_run) {
    for (const target of targets) {
      const error = refused.get(target);
      records.openRecord(targetFields(target, run))(error ? { outcome: "failed", error } : { outcome: "planned" });
    }
    return finishRun(invocation, { targets: targets.length });
  }
  const known = indexExistingSnapshots(run, runContext);
  if (policy.make_room) run.makeRoom = makeRoomBy(policy, runContext, known.count);
  if (isShardEvent(event)) {
    connection.limiter.share(countInvocations(event.shard));
    await createAll(targets, { ...run, again: event.again === true }, runContext, retryBudget.deadline, known);
    return finishRun(invocation, { targets: targets.length });
  }
  const [own, rest] = [targets.slice(0, shardSize), targets.slice(shardSize)];
  const again = rest.length > 0 && (await hasCreatedSnapshots(own, run, known));
  const shards = (some: Target[]) => fanOut(some, shardSize, { policy, event, run, again }, invocation);
  const deferredTo = await shards(rest);
  connection.limiter.share(1 + deferredTo.length);
  deferredTo.push(...(await shards(await createAll(own, run, runContext, startCutoff(retryBudget), known))));
  finishRun(invocation, { targets: targets.length, deferredTo });
}
