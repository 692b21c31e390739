/** Tests which snapshots `verify-snapshots` reports, and with which outcome. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { KINDS as KIND_OBJECTS } from "../../shared/snapshots/kinds/kinds.ts";
import { KINDS, MINUTE_MS, START_MS } from "../support/common.ts";
import { START, timerEvent } from "../support/environment.ts";
import { markerOf } from "../support/retention-seeds.ts";
import { createFixture, seed } from "../support/verifications.ts";

describe.each(KINDS)("a marked %s", (kind) => {
  test(`verify-snapshots reports a ${kind} as available, failed or unverified, and does not report one that is creating`, async () => {
    const { cloud, of, verify } = await createFixture();
    const available = seed(cloud, kind, of[kind], { minutes: 10 });
    const failed = seed(cloud, kind, of[kind], { minutes: 20, status: "error" });
    const strange = seed(cloud, kind, of[kind], { minutes: 30, status: "rollbacking" });
    seed(cloud, kind, of[kind], { minutes: 40, status: "creating" });
    const { error, result, records } = await verify();
    // The function succeeds although it finds failed snapshots.
    expect(error).toBeUndefined();
    expect(result).toEqual({
      function: "verify-snapshots",
      targets: 4,
      outcomes: { available: 1, failed: 1, unverified: 1 },
      deferred_to: [],
      topic: "delivered",
    });
    const byId = new Map(records.map((record) => [record.snapshot_id, record]));
    const common = { action: "verify", kind, resource_id: of[kind], policy: "nightly", trigger: "timer" };
    expect(byId.get(available.id)).toMatchObject({ ...common, outcome: "available", name: available.name });
    expect(byId.get(failed.id)).toMatchObject({
      ...common,
      outcome: "failed",
      level: "error",
      error: { reason: "SnapshotFailed" },
    });
    expect(byId.get(failed.id)?.error.message).toContain(`ended in the status "${failed.status}"`);
    expect(byId.get(strange.id)).toMatchObject({ ...common, outcome: "unverified", level: "warn" });
    expect(byId.get(strange.id)?.detail).toContain(`The status "${strange.status}"`);
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done" });
    expect(cloud.logs).toHaveLength(4);
  });

  /** The time in minutes that a snapshot may be creating. */
  const limit = kind === "cluster-snapshot" ? 360 : 60;

  test(`verify-snapshots reports a ${kind} of any age as stuck if it has been creating for too long`, async () => {
    const { cloud, of, verify } = await createFixture();
    seed(cloud, kind, of[kind], { minutes: limit, status: "creating" });
    const stuck = seed(cloud, kind, of[kind], { minutes: limit + 0.5, status: "creating" });
    const ancient = seed(cloud, kind, of[kind], { minutes: 50_000, status: "creating" });
    const { records } = await verify();
    const reports = records.slice(0, -1).map(({ snapshot_id, outcome, detail }) => [snapshot_id, outcome, detail]);
    expect(reports.sort()).toEqual(
      [
        [stuck.id, "unverified", expect.stringContaining(`Stuck: it has been creating for ${limit} minutes.`)],
        [ancient.id, "unverified", expect.stringContaining("Stuck: it has been creating for 50000 minutes.")],
      ].sort(),
    );
    const patient = await verify({ stuck_after_minutes: 100_000 });
    expect(patient.result).toMatchObject({ targets: 3, outcomes: {} });
    const impatient = await verify({ stuck_after_minutes: 5 });
    expect(impatient.result).toMatchObject({ outcomes: { unverified: 3 } });
  });

  test(`verify-snapshots reports a ${kind} within the lookback, and a failed one for as much longer as it may be creating`, async () => {
    const { cloud, clock, of, verify } = await createFixture();
    for (const minutes of [1_440, 1_441, 1_440 + limit]) seed(cloud, kind, of[kind], { minutes });
    for (const minutes of [1_440 + limit, 1_441 + limit, 9_999])
      seed(cloud, kind, of[kind], { minutes, status: "error" });
    // This snapshot is younger than the event, because the event arrives late.
    seed(cloud, kind, of[kind], { minutes: -5 });
    clock.advance(10 * MINUTE_MS);
    const first = await verify();
    expect(JSON.parse(JSON.stringify(first.result))).toMatchObject({
      targets: 3,
      outcomes: { available: 2, failed: 1 },
    });
    const brief = ({ snapshot_id, outcome }: Record<string, unknown>) => `${snapshot_id} ${outcome}`;
    const again = await verify();
    expect(again.records.map(brief)).toEqual(first.records.map(brief));
    expect((await verify({ lookback_minutes: 1_441 })).result.outcomes).toEqual({ available: 3, failed: 2 });
    const newest = await verify({ lookback_minutes: 1, stuck_after_minutes: 1 });
    expect(newest.result.outcomes).toEqual({ available: 1 });
  });

  test(`verify-snapshots reports a ${kind} that was creating in the last run and has failed since then a day later`, async () => {
    const { cloud, clock, invoke, of, verify } = await createFixture({ creationMs: 40 * MINUTE_MS });
    cloud.endWith(of[kind], "error");
    await invoke(
      scheduledSnapshots,
      timerEvent({ policy: "nightly", targets: [{ kind, [KIND_OBJECTS[kind].target.idsField]: [of[kind]] }] }, START),
    );
    const found = [];
    for (const minutes of [30, 30 + 24 * 60]) {
      clock.set(START_MS + minutes * MINUTE_MS);
      found.push((await verify({}, new Date(clock.now()).toISOString())).result.outcomes);
    }
    expect(found).toEqual([{}, { failed: 1 }]);
  });

  test(`verify-snapshots reports no unmarked ${kind}`, async () => {
    const { cloud, of, verify } = await createFixture();
    seed(cloud, kind, of[kind], { minutes: 10, marked: false });
    seed(cloud, kind, of[kind], { minutes: 10, marked: false, status: "error" });
    const ours = seed(cloud, kind, of[kind], { minutes: 10, policy: "create-snapshot" });
    const { records } = await verify();
    expect(records.slice(0, -1)).toMatchObject([{ snapshot_id: ours.id, policy: "create-snapshot" }]);
  });

  test(`verify-snapshots reports the younger of two duplicates of a ${kind} as a duplicate`, async () => {
    const { cloud, of, verify } = await createFixture();
    const key = "delivered twice";
    const older = seed(cloud, kind, of[kind], { minutes: 20, key });
    const younger = seed(cloud, kind, of[kind], { minutes: 19.9, key });
    // A failed snapshot that was created again is not a duplicate.
    seed(cloud, kind, of[kind], { minutes: 30, key, status: "error" });
    const { records } = await verify();
    const duplicates = records
      .filter(({ detail }) => detail?.includes("Twin"))
      .map((one) => [one.snapshot_id, one.detail]);
    expect(duplicates).toEqual([[younger.id, expect.stringContaining(`Twin of ${older.id}`)]]);
  });

  test(`verify-snapshots reads all pages of 1,050 ${kind}s`, async () => {
    const { cloud, of, verify } = await createFixture();
    const ids = Array.from({ length: 1_050 }, (_, index) => seed(cloud, kind, of[kind], { minutes: index + 1 }).id);
    const { result, records } = await verify();
    expect(result.outcomes).toEqual({ available: 1_050 });
    expect(new Set(records.map(({ snapshot_id }) => snapshot_id))).toEqual(new Set([...ids, undefined]));
  });
});

test("verify-snapshots reports no status except available as a success", async () => {
  const { cloud, disk, verify } = await createFixture();
  const statuses = [
    ...["creating", "error", "deleting", "deleted", "error_deleting", "rollbacking", "backing-up", "restoring"],
    ...["Available ", "available2", "unavailable", "not available", "AVAILABLE?", "success", "0", "ok"],
  ];
  for (const status of statuses) seed(cloud, "snapshot", disk.id, { minutes: 5, status });
  for (const status of statuses) seed(cloud, "standard-snapshot", disk.id, { minutes: 5, status });
  const { result } = await verify();
  expect(result.targets).toBe(2 * statuses.length);
  expect(Object.keys(result.outcomes).sort()).toEqual(["failed", "unverified"]);
});

test("verify-snapshots reports a snapshot in the status error_deleting of any age, and none in the status deleting", async () => {
  const { cloud, disk, verify } = await createFixture();
  seed(cloud, "snapshot", disk.id, { minutes: 5, status: "deleting" });
  // The age does not matter, because the snapshot counts against the quota.
  const left = [5, 50_000].map((minutes) => seed(cloud, "snapshot", disk.id, { minutes, status: "error_deleting" }));
  const { records } = await verify();
  const expected = { outcome: "unverified", detail: expect.stringContaining("error_deleting") };
  expect(records.slice(0, -1)).toMatchObject(left.map(({ id }) => ({ ...expected, snapshot_id: id })));
});

test("verify-snapshots reports snapshots whose creation time it cannot read", async () => {
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

test("verify-snapshots reads the times of EVS v2 as UTC in any time zone", async () => {
  const before = process.env.TZ;
  process.env.TZ = "Asia/Shanghai";
  try {
    const { cloud, disk, verify } = await createFixture();
    seed(cloud, "snapshot", disk.id, { minutes: 59 });
    seed(cloud, "snapshot", disk.id, { minutes: 61 });
    expect((await verify({ lookback_minutes: 60 })).result.targets).toBe(1);
  } finally {
    process.env.TZ = before;
    if (before === undefined) delete process.env.TZ;
  }
});

test("verify-snapshots writes only the record of its run if there is no marked snapshot", async () => {
  const { verify } = await createFixture();
  const { result, records } = await verify();
  expect(result).toMatchObject({ targets: 0, outcomes: {}, topic: "delivered" });
  expect(records).toMatchObject([{ action: "run", outcome: "done", outcomes: {} }]);
});

test.each([
  ["lookback_minutes of 0", { lookback_minutes: 0 }],
  ["a string as stuck_after_minutes", { stuck_after_minutes: "60" }],
  ["an unknown field", { lookback: 60 }],
])("verify-snapshots rejects an event with %s and calls nothing", async (_what, body) => {
  const { cloud, verify } = await createFixture();
  const { error, records } = await verify(body);
  expect(error?.message).toContain(Object.keys(body)[0]);
  expect(records).toMatchObject([
    { action: "verify", outcome: "rejected", error: { reason: "InvalidRequest" } },
    { action: "run", outcome: "failed" },
  ]);
  expect(cloud.requests.filter(({ operation }) => operation !== "lts.reportLogs")).toEqual([]);
});

test("verify-snapshots reports a snapshot of a schedule as available, or as unverified if it stays creating", async () => {
  const { cloud, clock, invoke, of, verify } = await createFixture({ creationMs: 20 * MINUTE_MS });
  const targets = [
    { kind: "snapshot", volume_ids: [of.snapshot] },
    { kind: "cluster-snapshot", cluster_ids: [of["cluster-snapshot"]] },
  ];
  cloud.endWith(of["cluster-snapshot"], "stuck");
  const taken = await invoke(scheduledSnapshots, timerEvent({ policy: "nightly", targets }, START));
  expect(taken.result.outcomes).toEqual({ accepted: 2 });
  const outcomes = [];
  for (const minutes of [10, 30, 400, 2_000]) {
    clock.set(START_MS + minutes * MINUTE_MS);
    outcomes.push((await verify({}, new Date(clock.now()).toISOString())).result.outcomes);
  }
  expect(outcomes).toEqual([{}, { available: 1 }, { available: 1, unverified: 1 }, { unverified: 1 }]);
});
