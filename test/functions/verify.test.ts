import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { KINDS as KIND_OBJECTS } from "../../shared/snapshots/kinds/kinds.ts";
import { createTestEnvironment, START, timerEvent } from "../support/environment.ts";
import { KINDS, type Kind, markerOf, resources, type Seed, seed as seedAt } from "../support/retention-seeds.ts";

const MINUTE_MS = 60_000;
const now = Date.parse(START);

/** An estate with one resource for each kind, at the event's time. */
async function createFixture(options: Parameters<typeof createTestEnvironment>[0] = {}) {
  const opened = await createTestEnvironment(options);
  const verify = (body: object = {}, time = START) => opened.invoke(verifySnapshots, timerEvent(body, time));
  return { ...opened, ...resources(opened.cloud, now - MINUTE_MS), verify };
}

/** A snapshot that is so many minutes old. */
const seed = (
  cloud: EmbeddedCloud,
  kind: Kind,
  resource: string,
  { minutes, ...one }: Omit<Seed, "at"> & { minutes: number },
) => seedAt(cloud, kind, resource, { ...one, at: now - minutes * MINUTE_MS });

describe.each(KINDS)("a %s that carries our marker", (kind) => {
  test("is reported available, failed or unverified; while it is being created, not at all", async () => {
    const { cloud, of, verify } = await createFixture();
    const available = seed(cloud, kind, of[kind], { minutes: 10 });
    const failed = seed(cloud, kind, of[kind], { minutes: 20, status: "error" });
    const strange = seed(cloud, kind, of[kind], { minutes: 30, status: "rollbacking" });
    seed(cloud, kind, of[kind], { minutes: 40, status: "creating" });
    const { error, result, records } = await verify();
    // What verify finds is its result, not its failure.
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

  /** So many minutes it may be creating. */
  const limit = kind === "cluster-snapshot" ? 360 : 60;

  test("is stuck when it has been creating for too long, however old it is", async () => {
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

  test("is looked at within the lookback, a bad end for as long before as it may be creating, and told again by the next run", async () => {
    const { cloud, clock, of, verify } = await createFixture();
    for (const minutes of [1_440, 1_441, 1_440 + limit]) seed(cloud, kind, of[kind], { minutes });
    for (const minutes of [1_440 + limit, 1_441 + limit, 9_999])
      seed(cloud, kind, of[kind], { minutes, status: "error" });
    // Made after the event's time, as the event came late.
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

  test("that was creating at one run and failed before the next is told by that, though a day lies between", async () => {
    const { cloud, clock, invoke, of, verify } = await createFixture({ creationMs: 40 * MINUTE_MS });
    cloud.endWith(of[kind], "error");
    await invoke(
      scheduledSnapshots,
      timerEvent({ policy: "nightly", targets: [{ kind, [KIND_OBJECTS[kind].target.idsField]: [of[kind]] }] }, START),
    );
    const told = [];
    for (const minutes of [30, 30 + 24 * 60]) {
      clock.set(now + minutes * MINUTE_MS);
      told.push((await verify({}, new Date(clock.now()).toISOString())).result.outcomes);
    }
    expect(told).toEqual([{}, { failed: 1 }]);
  });

  test("is what is reported, and nothing else", async () => {
    const { cloud, of, verify } = await createFixture();
    seed(cloud, kind, of[kind], { minutes: 10, marked: false });
    seed(cloud, kind, of[kind], { minutes: 10, marked: false, status: "error" });
    const ours = seed(cloud, kind, of[kind], { minutes: 10, policy: "create-snapshot" });
    const { records } = await verify();
    expect(records.slice(0, -1)).toMatchObject([{ snapshot_id: ours.id, policy: "create-snapshot" }]);
  });

  test("and is one of two is said to be a twin, the younger one", async () => {
    const { cloud, of, verify } = await createFixture();
    const key = "delivered twice";
    const older = seed(cloud, kind, of[kind], { minutes: 20, key });
    const younger = seed(cloud, kind, of[kind], { minutes: 19.9, key });
    // One that failed was tried again: that is no twin.
    seed(cloud, kind, of[kind], { minutes: 30, key, status: "error" });
    const { records } = await verify();
    const said = records.filter(({ detail }) => detail?.includes("Twin")).map((one) => [one.snapshot_id, one.detail]);
    expect(said).toEqual([[younger.id, expect.stringContaining(`Twin of ${older.id}`)]]);
  });

  test("is missed in no page", async () => {
    const { cloud, of, verify } = await createFixture();
    const ids = Array.from({ length: 1_050 }, (_, index) => seed(cloud, kind, of[kind], { minutes: index + 1 }).id);
    const { result, records } = await verify();
    expect(result.outcomes).toEqual({ available: 1_050 });
    expect(new Set(records.map(({ snapshot_id }) => snapshot_id))).toEqual(new Set([...ids, undefined]));
  });
});

describe("a group", () => {
  test("is told with its members, and is as good as the worst of them", async () => {
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
      /ended in the status "avaialble" \(members: ("available", "error"|"error", "available")\)/,
    );
    // Members are told with their group, not by themselves.
    expect(records.filter(({ kind }) => kind === "standard-snapshot")).toEqual([]);
  });

  test.each(["error", "error_deleting"])("of which a member is %s long after is told by it", async (status) => {
    const { cloud, disk, server, verify } = await createFixture();
    const group = seed(cloud, "snapshot-group", server.id, { minutes: 9_000 });
    expect((await verify()).result.targets).toBe(0);
    const [id = ""] = group.member_ids ?? [];
    cloud.removeSnapshot(id);
    // An error of a member that is newer than its group: EVS gives it another time.
    const minutes = status === "error" ? 5 : 9_000;
    const more = { volumeId: disk.id, groupId: group.id, createdAt: now - minutes * MINUTE_MS, status };
    cloud.addSnapshot({ kind: "standard-snapshot", id, ...more });
    const { records } = await verify();
    expect(records[0]).toMatchObject({ snapshot_id: group.id, outcome: status === "error" ? "failed" : "unverified" });
  });

  test("that went without its members leaves them: the run says which, as nothing else will", async () => {
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
      detail: `Standard snapshots are left of groups that are gone, and nothing deletes them but you. Their snapshot_group_id: ${old.id}.`,
    });
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
  });

  test("is not said to have left members where the groups cannot be listed, or its members go with it", async () => {
    const { cloud, clock, invoke, server, verify } = await createFixture();
    for (const minutes of [9_000, 600]) seed(cloud, "snapshot-group", server.id, { minutes });
    await invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }, START));
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
    clock.advance(60 * MINUTE_MS);
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
    cloud.fault({ operation: "evs.listSnapshotGroups" }, { type: "status", status: 403, body: {} });
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
  });

  test("whose members carry its tags too is still told once", async () => {
    const { cloud, server, verify } = await createFixture({ groupTagsOnMembers: true });
    const group = seed(cloud, "snapshot-group", server.id, { minutes: 10 });
    expect(cloud.snapshots("standard-snapshot")[0]?.tags).toMatchObject({ "managed-by": "snapshot-functions" });
    const { records } = await verify();
    expect(records.slice(0, -1)).toMatchObject([{ snapshot_id: group.id, outcome: "available" }]);
  });

  test("whose members are gone is not available", async () => {
    const { cloud, server, verify } = await createFixture();
    const group = seed(cloud, "snapshot-group", server.id, { minutes: 100 });
    for (const id of group.member_ids ?? []) cloud.removeSnapshot(id);
    const { records } = await verify();
    expect(records[0]).toMatchObject({ outcome: "unverified", detail: expect.stringContaining("Members: none.") });
  });

  test.each(["avaialble", "available"] as const)("is available when EVS spells it %s", async (groupAvailable) => {
    const { cloud, server, verify } = await createFixture({ groupAvailable });
    seed(cloud, "snapshot-group", server.id, { minutes: 10 });
    expect((await verify()).result.outcomes).toEqual({ available: 1 });
  });

  test("of single disks has these for its resource", async () => {
    const { cloud, disk, verify } = await createFixture();
    const other = cloud.addVolume();
    cloud.addSnapshot({ kind: "snapshot-group", volumeIds: [disk.id, other.id], tags: markerOf("p", "x") });
    const { records } = await verify();
    expect(records[0]).toMatchObject({ outcome: "available", resource_id: [disk.id, other.id].sort().join(",") });
  });
});

test("no status but available is ever reported as a success", async () => {
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

test("one that is being deleted is not worth a word; one that cannot be deleted is", async () => {
  const { cloud, disk, verify } = await createFixture();
  seed(cloud, "snapshot", disk.id, { minutes: 5, status: "deleting" });
  // However old: it counts against the quota, and whoever deletes it may not look again.
  const left = [5, 50_000].map((minutes) => seed(cloud, "snapshot", disk.id, { minutes, status: "error_deleting" }));
  const { records } = await verify();
  const said = { outcome: "unverified", detail: expect.stringContaining("error_deleting") };
  expect(records.slice(0, -1)).toMatchObject(left.map(({ id }) => ({ ...said, snapshot_id: id })));
});

test("a time that cannot be read hides nothing", async () => {
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

test("times of EVS v2 are UTC, wherever the function runs", async () => {
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

describe("what cannot be listed", () => {
  test("does not stop the others: it has a failed record, and the invocation fails", async () => {
    const { cloud, of, verify } = await createFixture();
    for (const kind of KINDS) seed(cloud, kind, of[kind], { minutes: 10 });
    cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "status", status: 403, body: {} });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ available: 2, failed: 2 });
    expect(records.filter(({ outcome }) => outcome === "failed")).toMatchObject([
      {
        action: "verify",
        kind: "standard-snapshot",
        detail: "These snapshots could not be listed.",
        error: { reason: "AccessDenied" },
      },
      // Without its members nothing can be said of a group.
      { action: "verify", kind: "snapshot-group", error: { reason: "AccessDenied" } },
      { action: "run", outcome: "failed" },
    ]);
  });

  test("as the region does not have it is no failure; the run says what it did not look at", async () => {
    const { cloud, of, verify } = await createFixture({ withoutStandardSnapshots: true });
    seed(cloud, "snapshot", of.snapshot, { minutes: 10 });
    seed(cloud, "cluster-snapshot", of["cluster-snapshot"], { minutes: 10 });
    const { error, result, records } = await verify();
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ available: 2 });
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done", level: "warn" });
    expect(records.at(-1).detail).toBe(
      "standard-snapshot, snapshot-group: not offered at this endpoint (404 APIGW.0101), so not looked at. Where the cloud has them, correct *_ENDPOINT.",
    );
  });

  test("as its endpoint is another service's is said by verify and by prune", async () => {
    const { cloud, invoke, of, verify } = await createFixture();
    seed(cloud, "cluster-snapshot", of["cluster-snapshot"], { minutes: 60, status: "error" });
    const body = JSON.stringify({ error_code: "APIGW.0101", error_msg: "The API does not exist." });
    cloud.fault({ operation: "dws.listSnapshots" }, { type: "answer", status: 404, body });
    const prune = () => invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }, START));
    for (const { records } of [await verify(), await prune()]) {
      expect(records.at(-1)).toMatchObject({ level: "warn", detail: expect.stringMatching(/^cluster-snapshot: not/) });
    }
  });

  test("for the whole account is asked for no more", async () => {
    const { cloud, verify } = await createFixture();
    const body = { error: { code: "EVS.2144", message: "account frozen" } };
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "status", status: 403, body });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ failed: 4 });
    expect(records.slice(0, 4).map((one) => one.error.reason)).toEqual(Array(4).fill("AccountSuspended"));
    expect(cloud.requests.filter(({ operation }) => operation !== "lts.reportLogs")).toHaveLength(1);
  });

  test("at first is listed again: throttled, 503, reset, cut", async () => {
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

  test("within the time of the invocation is a failure with its record", async () => {
    const { cloud, of, verify } = await createFixture();
    seed(cloud, "snapshot", of.snapshot, { minutes: 10 });
    cloud.fault({ operation: /\.list/ }, { type: "throttle", window: "1 minute" });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ failed: 4 });
    expect(new Set(records.slice(0, 4).map((one) => one.error.reason))).toEqual(new Set(["Throttled"]));
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed" });
  });
});

test("with nothing of ours there is one record: the run's", async () => {
  const { verify } = await createFixture();
  const { result, records } = await verify();
  expect(result).toMatchObject({ targets: 0, outcomes: {}, topic: "delivered" });
  expect(records).toMatchObject([{ action: "run", outcome: "done", outcomes: {} }]);
});

test.each([
  ["lookback_minutes: 0", { lookback_minutes: 0 }],
  ["a text for a number", { stuck_after_minutes: "60" }],
  ["an unknown field", { lookback: 60 }],
])("%s is refused, and nothing is asked of the cloud", async (_what, body) => {
  const { cloud, verify } = await createFixture();
  const { error, records } = await verify(body);
  expect(error?.message).toContain(Object.keys(body)[0]);
  expect(records).toMatchObject([
    { action: "verify", outcome: "rejected", error: { reason: "InvalidRequest" } },
    { action: "run", outcome: "failed" },
  ]);
  expect(cloud.requests.filter(({ operation }) => operation !== "lts.reportLogs")).toEqual([]);
});

test("from accepted to available: what a schedule took is verified by the runs after it", async () => {
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
