import { describe, expect, test } from "vitest";
import { markerLabels } from "../../../../shared/snapshots/marker.ts";
import { targetFor } from "../../../../shared/snapshots/policy.ts";
import {
  CREATING,
  cloudError,
  cluster,
  createFixture,
  DELETING,
  FAILED,
  markerOf,
  snapshot,
} from "../../../support/domain.ts";
import {
  AVAILABLE,
  becomes,
  call,
  DISK_1,
  DISK_2,
  gate,
  KEY,
  moment,
  snapshotCreatedFor,
} from "../../../support/gate.ts";

describe("passGate with a call that waits", () => {
  test("passGate lists the snapshots every 2 s until all of them are available", async () => {
    const fixture = createFixture();
    becomes(fixture, 5, AVAILABLE);
    const { short } = await call(fixture, [DISK_1, DISK_2], { waitUntil: moment(40_000) });
    expect(short).toEqual(["made-1 available", "made-2 available"]);
    expect(fixture.cloud.calls.filter((one) => one.includes("list"))).toEqual(
      [0, 2, 4, 6].map((seconds) => `${seconds} s listAll snapshot`),
    );
    expect(fixture.outcomes()).toEqual(["made-1 available", "made-2 available"]);
    expect(fixture.records[0]).toMatchObject({ job_id: "job-made-1", attempts: 1 });
  });

  test("passGate reports a failed snapshot when all snapshots have ended", async () => {
    const fixture = createFixture();
    becomes(fixture, 1, FAILED);
    const { progress } = await call(fixture, [DISK_1], { waitUntil: moment(40_000) });
    expect(progress).toMatchObject([{ outcome: "failed", snapshot_id: "made-1", error: { reason: "SnapshotFailed" } }]);
    expect(fixture.time.seconds()).toBe(2);
  });

  test("passGate returns the progress when its wait ends", async () => {
    const fixture = createFixture();
    const { short } = await call(fixture, [DISK_1], { waitUntil: moment(3_000) });
    expect(short).toEqual(["made-1 accepted"]);
    expect(fixture.time.slept).toEqual([2_000, 1_000]);
    expect(fixture.cloud.calls.at(-1)).toBe("3 s listAll snapshot");
  });

  test("passGate does not wait if all snapshots were available at the first list", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a"));
    await call(fixture, [DISK_1], { waitUntil: moment(40_000) });
    expect(fixture.time.seconds()).toBe(0);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot"]);
  });

  test("passGate neither lists nor waits for a target whose create failed", async () => {
    const fixture = createFixture();
    fixture.cloud.at("create", cloudError("NotFound"));
    await call(fixture, [DISK_1], { waitUntil: moment(40_000) });
    expect(fixture.time.seconds()).toBe(0);
  });

  test("passGate reports that a state could not be read and continues to wait", async () => {
    const fixture = createFixture();
    fixture.cloud.at("listAll", undefined, cloudError("AccessDenied"), cloudError("AccessDenied"));
    const { progress } = await call(fixture, [DISK_1], { waitUntil: moment(4_000) });
    expect(progress).toMatchObject([
      {
        outcome: "accepted",
        snapshot_id: "made-1",
        detail: "The state of the snapshot could not be read: The cloud says AccessDenied.",
      },
    ]);

    const better = createFixture();
    better.cloud.at("listAll", undefined, cloudError("AccessDenied"));
    becomes(better, 3, AVAILABLE);
    expect((await call(better, [DISK_1], { waitUntil: moment(40_000) })).short).toEqual(["made-1 available"]);
  });

  test("passGate waits for a pending snapshot of any call and lists no other kind", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a"), snapshotCreatedFor(DISK_2, "b", CREATING));
    fixture.cloud.at("listAll", undefined, cloudError("AccessDenied"));
    becomes(fixture, 3, AVAILABLE);
    const { progress } = await call(fixture, [DISK_1, DISK_2], { waitUntil: moment(40_000) });
    expect(progress.map(({ outcome }) => outcome)).toEqual(["available", "available"]);
    expect(progress[0]?.detail).toBeUndefined();
    expect(fixture.time.seconds()).toBe(4);
  });

  test("passGate waits for a snapshot that no list shows yet", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 5_000;
    becomes(fixture, 5, AVAILABLE);
    expect((await call(fixture, [DISK_1], { waitUntil: moment(40_000) })).short).toEqual(["made-1 available"]);
    expect(fixture.time.seconds()).toBe(6);
  });

  test("passGate uses the available one of two duplicates, otherwise the same snapshot as before", async () => {
    const fixture = createFixture();
    fixture.cloud.add(
      snapshot,
      snapshotCreatedFor(DISK_1, "b", { created: moment(1) }),
      snapshotCreatedFor(DISK_1, "a", CREATING),
    );
    expect((await call(fixture)).short).toEqual(["b available"]);
    const creating = [
      snapshotCreatedFor(DISK_1, "b", { ...CREATING, created: moment(1) }),
      snapshotCreatedFor(DISK_1, "a", CREATING),
    ];
    expect((await gate(creating, [DISK_1], { waitUntil: moment(3_000) })).short).toEqual(["a existing"]);
  });

  test("passGate does not use an available snapshot of a different request", async () => {
    const marker = { policy: "pre-deploy", idempotencyKey: KEY, requestHash: "00000000" };
    const other = snapshotCreatedFor(DISK_1, "b", { created: moment(1), marker, labels: markerLabels(marker) });
    expect((await gate([snapshotCreatedFor(DISK_1, "a", CREATING), other])).short).toEqual(["a existing"]);
  });

  test("passGate uses the other duplicate if one fails or is being deleted", async () => {
    for (const end of [FAILED, DELETING]) {
      const fixture = createFixture();
      fixture.cloud.add(
        snapshot,
        snapshotCreatedFor(DISK_1, "a", CREATING),
        snapshotCreatedFor(DISK_1, "b", { ...CREATING, created: moment(1) }),
      );
      fixture.cloud.always("listAll", () => {
        const found = fixture.cloud.of(snapshot).map((one) => (one.id === "a" ? { ...one, ...end } : one));
        if (fixture.time.seconds() >= 1) fixture.cloud.snapshots.set("snapshot", found);
      });
      expect((await call(fixture, [DISK_1], { waitUntil: moment(5_000) })).short).toEqual(["b existing"]);
    }
  });

  test("passGate reports for a snapshot that is being deleted that another call creates a new one", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a", CREATING));
    becomes(fixture, 1, DELETING);
    const { progress } = await call(fixture, [DISK_1], { waitUntil: moment(5_000) });
    expect(progress).toMatchObject([
      { outcome: "unverified", snapshot_id: "a", detail: expect.stringContaining("to create another one") },
    ]);
  });

  test("passGate does not trust the id in a create response if the list shows a snapshot of another request with that id", async () => {
    const marker = markerOf("another");
    for (const changes of [{ marker }, { marker: undefined, name: "another" }, { resource: "cluster-2" }]) {
      const fixture = createFixture();
      const target = targetFor(cluster, "cluster-1");
      fixture.cloud.at("create", () => {
        const old = snapshotCreatedFor(target, "made-1", { ...changes });
        fixture.cloud.always("listAll", () => void fixture.cloud.snapshots.set(cluster.name, [old]));
      });
      const { short } = await call(fixture, [target], { waitUntil: moment(5_000) });
      expect(short, JSON.stringify(changes)).toEqual(["made-1 accepted"]);
    }
  });

  test("passGate finds a cluster snapshot by id and name if the list omits its description", async () => {
    const fixture = createFixture();
    fixture.cloud.always("listAll", () => {
      const found = fixture.cloud.of(cluster).map((one) => ({ ...one, ...AVAILABLE, marker: undefined }));
      fixture.cloud.snapshots.set(cluster.name, found);
    });
    const { short } = await call(fixture, [targetFor(cluster, "cluster-1")], { waitUntil: moment(5_000) });
    expect(short).toEqual(["made-1 available"]);
  });
});
