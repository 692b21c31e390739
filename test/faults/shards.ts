import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { Delivery, FaultySite } from "./faulty-environment.ts";
import { broken } from "./guarantees.ts";
import type { Job } from "./jobs.ts";

/** The platform's retry interval: a redelivery comes no sooner (the cloud's lists are up to 5 s late). */
export const RETRY_MS = 60_000;

/**
 * The platform runs what was handed on, each in an instance of its own, and again where it fails. Returned is what it does
 * once the invocation that handed on has ended.
 */
export function shardsOf(site: FaultySite, job: Job, told: Delivery[], found: string[]): () => Promise<void> {
  const waiting: [event: unknown, requestId: string][] = [];
  site.onShard = async (...shard) => void waiting.push(shard);
  const run = async (event: unknown, requestId: string) => {
    const targets = job.targets.filter(({ resource }) => JSON.stringify(event).includes(resource));
    for (let tries = 0; tries < 3; tries += 1) {
      const delivery = await site.instance().deliver(scheduledSnapshots, event, { ...job.how, requestId });
      found.push(...broken(site, targets, delivery, told));
      told.push(delivery);
      if (delivery.ended?.error === undefined) return;
      site.clock.advance(RETRY_MS);
    }
  };
  return async () => {
    await site.cloud.idle();
    for (const shard of waiting.splice(0)) await run(...shard);
  };
}
