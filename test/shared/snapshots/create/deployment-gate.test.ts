import { describe, expect, test } from "vitest";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest } from "../../../../shared/snapshots/marker.ts";
import { createTarget, type Target } from "../../../../shared/snapshots/policy.ts";
import {
  cloudError,
  cluster,
  createFixture,
  createSeconds,
  group,
  START,
  STATUS,
  snapshot,
  snapshotOf,
  startPlus,
} from "../../../support/domain.ts";
import {
  callGate,
  callGateWith,
  changeFromSecond,
  DISK_1,
  DISK_2,
  KEY,
  RUN,
  snapshotCreatedFor,
} from "../../../support/pass-gate.ts";

describe("passGate with a new deployment", () => {
  test("passGate creates a snapshot of each target of a new deployment and writes a result record for each target", async () => {
    const { outcomes, requests, fixture } = await callGateWith([], [DISK_1, DISK_2]);
    expect(outcomes).toEqual(["made-1 accepted", "made-2 accepted"]);
    expect(requests).toEqual(["listAll snapshot", "create snapshot disk-1", "create snapshot disk-2"]);
    expect(fixture.records).toEqual(
      ["1", "2"].map((number) => ({
        action: "create",
        kind: "snapshot",
        resource_id: `disk-${number}`,
        policy: "pre-deploy",
        deployment_id: "release-7",
        outcome: "accepted",
        name: expect.stringMatching(/^d-release-7-[0-9a-f]{8}$/),
        snapshot_id: `made-${number}`,
        job_id: `job-made-${number}`,
        attempts: 1,
      })),
    );
  });

  test("passGate creates nothing for targets that have a snapshot, and reports whether each snapshot is available yet", async () => {
    const { outcomes, requests, progress } = await callGateWith(
      [snapshotCreatedFor(DISK_1, "a", STATUS.creating), snapshotCreatedFor(DISK_2, "b")],
      [DISK_1, DISK_2],
    );
    expect(outcomes).toEqual(["a existing", "b available"]);
    expect(progress[1]).toMatchObject({ target: DISK_2, name: "b", snapshot_id: "b", attempts: 0 });
    expect(progress[1]?.error).toBeUndefined();
    expect(requests).toEqual(["listAll snapshot"]);
  });

  test("passGate never sends more concurrent create requests than the concurrency limit of 2 allows", async () => {
    const fixture = createFixture({ concurrency: 2, createMs: 1_000 });
    await callGate(fixture, [DISK_1, DISK_2, createTarget(snapshot, "disk-3")]);
    expect(createSeconds(fixture)).toEqual(["0", "0", "1"]);
  });

  test("passGate creates a new snapshot of a target whose snapshot is being deleted", async () => {
    expect((await callGateWith([snapshotCreatedFor(DISK_1, "a", STATUS.deleting)])).outcomes).toEqual([
      "made-1 accepted",
    ]);
  });

  test("passGate reports a snapshot with an unknown status as unverified, and as available once its status is available", async () => {
    const { progress } = await callGateWith([snapshotCreatedFor(DISK_1, "a", STATUS.unknown)]);
    expect(progress).toMatchObject([
      { outcome: "unverified", snapshot_id: "a", detail: 'The snapshot has the unknown status "rollbacking".' },
    ]);
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a", STATUS.unknown));
    changeFromSecond(fixture, 3, STATUS.available);
    const later = await callGate(fixture, [DISK_1], { waitUntil: startPlus(40_000) });
    expect(later.outcomes).toEqual(["a available"]);
    expect(later.progress[0]?.detail).toBeUndefined();
  });
});

describe("passGate with existing snapshots", () => {
  const callGateForOne = (kind: Kind, resource: string, changes: Partial<FoundSnapshot>) =>
    callGateWith(
      [snapshotCreatedFor(createTarget(kind, resource), "a", changes)],
      [createTarget(kind, resource)],
      {},
      kind,
    );

  test("passGate ignores snapshots of other deployments and resources, snapshots without a marker, and copies of snapshots", async () => {
    for (const changes of [
      { marker: snapshotOf("x", "").marker },
      { marker: undefined },
      { raw: { snapshot_type: "copy" } },
    ]) {
      // passGate reports a failed snapshot of this deployment and creates no other snapshot.
      for (const [kind, resource] of [
        [snapshot, "disk-1"],
        [cluster, "cluster-1"],
      ] as const) {
        const { outcomes } = await callGateForOne(kind, resource, { ...STATUS.failed, ...changes });
        expect(outcomes, JSON.stringify(changes)).toEqual(["made-1 accepted"]);
      }
    }
    const clusters = ["cluster-1", "cluster-2"].map((resource) => createTarget(cluster, resource));
    const failed = snapshotCreatedFor(clusters[1] as Target, "a", STATUS.failed);
    expect((await callGateWith([failed], clusters, {}, cluster)).outcomes).toEqual(["made-1 accepted", "a failed"]);
    expect((await callGateWith([snapshotCreatedFor(DISK_2, "a")])).outcomes).toEqual(["made-1 accepted"]);
  });

  test("passGate finds a group of individual disks by its members, and ignores a cluster snapshot without a cluster id if its request hash is different", async () => {
    const disks: Target = { kind: group, resource: "a,b", options: { volume_ids: ["a", "b"] } };
    const members = ["a", "b"].map((disk) => snapshotOf(`of-${disk}`, disk));
    const found = snapshotCreatedFor(disks, "g", { resource: undefined, members });
    expect((await callGateWith([found], [disks], {}, group)).outcomes).toEqual(["g available"]);
    const { options } = createTarget(cluster, "cluster-1");
    const requestHash = hashRequest(cluster.name, { ...options, description: "another" });
    const marker = { policy: "pre-deploy", idempotencyKey: KEY, requestHash };
    const { outcomes } = await callGateForOne(cluster, "cluster-1", { resource: undefined, marker });
    expect(outcomes).toEqual(["made-1 accepted"]);
  });

  test("passGate matches a snapshot by the request hash in its marker if the list response omits the disk or cluster", async () => {
    for (const [kind, resources] of [
      [snapshot, ["disk-1", "disk-2"]],
      [cluster, ["cluster-1", "cluster-2"]],
    ] as const) {
      const targets = resources.map((resource) => createTarget(kind, resource));
      const found = snapshotCreatedFor(targets[0] as Target, "a", { resource: undefined });
      const { outcomes } = await callGateWith([found], targets, {}, kind);
      expect(outcomes, kind.name).toEqual(["a available", "made-1 accepted"]);
    }
  });
});

describe("passGate with failed snapshots", () => {
  test("passGate reports a failed snapshot with the advice to set retry_failed, and creates no other snapshot", async () => {
    const { progress, requests, fixture } = await callGateWith([snapshotCreatedFor(DISK_1, "a", STATUS.failed)]);
    expect(progress).toMatchObject([
      {
        outcome: "failed",
        name: "a",
        snapshot_id: "a",
        error: {
          reason: "SnapshotFailed",
          message:
            'Expected the snapshot a to become available; its status is "error". Check disk-1, then repeat the call with "retry_failed": true.',
        },
      },
    ]);
    expect(requests).toEqual(["listAll snapshot"]);
    expect(fixture.outcomes()).toEqual(["a failed: SnapshotFailed"]);
  });

  test("passGate replaces a failed snapshot only if retryFailed is set, and ignores the failed snapshot if the target has a pending snapshot", async () => {
    const failed = snapshotCreatedFor(DISK_1, "a", STATUS.failed);
    expect((await callGateWith([failed], [DISK_1], { retryFailed: true })).outcomes).toEqual(["made-1 accepted"]);
    expect((await callGateWith([failed, snapshotCreatedFor(DISK_1, "b", STATUS.creating)])).outcomes).toEqual([
      "b existing",
    ]);
    expect((await callGateWith([failed, snapshotCreatedFor(DISK_1, "b", STATUS.deleting)])).outcomes).toEqual([
      "a failed",
    ]);
  });

  test("passGate reports the error of a failed create request and still creates the snapshots of the other targets", async () => {
    const fixture = createFixture();
    const error = cloudError("NotFound", { status: 404 });
    fixture.cloud.onNextCalls("create", error);
    const { progress } = await callGate(fixture, [DISK_1, DISK_2]);
    expect(progress).toMatchObject([
      { target: DISK_1, outcome: "failed", attempts: 1, error },
      { target: DISK_2, outcome: "accepted" },
    ]);
  });

  test("passGate reports a target as deferred after Throttled or DeadlineExceeded, and as failed after Busy", async () => {
    const throttled = createFixture();
    throttled.cloud.onEveryCall("create", cloudError("Throttled", { retryAfterMs: 60_000 }));
    expect((await callGate(throttled)).progress).toMatchObject([
      { outcome: "deferred", error: { reason: "Throttled" } },
    ]);
    const late = createFixture();
    late.cloud.onEveryCall("create", cloudError("DeadlineExceeded"));
    expect((await callGate(late)).outcomes).toEqual(["disk-1 deferred"]);
    const busy = createFixture({ seconds: 5 });
    busy.cloud.onEveryCall("create", cloudError("Busy"));
    expect((await callGate(busy)).outcomes).toEqual(["disk-1 failed"]);
  });
});

describe("passGate after beginUntil, the last moment to start a target", () => {
  test("passGate reports the targets that it did not start before beginUntil as deferred", async () => {
    const fixture = createFixture({ concurrency: 1, createMs: 10_000 });
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_2, "b", { created: START }));
    const { progress } = await callGate(fixture, [DISK_1, DISK_2, createTarget(snapshot, "disk-3")], {
      beginUntil: startPlus(10_000),
    });
    expect(progress.map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ["accepted", undefined],
      ["deferred", "Not started, because the time of this call ran out. Repeat the call."],
      ["deferred", "Not started, because the time of this call ran out. Repeat the call."],
    ]);
    expect(fixture.cloud.requests().filter((request) => request.startsWith("create"))).toHaveLength(1);
  });

  test("passGate reports a failed snapshot even if beginUntil has passed", async () => {
    const { outcomes } = await callGateWith([snapshotCreatedFor(DISK_1, "a", STATUS.failed)], [DISK_1, DISK_2], {
      beginUntil: START,
    });
    expect(outcomes).toEqual(["a failed", "disk-2 deferred"]);
  });
});

describe("passGate with concurrent calls in one instance", () => {
  test("passGate runs a second concurrent call for a deployment after the first one, and returns the snapshots of the first call", async () => {
    const fixture = createFixture({ createMs: 1_000 });
    const [first, second] = await Promise.all([callGate(fixture), callGate(fixture)]);
    expect([first.outcomes, second.outcomes]).toEqual([["made-1 accepted"], ["made-1 existing"]]);
    expect(fixture.cloud.calls.at(-1)).toBe("7 s listAll snapshot");
  });

  test("passGate runs calls for different deployments or projects at the same time", async () => {
    const fixture = createFixture({ createMs: 1_000 });
    await Promise.all([
      callGate(fixture),
      callGate(fixture, [DISK_1], {}, { ...RUN, idempotencyKey: deriveKey("gate", "release-8") }),
      callGate(fixture, [DISK_1], {}, { ...RUN, projectId: "project-2" }),
    ]);
    expect(createSeconds(fixture)).toEqual(["0", "0", "0"]);
  });
});
