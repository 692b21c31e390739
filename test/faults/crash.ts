/** Delivers an event several times, with random faults of the embedded cloud and with crashes at random requests. */
import fc from "fast-check";
import type { Fault, FaultMatch } from "../../infra/local/cloud/index.ts";
import { type Crash, createFaultyEnvironment, type Delivery, type Instance } from "./faulty-environment.ts";
import { findBrokenGuarantees, findDuplicates, findUnfinished } from "./guarantees.ts";
import { CELLS, type Cell, createJob, retriesFailed } from "./jobs.ts";
import { queueShards, RETRY_MS } from "./shards.ts";

interface Attempt {
  /**
   * If true, a new instance gets the event. If false, the previous instance gets the event, unless the previous instance crashed.
   */
  cold: boolean;
  crash?: Crash;
  /** True if the same instance gets the event twice at the same time. */
  twice: boolean;
  faults: { match: FaultMatch; fault: Fault | { type: "slow"; ms: number } }[];
  remainingMs: number;
  /** The time in milliseconds between the previous delivery and this delivery. */
  pauseMs: number;
}

export interface Scenario {
  cell: Cell;
  size: number;
  seed: number;
  listLagMs: number;
  creationMs: number;
  /** The number of snapshots of each resource that fail before a snapshot becomes available. */
  failures: number;
  attempts: Attempt[];
}

const operation = fc.constantFrom(/\.create/, /\.list/, /\.show/, /reportLogs/, /invokeAsync/, /./);

const faultCase = fc.record({
  match: fc.record({
    operation,
    nth: fc.integer({ min: 1, max: 4 }),
    times: fc.constantFrom(1, 1, 2, 5, 99),
  }),
  fault: fc.oneof(
    fc.record({ type: fc.constantFrom("reset", "hang", "cut", "notJson", "emptyBody"), after: fc.boolean() }),
    fc.record({ type: fc.constant("status"), status: fc.constantFrom(500, 502, 503, 504), after: fc.boolean() }),
    fc.record({ type: fc.constant("throttle"), retryAfter: fc.constantFrom(undefined, 0, 3, 60) }),
    fc.record({ type: fc.constant("expiredToken") }),
    fc.record({ type: fc.constant("clockSkew"), ms: fc.constantFrom(-3_600_000, 3_600_000) }),
    fc.record({ type: fc.constant("redirect"), location: fc.constant("http://127.0.0.1:1/") }),
    // The embedded cloud processes the request at once and delays only the response.
    fc.integer({ min: 100, max: 9_000 }).map((ms) => ({ type: "slow", ms })),
  ),
});

const crash = fc.record({ request: fc.integer({ min: 1, max: 14 }), when: fc.constantFrom("before", "after") });

const attempt = fc.record({
  cold: fc.boolean(),
  crash: fc.option(crash, { nil: undefined, freq: 4 }),
  twice: fc.boolean(),
  faults: fc.array(faultCase, { maxLength: 3 }),
  remainingMs: fc.oneof(fc.integer({ min: 500, max: 15_000 }), fc.constantFrom(60_000, 900_000)),
  pauseMs: fc.integer({ min: RETRY_MS, max: 3 * RETRY_MS }),
});

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  cell: fc.constantFrom(...CELLS),
  size: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
  listLagMs: fc.constantFrom(0, 5_000),
  creationMs: fc.constantFrom(1, 3_000, 40_000, 300_000),
  failures: fc.constantFrom(0, 0, 0, 1, 2),
  attempts: fc.array(attempt, { minLength: 1, maxLength: 4 }),
}) as fc.Arbitrary<Scenario>;

/** Runs a scenario. Returns a description of each guarantee that a function broke. */
export async function runScenario({
  cell,
  size,
  seed,
  listLagMs,
  creationMs,
  failures,
  attempts,
}: Scenario): Promise<string[]> {
  const environment = await createFaultyEnvironment({ seed, creationMs });
  const { cloud, clock } = environment;
  try {
    cloud.listLagMs = listLagMs;
    const job = createJob(environment, cell, size);
    const found: string[] = [];
    for (const { resource } of job.targets) {
      for (let count = 0; count < failures && retriesFailed(cell); count += 1) cloud.endWith(resource, "error");
    }
    const deliveries: Delivery[] = [];
    const runShards = queueShards(environment, job, deliveries, found);
    let instance: Instance | undefined;
    for (const { cold, crash, twice, faults, remainingMs, pauseMs } of attempts) {
      clock.advance(pauseMs);
      if (cold || !instance?.alive) instance = environment.instance();
      for (const { match, fault } of faults)
        cloud.fault(match, fault.type === "slow" ? environment.delayResponse(fault.ms) : fault);
      const invocation = { ...job.invocation, remainingMs };
      const first = instance.deliver(job.factory, job.event, { ...invocation, crash });
      const second =
        twice && preventsDuplicates(cell) && instance.alive
          ? instance.deliver(job.factory, job.event, invocation)
          : undefined;
      const concurrent = await Promise.all(second === undefined ? [first] : [first, second]);
      await runShards();
      deliveries.push(...concurrent);
      for (const delivery of concurrent) {
        const others = deliveries.filter((other) => other !== delivery);
        found.push(...findBrokenGuarantees(environment, job.targets, delivery, others));
      }
      found.push(...findDuplicates(environment, job));
      cloud.clearFaults();
    }
    // Deliver the event three more times without faults. At most two snapshots of each target fail, so the third delivery must
    // succeed.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      clock.advance(2 * RETRY_MS + creationMs);
      const delivery = await environment
        .instance()
        .deliver(job.factory, job.event, { ...job.invocation, remainingMs: 900_000 });
      await runShards();
      deliveries.push(delivery);
      found.push(...findBrokenGuarantees(environment, job.targets, delivery, deliveries.slice(0, -1)));
      found.push(...findDuplicates(environment, job));
      if (attempt === 2) found.push(...findUnfinished(environment, job, delivery));
    }
    return found;
  } finally {
    await cloud.close();
  }
}

/**
 * Returns whether the functions must avoid duplicates when two deliveries overlap in one instance. In sharded runs the functions
 * cannot avoid duplicates, because each shard runs in its own instance.
 */
const preventsDuplicates = ({ trigger }: Cell): boolean => trigger !== "shards";
