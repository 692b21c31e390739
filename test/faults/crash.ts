/** The same event several times, with a crash after any request, in a cloud in which anything can go wrong. */
import fc from "fast-check";
import type { Fault, FaultMatch } from "../../infra/local/cloud/index.ts";
import { type Crash, type Delivery, type Instance, openFaultySite } from "./faulty-environment.ts";
import { broken, duplicates, unfinished } from "./guarantees.ts";
import { CELLS, type Cell, jobOf, startsAnew } from "./jobs.ts";
import { RETRY_MS, shardsOf } from "./shards.ts";

interface Attempt {
  /** In an instance of its own, or in the last one where that is still alive. */
  cold: boolean;
  crash?: Crash;
  /** Twice at once in that instance. */
  twice: boolean;
  troubles: { match: FaultMatch; fault: Fault | { type: "slow"; ms: number } }[];
  remainingMs: number;
  /** Since the attempt before it. */
  pauseMs: number;
}

export interface Story {
  cell: Cell;
  size: number;
  seed: number;
  listLagMs: number;
  creationMs: number;
  /** So many snapshots of each resource end in an error state before one does not. */
  failures: number;
  attempts: Attempt[];
}

const operation = fc.constantFrom(/\.create/, /\.list/, /\.show/, /reportLogs/, /invokeAsync/, /./);

const trouble = fc.record({
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
    // An answer that takes its time: the work was done before.
    fc.integer({ min: 100, max: 9_000 }).map((ms) => ({ type: "slow", ms })),
  ),
});

const crash = fc.record({ request: fc.integer({ min: 1, max: 14 }), when: fc.constantFrom("before", "after") });

const attempt = fc.record({
  cold: fc.boolean(),
  crash: fc.option(crash, { nil: undefined, freq: 4 }),
  twice: fc.boolean(),
  troubles: fc.array(trouble, { maxLength: 3 }),
  remainingMs: fc.oneof(fc.integer({ min: 500, max: 15_000 }), fc.constantFrom(60_000, 900_000)),
  pauseMs: fc.integer({ min: RETRY_MS, max: 3 * RETRY_MS }),
});

export const story: fc.Arbitrary<Story> = fc.record({
  cell: fc.constantFrom(...CELLS),
  size: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
  listLagMs: fc.constantFrom(0, 5_000),
  creationMs: fc.constantFrom(1, 3_000, 40_000, 300_000),
  failures: fc.constantFrom(0, 0, 0, 1, 2),
  attempts: fc.array(attempt, { minLength: 1, maxLength: 4 }),
}) as fc.Arbitrary<Story>;

/** Lets a story happen; what it broke, nothing where all held. */
export async function happen({
  cell,
  size,
  seed,
  listLagMs,
  creationMs,
  failures,
  attempts,
}: Story): Promise<string[]> {
  const site = await openFaultySite({ seed, creationMs });
  const { cloud, clock } = site;
  try {
    cloud.listLagMs = listLagMs;
    const job = jobOf(site, cell, size);
    const found: string[] = [];
    for (const { resource } of job.targets) {
      for (let made = 0; made < failures && startsAnew(cell); made += 1) cloud.endWith(resource, "error");
    }
    const told: Delivery[] = [];
    const runShards = shardsOf(site, job, told, found);
    let instance: Instance | undefined;
    for (const { cold, crash, twice, troubles, remainingMs, pauseMs } of attempts) {
      clock.advance(pauseMs);
      if (cold || !instance?.alive) instance = site.instance();
      for (const { match, fault } of troubles) cloud.fault(match, fault.type === "slow" ? site.slow(fault.ms) : fault);
      const how = { ...job.how, remainingMs };
      const first = instance.deliver(job.factory, job.event, { ...how, crash });
      const second = twice && meets(cell) && instance.alive ? instance.deliver(job.factory, job.event, how) : undefined;
      const deliveries = await Promise.all(second === undefined ? [first] : [first, second]);
      await runShards();
      told.push(...deliveries);
      for (const delivery of deliveries) {
        const beside = told.filter((other) => other !== delivery);
        found.push(...broken(site, job.targets, delivery, beside));
      }
      found.push(...duplicates(site, job));
      cloud.clearFaults();
    }
    // Everything is well again; what failed twice is taken a third time.
    for (let last = 0; last < 3; last += 1) {
      clock.advance(2 * RETRY_MS + creationMs);
      const delivery = await site.instance().deliver(job.factory, job.event, { ...job.how, remainingMs: 900_000 });
      await runShards();
      told.push(delivery);
      found.push(...broken(site, job.targets, delivery, told.slice(0, -1)));
      found.push(...duplicates(site, job));
      if (last === 2) found.push(...unfinished(site, job, delivery));
    }
    return found;
  } finally {
    await cloud.close();
  }
}

/** Shards run in instances of their own: handed on twice at the same moment, they are twins that nothing can prevent. */
const meets = ({ trigger }: Cell): boolean => trigger !== "shards";
