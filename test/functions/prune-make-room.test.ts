/** Tests how `scheduled-snapshots` with `make_room` deletes old snapshots of a disk before it creates a snapshot. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { DAY_MS, expectSuccess, START_MS } from "../support/common.ts";
import { createTestEnvironment, START, timerEvent } from "../support/environment.ts";
import {
  addSnapshot,
  createFixture,
  createMarker,
  idsOf,
  nightlyPolicy,
  type SnapshotChanges,
  summarizeRecord,
} from "../support/full-disks.ts";

describe("a disk with 7 snapshots, the maximum", () => {
  test("scheduled-snapshots with make_room deletes the oldest snapshot of a disk with 7 snapshots, and creates a snapshot when the deletion is complete", async () => {
    const { cloud, clock, schedule, requests, disk } = await createFixture({ deletionMs: 20_000 });
    const old = Array.from({ length: 7 }, (_, index) => addSnapshot(cloud, disk.id, 7 - index));
    const { result, records } = expectSuccess(await schedule());
    expect(result.outcomes).toEqual({ deleted: 1, accepted: 1 });
    const deleted = records.filter(({ action }) => action === "prune");
    expect(deleted.map(summarizeRecord)).toEqual([
      { action: "prune", outcome: "deleted", rule: "kept by no rule", snapshot_id: old[0] },
    ]);
    expect(deleted[0]).toMatchObject({ kind: "snapshot", resource_id: disk.id, policy: "nightly", name: "nightly-7" });
    expect(idsOf(cloud, disk.id)).toEqual([...old.slice(1), records.at(-2)?.snapshot_id]);
    // The first create request was rejected, and the second one was sent after the deletion.
    expect(requests().filter((one) => one === "evs.createSnapshot")).toHaveLength(2);
    expect(cloud.count("evs.createSnapshot", 413)).toBe(1);
    expect(clock.now() - START_MS).toBeGreaterThanOrEqual(20_000);
  });

  test("scheduled-snapshots with make_room creates the snapshot although list responses still contain the deleted snapshot for 5 s", async () => {
    const { cloud, clock, schedule, disk } = await createFixture();
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    let oldest: object | undefined;
    let deletedAt = Number.POSITIVE_INFINITY;
    const edit = (body: { snapshots: object[] }) => {
      oldest ??= body.snapshots.at(-1);
      if (cloud.snapshots("snapshot").length < 7) deletedAt = Math.min(deletedAt, clock.now());
      if (body.snapshots.length < 7 && clock.now() < deletedAt + 5_000) body.snapshots.push(oldest as object);
    };
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "edit", edit });
    const { result } = expectSuccess(await schedule());
    expect(result.outcomes).toEqual({ deleted: 1, accepted: 1 });
    expect(cloud.count("evs.deleteSnapshot")).toBe(1);
  });

  test("scheduled-snapshots with make_room reports DeadlineExceeded if EVS accepts the deletion of a snapshot and never deletes it", async () => {
    const { cloud, schedule, disk } = await createFixture({ timeoutSeconds: 300 });
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    cloud.fault({ operation: "evs.deleteSnapshot" }, { type: "acknowledge" });
    const { records } = await schedule();
    expect(records.map(summarizeRecord).slice(0, 2)).toMatchObject([
      { action: "prune", outcome: "unverified" },
      { action: "create", outcome: "failed", reason: "DeadlineExceeded" },
    ]);
    expect(cloud.count("evs.deleteSnapshot")).toBe(1);
  });

  test("scheduled-snapshots without make_room reports QuotaExceeded and deletes nothing if the disk already has 7 snapshots", async () => {
    const { cloud, schedule, disk } = await createFixture();
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    const { error, records } = await schedule({ make_room: false });
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ failed: 1 });
    expect(records[0]).toMatchObject({ outcome: "failed", error: { reason: "QuotaExceeded", code: "EVS.5413" } });
    expect(records[0]?.error.message).toContain("to keep fewer (see infra/README.md)");
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });

  test("scheduled-snapshots reports the same 400 response as QuotaExceeded for a disk with 7 snapshots and as InvalidRequest for a disk without snapshots", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const [full, free] = [cloud.addVolume(), cloud.addVolume()];
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, full.id, days);
    const body = { error: { code: "EVS.5400", message: "Malformed request body." } };
    cloud.fault({ operation: "evs.createSnapshot" }, { type: "status", status: 400, body });
    const policy = nightlyPolicy(full.id, {
      make_room: false,
      targets: [{ kind: "snapshot", volume_ids: [full.id, free.id] }],
    });
    const { records } = await invoke(scheduledSnapshots, timerEvent(policy, START));
    const reasons = Object.fromEntries(records.slice(0, 2).map((one) => [one.resource_id, one.error]));
    expect(reasons[full.id]).toMatchObject({ reason: "QuotaExceeded", code: "EVS.5400", status: 400 });
    expect(reasons[full.id].message).toContain(
      "got 7. EVS rejected the request: 400 EVS.5400: Malformed request body. The maximum number of snapshots",
    );
    expect(reasons[free.id]).toMatchObject({ reason: "InvalidRequest", code: "EVS.5400" });
  });

  test("scheduled-snapshots with make_room reports QuotaExceeded if it is not allowed to delete any of the 7 snapshots of a disk", async () => {
    const cases = [
      ["the retention keeps them all", { retention: { keep_daily: 7 } }, {}, "at most 6 remain in total"],
      ["of another policy", {}, { policy: "weekly" }, "keeps 0 of these snapshots"],
      ["without a marker", {}, { metadata: {} }, "keeps 0 of these snapshots"],
      ["held", {}, { hold: "yes" }, "keeps 7 of these snapshots"],
      ["held by their descriptions", {}, { description: "hold: before the migration" }, "keeps 7 of these snapshots"],
    ] satisfies [string, object, SnapshotChanges, string][];
    const { cloud, invoke } = await createTestEnvironment();
    for (const [name, changes, more, message] of cases) {
      const disk = cloud.addVolume();
      for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days, more);
      const { records } = await invoke(scheduledSnapshots, timerEvent(nightlyPolicy(disk.id, changes), START));
      expect(records.map(summarizeRecord), name).toEqual([
        { action: "create", outcome: "failed", reason: "QuotaExceeded" },
        { action: "run", outcome: "failed" },
      ]);
      expect(records[0]?.error.message, name).toContain(message);
      expect(idsOf(cloud, disk.id), name).toHaveLength(7);
      expect(cloud.count("evs.deleteSnapshot"), name).toBe(0);
    }
  });

  test("if a disk already has 7 snapshots, scheduled-snapshots with make_room deletes a failed snapshot, but no duplicate", async () => {
    const { cloud, schedule, disk } = await createFixture();
    const key = createMarker("nightly");
    const older = cloud.addSnapshot({
      kind: "snapshot",
      volumeId: disk.id,
      createdAt: START_MS - DAY_MS,
      metadata: key,
    });
    const duplicate = cloud.addSnapshot({
      kind: "snapshot",
      volumeId: disk.id,
      createdAt: START_MS - DAY_MS + 500,
      metadata: key,
    });
    const failed = addSnapshot(cloud, disk.id, 3, { status: "error" });
    for (const days of [4, 5, 6]) addSnapshot(cloud, disk.id, days);
    cloud.addSnapshot({ kind: "snapshot", volumeId: disk.id, name: "by hand" });
    const { records } = expectSuccess(await schedule({ retention: { keep_last: 30 } }));
    expect(records.filter(({ action }) => action === "prune").map(summarizeRecord)).toEqual([
      { action: "prune", outcome: "deleted", rule: "failed, and a newer good snapshot exists", snapshot_id: failed },
    ]);
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
    expect(idsOf(cloud, disk.id)).toEqual(expect.arrayContaining([older.id, duplicate.id]));
  });

  test.each([
    ["the only failed snapshot of a disk with 7 snapshots", ["available", "error"], [6, 1]],
    ["the oldest of the 7 failed snapshots of a disk", ["error"], [7]],
  ])(
    "scheduled-snapshots with make_room deletes %s to make room for a new snapshot",
    async (_what, statuses, counts) => {
      const { cloud, schedule, disk } = await createFixture();
      const old = statuses.flatMap((status, index) =>
        Array.from({ length: counts[index] ?? 0 }, (_, days) => ({
          id: addSnapshot(cloud, disk.id, days + (status === "error" ? 0.5 : 1), { status }),
          status,
        })),
      );
      const { records } = expectSuccess(await schedule({ retention: { keep_last: 6 } }));
      const deleted = records.filter(({ action }) => action === "prune");
      expect(deleted.map(({ snapshot_id, outcome, rule }) => [snapshot_id, outcome, rule])).toEqual(
        old
          .filter(({ status }) => status === "error")
          .slice(-1)
          .map(({ id }) => [id, "deleted", "failed, and the disk has no room for a newer snapshot"]),
      );
      expect(records.at(-2)).toMatchObject({ action: "create", outcome: "accepted" });
    },
  );

  test("scheduled-snapshots with make_room waits for a deletion in progress instead of deleting another snapshot", async () => {
    const { cloud, schedule, disk } = await createFixture({ deletionMs: 30_000 });
    const old = Array.from({ length: 7 }, (_, index) => addSnapshot(cloud, disk.id, 7 - index));
    // This earlier invocation reaches its deadline after one deletion.
    await schedule(
      { retention: { keep_last: 6 } },
      {
        remainingMs: 20_000,
      },
    );
    expect(idsOf(cloud, disk.id)).toEqual(old.slice(1));
    const { records } = await schedule({ retention: { keep_last: 3 } });
    expect(records.map(summarizeRecord)).toEqual([
      { action: "create", outcome: "accepted", snapshot_id: expect.any(String) },
      { action: "run", outcome: "done" },
    ]);
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });

  test("scheduled-snapshots with make_room reports DeadlineExceeded if the deletions take 300 s, and creates the snapshot when the event is redelivered", async () => {
    const { cloud, clock, schedule, disk } = await createFixture({ deletionMs: 300_000, timeoutSeconds: 900 });
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    const first = await schedule();
    expect(first.records.map(summarizeRecord).slice(-2)).toEqual([
      { action: "create", outcome: "failed", reason: "DeadlineExceeded" },
      { action: "run", outcome: "failed" },
    ]);
    expect(first.records.at(-2)?.error.message).toContain("1 of its 7 snapshots are being deleted");
    // The function stops waiting long before its deadline of 900 s, because other disks need time too.
    expect(clock.now() - START_MS).toBeLessThanOrEqual(185_000);
    clock.advance(200_000);
    const second = await schedule();
    expect(second.result.outcomes).toEqual({ accepted: 1 });
  });

  test('scheduled-snapshots with make_room does not wait for the deletion of snapshots in the status "error_deleting"', async () => {
    const { cloud, clock, schedule, disk } = await createFixture();
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days, { status: "error_deleting" });
    const { records } = await schedule();
    expect(records[0]).toMatchObject({ outcome: "failed", error: { reason: "QuotaExceeded" } });
    // The 6 s are the wait after the rejected create request.
    expect(clock.now()).toBe(START_MS + 6_000);
  });

  test("scheduled-snapshots sends no additional requests for make_room if each disk has fewer than 7 snapshots", async () => {
    const count = async (make_room: boolean) => {
      const { cloud, invoke, requests } = await createTestEnvironment();
      const ids = Array.from({ length: 50 }, () => cloud.addVolume().id);
      for (const id of ids) addSnapshot(cloud, id, 1);
      const policy = { ...nightlyPolicy("", { make_room }), targets: [{ kind: "snapshot", volume_ids: ids }] };
      const { result } = await invoke(scheduledSnapshots, timerEvent(policy, START));
      expect(result.outcomes).toEqual({ accepted: 50 });
      return requests().length;
    };
    expect(await count(true)).toBe(await count(false));
  });

  test("if one of the 7 snapshots of a disk belongs to a backup, scheduled-snapshots with make_room creates a snapshot without any deletion", async () => {
    const { cloud, schedule, disk } = await createFixture({ legacyPerVolume: 8 });
    for (let days = 1; days <= 6; days += 1) addSnapshot(cloud, disk.id, days);
    cloud.addSnapshot({ kind: "snapshot", volumeId: disk.id, name: "autobk_snapshot_x" });
    const { result } = await schedule({ retention: { keep_last: 30 } });
    expect(result.outcomes).toEqual({ accepted: 1 });
  });

  test("scheduled-snapshots with make_room does not repeat its create request if another instance creates the snapshot while this instance waits for the deletion", async () => {
    const id = randomUUID();
    const elsewhere = await createTestEnvironment();
    elsewhere.cloud.addVolume({ id });
    await elsewhere.invoke(scheduledSnapshots, timerEvent(nightlyPolicy(id), START));
    const metadata = elsewhere.cloud.snapshots("snapshot")[0]?.metadata ?? {};

    const { cloud, invoke } = await createTestEnvironment({ deletionMs: 10_000 });
    const disk = cloud.addVolume({ id });
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    let other: string | undefined;
    const mutate = (its: EmbeddedCloud) => {
      other = its.addSnapshot({ kind: "snapshot", volumeId: id, metadata }).id;
    };
    cloud.fault({ operation: "evs.listSnapshots", nth: 6 }, { type: "mutatePage", mutate });
    const { records } = await invoke(scheduledSnapshots, timerEvent(nightlyPolicy(disk.id), START));
    expect(other).toBeDefined();
    expect(summarizeRecord(records.at(-2))).toEqual({ action: "create", outcome: "existing", snapshot_id: other });
    expect(cloud.count("evs.createSnapshot")).toBe(1);
  });
});
