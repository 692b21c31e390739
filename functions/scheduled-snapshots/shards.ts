import { asSnapshotError, SnapshotError } from "../../shared/core/errors.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import { backoff } from "../../shared/core/retry.ts";
import { invokeAsync, LARGEST_PAYLOAD } from "../../shared/huaweicloud/function-invocations.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import type { Kind } from "../../shared/snapshots/kinds/kind.ts";
import type { Policy, Target } from "../../shared/snapshots/policy.ts";
import { type Run, targetFields } from "../../shared/snapshots/run-context.ts";

/** Returns whether another invocation of this function sent an event. Such an event has a field that no timer sends. */
export const isShard = (event: JsonObject): boolean => "shard" in event;

/** Returns how many invocations share the rate limit of the cloud: all shards, and the invocation that started them. */
export const invocationsOf = (shard: unknown): number => 1 + (Number(String(shard).split("/")[1]) || 0);

interface Original {
  policy: Policy;
  event: JsonObject;
  run: Run;
  /** The event was delivered before, so shards of the earlier delivery may not have started yet. */
  again: boolean;
}

/**
 * Starts further invocations of this function for targets. Each gets the original TIMER event with the same time, and a policy
 * that names the targets by id. A target is `deferred` if the platform acknowledged the invocation, and `failed` if it did not;
 * then this invocation fails, and the platform redelivers its event.
 *
 * @returns the request ids of the further invocations
 */
export async function fanOut(
  targets: readonly Target[],
  shardSize: number,
  original: Original,
  invocation: Invocation,
): Promise<string[]> {
  const requestIds: string[] = [];
  const shards = chunk(targets, shardSize).flatMap((shard) => splitToPayloadLimit(shard, original));
  for (const [index, shard] of shards.entries()) {
    // Lets timers and sockets run, because starting an invocation can fail immediately.
    await invocation.retryBudget.time.sleep(0);
    const ends = shard.map((target) => invocation.records.openRecord(targetFields(target, original.run)));
    try {
      const requestId = await acknowledge(shardEvent(shard, original, `${index + 1}/${shards.length}`), invocation);
      requestIds.push(requestId);
      for (const end of ends) end({ outcome: "deferred", detail: `handed on to the invocation ${requestId}` });
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const detail = "It could not be handed on to a further invocation.";
      for (const end of ends) end({ outcome: "failed", detail, error });
    }
  }
  return requestIds;
}

/**
 * Starts one invocation. Repeats a call that the platform refused, but not a call without a response: the invocation may run,
 * and a second one at the same time could create duplicates.
 *
 * @returns the request id of the invocation
 */
async function acknowledge(
  event: JsonObject,
  { connection, retryBudget, platform, variables, functionName }: Invocation,
): Promise<string> {
  const region = variables("REGION");
  if (region === undefined) {
    throw new SnapshotError(
      "Misconfigured",
      "REGION: expected a region for the URN of the function; the variable is not set.",
    );
  }
  const parts = [
    region,
    connection.projectId,
    "function",
    platform.package || "default",
    platform.functionName || functionName,
    platform.version || "latest",
  ];
  const urn = `urn:fss:${parts.join(":")}`;
  if (!/^[A-Za-z0-9:_.!-]+$/.test(urn)) {
    throw new SnapshotError(
      "Misconfigured",
      `Expected a URN of letters, digits, -, _ and ., got ${JSON.stringify(urn)}.`,
    );
  }
  for (let tries = 1; ; tries += 1) {
    try {
      return await invokeAsync(connection, urn, event);
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      if (error.ambiguous || !(await backoff(error, tries, retryBudget))) throw error;
    }
  }
}

function shardEvent(targets: readonly Target[], { policy, event, again }: Original, shard: string): JsonObject {
  return {
    ...event,
    shard,
    ...(again ? { again } : {}),
    user_event: JSON.stringify({ ...policy, targets: selectorsFor(targets) }),
  };
}

/** Returns selectors that name targets by id, one for each combination of kind and options. */
function selectorsFor(targets: readonly Target[]): JsonObject[] {
  const groups = new Map<string, { kind: Kind; options: JsonObject; ids: string[] }>();
  for (const { kind, resource, options } of targets) {
    const { [kind.target.idOption]: _, ...others } = options;
    const identity = JSON.stringify([kind.name, others]);
    const group = groups.get(identity) ?? { kind, options: others, ids: [] };
    group.ids.push(resource);
    groups.set(identity, group);
  }
  return [...groups.values()].map(({ kind, options, ids }) => ({
    kind: kind.name,
    [kind.target.idsField]: ids,
    ...options,
  }));
}

/** Splits a shard until the platform accepts its events. The events have no shard numbers yet; LARGEST_PAYLOAD has room for them. */
function splitToPayloadLimit(shard: readonly Target[], original: Original): (readonly Target[])[] {
  const size = Buffer.byteLength(JSON.stringify(shardEvent(shard, original, "")));
  if (size <= LARGEST_PAYLOAD || shard.length === 1) return [shard];
  return chunk(shard, Math.ceil(shard.length / 2)).flatMap((half) => splitToPayloadLimit(half, original));
}

const chunk = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
