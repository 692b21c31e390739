import { expect, test } from "vitest";
import { createFixture } from "../support/coverage-fixture.ts";
import { type Any, expectWholeRecords } from "../support/environment.ts";

/** Creates a test environment with a disk in each state and the snapshots of a deleted disk. */
async function createProject() {
  const fixture = await createFixture();
  const { addDisk, cloud } = fixture;
  const ids = {
    protected: addDisk("young", [{ hours: 2 }]).id,
    stale: addDisk("old", [{ hours: 99 }]).id,
    failing: addDisk("failed", [{ hours: 3, status: "error" }]).id,
    unprotected: addDisk("empty").id,
    unknown: addDisk("odd", [{ hours: 3, status: "migrating" }]).id,
    excluded: addDisk("cold", [], { tags: { tier: "cold" } }).id,
  };
  const gone = addDisk("gone", [{ hours: 50 }, { hours: 2 }]);
  cloud.removeVolume(gone.id);
  return { ...fixture, ids, gone };
}

const QUERY = { exclude_tags: { tier: "cold" } };
const COUNTS = { protected: 1, stale: 1, failing: 1, unprotected: 1, unknown: 1, excluded: 1, orphaned: 2 };

test("report-coverage, started by a timer, writes a record for each deleted resource and for each resource that is neither protected nor excluded", async () => {
  const { timer, ids, gone, deliveredRecords } = await createProject();
  const invoked = await timer(QUERY);
  const { records, error, result } = invoked;
  expect(error).toBeUndefined();
  const byState = Object.fromEntries(records.slice(0, -1).map((record) => [record.outcome, record]));
  expect(Object.keys(byState).sort()).toEqual(["failing", "orphaned", "stale", "unknown", "unprotected"]);
  const levels = { stale: "warn", failing: "error", unprotected: "error", unknown: "warn" } as const;
  for (const [state, level] of Object.entries(levels)) {
    expect(byState[state]).toMatchObject({
      action: "coverage",
      function: "report-coverage",
      trigger: "timer",
      event_time: expect.any(String),
      resource_id: ids[state as keyof typeof levels],
      level,
      name: expect.any(String),
      detail: expect.stringMatching(/\w\.$/),
    });
    expect(byState[state]).not.toHaveProperty("kind");
  }
  expect(byState.orphaned).toMatchObject({ action: "coverage", level: "info", resource_id: gone.id });
  expect(byState.orphaned.detail).toContain("2 of its snapshots still exist");
  for (const { id } of gone.snapshots) expect(byState.orphaned.detail).toContain(id);
  expect(records.at(-1)).toMatchObject({
    action: "run",
    outcome: "done",
    level: "warn",
    outcomes: COUNTS,
    detail: "4 of 6 disks and clusters are not known to be protected: 1 unknown, 1 failing, 1 stale, 1 unprotected.",
  });
  expect(result).toEqual({
    function: "report-coverage",
    targets: 6,
    outcomes: COUNTS,
    deferred_to: [],
    topic: "delivered",
  });
  expect(deliveredRecords()).toEqual(records);
});

test("report-coverage, called over HTTP, writes only its run record", async () => {
  const { get, deliveredRecords } = await createProject();
  const { records } = await get({ exclude_tags: "tier=cold" });
  expect(records).toEqual([
    expect.objectContaining({ action: "run", trigger: "http", outcome: "done", level: "warn", outcomes: COUNTS }),
  ]);
  expect(deliveredRecords()).toEqual(records);
});

test("the run record of report-coverage has the level info if every resource is protected or excluded", async () => {
  const { addDisk, get, timer } = await createFixture();
  addDisk("young", [{ hours: 2 }]);
  addDisk("cold", [], { tags: { tier: "cold" } });
  for (const { records } of [await timer(QUERY), await get({ exclude_tags: "tier=cold" })]) {
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ action: "run", outcome: "done", level: "info" });
    expect(records[0]).not.toHaveProperty("detail");
  }
});

test("if a user_event names states, report-coverage writes no records for existing resources in other states, but counts the resources of every state", async () => {
  const { timer } = await createProject();
  const { records } = await timer({ ...QUERY, states: "unprotected,protected" });
  expect(records.slice(0, -1).map(({ outcome }: Any) => outcome)).toEqual(["unprotected", "orphaned"]);
  expect(records.at(-1).outcomes).toEqual(COUNTS);
});

test("report-coverage warns if the tags of a request select no resource, because an empty report could be mistaken for good news", async () => {
  const { addDisk, timer, get } = await createFixture();
  addDisk("disk", [], { tags: { backup: "daily" } });
  for (const { records } of [await timer({ tags: { backup: "dayly" } }), await get({ tags: "backup=dayly" })]) {
    expect(records.at(-1)).toMatchObject({ level: "warn", detail: expect.stringContaining("tags: selected nothing") });
  }
});

test("report-coverage, started by a timer, writes a failed record for each list that it cannot read, and then fails", async () => {
  const { addDisk, cloud, timer } = await createFixture();
  addDisk("empty");
  addDisk("young", [{ hours: 2, kind: "standard-snapshot" }]);
  cloud.fault({ operation: "evs.listSnapshots" }, { type: "status", status: 403 });
  const invoked = await timer();
  const { records, error } = invoked;
  expect(records.map(({ outcome, name }) => [outcome, name])).toEqual([
    ["failed", undefined],
    ["unknown", "empty"],
    ["failed", undefined],
  ]);
  expect(records[0]).toMatchObject({ action: "coverage", level: "error" });
  expect(records[0].error.message).toContain("The list of snapshots could not be read");
  expect(JSON.parse(error?.message ?? "")).toMatchObject({ outcomes: { unknown: 1, protected: 1 } });
});

test("report-coverage writes at most one orphaned record for each deleted resource, and states that only the 200 oldest orphaned snapshots have records", async () => {
  const { addDisk, cloud, timer } = await createFixture();
  addDisk("kept");
  for (let index = 0; index < 35; index += 1) {
    const { id } = addDisk(
      "gone",
      Array.from({ length: 6 }, (_, hours) => ({ hours: hours + index + 30 })),
    );
    cloud.removeVolume(id);
  }
  const { records } = await timer();
  const orphaned = records.filter(({ outcome }) => outcome === "orphaned");
  expect(new Set(orphaned.map(({ resource_id }) => resource_id)).size).toBe(orphaned.length);
  expect(records.at(-1)).toMatchObject({ outcomes: { orphaned: 210 } });
  expect(records.at(-1).detail).toContain("Only the 200 oldest have records.");
});

test("report-coverage writes complete records for a rejected request, with the fields that all records have", async () => {
  const { get } = await createFixture();
  const invoked = await get({ page: "0" });
  expectWholeRecords(invoked);
});

test('the run record of report-coverage warns about a snapshot without a disk id with the words "Unreadable rows", which an alarm matches', async () => {
  const { timer, addDisk, cloud } = await createFixture();
  addDisk("young", [{ hours: 2 }]);
  cloud.addSnapshot({ kind: "snapshot", volumeId: "", createdAt: cloud.clock.now() - 50 * 3_600_000 });
  const { records } = await timer({});
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({ action: "run", outcome: "done", level: "warn" });
  expect(records[0]?.detail).toMatch(/^Unreadable rows: 1 snapshot without the id of a disk/);
});
