/** Tests which snapshots `verify-snapshots` reports, and with which outcome. */
import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { KINDS as KIND_OBJECTS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { createTestEnvironment, START, type TestEnvironmentOptions, timerEvent } from "../support/environment.ts";
import { KINDS, type Kind, markerOf, resources, type Seed, seed as seedAt } from "../support/retention-seeds.ts";

const MINUTE_MS = 60_000;
const now = Date.parse(START);

/** Creates a test environment whose cloud has one resource for each kind. */
async function createFixture(options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const verify = (body: object = {}, time = START) => environment.invoke(verifySnapshots, timerEvent(body, time));
  return { ...environment, ...resources(environment.cloud, now - MINUTE_MS), verify };
}

/** Adds a snapshot of this age in minutes. */
const seed = (
  cloud: EmbeddedCloud,
  kind: Kind,
  resource: string,
  { minutes, ...one }: Omit<Seed, "at"> & { minutes: number },
) => seedAt(cloud, kind, resource, { ...one, at: now - minutes * MINUTE_MS });

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
    expect(byId.get(failed.id)?.error.message).toContain(`its status is "${failed.status}"`);
    expect(byId.get(strange.id)).toMatchObject({ ...common, outcome: "unverified", level: "warn" });
    expect(byId.get(strange.id)?.detail).toContain(`unknown status "${strange.status}"`);
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
      clock.set(now + minutes * MINUTE_MS);
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
      .filter(({ detail }) => detail?.includes("Duplicate"))
      .map((one) => [one.snapshot_id, one.detail]);
    expect(duplicates).toEqual([[younger.id, expect.stringContaining(`Duplicate of ${older.id}`)]]);
  });

  test(`verify-snapshots reads all pages of 1,050 ${kind}s`, async () => {
    const { cloud, of, verify } = await createFixture();
    const ids = Array.from({ length: 1_050 }, (_, index) => seed(cloud, kind, of[kind], { minutes: index + 1 }).id);
    const { result, records } = await verify();
    expect(result.outcomes).toEqual({ available: 1_050 });
    expect(new Set(records.map(({ snapshot_id }) => snapshot_id))).toEqual(new Set([...ids, undefined]));
  });
});

describe("a snapshot group", () => {
  test("verify-snapshots reports a group with its members and the outcome of its worst member", async () => {
    const { cloud, server, verify } = await createFixture();
    cloud.addVolume({ serverId: server.id, attachedAt: now - 60_000 });
    const states = ["available", "error", "creating", "rollbacking", "deleting"];
    const groups = states.map((status) => {
      const group = seed(cloud, "snapshot-group", server.id, { minutes: 10 });
      const [first = "", second = ""] = group.member_ids ?? [];
      cloud.removeSnapshot(first);
      cloud.addSnapshot({
        kind: "standard-snapshot",
        id: first,
        volumeId: cloud.snapshots().find(({ id }) => id === second)?.volume_id ?? "",
        groupId: group.id,
        createdAt: now - 600_000,
        status,
      });
      return { group, first, second, status };
    });
    const { records } = await verify();
    const found = (id: string) => records.find(({ snapshot_id }) => snapshot_id === id);
    const outcomes = groups.map(({ group }) => found(group.id)?.outcome);
    expect(outcomes).toEqual(["available", "failed", undefined, "unverified", "unverified"]);
    for (const { group, first, second, status } of groups.filter((one) => one.status !== "creating")) {
      const detail: string = found(group.id)?.detail;
      expect(detail).toContain(`${first} ${status}`);
      expect(detail).toContain(`${second} available`);
    }
    expect(found(groups[1]?.group.id ?? "")?.error.message).toMatch(
      /its status is "avaialble" \(members: ("available", "error"|"error", "available")\)/,
    );
    // Members have no records of their own.
    expect(records.filter(({ kind }) => kind === "standard-snapshot")).toEqual([]);
  });

  test.each(["error", "error_deleting"])(
    "verify-snapshots reports an old group again if one of its members has the status %s",
    async (status) => {
      const { cloud, disk, server, verify } = await createFixture();
      const group = seed(cloud, "snapshot-group", server.id, { minutes: 9_000 });
      expect((await verify()).result.targets).toBe(0);
      const [id = ""] = group.member_ids ?? [];
      cloud.removeSnapshot(id);
      // The failed member has a later creation time than its group.
      const minutes = status === "error" ? 5 : 9_000;
      const more = { volumeId: disk.id, groupId: group.id, createdAt: now - minutes * MINUTE_MS, status };
      cloud.addSnapshot({ kind: "standard-snapshot", id, ...more });
      const { records } = await verify();
      expect(records[0]).toMatchObject({
        snapshot_id: group.id,
        outcome: status === "error" ? "failed" : "unverified",
      });
    },
  );

  test("verify-snapshots warns in the record of its run about members of groups that no longer exist", async () => {
    const { cloud, clock, invoke, server, verify } = await createFixture({ groupDeleteCascades: false });
    const old = seed(cloud, "snapshot-group", server.id, { minutes: 9_000 });
    seed(cloud, "snapshot-group", server.id, { minutes: 600 });
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
    await invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }, START));
    clock.advance(60 * MINUTE_MS);
    const { error, records } = await verify();
    expect(error).toBeUndefined();
    expect(records.at(-1)).toMatchObject({
      action: "run",
      level: "warn",
      outcome: "done",
      detail: `Standard snapshots of deleted groups remain. Delete them by hand. Their snapshot_group_id: ${old.id}.`,
    });
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
  });

  test("verify-snapshots does not warn about members if the groups cannot be listed or the members are deleted with their group", async () => {
    const { cloud, clock, invoke, server, verify } = await createFixture();
    for (const minutes of [9_000, 600]) seed(cloud, "snapshot-group", server.id, { minutes });
    await invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }, START));
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
    clock.advance(60 * MINUTE_MS);
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
    cloud.fault({ operation: "evs.listSnapshotGroups" }, { type: "status", status: 403, body: {} });
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
  });

  test("verify-snapshots reports a group once although its members have its tags", async () => {
    const { cloud, server, verify } = await createFixture({ groupTagsOnMembers: true });
    const group = seed(cloud, "snapshot-group", server.id, { minutes: 10 });
    expect(cloud.snapshots("standard-snapshot")[0]?.tags).toMatchObject({ "managed-by": "snapshot-functions" });
    const { records } = await verify();
    expect(records.slice(0, -1)).toMatchObject([{ snapshot_id: group.id, outcome: "available" }]);
  });

  test("verify-snapshots reports a group without members as unverified", async () => {
    const { cloud, server, verify } = await createFixture();
    const group = seed(cloud, "snapshot-group", server.id, { minutes: 100 });
    for (const id of group.member_ids ?? []) cloud.removeSnapshot(id);
    const { records } = await verify();
    expect(records[0]).toMatchObject({ outcome: "unverified", detail: expect.stringContaining("Members: none.") });
  });

  test.each(["avaialble", "available"] as const)(
    "verify-snapshots reports a group in the status %s as available",
    async (groupAvailable) => {
      const { cloud, server, verify } = await createFixture({ groupAvailable });
      seed(cloud, "snapshot-group", server.id, { minutes: 10 });
      expect((await verify()).result.outcomes).toEqual({ available: 1 });
    },
  );

  test("verify-snapshots names the disks of a group of single disks as its resource", async () => {
    const { cloud, disk, verify } = await createFixture();
    const other = cloud.addVolume();
    cloud.addSnapshot({ kind: "snapshot-group", volumeIds: [disk.id, other.id], tags: markerOf("p", "x") });
    const { records } = await verify();
    expect(records[0]).toMatchObject({ outcome: "available", resource_id: [disk.id, other.id].sort().join(",") });
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

describe("a list that cannot be read", () => {
  test("verify-snapshots verifies the other kinds, writes a failed record and fails if it cannot list one kind", async () => {
    const { cloud, of, verify } = await createFixture();
    for (const kind of KINDS) seed(cloud, kind, of[kind], { minutes: 10 });
    cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "status", status: 403, body: {} });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ available: 2, failed: 2 });
    expect(records.filter(({ outcome }) => outcome === "failed")).toMatchObject([
      {
        action: "verify",
        kind: "standard-snapshot",
        detail: "The snapshots of this kind could not be listed.",
        error: { reason: "AccessDenied" },
      },
      // The function cannot assess a group without its members.
      { action: "verify", kind: "snapshot-group", error: { reason: "AccessDenied" } },
      { action: "run", outcome: "failed" },
    ]);
  });

  test("verify-snapshots warns in the record of its run about kinds that the region does not have", async () => {
    const { cloud, of, verify } = await createFixture({ withoutStandardSnapshots: true });
    seed(cloud, "snapshot", of.snapshot, { minutes: 10 });
    seed(cloud, "cluster-snapshot", of["cluster-snapshot"], { minutes: 10 });
    const { error, result, records } = await verify();
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ available: 2 });
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done", level: "warn" });
    expect(records.at(-1).detail).toBe(
      "standard-snapshot, snapshot-group: not offered at this endpoint (404 APIGW.0101), so not listed. If the region offers this kind, correct *_ENDPOINT.",
    );
  });

  test("verify-snapshots and prune-snapshots warn about a kind whose endpoint belongs to another service", async () => {
    const { cloud, invoke, of, verify } = await createFixture();
    seed(cloud, "cluster-snapshot", of["cluster-snapshot"], { minutes: 60, status: "error" });
    const body = JSON.stringify({ error_code: "APIGW.0101", error_msg: "The API does not exist." });
    cloud.fault({ operation: "dws.listSnapshots" }, { type: "answer", status: 404, body });
    const prune = () => invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }, START));
    for (const { records } of [await verify(), await prune()]) {
      expect(records.at(-1)).toMatchObject({ level: "warn", detail: expect.stringMatching(/^cluster-snapshot: not/) });
    }
  });

  test("verify-snapshots stops its calls if the account is frozen", async () => {
    const { cloud, verify } = await createFixture();
    const body = { error: { code: "EVS.2144", message: "account frozen" } };
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "status", status: 403, body });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ failed: 4 });
    expect(records.slice(0, 4).map((one) => one.error.reason)).toEqual(Array(4).fill("AccountSuspended"));
    expect(cloud.requests.filter(({ operation }) => operation !== "lts.reportLogs")).toHaveLength(1);
  });

  test("verify-snapshots repeats lists that are throttled, respond 503, are reset or are truncated", async () => {
    const { cloud, of, verify } = await createFixture();
    for (const kind of KINDS) seed(cloud, kind, of[kind], { minutes: 10 });
    cloud.fault({ operation: "evs.listSnapshots", nth: 1 }, { type: "throttle" });
    cloud.fault({ operation: "evs.listStandardSnapshots", nth: 1 }, { type: "status", status: 503 });
    cloud.fault({ operation: "evs.listSnapshotGroups", nth: 1 }, { type: "reset", after: false });
    cloud.fault({ operation: "dws.listSnapshots", nth: 1 }, { type: "cut", after: false });
    const { error, result } = await verify();
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ available: 4 });
  });

  test("verify-snapshots writes failed records and fails if its lists stay throttled until its deadline", async () => {
    const { cloud, of, verify } = await createFixture();
    seed(cloud, "snapshot", of.snapshot, { minutes: 10 });
    cloud.fault({ operation: /\.list/ }, { type: "throttle", window: "1 minute" });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ failed: 4 });
    expect(new Set(records.slice(0, 4).map((one) => one.error.reason))).toEqual(new Set(["Throttled"]));
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed" });
  });
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
    clock.set(now + minutes * MINUTE_MS);
    outcomes.push((await verify({}, new Date(clock.now()).toISOString())).result.outcomes);
  }
  expect(outcomes).toEqual([{}, { available: 1 }, { available: 1, unverified: 1 }, { unverified: 1 }]);
});
