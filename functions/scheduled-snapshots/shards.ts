import { asSnapshotError, SnapshotError } from "../../shared/core/errors.ts";
import { isObject, type JsonObject } from "../../shared/core/json.ts";
import { backoff } from "../../shared/core/retry.ts";
import { LARGEST_PAYLOAD } from "../../shared/huaweicloud/function-invocations.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import type { Kind } from "../../shared/snapshots/kinds/kind.ts";
import type { Policy, Target } from "../../shared/snapshots/policy.ts";
import { type Run, targetFields } from "../../shared/snapshots/run-context.ts";

/**
 * Returns whether an event starts a shard, which is a further invocation of scheduled-snapshots. Only the event of a shard
 * has the field `shard`.
 */
export const isShardEvent = (event: JsonObject): boolean => "shard" in event;

/**
 * Returns how many invocations send requests for one run at the same time. These are the shards of the run, and the
 * invocation that started the shards. All these invocations share the rate limits of the account.
 *
 * @param shard the field `shard` of the event, such as `2/5` for the second of five shards
 */
export function countInvocations(shard: unknown): number {
  const count = /^\d{1,5}\/(\d{1,5})$/.exec(String(shard))?.[1];
  return 1 + Number(count ?? 0);
}

/**
 * Reads the rate limits in the event of a shard. The invocation that started the shard received them in 429 responses.
 *
 * @param rateLimits the field `rate_limits` of the event: a JSON object with requests per second by API
 */
export function readRateLimits(rateLimits: unknown): Record<string, number> {
  let limits: unknown;
  try {
    limits = JSON.parse(String(rateLimits));
  } catch {
    // Without the limits, this invocation learns them from its first 429 response.
  }
  return isObject(limits) ? (pickPositive(limits) as Record<string, number>) : {};
}

const pickPositive = (limits: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(limits).filter(([, limit]) => typeof limit === "number" && limit > 0));

/** Invokes the function with this URN asynchronously. Returns the request id of the new invocation. */
export type Invoke = (urn: string, event: JsonObject) => Promise<string>;

/** The timer event, and the policy and the run that it started. `fanOut` creates the events of the shards from this data. */
interface RunEvent {
  policy: Policy;
  event: JsonObject;
  run: Run;
  /**
   * True if an earlier delivery of the timer event already created snapshots. The earlier delivery may also have started
   * shards. To avoid duplicate snapshots, each new shard first waits while a shard of the earlier delivery may still create
   * snapshots of the same targets.
   */
  again: boolean;
  /** The number of shards that this invocation has already started. */
  started: number;
}

/**
 * Starts further invocations of this function (shards) for the given targets. The event of a shard is a copy of the timer
 * event. In the copy, the policy names the targets of the shard by id.
 *
 * Writes a record for each target. The outcome is `deferred` if the platform accepted the invocation for the target, or
 * else `failed`. If a target failed, the invocation that starts the shards fails, too, and the platform redelivers the
 * timer event.
 *
 * @returns the request ids of the further invocations
 */
export async function fanOut(
  targets: readonly Target[],
  shardSize: number,
  runEvent: RunEvent,
  invocation: Invocation,
  invoke: Invoke,
): Promise<string[]> {
  const requestIds: string[] = [];
  const { started } = runEvent;
  const limits = invocation.connection.limiter.limits();
  const shards = chunk(targets, shardSize).flatMap((shard) => splitToPayloadLimit(shard, runEvent, limits));
  for (const [index, shard] of shards.entries()) {
    // Let pending timers and network events run. Otherwise, this loop would block these events if every call failed immediately.
    await invocation.retryBudget.time.sleep(0);
    const completions = shard.map((target) => invocation.records.openRecord(targetFields(target, runEvent.run)));
    try {
      const requestId = await startShard(
        createShardEvent(shard, runEvent, `${started + index + 1}/${started + shards.length}`, limits),
        invocation,
        invoke,
      );
      requestIds.push(requestId);
      for (const complete of completions)
        complete({ outcome: "deferred", detail: `Passed on to the invocation ${requestId}` });
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const detail = "No invocation could be started for this target.";
      for (const complete of completions) complete({ outcome: "failed", detail, error });
    }
  }
  return requestIds;
}

/**
 * Starts one shard, which is a further invocation of this function. If the platform temporarily rejects the call, the
 * function repeats the call. If the platform does not respond, the function does not repeat the call: the shard may have
 * started, and a second shard could create duplicate snapshots.
 *
 * @returns the request id of the shard
 */
async function startShard(
  event: JsonObject,
  { connection, retryBudget, platform, variables, functionName }: Invocation,
  invoke: Invoke,
): Promise<string> {
  const region = variables("REGION");
  if (region === undefined) {
    throw new SnapshotError(
      "Misconfigured",
      "REGION: expected the region for the URN of the function, but the variable is not set.",
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
      `Expected a function URN of letters, digits, -, _ and ., got ${JSON.stringify(urn)}.`,
    );
  }
  for (let tries = 1; ; tries += 1) {
    try {
      return await invoke(urn, event);
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      if (error.ambiguous || !(await backoff(error, tries, retryBudget))) throw error;
    }
  }
}

/**
 * Returns the event of a shard.
 *
 * @param shard the value of the field `shard`, such as `2/5` for the second of five shards
 * @param limits the rate limits that are known, in requests per second by API
 */
function createShardEvent(
  targets: readonly Target[],
  { policy, event, again }: RunEvent,
  shard: string,
  limits: Record<string, number>,
): JsonObject {
  return {
    ...event,
    shard,
    ...(Object.keys(limits).length === 0 ? {} : { rate_limits: JSON.stringify(limits) }),
    ...(again ? { again } : {}),
    user_event: JSON.stringify({ ...policy, targets: selectorsFor(targets) }),
  };
}

/**
 * Returns selectors that name the targets by id. Targets of the same kind of snapshot and with the same options share a
 * selector.
 */
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

/**
 * Divides a shard into halves until the event of each part is small enough for the platform. The function measures the
 * event without the number of the shard. LARGEST_PAYLOAD leaves room for this number.
 */
function splitToPayloadLimit(
  shard: readonly Target[],
  runEvent: RunEvent,
  limits: Record<string, number>,
): (readonly Target[])[] {
  const size = Buffer.byteLength(JSON.stringify(createShardEvent(shard, runEvent, "", limits)));
  if (size <= LARGEST_PAYLOAD || shard.length === 1) return [shard];
  return chunk(shard, Math.ceil(shard.length / 2)).flatMap((half) => splitToPayloadLimit(half, runEvent, limits));
}

/** Divides an array into parts of at most `size` items. */
const chunk = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
