import { describe, expect, test } from "vitest";
import { runFamilies } from "./families.ts";
import { ALWAYS, IF_CALM, judge, type Verdict } from "./judge.ts";
import { resourceName, runScenario } from "./run-scenario.ts";
import { createScenario, type Scenario } from "./scenario.ts";

/** A scenario without faults: 40 disks, two deliveries at the same moment. */
const CALM: Scenario = {
  seed: 1,
  kind: "snapshot",
  targets: 40,
  shardSize: 500,
  concurrency: 8,
  timeLimitMs: 300_000,
  deliveries: [
    { offsetMs: 0, skewMs: 0 },
    { offsetMs: 0, skewMs: 0 },
  ],
  invokeMs: 100,
  listMs: 100,
  listLagMs: 5_000,
  order: "newest",
  otherSnapshots: 0,
  createMs: 200,
  createsPerSecond: 0,
  faultRate: 0,
  faults: [],
  busyTargets: 0,
  killAtCall: [],
};

const NO_PROBLEMS: Partial<Verdict> = Object.fromEntries(IF_CALM.map((name) => [name, []]));

async function run(changes: Partial<Scenario>) {
  const result = await runScenario({ ...CALM, ...changes });
  return { ...result, verdict: judge(result), created: new Set(result.cloud.rows.map(({ resource }) => resource)) };
}

describe("random scenarios", () => {
  test("several processes that receive the same event break no guarantee in 350 random scenarios (npm run model runs more)", async () => {
    const { failures, counts } = await runFamilies(1, 350);
    expect(failures).toEqual([]);
    expect(Object.keys(counts)).toHaveLength(7);
  }, 120_000);
});

describe("two deliveries of one timer event", () => {
  test.each([0, 1, 300, 1_000, 3_000, 6_000, 10_000, 60_000])(
    "if a second delivery starts %i ms after the first, scheduled-snapshots creates 40 snapshots and at most one duplicate, and both runs report the duplicate",
    async (offsetMs) => {
      const deliveries = [
        { offsetMs: 0, skewMs: 0 },
        { offsetMs, skewMs: 25_000 },
      ];
      const { verdict, created, processes } = await run({ deliveries });
      expect(verdict).toMatchObject(NO_PROBLEMS);
      expect(created.size).toBe(40);
      const { length } = verdict.unavoidable;
      expect(length).toBeLessThanOrEqual(1);
      expect(processes.filter(({ notices }) => notices.length > 0)).toHaveLength(length === 0 ? 0 : 2);
    },
  );

  test("if list requests take 4 s and a second delivery starts 1 to 3 s after the first, scheduled-snapshots creates at most one duplicate for 40 disks", async () => {
    for (const offsetMs of [1_000, 2_000, 3_000]) {
      const deliveries = [CALM.deliveries[0] as never, { offsetMs, skewMs: 0 }];
      const { verdict } = await run({ deliveries, listMs: 4_000, otherSnapshots: 250 });
      expect(verdict).toMatchObject(NO_PROBLEMS);
      expect(verdict.unavoidable.length).toBeLessThanOrEqual(1);
    }
  });

  test("if list responses contain the oldest snapshots first, two deliveries of a timer event create at most one duplicate for 40 disks", async () => {
    const { verdict } = await run({ order: "oldest", otherSnapshots: 250 });
    expect(verdict).toMatchObject(NO_PROBLEMS);
    expect(verdict.unavoidable.length).toBeLessThanOrEqual(1);
  });

  test("if the process of the first delivery is killed at its 20th API call, the second delivery creates the missing snapshots", async () => {
    const { verdict, created } = await run({ killAtCall: [20] });
    expect(verdict).toMatchObject(Object.fromEntries(ALWAYS.map((name) => [name, []])));
    expect(created.size).toBe(40);
  });
});

/** The number of random cases of each test of busy disks. */
const SEEDS = Number(process.env.SEEDS ?? 2);

describe("busy disks", () => {
  test.each([16, 24, 100].flatMap((busy) => [60, 300, 900].map((seconds) => [busy, seconds] as const)))(
    "if %i disks stay busy and precede 480 healthy disks, and the timeout is %i s, one delivery creates the snapshots of all healthy disks",
    async (busyTargets, seconds) => {
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const targets = busyTargets + 480;
        const deliveries = [{ offsetMs: 0, skewMs: 0 }];
        const timeLimitMs = seconds * 1_000;
        const { verdict, created } = await run({ seed, targets, busyTargets, timeLimitMs, deliveries, createMs: 300 });
        expect(verdict).toMatchObject(NO_PROBLEMS);
        expect(created.size).toBe(480);
      }
    },
    60_000,
  );
});

test("if a list response shows a snapshot shortly before the deadline, the target is not recorded as failed although its create request is still in progress", async () => {
  const scenario: Scenario = {
    seed: 78490,
    kind: "cluster-snapshot",
    targets: 27,
    shardSize: 500,
    concurrency: 4,
    timeLimitMs: 60000,
    deliveries: [
      { offsetMs: 0, skewMs: 0 },
      { offsetMs: 0, skewMs: 0 },
      { offsetMs: 553, skewMs: 0 },
    ],
    invokeMs: 956,
    listMs: 383,
    listLagMs: 5000,
    order: "newest",
    otherSnapshots: 0,
    createMs: 2853,
    createsPerSecond: 1,
    faultRate: 0.3,
    faults: ["lost", "late", "refused", "unconnected", "busy"],
    busyTargets: 2,
    killAtCall: [],
  };
  expect(judge(await runScenario(scenario)).falselyFailed).toEqual([]);
});

describe("the function judge() of the model", () => {
  const OLDER = { process: 0, resource: resourceName(0), sentAt: 0, committedAt: 100, visibleAt: 5_000 };
  const YOUNGER = { process: 1, resource: resourceName(0), sentAt: 6_000, committedAt: 6_100, visibleAt: 7_000 };
  const LIST = { process: 1, sentAt: 5_500, answeredAt: 5_900, shown: new Set<string>() };
  const RECORD = { resource: resourceName(0), outcome: "accepted", at: 8_000 };
  const PROCESS = { delivery: 0, isKilled: false, resources: [resourceName(0)], records: [RECORD], notices: [] };

  const judgeOf = (
    rows: object[],
    lists: object[],
    processes: object[] = [PROCESS, { ...PROCESS, delivery: 1 }],
    targets = 1,
  ) => judge({ scenario: { ...CALM, targets, deliveries: processes }, cloud: { rows, lists }, processes } as never);

  test("judge() reports a duplicate as avoidable if the process that created the duplicate sent a list request after the older snapshot became visible", () => {
    expect(judgeOf([OLDER, YOUNGER], [LIST]).avoidable).toHaveLength(1);
    expect(judgeOf([OLDER, YOUNGER], [{ ...LIST, sentAt: 4_999 }])).toMatchObject({
      avoidable: [],
      unavoidable: [expect.any(String)],
    });
    expect(judgeOf([OLDER, YOUNGER], [{ ...LIST, process: 0 }]).avoidable).toEqual([]);
    expect(judgeOf([OLDER, YOUNGER], [{ ...LIST, resource: resourceName(1) }]).avoidable).toEqual([]);
  });

  test("judge() reports a duplicate as silent if a process sent a list request after both snapshots became visible but added no notice", () => {
    const late = { ...LIST, sentAt: 7_000 };
    expect(judgeOf([OLDER, YOUNGER], [late]).silent).toHaveLength(1);
    expect(judgeOf([OLDER, YOUNGER], [LIST]).silent).toEqual([]);
    const noticed = [PROCESS, { ...PROCESS, notices: ["duplicates"] }];
    expect(judgeOf([OLDER, YOUNGER], [late], noticed).silent).toEqual([]);
  });

  test("judge() reports a resource that has neither a snapshot nor a failed record, unless the process of this resource was killed", () => {
    expect(judgeOf([], [], [PROCESS]).missed).toHaveLength(1);
    expect(judgeOf([], [], [{ ...PROCESS, isKilled: true }]).missed).toEqual([]);
    expect(judgeOf([], [], [{ ...PROCESS, records: [{ ...RECORD, outcome: "failed" }] }]).missed).toEqual([]);
  });

  test("judge() reports a target that has no record and a target that has two records", () => {
    expect(judgeOf([OLDER], [], [{ ...PROCESS, records: [] }]).unrecorded).toHaveLength(1);
    expect(judgeOf([OLDER], [], [{ ...PROCESS, records: [RECORD, RECORD] }]).unrecorded).toHaveLength(1);
    expect(judgeOf([OLDER], [], [PROCESS]).unrecorded).toEqual([]);
  });

  test("judge() reports a failed record as false if an earlier list response showed the snapshot to the same process", () => {
    const shown = { ...LIST, process: 0, shown: new Set([resourceName(0)]) };
    const failed = { ...PROCESS, records: [{ ...RECORD, outcome: "failed" }] };
    expect(judgeOf([OLDER], [shown], [failed]).falselyFailed).toHaveLength(1);
    expect(judgeOf([OLDER], [{ ...shown, answeredAt: 9_000 }], [failed]).falselyFailed).toEqual([]);
  });
});

test("a scenario with the same seed has the same result in every run", async () => {
  const summaryOf = async () => {
    const { cloud, processes } = await runScenario(createScenario(6));
    return JSON.stringify([cloud.rows.map(({ resource, sentAt }) => [resource, sentAt]), processes]);
  };
  expect(await summaryOf()).toBe(await summaryOf());
});
