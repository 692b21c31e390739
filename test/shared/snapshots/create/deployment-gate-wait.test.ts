import { describe, expect, test } from "vitest";
import { type Instant, instant } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { markerLabels } from "../../../../shared/snapshots/marker.ts";
import { createTarget } from "../../../../shared/snapshots/policy.ts";
import {
  changeSnapshot,
  cloudError,
  cluster,
  createFixture,
  DAY_MS,
  HOUR_MS,
  markerOf,
  STATUS,
  snapshot,
  startPlus,
} from "../../../support/domain.ts";
import {
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
    changeFromSecond(fixture, 5, STATUS.available);
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
    changeFromSecond(fixture, 1, STATUS.failed);
    const { progress } = await callGate(fixture, [DISK_1], { waitUntil: startPlus(40_000) });
    expect(progress).toMatchObject([{ outcome: "failed", snapshot_id: "made-1", error: { reason: "SnapshotFailed" } }]);
    expect(fixture.time.seconds()).toBe(2);
  });

  test("passGate lists the snapshots a last time at waitUntil and reports a new snapshot that is still pending as accepted", async () => {
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
    const fixture = createFixture({ creates: [cloudError("NotFound")] });
    await callGate(fixture, [DISK_1], { waitUntil: startPlus(40_000) });
    expect(fixture.time.seconds()).toBe(0);
  });

  test("passGate continues to wait after a failed list request, and adds the error to the detail of the target if no later list request succeeds", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("listAll", undefined, cloudError("AccessDenied"), cloudError("AccessDenied"));
    const { progress } = await callGate(fixture, [DISK_1], { waitUntil: startPlus(4_000) });
    expect(progress).toMatchObject([
      {
        outcome: "accepted",
        snapshot_id: "made-1",
        detail: "The snapshot could not be listed again: The service rejected the request with AccessDenied.",
      },
    ]);

    const recovered = createFixture();
    recovered.cloud.onNextCalls("listAll", undefined, cloudError("AccessDenied"));
    changeFromSecond(recovered, 3, STATUS.available);
    expect((await callGate(recovered, [DISK_1], { waitUntil: startPlus(40_000) })).outcomes).toEqual([
      "made-1 available",
    ]);
  });

  test("passGate also waits for a pending snapshot that an earlier call created", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a"), snapshotCreatedFor(DISK_2, "b", STATUS.creating));
    fixture.cloud.onNextCalls("listAll", undefined, cloudError("AccessDenied"));
    changeFromSecond(fixture, 3, STATUS.available);
    const { progress } = await callGate(fixture, [DISK_1, DISK_2], { waitUntil: startPlus(40_000) });
    expect(progress.map(({ outcome }) => outcome)).toEqual(["available", "available"]);
    expect(progress[0]?.detail).toBeUndefined();
    expect(fixture.time.seconds()).toBe(4);
  });

  test("passGate waits for a new snapshot that is missing from the first list responses", async () => {
    const fixture = createFixture({ listDelayMs: 5_000 });
    changeFromSecond(fixture, 5, STATUS.available);
    expect((await callGate(fixture, [DISK_1], { waitUntil: startPlus(40_000) })).outcomes).toEqual([
      "made-1 available",
    ]);
    expect(fixture.time.seconds()).toBe(6);
  });

  test("passGate reports the available one of two duplicate snapshots, or the older one if both are still creating", async () => {
    const fixture = createFixture();
    fixture.cloud.add(
      snapshot,
      snapshotCreatedFor(DISK_1, "b", { created: startPlus(1) }),
      snapshotCreatedFor(DISK_1, "a", STATUS.creating),
    );
    expect((await callGate(fixture)).outcomes).toEqual(["b available"]);
    const creating = [
      snapshotCreatedFor(DISK_1, "b", { ...STATUS.creating, created: startPlus(1) }),
      snapshotCreatedFor(DISK_1, "a", STATUS.creating),
    ];
    expect((await callGateWith(creating, [DISK_1], { waitUntil: startPlus(3_000) })).outcomes).toEqual(["a existing"]);
  });

  test("passGate ignores an available snapshot whose marker has the request hash of a different request", async () => {
    const marker = { policy: "pre-deploy", idempotencyKey: KEY, requestHash: "00000000" };
    const other = snapshotCreatedFor(DISK_1, "b", { created: startPlus(1), marker, labels: markerLabels(marker) });
    expect((await callGateWith([snapshotCreatedFor(DISK_1, "a", STATUS.creating), other])).outcomes).toEqual([
      "a existing",
    ]);
  });

  test("passGate reports the remaining duplicate if the other duplicate fails or is being deleted during the wait", async () => {
    for (const changes of [STATUS.failed, STATUS.deleting]) {
      const fixture = createFixture();
      fixture.cloud.add(
        snapshot,
        snapshotCreatedFor(DISK_1, "a", STATUS.creating),
        snapshotCreatedFor(DISK_1, "b", { ...STATUS.creating, created: startPlus(1) }),
      );
      fixture.cloud.onEveryCall("listAll", () => {
        if (fixture.time.seconds() >= 1) changeSnapshot(fixture.cloud, snapshot, "a", changes);
      });
      expect((await callGate(fixture, [DISK_1], { waitUntil: startPlus(5_000) })).outcomes).toEqual(["b existing"]);
    }
  });

  test("passGate lists the available snapshots once more before it returns, and reports a snapshot that was removed meanwhile as unverified", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a"), snapshotCreatedFor(DISK_2, "b", STATUS.creating));
    fixture.cloud.onEveryCall("listAll", () => {
      if (fixture.time.seconds() >= 4) fixture.cloud.snapshots.set("snapshot", [snapshotCreatedFor(DISK_2, "b")]);
    });
    const { outcomes, progress } = await callGate(fixture, [DISK_1, DISK_2], { waitUntil: startPlus(5_000) });
    expect(outcomes).toEqual(["a unverified", "b available"]);
    expect(progress[0]?.detail).toContain("to create another snapshot");
  });

  test("passGate reports an available snapshot as unverified if its last list request fails", async () => {
    const fixture = createFixture();
    const ofCluster = createTarget(cluster, "cluster-1");
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a"));
    fixture.cloud.add(cluster, snapshotCreatedFor(ofCluster, "b", STATUS.creating));
    fixture.cloud.onNextCalls("listAll", undefined, undefined, () =>
      changeSnapshot(fixture.cloud, cluster, "b", STATUS.available),
    );
    fixture.cloud.onEveryCall("listAll", cloudError("AccessDenied"));
    const { outcomes } = await callGate(fixture, [DISK_1, ofCluster], { waitUntil: startPlus(2_000) });
    expect(outcomes).toEqual(["a unverified", "b available"]);
  });

  test("passGate reports the available snapshot of another process without the job id of its own snapshot, which is still creating", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("create", () => fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "theirs")));
    const { progress } = await callGate(fixture, [DISK_1], { waitUntil: startPlus(2_000) });
    expect(progress).toMatchObject([{ outcome: "available", snapshot_id: "theirs", job_id: undefined }]);
  });

  test("passGate reports a snapshot that is deleted during the wait as unverified, with the advice to repeat the call", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a", STATUS.creating));
    changeFromSecond(fixture, 1, STATUS.deleting);
    const { progress } = await callGate(fixture, [DISK_1], { waitUntil: startPlus(5_000) });
    expect(progress).toMatchObject([
      { outcome: "unverified", snapshot_id: "a", detail: expect.stringContaining("to create another snapshot") },
    ]);
  });

  test("passGate ignores a listed snapshot with the id from the create response if the snapshot has another marker, name or cluster than requested", async () => {
    const marker = markerOf("another");
    for (const changes of [{ marker }, { marker: undefined, name: "another" }, { resource: "cluster-2" }]) {
      const fixture = createFixture();
      const target = createTarget(cluster, "cluster-1");
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
    changeFromSecond(fixture, 0, { ...STATUS.available, marker: undefined }, cluster);
    const { outcomes } = await callGate(fixture, [createTarget(cluster, "cluster-1")], { waitUntil: startPlus(5_000) });
    expect(outcomes).toEqual(["made-1 available"]);
  });
});

describe("passGate with a deployment_id that was used before", () => {
  const oldSnapshot = (changes: Partial<FoundSnapshot> = {}) =>
    snapshotCreatedFor(DISK_1, "a", { created: startPlus(-HOUR_MS - 1), ...changes });

  test("passGate returns Conflict and creates nothing if a snapshot of the deployment_id is older than max_age_minutes", async () => {
    const { error, requests, fixture } = await callGateWith([oldSnapshot()], [DISK_1, DISK_2], { maxAgeMs: HOUR_MS });
    expect(error).toMatchObject({
      reason: "Conflict",
      message:
        'deployment_id: expected a deployment in progress, got "release-7": the snapshot a is older than max_age_minutes. Use a new deployment_id, or raise max_age_minutes.',
    });
    expect(requests).toEqual(["listAll snapshot"]);
    expect(fixture.time.seconds()).toBe(0);
  });

  test("passGate returns Conflict if a snapshot of the deployment_id has no creation time, or a time before 2015 or in the future", async () => {
    for (const created of [undefined, startPlus(16 * 60_000), instant(0), instant(Date.UTC(2014, 11, 31))]) {
      for (const changes of [{}, STATUS.unknown]) {
        const { error, requests } = await callGateWith([oldSnapshot({ created, ...changes })], [DISK_1], {
          maxAgeMs: Infinity,
        });
        expect(error).toMatchObject({
          reason: "Conflict",
          message: expect.stringContaining("Use a new deployment_id."),
        });
        expect(requests).toEqual(["listAll snapshot"]);
      }
      const creating = await callGateWith([oldSnapshot({ created, ...STATUS.creating })], [DISK_1], {
        maxAgeMs: Infinity,
      });
      expect(creating.outcomes).toEqual(["a existing"]);
      const deleting = await callGateWith([oldSnapshot({ created, ...STATUS.deleting })], [DISK_1], {
        maxAgeMs: Infinity,
      });
      expect(deleting.outcomes).toEqual(["made-1 accepted"]);
    }
  });

  test("passGate names the implausible creation time in the Conflict message and advises to use a new deployment_id", async () => {
    const message = async (created: Instant | undefined) =>
      (await callGateWith([oldSnapshot({ created })])).error?.message;
    expect(await message(undefined)).toBe(
      'deployment_id: expected a deployment in progress, got "release-7": the snapshot a has no readable creation time, so its age is unknown. Use a new deployment_id. If this error occurs again, use another new deployment_id and set "wait_seconds" in its first request.',
    );
    expect(await message(instant(0))).toContain("has the creation time 1970-01-01T00:00:00.000Z, so its age");
  });

  test("passGate accepts its new snapshot even with a missing or wrong creation time, unless that time is at least an hour ago", async () => {
    const callWithListedTime = async (created: Instant | undefined, maxAgeMs: number) => {
      const fixture = createFixture();
      changeFromSecond(fixture, 1, { ...STATUS.available, created });
      return callGate(fixture, [DISK_1], { waitUntil: startPlus(5_000), maxAgeMs });
    };
    for (const created of [undefined, startPlus(DAY_MS), startPlus(-HOUR_MS + 5_000)]) {
      expect((await callWithListedTime(created, 60_000)).outcomes).toEqual(["made-1 available"]);
    }
    expect((await callWithListedTime(startPlus(-HOUR_MS), 60_000)).error).toMatchObject({ reason: "Conflict" });
  });

  test("passGate writes all records and returns Conflict if a snapshot without a creation time becomes available during the wait", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a", { ...STATUS.creating, created: undefined }));
    fixture.cloud.onEveryCall("listAll", () => {
      if (fixture.time.seconds() >= 1) changeSnapshot(fixture.cloud, snapshot, "a", STATUS.available);
    });
    const { error } = await callGate(fixture, [DISK_1, DISK_2], { waitUntil: startPlus(40_000) });
    expect(error).toMatchObject({ reason: "Conflict" });
    expect(fixture.outcomes()).toEqual(["a failed: Conflict", "made-1 accepted"]);
    expect(fixture.time.seconds()).toBe(2);
  });

  test("passGate accepts a snapshot that is exactly max_age_minutes old, and ignores the age of a failed snapshot", async () => {
    const { outcomes } = await callGateWith([oldSnapshot({ created: startPlus(-HOUR_MS) })], [DISK_1], {
      maxAgeMs: HOUR_MS,
    });
    expect(outcomes).toEqual(["a available"]);
    const again = await callGateWith([oldSnapshot(STATUS.failed)], [DISK_1], { maxAgeMs: HOUR_MS, retryFailed: true });
    expect(again.outcomes).toEqual(["made-1 accepted"]);
  });
});
