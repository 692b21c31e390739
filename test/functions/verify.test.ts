/** Tests which snapshots `verify-snapshots` reports, and the outcomes that it reports. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { KINDS as KIND_OBJECTS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { expectSuccess, KINDS, MINUTE_MS, START_MS } from "../support/common.ts";
import { START, timerEvent } from "../support/environment.ts";
import { markerOf } from "../support/retention-seeds.ts";
import { createFixture, seedSnapshot } from "../support/verifications.ts";

describe.each(KINDS)("a %s that a function created", (kind) => {
  test(`verify-snapshots reports a ${kind} as available, failed or unverified according to its status, and does not report a ${kind} in the status "creating"`, async () => {
    const { cloud, resourceIds, verify } = await createFixture();
    const available = seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 10 });
    const failed = seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 20, status: "error" });
    const strange = seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 30, status: "rollbacking" });
    seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 40, status: "creating" });
    const { result, records } = expectSuccess(await verify());
    expect(result).toEqual({
      function: "verify-snapshots",
      targets: 4,
      outcomes: { available: 1, failed: 1, unverified: 1 },
      deferred_to: [],
      topic: "delivered",
    });
    const byId = new Map(records.map((record) => [record.snapshot_id, record]));
    const common = { action: "verify", kind, resource_id: resourceIds[kind], policy: "nightly", trigger: "timer" };
    expect(byId.get(available.id)).toMatchObject({ ...common, outcome: "available", name: available.name });
    expect(byId.get(failed.id)).toMatchObject({
      ...common,
      outcome: "failed",
      level: "error",
      error: { reason: "SnapshotFailed" },
    });
    expect(byId.get(failed.id)?.error.message).toContain(`its status is "${failed.status}"`);
    expect(byId.get(strange.id)).toMatchObject({ ...common, outcome: "unverified", level: "warn" });
    expect(byId.get(strange.id)?.detail).toContain(`unknown status "${strange.status}"`);
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done" });
    expect(cloud.logs).toHaveLength(4);
  });

  /** The number of minutes after which the function reports a snapshot in the status "creating" as stuck. */
  const limit = kind === "cluster-snapshot" ? 360 : 60;

  test(`verify-snapshots reports a ${kind} as stuck if its status has been "creating" for more than ${limit} minutes`, async () => {
    const { cloud, resourceIds, verify } = await createFixture();
    seedSnapshot(cloud, kind, resourceIds[kind], { minutes: limit, status: "creating" });
    const stuck = seedSnapshot(cloud, kind, resourceIds[kind], { minutes: limit + 0.5, status: "creating" });
    const ancient = seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 50_000, status: "creating" });
    const { records } = await verify();
    const reports = records.slice(0, -1).map(({ snapshot_id, outcome, detail }) => [snapshot_id, outcome, detail]);
    expect(reports.sort()).toEqual(
      [
        [
          stuck.id,
          "unverified",
          expect.stringContaining(`Stuck: the snapshot has been in creation for ${limit} minutes.`),
        ],
        [
          ancient.id,
          "unverified",
          expect.stringContaining("Stuck: the snapshot has been in creation for 50000 minutes."),
        ],
      ].sort(),
    );
    const withLongLimit = await verify({ stuck_after_minutes: 100_000 });
    expect(withLongLimit.result).toMatchObject({ targets: 3, outcomes: {} });
    const withShortLimit = await verify({ stuck_after_minutes: 5 });
    expect(withShortLimit.result).toMatchObject({ outcomes: { unverified: 3 } });
  });

  test(`verify-snapshots reports an available ${kind} until lookback_minutes after its creation, and a failed ${kind} for ${limit} minutes longer`, async () => {
    const { cloud, clock, resourceIds, verify } = await createFixture();
    for (const minutes of [1_440, 1_441, 1_440 + limit]) seedSnapshot(cloud, kind, resourceIds[kind], { minutes });
    for (const minutes of [1_440 + limit, 1_441 + limit, 9_999])
      seedSnapshot(cloud, kind, resourceIds[kind], { minutes, status: "error" });
    // This snapshot is newer than the time in the event, because the event arrived late.
    seedSnapshot(cloud, kind, resourceIds[kind], { minutes: -5 });
    clock.advance(10 * MINUTE_MS);
    const first = await verify();
    expect(JSON.parse(JSON.stringify(first.result))).toMatchObject({
      targets: 3,
      outcomes: { available: 2, failed: 1 },
    });
    const summarizeRecord = ({ snapshot_id, outcome }: Record<string, unknown>) => `${snapshot_id} ${outcome}`;
    const again = await verify();
    expect(again.records.map(summarizeRecord)).toEqual(first.records.map(summarizeRecord));
    expect((await verify({ lookback_minutes: 1_441 })).result.outcomes).toEqual({ available: 3, failed: 2 });
    const newest = await verify({ lookback_minutes: 1, stuck_after_minutes: 1 });
    expect(newest.result.outcomes).toEqual({ available: 1 });
  });

  test(`verify-snapshots reports a ${kind} as failed if it was still being created in the run on the previous day`, async () => {
    const { cloud, clock, invoke, resourceIds, verify } = await createFixture({ creationMs: 40 * MINUTE_MS });
    cloud.endWith(resourceIds[kind], "error");
    await invoke(
      scheduledSnapshots,
      timerEvent(
        { policy: "nightly", targets: [{ kind, [KIND_OBJECTS[kind].target.idsField]: [resourceIds[kind]] }] },
        START,
      ),
    );
    const found = [];
    for (const minutes of [30, 30 + 24 * 60]) {
      clock.set(START_MS + minutes * MINUTE_MS);
      found.push((await verify({}, new Date(clock.now()).toISOString())).result.outcomes);
    }
    expect(found).toEqual([{}, { failed: 1 }]);
  });

  test(`verify-snapshots does not report a ${kind} that another program created`, async () => {
    const { cloud, resourceIds, verify } = await createFixture();
    seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 10, marked: false });
    seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 10, marked: false, status: "error" });
    const ours = seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 10, policy: "create-snapshot" });
    const { records } = await verify();
    expect(records.slice(0, -1)).toMatchObject([{ snapshot_id: ours.id, policy: "create-snapshot" }]);
  });

  test(`in the record of the younger of two duplicate ${kind}s, verify-snapshots writes a warning that names the older one`, async () => {
    const { cloud, resourceIds, verify } = await createFixture();
    const key = "delivered twice";
    const older = seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 20, key });
    const younger = seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 19.9, key });
    // A failed snapshot with the same key is not a duplicate, because a good snapshot replaced it.
    seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 30, key, status: "error" });
    const { records } = await verify();
    const duplicates = records
      .filter(({ detail }) => detail?.includes("Duplicate"))
      .map((one) => [one.snapshot_id, one.level, one.detail]);
    expect(duplicates).toEqual([[younger.id, "warn", expect.stringContaining(`Duplicate of ${older.id}`)]]);
    expect(records.find(({ snapshot_id }) => snapshot_id === older.id)?.level).toBe("info");
  });

  test(`verify-snapshots reads all list pages for 1,050 ${kind}s`, async () => {
    const { cloud, resourceIds, verify } = await createFixture();
    const ids = Array.from(
      { length: 1_050 },
      (_, index) => seedSnapshot(cloud, kind, resourceIds[kind], { minutes: index + 1 }).id,
    );
    const { result, records } = await verify();
    expect(result.outcomes).toEqual({ available: 1_050 });
    expect(new Set(records.map(({ snapshot_id }) => snapshot_id))).toEqual(new Set([...ids, undefined]));
  });
});

test('verify-snapshots reports a snapshot as failed or unverified if its status is one of 16 values that differ from "available"', async () => {
  const { cloud, disk, verify } = await createFixture();
  const statuses = [
    ...["creating", "error", "deleting", "deleted", "error_deleting", "rollbacking", "backing-up", "restoring"],
    ...["Available ", "available2", "unavailable", "not available", "AVAILABLE?", "success", "0", "ok"],
  ];
  for (const status of statuses) seedSnapshot(cloud, "snapshot", disk.id, { minutes: 5, status });
  for (const status of statuses) seedSnapshot(cloud, "standard-snapshot", disk.id, { minutes: 5, status });
  const { result } = await verify();
  expect(result.targets).toBe(2 * statuses.length);
  expect(Object.keys(result.outcomes).sort()).toEqual(["failed", "unverified"]);
});

test('verify-snapshots reports a snapshot in the status "error_deleting" at any age, and no snapshot in the status "deleting"', async () => {
  const { cloud, disk, verify } = await createFixture();
  seedSnapshot(cloud, "snapshot", disk.id, { minutes: 5, status: "deleting" });
  // A snapshot in the status error_deleting still uses quota, so the function reports it at any age.
  const left = [5, 50_000].map((minutes) =>
    seedSnapshot(cloud, "snapshot", disk.id, { minutes, status: "error_deleting" }),
  );
  const { records } = await verify();
  const expected = { outcome: "unverified", detail: expect.stringContaining("error_deleting") };
  expect(records.slice(0, -1)).toMatchObject(left.map(({ id }) => ({ ...expected, snapshot_id: id })));
});

test("verify-snapshots reports snapshots although their creation time is invalid", async () => {
  const { cloud, disk, verify } = await createFixture();
  const rows = ["available", "creating", "error"].map((status, index) => ({
    id: `00000000-0000-4000-8000-00000000000${index}`,
    status,
    name: "x",
    volume_id: disk.id,
    created_at: "yesterday",
    metadata: markerOf("p", status),
  }));
  const body = JSON.stringify({ count: 3, snapshots: rows });
  cloud.fault({ operation: "evs.listSnapshots" }, { type: "answer", status: 200, body });
  const { result } = await verify({ lookback_minutes: 1 });
  expect(result.outcomes).toEqual({ available: 1, unverified: 1, failed: 1 });
});

test("verify-snapshots interprets the creation times from EVS v2 as UTC although the process runs in the time zone Asia/Shanghai", async () => {
  const before = process.env.TZ;
  process.env.TZ = "Asia/Shanghai";
  try {
    const { cloud, disk, verify } = await createFixture();
    seedSnapshot(cloud, "snapshot", disk.id, { minutes: 59 });
    seedSnapshot(cloud, "snapshot", disk.id, { minutes: 61 });
    expect((await verify({ lookback_minutes: 60 })).result.targets).toBe(1);
  } finally {
    process.env.TZ = before;
    if (before === undefined) delete process.env.TZ;
  }
});

test("verify-snapshots writes only its run record if no function has created a snapshot", async () => {
  const { verify } = await createFixture();
  const { result, records } = await verify();
  expect(result).toMatchObject({ targets: 0, outcomes: {}, topic: "delivered" });
  expect(records).toMatchObject([{ action: "run", outcome: "done", outcomes: {} }]);
});

test.each([
  ["0 as lookback_minutes", { lookback_minutes: 0 }],
  ["a string as stuck_after_minutes", { stuck_after_minutes: "60" }],
  ["an unknown field", { lookback: 60 }],
])("verify-snapshots rejects an event with %s and sends no request", async (_what, body) => {
  const { cloud, verify } = await createFixture();
  const { error, records } = await verify(body);
  expect(error?.message).toContain(Object.keys(body)[0]);
  expect(records).toMatchObject([
    { action: "verify", outcome: "rejected", error: { reason: "InvalidRequest" } },
    { action: "run", outcome: "failed" },
  ]);
  expect(cloud.requests.filter(({ operation }) => operation !== "lts.reportLogs")).toEqual([]);
});

test('verify-snapshots reports a scheduled snapshot as available, and as unverified if the snapshot remains in the status "creating"', async () => {
  const { cloud, clock, invoke, resourceIds, verify } = await createFixture({ creationMs: 20 * MINUTE_MS });
  const targets = [
    { kind: "snapshot", volume_ids: [resourceIds.snapshot] },
    { kind: "cluster-snapshot", cluster_ids: [resourceIds["cluster-snapshot"]] },
  ];
  cloud.endWith(resourceIds["cluster-snapshot"], "stuck");
  const taken = await invoke(scheduledSnapshots, timerEvent({ policy: "nightly", targets }, START));
  expect(taken.result.outcomes).toEqual({ accepted: 2 });
  const outcomes = [];
  for (const minutes of [10, 30, 400, 2_000]) {
    clock.set(START_MS + minutes * MINUTE_MS);
    outcomes.push((await verify({}, new Date(clock.now()).toISOString())).result.outcomes);
  }
  expect(outcomes).toEqual([{}, { available: 1 }, { available: 1, unverified: 1 }, { unverified: 1 }]);
});
