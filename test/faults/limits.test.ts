/**
 * Measures how often two deliveries of one event create duplicate snapshots. The functions cannot prevent every duplicate,
 * because EVS and DWS accept no idempotency key in create requests.
 */

import { afterAll, describe, expect, test } from "vitest";
import { wallClock } from "../../infra/local/cloud/index.ts";
import { timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { KIND_FACTS, KINDS, type Kind } from "../support/kinds.ts";
import { createRandom } from "../support/random.ts";
import { createFaultyEnvironment } from "./faulty-environment.ts";
import { findDuplicates, findGoodSnapshots } from "./guarantees.ts";
import { addTaggedResource, createJob, eventTime } from "./jobs.ts";
import { createProcessEnvironment } from "./process.ts";
import { type DuplicateRate, OPTIONS, saveResult } from "./report.ts";

const LIST_LAG_MS = 5_000;

describe("a redelivery soon after a crash", () => {
  useFixedDate();
  const LATER_MS = [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000];
  const CREATION_MS = [3_000, 60_000];
  const RUNS = OPTIONS.report === undefined ? 2 : 50;
  const rates: DuplicateRate[] = [];
  afterAll(() => saveResult("lag", rates));

  const cases = KINDS.flatMap((kind) => CREATION_MS.map((creationMs) => [kind, creationMs] as const));
  test.each(cases)(
    "if the cloud rejects a second snapshot or lists the first snapshot, a redelivery after a crash creates no duplicate (kind %s, creation takes %i ms)",
    { timeout: 120_000 },
    async (kind, creationMs) => {
      const random = createRandom(7);
      for (const laterMs of LATER_MS) {
        const rate = { kind, laterMs, creationMs, duplicated: 0, total: RUNS };
        for (let run = 0; run < RUNS; run += 1) {
          const environment = await createFaultyEnvironment({ seed: run, creationMs });
          // A new snapshot appears in list responses after a random time of at most 5 s.
          environment.cloud.listLagMs = random() * LIST_LAG_MS;
          const job = createJob(environment, { trigger: "timer", kind });
          const created = () => environment.cloud.count(KIND_FACTS[kind].create) > 0;
          await crashAfter(environment, job, created);
          environment.clock.advance(laterMs);
          await environment.instance().deliver(job.factory, job.event, job.invocation);
          if (findDuplicates(environment, job).length > 0) rate.duplicated += 1;
          await environment.cloud.close();
        }
        rates.push(rate);
        // In three cases there must be no duplicate. DWS rejects a name that is in use. EVS v5 rejects a second snapshot of a
        // disk while it creates the first snapshot. After 5 s, list responses contain the first snapshot.
        const allowsNoDuplicate =
          kind === "cluster-snapshot" || (kind !== "snapshot" && laterMs < creationMs) || laterMs >= LIST_LAG_MS;
        if (allowsNoDuplicate) expect(rate.duplicated).toBe(0);
      }
    },
  );

  async function crashAfter(
    environment: Awaited<ReturnType<typeof createFaultyEnvironment>>,
    { factory, event, invocation }: ReturnType<typeof createJob>,
    created: () => boolean,
  ): Promise<void> {
    for (let request = 1; !created(); request += 1) {
      await environment.instance().deliver(factory, event, { ...invocation, crash: { request, when: "after" } });
    }
  }
});

/** Runs only in `npm run faults`, because it takes minutes of real time. */
describe.skipIf(OPTIONS.report === undefined)("two first deliveries in two processes", () => {
  const LATER_MS = [0, 20, 50, 100, 200, 500, 1_000];
  const LATER_MS_WITH_LAG = [0, 1_000, 3_000, 4_500, 6_000];
  // With more targets, a process must hold the run lock, and each process creates at most one duplicate.
  const RESOURCES = 8;
  const REPETITIONS = 5;
  const LATENCY_MS = 20;
  const rates: DuplicateRate[] = [];
  afterAll(() => saveResult("races", rates));

  const cases = [0, LIST_LAG_MS].flatMap((lagMs) => KINDS.map((kind) => [kind, lagMs] as const));
  test.each(cases)(
    "two scheduled-snapshots processes with one event miss no resource, and the test measures their duplicates (kind %s, lists omit a new snapshot for %i ms)",
    { timeout: 600_000 },
    async (kind, lagMs) => {
      for (const laterMs of lagMs === 0 ? LATER_MS : LATER_MS_WITH_LAG) {
        const repetitions = Array.from({ length: REPETITIONS }, () => countDuplicates(kind, lagMs, laterMs));
        const duplicated = (await Promise.all(repetitions)).reduce((sum, count) => sum + count, 0);
        rates.push({ kind, lagMs, laterMs, duplicated, total: RESOURCES * REPETITIONS });
      }
    },
  );

  /** Delivers one event to two processes, `laterMs` after each other. Returns the number of resources with a duplicate. */
  async function countDuplicates(kind: Kind, lagMs: number, laterMs: number): Promise<number> {
    const environment = await createProcessEnvironment({ clock: wallClock, delayMs: LATENCY_MS });
    environment.cloud.listLagMs = lagMs;
    const policy = (tag: string) => ({ policy: "nightly", targets: [{ kind, tags: { [tag]: "*" } }] });
    const processes = [0, 1].map(() => environment.start("scheduled-snapshots"));
    const invocation = { variables: { MAX_CONCURRENCY: String(RESOURCES) } };
    // This event selects no resources. It warms up both processes, so they process the measured event at the same speed.
    const idle = {
      name: "scheduled-snapshots",
      event: timerEvent(policy("none"), eventTime(environment)),
      invocation,
    };
    await Promise.all(processes.map((process) => process.deliver(idle)));
    const targets = Array.from({ length: RESOURCES }, () => ({
      kind,
      resource: addTaggedResource(environment, kind),
    }));
    const job = {
      name: "scheduled-snapshots",
      event: timerEvent(policy("backup"), eventTime(environment)),
      invocation,
    };
    await Promise.all(
      processes.map(async (process, index) => {
        await new Promise((resolve) => setTimeout(resolve, index * laterMs));
        return process.deliver(job);
      }),
    );
    await Promise.all(processes.map((process) => process.end()));
    const duplicates = findDuplicates(environment, { targets }).length;
    expect(findGoodSnapshots(environment, targets).filter(({ good }) => good.length === 0)).toEqual([]);
    await environment.cloud.close();
    return duplicates;
  }
});
