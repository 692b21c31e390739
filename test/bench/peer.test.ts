/** Checks how `npm run bench -- --peer` judges and formats its runs, without Python. */
import { expect, test } from "vitest";
import {
  type Comparison,
  conclusionOf,
  findBrokenPromises,
  findProblems,
  type ToolResults,
  type ToolRun,
  tableRows,
} from "./peer-report.ts";
import { countUnrecorded, errorLines, readCustodianReport } from "./peer-runs.ts";

const DISKS = 1_000;
const GOOD: ToolRun = {
  failed: false,
  exit: "succeeded",
  seconds: 3.6,
  cpuSeconds: 1.2,
  rssPeak: 83 * 1024 * 1024,
  requests: 1_020,
  created: DISKS,
  doubled: 0,
  missing: 0,
  unnamed: 0,
  unrecorded: 0,
};
/** A run that fails because of the throttled disk, and whose record names this disk. */
const THROTTLED: ToolRun = { ...GOOD, failed: true, exit: "failed", created: DISKS - 1, missing: 1, faultHits: 40 };
/** A run with a fault in one request. */
const FAULTY: ToolRun = { ...GOOD, faultHits: 1 };

const kept = (changes: Partial<ToolResults> = {}): ToolResults => ({
  repeated: [GOOD, { ...GOOD, created: 0 }],
  gatewayTimeout: [FAULTY, { ...GOOD, created: 0 }],
  reset: [FAULTY, { ...GOOD, created: 0 }],
  throttled: [THROTTLED],
  ...changes,
});

const CUSTODIAN: ToolResults = {
  repeated: [GOOD, { ...GOOD, doubled: DISKS }],
  gatewayTimeout: [
    { ...FAULTY, failed: true, exit: "exit code 2", created: 500, missing: 500, unnamed: 500 },
    { ...GOOD, doubled: 500 },
  ],
  reset: [FAULTY, GOOD],
  throttled: [{ ...GOOD, created: 998, missing: 2, unnamed: 1, faultHits: 1 }],
};

const compare = (changes: Partial<Comparison> = {}): Comparison => ({
  disks: DISKS,
  project: kept(),
  custodian: CUSTODIAN,
  ...changes,
});

/** Each entry has a condition, the runs of this project under this condition, and the problem in these runs. */
const BROKEN: [condition: string, changes: Partial<ToolResults>, problem: string][] = [
  ["a disk has two snapshots", { repeated: [GOOD, { ...GOOD, doubled: 1 }] }, "1 disk with two snapshots"],
  ["a disk has no snapshot", { reset: [{ ...GOOD, missing: 3 }, GOOD] }, "3 disks without a snapshot"],
  [
    "a disk has no snapshot after the last delivery",
    { reset: [GOOD, { ...GOOD, failed: true, missing: 2 }] },
    "2 disks without a snapshot",
  ],
  [
    "two disks have no snapshot although only one disk is throttled",
    { throttled: [{ ...THROTTLED, missing: 2 }] },
    "2 disks without a snapshot",
  ],
  [
    "the throttled disk has a snapshot",
    { throttled: [{ ...THROTTLED, missing: 0 }] },
    "the throttled disk has a snapshot",
  ],
  [
    "no record names the throttled disk",
    { throttled: [{ ...THROTTLED, unnamed: 1 }] },
    "1 disk without a snapshot and without a message",
  ],
  [
    "the invocation succeeds without a snapshot of the throttled disk",
    { throttled: [{ ...THROTTLED, failed: false }] },
    "the invocation succeeded without a snapshot of each disk",
  ],
  ["a disk has no record", { gatewayTimeout: [{ ...GOOD, unrecorded: 1 }, GOOD] }, "1 disk without exactly one record"],
];

test("if only the throttled disk has no snapshot, and a record names this disk, findBrokenPromises returns no problem", () => {
  expect(findBrokenPromises(kept())).toEqual([]);
});

test.each(BROKEN)("findBrokenPromises returns a problem if %s", (_, changes, problem) => {
  const broken = findBrokenPromises(kept(changes));
  expect(broken.join("; ")).toContain(problem);
});

test("if snapshots are missing after a failed delivery and the next delivery creates them, findBrokenPromises returns no problem", () => {
  expect(findBrokenPromises(kept({ reset: [{ ...GOOD, failed: true, missing: 500 }, GOOD] }))).toEqual([]);
});

test("if this project kept its promises, the conclusion of the comparison contains the figures of Cloud Custodian", () => {
  expect(conclusionOf(compare())).toBe(
    "This project created exactly one snapshot of each of 1000 disks in every scenario, except of the disk that is always throttled, which a record names. Custodian: 1000 disks with two snapshots after a second run, 500 disks without a snapshot after one lost response, 2 disks without a snapshot if one disk is throttled.",
  );
});

test("if this project created a duplicate, the conclusion states that the comparison with Cloud Custodian failed", () => {
  const project = kept({ repeated: [GOOD, { ...GOOD, doubled: 1 }] });
  expect(conclusionOf(compare({ project }))).toBe(
    "The comparison failed: scenario repeated, run 2: 1 disk with two snapshots.",
  );
});

test("the comparison with Cloud Custodian fails if Cloud Custodian created no snapshots in a run without faults", () => {
  const custodian = { ...CUSTODIAN, repeated: [{ ...GOOD, failed: true, created: 0 }, GOOD] };
  expect(findProblems(compare())).toEqual([]);
  expect(findProblems(compare({ custodian }))).toEqual([
    "Custodian created 0 instead of 1000 snapshots in a run without faults",
  ]);
  expect(conclusionOf(compare({ custodian }))).toMatch(/^The comparison failed: Custodian created 0/);
});

test.each([
  ["gatewayTimeout", 0, "1 request"],
  ["reset", 2, "1 request"],
  ["throttled", 0, "at least 1 request"],
] as const)(
  "the comparison with Cloud Custodian fails if the fault of the scenario %s affected %i requests instead of %s",
  (scenario, hits, expected) => {
    const problem = (tool: string) =>
      `scenario ${scenario}, ${tool}: the fault applied to ${hits} instead of ${expected}`;
    const withHits = (results: ToolResults) => ({
      ...results,
      [scenario]: results[scenario].map((run) => ({ ...run, faultHits: hits })),
    });
    expect(findProblems(compare({ project: withHits(kept()) }))).toEqual([problem("this project")]);
    expect(findProblems(compare({ custodian: withHits(CUSTODIAN) }))).toEqual([problem("Custodian")]);
  },
);

test("each row of the comparison table has a value for this project and a value for Cloud Custodian", () => {
  const [head, ...rows] = tableRows(compare());
  expect(head).toEqual(["scenario", "measured value", "this project", "Custodian"]);
  for (const [, value, ...cells] of rows) expect([value, cells.every((cell) => cell !== "")]).toEqual([value, true]);
  expect(rows.find(([scenario]) => scenario === "second run")).toEqual([
    "second run",
    "disks with two snapshots",
    "0",
    "1000",
  ]);
});

test("countUnrecorded counts the disks that have no record or two records", () => {
  const records = [{ resource_id: "a", outcome: "accepted" }, { resource_id: "b" }, { resource_id: "b" }, {}];
  expect(countUnrecorded(records, ["a", "b", "c"])).toBe(2);
});

test("readCustodianReport parses the last line of stdout as JSON, and throws an error that contains stderr if stdout is empty", () => {
  expect(readCustodianReport('a line\n{"exit":2,"rssPeak":1,"cpuSeconds":3}\n', "")).toMatchObject({ exit: 2 });
  expect(() => readCustodianReport("", "ImportError: no module")).toThrow(/did not run.*\nImportError: no module/s);
});

test("errorLines keeps the ERROR line and the traceback of a log, and removes the INFO line", () => {
  const log = [
    "2026-11-30 09:09:32,450: custodian.huaweicloud.resources.evs:INFO create snapshot of Volume disk-1",
    "2026-11-30 09:09:32,481: custodian.huaweicloud.actions.base:ERROR Unable to submit action - disk-2",
    "Traceback (most recent call last):",
  ].join("\n");
  expect(errorLines(log)).not.toContain("disk-1");
  expect(errorLines(log)).toMatch(/disk-2\nTraceback/);
});
