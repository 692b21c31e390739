import { describe, expect, test } from "vitest";
import type { SnapshotError } from "../../../../shared/core/errors.ts";
import { after, type Instant, instant } from "../../../../shared/core/instant.ts";
import { type GateOptions, passGate } from "../../../../shared/snapshots/create/deployment-gate.ts";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest, markerLabels } from "../../../../shared/snapshots/marker.ts";
import { type Target, targetFor } from "../../../../shared/snapshots/policy.ts";
import type { AttachedDisk } from "../../../../shared/snapshots/ports.ts";
import type { Run } from "../../../../shared/snapshots/run-context.ts";
import {
  CREATING,
  cloudError,
  cluster,
  createFixture,
  DAY_MS,
  DELETING,
  type DomainFixture,
  FAILED,
  group,
  HOUR_MS,
  markerOf,
  START,
  snapshot,
  snapshotOf,
  UNKNOWN,
} from "../../../support/domain.ts";

const KEY = deriveKey("gate", "release-7");
const RUN: Run & { deploymentId: string } = {
  idempotencyKey: KEY,
  policy: "pre-deploy",
  label: "d-release-7",
  projectId: "project-1",
  deploymentId: "release-7",
};
const DISK_1 = targetFor(snapshot, "disk-1");
const DISK_2 = targetFor(snapshot, "disk-2");
const moment = (milliseconds: number) => after(START, milliseconds);

function snapshotCreatedFor(
  { kind, resource, options }: Target,
  id: string,
  changes: Partial<FoundSnapshot> = {},
): FoundSnapshot {
  const marker = { policy: "pre-deploy", idempotencyKey: KEY, requestHash: hashRequest(kind.name, options) };
  return snapshotOf(id, resource, { name: id, marker, labels: markerLabels(marker), ...changes });
}

/** Calls the gate and returns the progress of each target as `id outcome`. */
async function call(
  fixture: DomainFixture,
  targets: Target[] = [DISK_1],
  options: Partial<GateOptions> = {},
  run = RUN,
) {
  const settings = {
    retryFailed: false,
    maxAgeMs: 24 * HOUR_MS,
    waitUntil: START,
    beginUntil: moment(48_000),
    ...options,
  };
  const progress = await passGate(targets, run, fixture.runContext, settings).catch((error: SnapshotError) => error);
  const list = Array.isArray(progress) ? progress : [];
  const short = list.map(({ target, outcome, snapshot_id }) => `${snapshot_id ?? target.resource} ${outcome}`);
  return { progress: list, short, error: Array.isArray(progress) ? undefined : progress };
}

/** Calls the gate once in a cloud with the given snapshots. */
async function gate(found: FoundSnapshot[], targets?: Target[], options?: Partial<GateOptions>, kind: Kind = snapshot) {
  const fixture = createFixture();
  fixture.cloud.add(kind, ...found);
  return { ...(await call(fixture, targets, options)), fixture, asked: fixture.cloud.requests() };
}

const becomes = (fixture: DomainFixture, seconds: number, changes: Partial<FoundSnapshot>, kind: Kind = snapshot) =>
  fixture.cloud.always("listAll", () => {
    if (fixture.time.seconds() < seconds) return;
    fixture.cloud.snapshots.set(
      kind.name,
      fixture.cloud.of(kind).map((one) => ({ ...one, ...changes })),
    );
  });
const AVAILABLE: Partial<FoundSnapshot> = { status: "available", state: "available" };

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
      { outcome: "unverified", snapshot_id: "a", detail: 'The snapshot has the unknown status "rollbacking".' },
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
            'Expected the snapshot a to become available; its status is "error". Check disk-1, then repeat the call with "retry_failed": true.',
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
        detail: "The snapshot could not be listed again: The cloud says AccessDenied.",
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
      { outcome: "unverified", snapshot_id: "a", detail: expect.stringContaining("to create another snapshot") },
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

describe("passGate with a deployment_id that was used before", () => {
  const old = (changes: Partial<FoundSnapshot> = {}) =>
    snapshotCreatedFor(DISK_1, "a", { created: moment(-HOUR_MS - 1), ...changes });

  test("passGate refuses a deployment_id with an old snapshot, creates nothing, and writes a record for each target", async () => {
    const { error, asked, fixture } = await gate([old()], [DISK_1, DISK_2], { maxAgeMs: HOUR_MS });
    expect(error).toMatchObject({
      reason: "Conflict",
      message:
        'deployment_id: expected a deployment in progress, got "release-7"; its snapshot a is older than max_age_minutes. Use a new deployment_id, or raise max_age_minutes.',
    });
    expect(asked).toEqual(["listAll snapshot"]);
    expect(fixture.time.seconds()).toBe(0);
  });

  test("passGate refuses a deployment_id if one of its snapshots has no creation time or an impossible one", async () => {
    for (const created of [undefined, moment(16 * 60_000), instant(0), instant(Date.UTC(2014, 11, 31))]) {
      for (const changes of [{}, UNKNOWN]) {
        const { error, asked } = await gate([old({ created, ...changes })], [DISK_1], { maxAgeMs: Infinity });
        expect(error).toMatchObject({
          reason: "Conflict",
          message: expect.stringContaining("Use a new deployment_id."),
        });
        expect(asked).toEqual(["listAll snapshot"]);
      }
      const young = await gate([old({ created, ...CREATING })], [DISK_1], { maxAgeMs: Infinity });
      expect(young.short).toEqual(["a existing"]);
      const going = await gate([old({ created, ...DELETING })], [DISK_1], { maxAgeMs: Infinity });
      expect(going.short).toEqual(["made-1 accepted"]);
    }
  });

  test("passGate names the creation time of a refused snapshot and what to do", async () => {
    const message = async (created: Instant | undefined) => (await gate([old({ created })])).error?.message;
    expect(await message(undefined)).toBe(
      'deployment_id: expected a deployment in progress, got "release-7"; its snapshot a has no readable creation time, so its age is unknown. Use a new deployment_id. If new snapshots have no time either, set "wait_seconds" in the call that creates them.',
    );
    expect(await message(instant(0))).toContain("has the creation time 1970-01-01T00:00:00.000Z, so its age");
  });

  test("passGate trusts the age of a snapshot that it created, unless the list shows that it is older than an hour", async () => {
    const ends = async (created: Instant | undefined, maxAgeMs: number) => {
      const fixture = createFixture();
      becomes(fixture, 1, { ...AVAILABLE, created });
      return call(fixture, [DISK_1], { waitUntil: moment(5_000), maxAgeMs });
    };
    for (const created of [undefined, moment(DAY_MS), moment(-HOUR_MS + 5_000)]) {
      expect((await ends(created, 60_000)).short).toEqual(["made-1 available"]);
    }
    expect((await ends(moment(-HOUR_MS), 60_000)).error).toMatchObject({ reason: "Conflict" });
  });

  test("passGate refuses a deployment_id during the wait, after it has written a record for each target", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a", { ...CREATING, created: undefined }));
    fixture.cloud.always("listAll", () => {
      const found = fixture.cloud.of(snapshot).map((one) => (one.id === "a" ? { ...one, ...AVAILABLE } : one));
      if (fixture.time.seconds() >= 1) fixture.cloud.snapshots.set("snapshot", found);
    });
    const { error } = await call(fixture, [DISK_1, DISK_2], { waitUntil: moment(40_000) });
    expect(error).toMatchObject({ reason: "Conflict" });
    expect(fixture.outcomes()).toEqual(["a failed: Conflict", "made-1 accepted"]);
    expect(fixture.time.seconds()).toBe(2);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("passGate accepts a snapshot of exactly the maximum age and ignores the age of a failed snapshot", async () => {
    const { short } = await gate([old({ created: moment(-HOUR_MS) })], [DISK_1], { maxAgeMs: HOUR_MS });
    expect(short).toEqual(["a available"]);
    const again = await gate([old(FAILED)], [DISK_1], { maxAgeMs: HOUR_MS, retryFailed: true });
    expect(again.short).toEqual(["made-1 accepted"]);
  });
});

describe("passGate with groups", () => {
  const SERVER = targetFor(group, "server-1");
  const membersOf = (...disks: string[]) => disks.map((disk) => snapshotOf(`of-${disk}`, disk));
  /** Calls the gate for a group with the given members, of a server with the given disks. The group is an hour old by default. */
  async function whole(members: string[], disks: AttachedDisk[], options: Partial<GateOptions> = {}, since = -HOUR_MS) {
    const fixture = createFixture();
    fixture.cloud.disks.set("server-1", disks);
    fixture.cloud.add(
      group,
      snapshotCreatedFor(SERVER, "g", { created: moment(since), members: membersOf(...members) }),
    );
    return { ...(await call(fixture, [SERVER], options)), fixture };
  }
  const LONG_AGO = moment(-2 * HOUR_MS);

  test("passGate reports a group as available if it has a member for each disk of its server", async () => {
    const { short, fixture } = await whole(
      ["a", "b"],
      [{ id: "A", attachedAt: LONG_AGO }, { id: "b" }, { id: "c", attachedAt: moment(-HOUR_MS + 1) }],
    );
    expect(short).toEqual(["g available"]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot-group", "disksOf server-1"]);
  });

  test("passGate reports a group as failed if members are missing, and names the disks without a member", async () => {
    const { progress } = await whole(["b"], [{ id: "a", attachedAt: LONG_AGO }, { id: "b" }, { id: "c" }]);
    expect(progress).toMatchObject([
      {
        outcome: "failed",
        snapshot_id: "g",
        error: {
          reason: "SnapshotFailed",
          message:
            'Expected the snapshot-group g to become available; its status is "available", but the member for disk a is missing, the member for disk c is missing. Check server-1, then repeat the call with "retry_failed": true.',
        },
      },
    ]);
    expect((await whole(["b"], [{ id: "a" }], { retryFailed: true })).short).toEqual(["made-1 accepted"]);
  });

  test("passGate waits for a missing group member for 6 s after the group was created", async () => {
    const late = await whole(["a"], [{ id: "a" }, { id: "b" }], {}, -5_999);
    expect(late.progress).toMatchObject([
      { outcome: "existing", detail: expect.stringContaining("the member for disk b is missing") },
    ]);
    expect((await whole(["a"], [{ id: "a" }, { id: "b" }], {}, -6_000)).short).toEqual(["g failed"]);
  });

  test("passGate waits for a missing group member for 6 s after its own create if the cloud's clock is behind", async () => {
    const fixture = createFixture();
    fixture.cloud.disks.set("server-1", [{ id: "a" }, { id: "b" }]);
    becomes(fixture, 1, { ...AVAILABLE, created: moment(-60_000), members: membersOf("a") }, group);
    expect((await call(fixture, [SERVER], { waitUntil: moment(4_000) })).short).toEqual(["made-1 accepted"]);
    const longer = createFixture();
    longer.cloud.disks.set("server-1", [{ id: "a" }, { id: "b" }]);
    becomes(longer, 1, { ...AVAILABLE, created: moment(-60_000), members: membersOf("a") }, group);
    expect((await call(longer, [SERVER], { waitUntil: moment(20_000) })).short).toEqual(["made-1 failed"]);
    expect(longer.time.seconds()).toBe(6);
  });

  test("passGate does not report a group as available if no disk was attached when the group was created", async () => {
    for (const disks of [[], [{ id: "a", attachedAt: moment(-60_000) }]]) {
      const { progress } = await whole(["a"], disks);
      expect(progress).toMatchObject([{ outcome: "unverified", detail: expect.stringContaining("EVS lists no disk") }]);
    }
  });

  test("passGate compares a group of individual disks with the disks in the request and lists no disks of a server", async () => {
    const named: Target = { kind: group, resource: "a,b", options: { volume_ids: ["a", "B"] } };
    for (const [members, short] of [
      [["a", "b"], ["g available"]],
      [["a"], ["g failed"]],
    ] as const) {
      const found = snapshotCreatedFor(named, "g", {
        resource: undefined,
        members: membersOf(...members),
        created: moment(-HOUR_MS),
      });
      const done = await gate([found], [named], {}, group);
      expect(done.short).toEqual(short);
      expect(done.asked).toEqual(["listAll snapshot-group"]);
    }
  });

  test("passGate rejects if the disks of a group's server cannot be listed, and lists none while the group is being created", async () => {
    const fixture = createFixture();
    fixture.cloud.add(group, snapshotCreatedFor(SERVER, "g", { members: membersOf("a") }));
    fixture.cloud.at("disksOf", cloudError("AccessDenied"));
    expect((await call(fixture, [SERVER])).error).toMatchObject({ reason: "AccessDenied" });
    const young = await gate([snapshotCreatedFor(SERVER, "g", CREATING)], [SERVER], {}, group);
    expect(young.asked).toEqual(["listAll snapshot-group"]);
  });

  test("passGate lists the disks of a group's server again at the next poll after a failure", async () => {
    const fixture = createFixture();
    fixture.cloud.disks.set("server-1", [{ id: "a" }]);
    fixture.cloud.at("disksOf", cloudError("AccessDenied"));
    becomes(fixture, 1, { ...AVAILABLE, members: membersOf("a") }, group);
    expect((await call(fixture, [SERVER], { waitUntil: moment(20_000) })).short).toEqual(["made-1 available"]);
    expect(fixture.time.seconds()).toBe(4);
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
