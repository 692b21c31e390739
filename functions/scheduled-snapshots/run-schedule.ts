import { asSnapshotError } from "../../shared/core/errors.ts";
import { startCutoff, withTime } from "../../shared/core/retry.ts";
import type { TimerEvent } from "../../shared/functiongraph/read-timer.ts";
import { readInteger } from "../../shared/functiongraph/variables.ts";
import { invokeAsync } from "../../shared/huaweicloud/function-invocations.ts";
import type { Connection } from "../../shared/huaweicloud/http/sdk-client.ts";
import { createCloud } from "../../shared/huaweicloud/services.ts";
import { createRunContext } from "../../shared/middleware/create-run-context.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import { finishRun } from "../../shared/middleware/run-summary.ts";
import { createAll, hasCreatedSnapshots } from "../../shared/snapshots/create/create-all.ts";
import { indexExistingSnapshots } from "../../shared/snapshots/create/existing-snapshots.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import type { Policy, Target } from "../../shared/snapshots/policy.ts";
import type { Cloud } from "../../shared/snapshots/ports.ts";
import { announceRoom, makeRoomBy } from "../../shared/snapshots/retention/make-room.ts";
import { type Run, targetFields } from "../../shared/snapshots/run-context.ts";
import { selectTargets } from "../../shared/snapshots/select.ts";
import { countInvocations, fanOut, type Invoke, isShardEvent, readRateLimits } from "./shards.ts";

/** The services that a run calls. The model of several processes replaces them. */
interface Services {
  cloud: Cloud;
  invoke: Invoke;
}

const createServices = (connection: Connection): Services => ({
  cloud: createCloud(connection),
  invoke: (urn, event) => invokeAsync(connection, urn, event),
});

/**
 * Creates a snapshot of every target of a policy. The function invokes itself for the remaining targets if there are more
 * than SHARD_SIZE targets, or if the time until the deadline is too short for all targets. These further invocations are
 * called shards. A shard starts no further shards.
 */
export async function runSchedule(
  { body: policy, time, event }: TimerEvent & { body: Policy },
  invocation: Invocation,
  { cloud, invoke }: Services = createServices(invocation.connection),
): Promise<void> {
  const { records, variables, connection, retryBudget } = invocation;
  const shardSize = readInteger(variables, "SHARD_SIZE", { defaultValue: 500, min: 1, max: 100_000 });
  const runContext = createRunContext(invocation, cloud);
  const run: Run = {
    idempotencyKey: deriveKey("schedule", policy.policy, String(Math.floor(time / 1000))),
    policy: policy.policy,
    label: policy.policy,
    time,
    projectId: connection.projectId,
  };
  const { targets, failures, empty, refused } = await selectTargets(policy.targets, runContext, policy.dry_run);
  for (const { kind, error, resource: resource_id } of failures) {
    const complete = records.openRecord({ action: "create", kind: kind.name, resource_id, policy: policy.policy });
    complete({ outcome: "failed", detail: "The resources could not be listed.", error });
  }
  if (empty.length > 0) {
    records.addNotice(
      `${empty.join(" and ")}: selected nothing. No resource has these tags, or exclude_tags excludes all resources with these tags.`,
    );
  }
  if (policy.dry_run) {
    const planRoom = async (target: Target) =>
      policy.make_room ? announceRoom(policy, runContext, target).catch(asSnapshotError) : undefined;
    for (const target of targets) {
      const error = refused.get(target) ?? (await planRoom(target));
      records.openRecord(targetFields(target, run))(error ? { outcome: "failed", error } : { outcome: "planned" });
    }
    return finishRun(invocation, { targets: targets.length });
  }
  const cutoff = startCutoff(retryBudget);
  // No list request may delay the hand-over of the remaining targets.
  const untilCutoff = { ...withTime(retryBudget, retryBudget.time), deadline: cutoff };
  const known = indexExistingSnapshots(run, { ...runContext, retryBudget: untilCutoff });
  if (policy.make_room) run.makeRoom = makeRoomBy(policy, runContext);
  if (isShardEvent(event)) {
    run.processes = countInvocations(event.shard);
    connection.limiter.share(run.processes, readRateLimits(event.rate_limits));
    await createAll(targets, { ...run, again: event.again === true }, runContext, { cutoff, index: known });
    return finishRun(invocation, { targets: targets.length });
  }
  const [own, rest] = [targets.slice(0, shardSize), targets.slice(shardSize)];
  const deferredTo: string[] = [];
  const startShards = async (some: Target[]) => {
    const again = await hasCreatedSnapshots(targets, known);
    const runEvent = { policy, event, run, again, started: deferredTo.length };
    deferredTo.push(...(await fanOut(some, shardSize, runEvent, invocation, invoke)));
  };
  if (rest.length > 0) await startShards(rest);
  run.processes = 1 + deferredTo.length;
  connection.limiter.share(run.processes);
  await createAll(own, run, runContext, { cutoff, fanOut: startShards, index: known });
  finishRun(invocation, { targets: targets.length, deferredTo });
}
