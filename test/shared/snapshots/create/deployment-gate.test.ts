import { describe, expect, test } from "vitest";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest } from "../../../../shared/snapshots/marker.ts";
import { type Target, targetFor } from "../../../../shared/snapshots/policy.ts";
import {
  CREATING,
  cloudError,
  cluster,
  createFixture,
  DELETING,
  FAILED,
  group,
  START,
  snapshot,
  snapshotOf,
  UNKNOWN,
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
  RUN,
  snapshotCreatedFor,
} from "../../../support/gate.ts";

describe("passGate with a new deployment", () => {
  test("passGate creates a snapshot of each target, with a record for each", async () => {
    const { short, asked, fixture } = await gate([], [DISK_1, DISK_2]);
    expect(short).toEqual(["made-1 accepted", "made-2 accepted"]);
    expect(asked).toEqual(["listAll snapshot", "create snapshot disk-1", "create snapshot disk-2"]);
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
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("passGate creates nothing twice and reports the progress of existing snapshots", async () => {
    const { short, asked, progress } = await gate(
      [snapshotCreatedFor(DISK_1, "a", CREATING), snapshotCreatedFor(DISK_2, "b")],
      [DISK_1, DISK_2],
    );
    expect(short).toEqual(["a existing", "b available"]);
    expect(progress[1]).toMatchObject({ target: DISK_2, name: "b", snapshot_id: "b", attempts: 0 });
    expect(progress[1]?.error).toBeUndefined();
    expect(asked).toEqual(["listAll snapshot"]);
  });

  test("passGate creates as many snapshots at a time as the concurrency limit allows", async () => {
    const fixture = createFixture({ concurrency: 2 });
    fixture.cloud.createMs = 1_000;
    await call(fixture, [DISK_1, DISK_2, targetFor(snapshot, "disk-3")]);
    const creates = fixture.cloud.calls.filter((one) => one.includes("create"));
    expect(creates.map((one) => one.split(" ")[0])).toEqual(["0", "0", "1"]);
  });

  test("passGate creates another snapshot for one that is being deleted", async () => {
    expect((await gate([snapshotCreatedFor(DISK_1, "a", DELETING)])).short).toEqual(["made-1 accepted"]);
  });

  test("passGate waits for a snapshot whose status is unknown", async () => {
    const { progress } = await gate([snapshotCreatedFor(DISK_1, "a", UNKNOWN)]);
    expect(progress).toMatchObject([
      { outcome: "unverified", snapshot_id: "a", detail: 'The status "rollbacking" is unknown.' },
    ]);
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a", UNKNOWN));
    becomes(fixture, 3, AVAILABLE);
    const done = await call(fixture, [DISK_1], { waitUntil: moment(40_000) });
    expect(done.short).toEqual(["a available"]);
    expect(done.progress[0]?.detail).toBeUndefined();
  });
});

describe("passGate with existing snapshots", () => {
  const other = (kind: Kind, resource: string, changes: Partial<FoundSnapshot>) =>
    gate([snapshotCreatedFor(targetFor(kind, resource), "a", changes)], [targetFor(kind, resource)], {}, kind);

  test("passGate counts only snapshots of this deployment and resource that this project created", async () => {
    for (const changes of [
      { marker: snapshotOf("x", "").marker },
      { marker: undefined },
      { raw: { snapshot_type: "copy" } },
    ]) {
      // The gate would report a failed snapshot of this deployment.
      for (const [kind, resource] of [
        [snapshot, "disk-1"],
        [cluster, "cluster-1"],
      ] as const) {
        const { short } = await other(kind, resource, { ...FAILED, ...changes });
        expect(short, JSON.stringify(changes)).toEqual(["made-1 accepted"]);
      }
    }
    const clusters = ["cluster-1", "cluster-2"].map((resource) => targetFor(cluster, resource));
    const failed = snapshotCreatedFor(clusters[1] as Target, "a", FAILED);
    expect((await gate([failed], clusters, {}, cluster)).short).toEqual(["made-1 accepted", "a failed"]);
    expect((await gate([snapshotCreatedFor(DISK_2, "a")])).short).toEqual(["made-1 accepted"]);
  });

  test("passGate counts a group whose resource the list omits, and no such cluster snapshot", async () => {
    const disks: Target = { kind: group, resource: "a,b", options: { volume_ids: ["a", "b"] } };
    const members = ["a", "b"].map((disk) => snapshotOf(`of-${disk}`, disk));
    const whole = snapshotCreatedFor(disks, "g", { resource: undefined, members });
    expect((await gate([whole], [disks], {}, group)).short).toEqual(["g available"]);
    const asked = targetFor(cluster, "cluster-1");
    const content = hashRequest(cluster.name, { ...asked.options, description: "another" });
    const nobody = await other(cluster, "cluster-1", {
      resource: undefined,
      marker: { policy: "pre-deploy", idempotencyKey: KEY, requestHash: content },
    });
    expect(nobody.short).toEqual(["made-1 accepted"]);
  });

  test("passGate matches a snapshot without a resource by the request hash in its marker", async () => {
    for (const [kind, resources] of [
      [snapshot, ["disk-1", "disk-2"]],
      [cluster, ["cluster-1", "cluster-2"]],
    ] as const) {
      const targets = resources.map((resource) => targetFor(kind, resource));
      const one = snapshotCreatedFor(targets[0] as Target, "a", { resource: undefined });
      expect((await gate([one], targets, {}, kind)).short, kind.name).toEqual(["a available", "made-1 accepted"]);
    }
  });
});

describe("passGate with failed snapshots", () => {
  test("passGate reports a failed snapshot with advice and does not create another one by itself", async () => {
    const { progress, asked, fixture } = await gate([snapshotCreatedFor(DISK_1, "a", FAILED)]);
    expect(progress).toMatchObject([
      {
        outcome: "failed",
        name: "a",
        snapshot_id: "a",
        error: {
          reason: "SnapshotFailed",
          message:
            'Expected the snapshot a to become available; it ended in the status "error". Check disk-1, then repeat the call with "retry_failed": true.',
        },
      },
    ]);
    expect(asked).toEqual(["listAll snapshot"]);
    expect(fixture.outcomes()).toEqual(["a failed: SnapshotFailed"]);
  });

  test("passGate creates another snapshot for a failed one if the call asks for it, unless a good one exists", async () => {
    const failed = snapshotCreatedFor(DISK_1, "a", FAILED);
    expect((await gate([failed], [DISK_1], { retryFailed: true })).short).toEqual(["made-1 accepted"]);
    expect((await gate([failed, snapshotCreatedFor(DISK_1, "b", CREATING)])).short).toEqual(["b existing"]);
    expect((await gate([failed, snapshotCreatedFor(DISK_1, "b", DELETING)])).short).toEqual(["a failed"]);
  });

  test("passGate reports why a create failed and creates the other snapshots", async () => {
    const fixture = createFixture();
    const error = cloudError("NotFound", { status: 404 });
    fixture.cloud.at("create", error);
    const { progress } = await call(fixture, [DISK_1, DISK_2]);
    expect(progress).toMatchObject([
      { target: DISK_1, outcome: "failed", attempts: 1, error },
      { target: DISK_2, outcome: "accepted" },
    ]);
  });

  test("passGate defers a target if the account is throttled or the time ran out", async () => {
    const throttled = createFixture();
    throttled.cloud.always("create", cloudError("Throttled", { retryAfterMs: 60_000 }));
    expect((await call(throttled)).progress).toMatchObject([{ outcome: "deferred", error: { reason: "Throttled" } }]);
    const late = createFixture();
    late.cloud.always("create", cloudError("DeadlineExceeded"));
    expect((await call(late)).short).toEqual(["disk-1 deferred"]);
    const busy = createFixture({ seconds: 5 });
    busy.cloud.always("create", cloudError("Busy"));
    expect((await call(busy)).short).toEqual(["disk-1 failed"]);
  });
});

describe("passGate after the last moment for new creates", () => {
  test("passGate defers the targets that it did not start in time and reports the existing snapshots", async () => {
    const fixture = createFixture({ concurrency: 1 });
    fixture.cloud.createMs = 10_000;
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_2, "b", { created: START }));
    const { progress } = await call(fixture, [DISK_1, DISK_2, targetFor(snapshot, "disk-3")], {
      beginUntil: moment(10_000),
    });
    expect(progress.map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ["accepted", undefined],
      ["deferred", "Not started, because the time of this call ran out. Repeat the call."],
      ["deferred", "Not started, because the time of this call ran out. Repeat the call."],
    ]);
    expect(fixture.cloud.requests().filter((one) => one.startsWith("create"))).toHaveLength(1);
  });

  test("passGate reports a failed snapshot although the time ran out", async () => {
    const { short } = await gate([snapshotCreatedFor(DISK_1, "a", FAILED)], [DISK_1, DISK_2], { beginUntil: START });
    expect(short).toEqual(["a failed", "disk-2 deferred"]);
  });
});

describe("passGate with concurrent calls in one instance", () => {
  test("passGate serializes two calls for a deployment, and the second one finds the snapshots of the first", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 1_000;
    const [first, second] = await Promise.all([call(fixture), call(fixture)]);
    expect([first.short, second.short]).toEqual([["made-1 accepted"], ["made-1 existing"]]);
    expect(fixture.cloud.calls.at(-1)).toBe("7 s listAll snapshot");
  });

  test("passGate does not serialize calls for two deployments or two projects", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 1_000;
    await Promise.all([
      call(fixture),
      call(fixture, [DISK_1], {}, { ...RUN, idempotencyKey: deriveKey("gate", "release-8") }),
      call(fixture, [DISK_1], {}, { ...RUN, projectId: "project-2" }),
    ]);
    const creates = fixture.cloud.calls.filter((one) => one.includes("create"));
    expect(creates.map((one) => one.split(" ")[0])).toEqual(["0", "0", "0"]);
  });
});
