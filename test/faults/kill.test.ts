/** A real process is killed at a request, and the event is delivered again to another one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Delivery } from "./faulty-environment.ts";
import { broken, duplicates, unfinished } from "./guarantees.ts";
import { CELLS, type Job, jobOf } from "./jobs.ts";
import { type Kill, openProcessSite, type ProcessSite } from "./process.ts";
import { ASKED, keep } from "./report.ts";
import { RETRY_MS } from "./shards.ts";

const kill: fc.Arbitrary<Kill> = fc.record({
  request: fc.integer({ min: 1, max: ASKED.report === undefined ? 3 : 8 }),
  when: fc.constantFrom("arrived", "lost", "answered"),
});
const story = fc.record({
  cell: fc.constantFrom(...CELLS),
  size: fc.integer({ min: 1, max: 4 }),
  listLagMs: fc.constantFrom(0, 5_000),
  kills: fc.array(kill, { minLength: 1, maxLength: 2 }),
});

async function happen({ cell, size, listLagMs, kills }: typeof story extends fc.Arbitrary<infer S> ? S : never) {
  const site = await openProcessSite();
  site.cloud.listLagMs = listLagMs;
  const job = jobOf(site, cell, size);
  const found: string[] = [];
  const told: Delivery[] = [];
  let killed = 0;
  const shards = collectShards(site, job);
  for (const planned of [...kills, undefined]) {
    const process = site.start(job.name);
    const delivery = await process.deliver(job, planned);
    await process.end();
    if (delivery.ended === undefined) killed += 1;
    told.push(delivery, ...(await shards()));
    found.push(...broken(site, job.targets, delivery, told), ...duplicates(site, job));
    if (planned === undefined) found.push(...unfinished(site, job, delivery));
    site.clock.advance(RETRY_MS);
  }
  await site.cloud.close();
  return { found, killed };
}

/** What was handed on, each in a process of its own, once the one that handed on is gone. */
function collectShards(site: ProcessSite, job: Job): () => Promise<Delivery[]> {
  const waiting: [event: unknown, requestId: string][] = [];
  site.onShard = async (...shard) => void waiting.push(shard);
  return async () => {
    await site.cloud.idle();
    const done: Delivery[] = [];
    for (const [event, requestId] of waiting.splice(0)) {
      const process = site.start(job.name);
      done.push(await process.deliver({ ...job, event, how: { ...job.how, requestId } }));
      await process.end();
    }
    return done;
  };
}

test(`${ASKED.kills} runs in which a process is killed: no promise is broken`, { timeout: 600_000 }, async () => {
  const { kills: numRuns, seed } = ASKED;
  const tally = { runs: 0, killed: 0, broken: 0 };
  const property = fc.asyncProperty(story, async (one) => {
    const { found, killed } = await happen(one);
    tally.runs += 1;
    tally.killed += killed;
    if (found.length > 0) tally.broken += 1;
    expect(found).toEqual([]);
  });
  try {
    await fc.assert(property, { numRuns, seed, endOnFailure: true });
    // With one or two runs, each can end before the request at which its process is killed.
    if (numRuns >= 3) expect(tally.killed).toBeGreaterThan(0);
  } finally {
    keep("kills", tally);
  }
});
