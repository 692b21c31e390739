/** Kills real processes of the built functions at random requests, and delivers each event again to a new process. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Delivery } from "./faulty-environment.ts";
import { findBrokenGuarantees, findDuplicates, findUnfinished } from "./guarantees.ts";
import { CELLS, createJob, type Job } from "./jobs.ts";
import { createProcessEnvironment, type Kill, type ProcessEnvironment } from "./process.ts";
import { OPTIONS, saveResult } from "./report.ts";
import { RETRY_MS } from "./shards.ts";

const kill: fc.Arbitrary<Kill> = fc.record({
  request: fc.integer({ min: 1, max: OPTIONS.report === undefined ? 3 : 8 }),
  when: fc.constantFrom("arrived", "lost", "answered"),
});
const scenario = fc.record({
  cell: fc.constantFrom(...CELLS),
  size: fc.integer({ min: 1, max: 4 }),
  listLagMs: fc.constantFrom(0, 5_000),
  kills: fc.array(kill, { minLength: 1, maxLength: 2 }),
});

async function runScenario({
  cell,
  size,
  listLagMs,
  kills,
}: typeof scenario extends fc.Arbitrary<infer S> ? S : never) {
  const environment = await createProcessEnvironment();
  environment.cloud.listLagMs = listLagMs;
  const job = createJob(environment, cell, size);
  const found: string[] = [];
  const deliveries: Delivery[] = [];
  let killed = 0;
  const shards = queueShardProcesses(environment, job);
  for (const planned of [...kills, undefined]) {
    const process = environment.start(job.name);
    const delivery = await process.deliver(job, planned);
    await process.end();
    if (delivery.invoked === undefined) killed += 1;
    deliveries.push(delivery, ...(await shards()));
    found.push(
      ...findBrokenGuarantees(environment, job.targets, delivery, deliveries),
      ...findDuplicates(environment, job),
    );
    if (planned === undefined) found.push(...findUnfinished(environment, job, delivery));
    environment.clock.advance(RETRY_MS);
  }
  await environment.cloud.close();
  return { found, killed };
}

/** Returns a function that runs each queued shard in its own process. Call the returned function after the queueing process exited. */
function queueShardProcesses(environment: ProcessEnvironment, job: Job): () => Promise<Delivery[]> {
  const waiting: [event: unknown, requestId: string][] = [];
  environment.onShard = async (...shard) => void waiting.push(shard);
  return async () => {
    await environment.cloud.idle();
    const done: Delivery[] = [];
    for (const [event, requestId] of waiting.splice(0)) {
      const process = environment.start(job.name);
      done.push(await process.deliver({ ...job, event, invocation: { ...job.invocation, requestId } }));
      await process.end();
    }
    return done;
  };
}

test(`the built functions keep every guarantee in ${OPTIONS.kills} random runs that kill processes`, {
  timeout: 600_000,
}, async () => {
  const { kills: numRuns, seed } = OPTIONS;
  const counts = { runs: 0, killed: 0, broken: 0 };
  const property = fc.asyncProperty(scenario, async (one) => {
    const { found, killed } = await runScenario(one);
    counts.runs += 1;
    counts.killed += killed;
    if (found.length > 0) counts.broken += 1;
    expect(found).toEqual([]);
  });
  try {
    await fc.assert(property, { numRuns, seed, endOnFailure: true });
    // In fewer than 3 runs, it can happen that no process reaches the request at which the test would kill it.
    if (numRuns >= 3) expect(counts.killed).toBeGreaterThan(0);
  } finally {
    saveResult("kills", counts);
  }
});
