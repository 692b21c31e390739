import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { Delivery, FaultyEnvironment } from "./faulty-environment.ts";
import { findBrokenGuarantees } from "./guarantees.ts";
import type { Job } from "./jobs.ts";

/** The time in milliseconds between two deliveries. By then, list responses contain the new snapshots, which they omit for 5 s. */
export const RETRY_MS = 60_000;

/**
 * Queues the asynchronous invocations of a job. Returns a function that runs them as the platform does: each in its own instance,
 * with up to two retries. Call the returned function after the invocation that queued them finished.
 */
export function queueShards(
  environment: FaultyEnvironment,
  job: Job,
  deliveries: Delivery[],
  found: string[],
): () => Promise<void> {
  const waiting: [event: unknown, requestId: string][] = [];
  environment.onShard = async (...shard) => void waiting.push(shard);
  const run = async (event: unknown, requestId: string) => {
    const targets = job.targets.filter(({ resource }) => JSON.stringify(event).includes(resource));
    for (let tries = 0; tries < 3; tries += 1) {
      const delivery = await environment
        .instance()
        .deliver(scheduledSnapshots, event, { ...job.invocation, requestId });
      found.push(...findBrokenGuarantees(environment, targets, delivery, deliveries));
      deliveries.push(delivery);
      if (delivery.invoked?.error === undefined) return;
      environment.clock.advance(RETRY_MS);
    }
  };
  return async () => {
    await environment.cloud.idle();
    for (const shard of waiting.splice(0)) await run(...shard);
  };
}
