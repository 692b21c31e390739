import { describe, expect, test } from "vitest";
import { markerLabels } from "../../../../shared/snapshots/marker.ts";
import { targetFor } from "../../../../shared/snapshots/policy.ts";
import {
  CREATING,
  changeSnapshot,
  cloudError,
  cluster,
  createFixture,
  DELETING,
  FAILED,
  markerOf,
  snapshot,
  startPlus,
} from "../../../support/domain.ts";
import {
  AVAILABLE,
  callGate,
  callGateWith,
  changeFromSecond,
  DISK_1,
  DISK_2,
  KEY,
  snapshotCreatedFor,
} from "../../../support/pass-gate.ts";

describe("passGate with waitUntil", () => {
  test("passGate lists the snapshots every 2 s until all snapshots of the deployment are available", async () => {
    const fixture = createFixture();
    changeFromSecond(fixture, 5, AVAILABLE);
    const { outcomes } = await callGate(fixture, [DISK_1, DISK_2], { waitUntil: startPlus(40_000) });
    expect(outcomes).toEqual(["made-1 available", "made-2 available"]);
    expect(fixture.cloud.calls.filter((call) => call.includes("list"))).toEqual(
      [0, 2, 4, 6].map((seconds) => `${seconds} s listAll snapshot`),
    );
    expect(fixture.outcomes()).toEqual(["made-1 available", "made-2 available"]);
    expect(fixture.records[0]).toMatchObject({ job_id: "job-made-1", attempts: 1 });
  });

  test("passGate stops waiting and reports the failure as soon as the only pending snapshot has failed", async () => {
    const fixture = createFixture();
    changeFromSecond(fixture, 1, FAILED);
    const { progress } = await callGate(fixture, [DISK_1], { waitUntil: startPlus(40_000) });
    expect(progress).toMatchObject([{ outcome: "failed", snapshot_id: "made-1", error: { reason: "SnapshotFailed" } }]);
    expect(fixture.time.seconds()).toBe(2);
  });

  test("passGate lists the snapshots once more at waitUntil and returns the progress of the pending snapshots", async () => {
    const fixture = createFixture();
    const { outcomes } = await callGate(fixture, [DISK_1], { waitUntil: startPlus(3_000) });
    expect(outcomes).toEqual(["made-1 accepted"]);
    expect(fixture.time.slept).toEqual([2_000, 1_000]);
    expect(fixture.cloud.calls.at(-1)).toBe("3 s listAll snapshot");
  });

  test("passGate does not wait if the first list response shows that all snapshots are available", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a"));
    await callGate(fixture, [DISK_1], { waitUntil: startPlus(40_000) });
    expect(fixture.time.seconds()).toBe(0);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot"]);
  });

  test("passGate does not wait for a target whose create request failed", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("create", cloudError("NotFound"));
    await callGate(fixture, [DISK_1], { waitUntil: startPlus(40_000) });
    expect(fixture.time.seconds()).toBe(0);
  });

  test("passGate continues to wait after a failed list request, and reports the failure if no later list request succeeds", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("listAll", undefined, cloudError("AccessDenied"), cloudError("AccessDenied"));
    const { progress } = await callGate(fixture, [DISK_1], { waitUntil: startPlus(4_000) });
    expect(progress).toMatchObject([
      {
        outcome: "accepted",
        snapshot_id: "made-1",
        detail: "The state of the snapshot could not be read: The service rejected the request with AccessDenied.",
      },
    ]);

    const recovered = createFixture();
    recovered.cloud.onNextCalls("listAll", undefined, cloudError("AccessDenied"));
    changeFromSecond(recovered, 3, AVAILABLE);
    expect((await callGate(recovered, [DISK_1], { waitUntil: startPlus(40_000) })).outcomes).toEqual([
      "made-1 available",
    ]);
  });

  test("passGate also waits for a pending snapshot that an earlier call created", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a"), snapshotCreatedFor(DISK_2, "b", CREATING));
    fixture.cloud.onNextCalls("listAll", undefined, cloudError("AccessDenied"));
    changeFromSecond(fixture, 3, AVAILABLE);
    const { progress } = await callGate(fixture, [DISK_1, DISK_2], { waitUntil: startPlus(40_000) });
    expect(progress.map(({ outcome }) => outcome)).toEqual(["available", "available"]);
    expect(progress[0]?.detail).toBeUndefined();
    expect(fixture.time.seconds()).toBe(4);
  });

  test("passGate waits for a new snapshot that is missing from the first list responses", async () => {
    const fixture = createFixture();
    fixture.cloud.listDelayMs = 5_000;
    changeFromSecond(fixture, 5, AVAILABLE);
    expect((await callGate(fixture, [DISK_1], { waitUntil: startPlus(40_000) })).outcomes).toEqual([
      "made-1 available",
    ]);
    expect(fixture.time.seconds()).toBe(6);
  });

  test("passGate reports the available one of two duplicate snapshots, and the older one if both are still creating", async () => {
    const fixture = createFixture();
    fixture.cloud.add(
      snapshot,
      snapshotCreatedFor(DISK_1, "b", { created: startPlus(1) }),
      snapshotCreatedFor(DISK_1, "a", CREATING),
    );
    expect((await callGate(fixture)).outcomes).toEqual(["b available"]);
    const creating = [
      snapshotCreatedFor(DISK_1, "b", { ...CREATING, created: startPlus(1) }),
      snapshotCreatedFor(DISK_1, "a", CREATING),
    ];
    expect((await callGateWith(creating, [DISK_1], { waitUntil: startPlus(3_000) })).outcomes).toEqual(["a existing"]);
  });

  test("passGate ignores an available snapshot whose marker has the request hash of a different request", async () => {
    const marker = { policy: "pre-deploy", idempotencyKey: KEY, requestHash: "00000000" };
    const other = snapshotCreatedFor(DISK_1, "b", { created: startPlus(1), marker, labels: markerLabels(marker) });
    expect((await callGateWith([snapshotCreatedFor(DISK_1, "a", CREATING), other])).outcomes).toEqual(["a existing"]);
  });

  test("passGate reports the remaining duplicate if the other duplicate fails or is being deleted during the wait", async () => {
    for (const changes of [FAILED, DELETING]) {
      const fixture = createFixture();
      fixture.cloud.add(
        snapshot,
        snapshotCreatedFor(DISK_1, "a", CREATING),
        snapshotCreatedFor(DISK_1, "b", { ...CREATING, created: startPlus(1) }),
      );
      fixture.cloud.onEveryCall("listAll", () => {
        if (fixture.time.seconds() >= 1) changeSnapshot(fixture.cloud, snapshot, "a", changes);
      });
      expect((await callGate(fixture, [DISK_1], { waitUntil: startPlus(5_000) })).outcomes).toEqual(["b existing"]);
    }
  });

  test("passGate reports a snapshot that is deleted during the wait as unverified, with the advice to repeat the call", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a", CREATING));
    changeFromSecond(fixture, 1, DELETING);
    const { progress } = await callGate(fixture, [DISK_1], { waitUntil: startPlus(5_000) });
    expect(progress).toMatchObject([
      { outcome: "unverified", snapshot_id: "a", detail: expect.stringContaining("to create another one") },
    ]);
  });

  test("passGate does not report a listed snapshot as available if it has the id from the create response but another marker, name or cluster", async () => {
    const marker = markerOf("another");
    for (const changes of [{ marker }, { marker: undefined, name: "another" }, { resource: "cluster-2" }]) {
      const fixture = createFixture();
      const target = targetFor(cluster, "cluster-1");
      fixture.cloud.onNextCalls("create", () => {
        const listed = snapshotCreatedFor(target, "made-1", changes);
        fixture.cloud.onEveryCall("listAll", () => void fixture.cloud.snapshots.set(cluster.name, [listed]));
      });
      const { outcomes } = await callGate(fixture, [target], { waitUntil: startPlus(5_000) });
      expect(outcomes, JSON.stringify(changes)).toEqual(["made-1 accepted"]);
    }
  });

  test("passGate finds a new cluster snapshot by its id and name if the list response omits the description with the marker", async () => {
    const fixture = createFixture();
    changeFromSecond(fixture, 0, { ...AVAILABLE, marker: undefined }, cluster);
    const { outcomes } = await callGate(fixture, [targetFor(cluster, "cluster-1")], { waitUntil: startPlus(5_000) });
    expect(outcomes).toEqual(["made-1 available"]);
  });
});
