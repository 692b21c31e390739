/** Tests how `make_room` deletes snapshots of a full disk before another one is created. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { requested } from "../support/attachments.ts";
import {
  apig,
  createTestEnvironment,
  type Json,
  START,
  type TestEnvironmentOptions,
  timerEvent,
} from "../support/environment.ts";

const DAY_MS = 86_400_000;
const now = Date.parse(START);

interface Changes {
  policy?: string;
  hold?: string;
  status?: string;
  description?: string;
  metadata?: Record<string, string>;
}

/** Adds a snapshot that a policy created this number of days ago, and returns its id. */
function addSnapshot(cloud: EmbeddedCloud, volumeId: string, days: number, changes: Changes = {}) {
  const { policy = "nightly", hold, ...more } = changes;
  return cloud.addSnapshot({
    kind: "snapshot",
    volumeId,
    name: `${policy}-${days}`,
    createdAt: now - days * DAY_MS,
    metadata: { ...marker(policy), ...(hold === undefined ? {} : { hold }) },
    ...more,
  }).id;
}

const marker = (policy: string) => ({
  "managed-by": "snapshot-functions",
  policy,
  key: randomUUID().replaceAll("-", ""),
  content: "01234567",
});

const nightly = (volumeId: string, changes = {}) => ({
  policy: "nightly",
  targets: [{ kind: "snapshot", volume_ids: [volumeId] }],
  retention: { keep_last: 3 },
  make_room: true,
  ...changes,
});

const idsOf = (cloud: EmbeddedCloud, volumeId: string) =>
  cloud
    .snapshots("snapshot")
    .filter(({ volume_id, status }) => volume_id === volumeId && status !== "deleting")
    .map(({ id }) => id);

const brief = ({ action, outcome, rule, snapshot_id, error }: Json) => ({
  action,
  outcome,
  ...(rule === undefined ? {} : { rule }),
  ...(snapshot_id === undefined ? {} : { snapshot_id }),
  ...(error === undefined ? {} : { reason: (error as { reason: string }).reason }),
});

describe("a disk with 7 snapshots, the maximum", () => {
  test("scheduled-snapshots with make_room prunes a full disk, waits for the deletions, and creates the next snapshot", async () => {
    const { cloud, clock, invoke, requests } = await createTestEnvironment({ deletionMs: 20_000 });
    const disk = cloud.addVolume({ tags: { backup: "daily" } });
    const old = Array.from({ length: 7 }, (_, index) => addSnapshot(cloud, disk.id, 7 - index));
    const { error, result, records } = await invoke(scheduledSnapshots, timerEvent(nightly(disk.id), START));
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ deleted: 4, accepted: 1 });
    const deleted = records.filter(({ action }) => action === "prune");
    expect(deleted.map(brief)).toEqual(
      [3, 2, 1, 0].map((index) => ({
        action: "prune",
        outcome: "deleted",
        rule: "kept by no rule",
        snapshot_id: old[index],
      })),
    );
    expect(deleted[0]).toMatchObject({ kind: "snapshot", resource_id: disk.id, policy: "nightly", name: "nightly-4" });
    expect(idsOf(cloud, disk.id)).toEqual([...old.slice(4), records.at(-2)?.snapshot_id]);
    // The function created the snapshot after the deletions, so the cloud refused no create.
    expect(cloud.count("evs.createSnapshot", 413)).toBe(0);
    expect(clock.now() - now).toBeGreaterThanOrEqual(20_000);
    expect(requests().filter((one) => one === "evs.createSnapshot")).toHaveLength(1);
  });

  test("scheduled-snapshots without make_room reports QuotaExceeded with advice and deletes nothing", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume();
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    const { error, records } = await invoke(
      scheduledSnapshots,
      timerEvent(nightly(disk.id, { make_room: false }), START),
    );
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ failed: 1 });
    expect(records[0]).toMatchObject({ outcome: "failed", error: { reason: "QuotaExceeded", code: "EVS.5413" } });
    expect(records[0]?.error.message).toContain("to keep fewer (see infra/README.md)");
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });

  test("scheduled-snapshots reports QuotaExceeded for a 400 on a full disk, and InvalidRequest for a 400 on another disk", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const [full, free] = [cloud.addVolume(), cloud.addVolume()];
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, full.id, days);
    const body = { error: { code: "EVS.5400", message: "Malformed request body." } };
    cloud.fault({ operation: "evs.createSnapshot" }, { type: "status", status: 400, body });
    const policy = nightly(full.id, {
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

  test("scheduled-snapshots reports QuotaExceeded with the reason and sends no create if no snapshot may be deleted", async () => {
    const cases = [
      ["the retention keeps them all", { retention: { keep_daily: 7 } }, {}, "at most 6 snapshots remain in total"],
      ["of another policy", {}, { policy: "weekly" }, "keeps 0 of them"],
      ["without a marker", {}, { metadata: {} }, "keeps 0 of them"],
      ["held", {}, { hold: "yes" }, "keeps 7 of them"],
      ["held by their descriptions", {}, { description: "hold: before the migration" }, "keeps 7 of them"],
    ] satisfies [string, object, Changes, string][];
    const { cloud, invoke } = await createTestEnvironment();
    for (const [name, changes, more, message] of cases) {
      const disk = cloud.addVolume();
      for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days, more);
      const before = cloud.count("evs.createSnapshot");
      const { records } = await invoke(scheduledSnapshots, timerEvent(nightly(disk.id, changes), START));
      expect(records.map(brief), name).toEqual([
        { action: "create", outcome: "failed", reason: "QuotaExceeded" },
        { action: "run", outcome: "failed" },
      ]);
      expect(records[0]?.error.message, name).toContain(message);
      expect(idsOf(cloud, disk.id), name).toHaveLength(7);
      expect(cloud.count("evs.createSnapshot"), name).toBe(before);
    }
  });

  test("scheduled-snapshots with make_room deletes duplicates and failed snapshots", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume();
    const key = marker("nightly");
    const older = cloud.addSnapshot({ kind: "snapshot", volumeId: disk.id, createdAt: now - DAY_MS, metadata: key });
    const duplicate = cloud.addSnapshot({
      kind: "snapshot",
      volumeId: disk.id,
      createdAt: now - DAY_MS + 500,
      metadata: key,
    });
    const failed = addSnapshot(cloud, disk.id, 3, { status: "error" });
    for (const days of [4, 5, 6]) addSnapshot(cloud, disk.id, days);
    cloud.addSnapshot({ kind: "snapshot", volumeId: disk.id, name: "by hand" });
    const policy = nightly(disk.id, { retention: { keep_last: 30 } });
    const { error, records } = await invoke(scheduledSnapshots, timerEvent(policy, START));
    expect(error).toBeUndefined();
    expect(records.filter(({ action }) => action === "prune").map(brief)).toEqual([
      { action: "prune", outcome: "deleted", rule: `twin of ${older.id}`, snapshot_id: duplicate.id },
      { action: "prune", outcome: "deleted", rule: "failed, and a newer good snapshot exists", snapshot_id: failed },
    ]);
    expect(idsOf(cloud, disk.id)).toHaveLength(6);
  });

  test.each([
    ["one failed snapshot of seven", ["available", "error"], [6, 1]],
    ["seven failed snapshots", ["error"], [7]],
  ])(
    "scheduled-snapshots deletes %s to make room if the retention keeps all others",
    async (_what, statuses, counts) => {
      const { cloud, invoke } = await createTestEnvironment();
      const disk = cloud.addVolume();
      const old = statuses.flatMap((status, index) =>
        Array.from({ length: counts[index] ?? 0 }, (_, days) => ({
          id: addSnapshot(cloud, disk.id, days + (status === "error" ? 0.5 : 1), { status }),
          status,
        })),
      );
      const policy = nightly(disk.id, { retention: { keep_last: 6 } });
      const { error, records } = await invoke(scheduledSnapshots, timerEvent(policy, START));
      expect(error).toBeUndefined();
      const deleted = records.filter(({ action }) => action === "prune");
      expect(deleted.map(({ snapshot_id, outcome, rule }) => [snapshot_id, outcome, rule])).toEqual(
        old
          .filter(({ status }) => status === "error")
          .map(({ id }) => [id, "deleted", "failed, and no room for a newer snapshot"]),
      );
      expect(records.at(-2)).toMatchObject({ action: "create", outcome: "accepted" });
    },
  );

  test("scheduled-snapshots with make_room waits for a deletion in progress instead of deleting another snapshot", async () => {
    const { cloud, invoke } = await createTestEnvironment({ deletionMs: 5_000 });
    const disk = cloud.addVolume();
    const old = Array.from({ length: 7 }, (_, index) => addSnapshot(cloud, disk.id, 7 - index));
    // An earlier delivery ends after its first deletion.
    await invoke(scheduledSnapshots, timerEvent(nightly(disk.id, { retention: { keep_last: 6 } }), START), {
      remainingMs: 3_500,
    });
    expect(idsOf(cloud, disk.id)).toEqual(old.slice(1));
    const { records } = await invoke(
      scheduledSnapshots,
      timerEvent(nightly(disk.id, { retention: { keep_last: 3 } }), START),
    );
    expect(records.map(brief)).toEqual([
      { action: "create", outcome: "accepted", snapshot_id: expect.any(String) },
      { action: "run", outcome: "done" },
    ]);
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });

  test("scheduled-snapshots reports DeadlineExceeded if deletions take too long, and the next delivery continues", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment({ deletionMs: 300_000, timeoutSeconds: 900 });
    const disk = cloud.addVolume();
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    const first = await invoke(scheduledSnapshots, timerEvent(nightly(disk.id), START));
    expect(first.records.map(brief).slice(-2)).toEqual([
      { action: "create", outcome: "failed", reason: "DeadlineExceeded" },
      { action: "run", outcome: "failed" },
    ]);
    expect(first.records.at(-2)?.error.message).toContain("4 of its 7 snapshots are being deleted");
    // The function reserves time for other disks.
    expect(clock.now() - now).toBeLessThanOrEqual(185_000);
    clock.advance(200_000);
    const second = await invoke(scheduledSnapshots, timerEvent(nightly(disk.id), START));
    expect(second.result.outcomes).toEqual({ accepted: 1 });
  });

  test("scheduled-snapshots with make_room does not wait for snapshots in the status error_deleting", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume();
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days, { status: "error_deleting" });
    const { records } = await invoke(scheduledSnapshots, timerEvent(nightly(disk.id), START));
    expect(records[0]).toMatchObject({ outcome: "failed", error: { reason: "QuotaExceeded" } });
    expect(clock.now()).toBe(now);
  });

  test("scheduled-snapshots with make_room sends no additional requests for disks that are not full", async () => {
    const count = async (make_room: boolean) => {
      const { cloud, invoke, requests } = await createTestEnvironment();
      const ids = Array.from({ length: 50 }, () => cloud.addVolume().id);
      for (const id of ids) addSnapshot(cloud, id, 1);
      const policy = { ...nightly("", { make_room }), targets: [{ kind: "snapshot", volume_ids: ids }] };
      const { result } = await invoke(scheduledSnapshots, timerEvent(policy, START));
      expect(result.outcomes).toEqual({ accepted: 50 });
      return requests().length;
    };
    expect(await count(true)).toBe(await count(false));
  });

  test("scheduled-snapshots sends the create if one of seven snapshots belongs to a backup and no other may be deleted", async () => {
    const { cloud, invoke } = await createTestEnvironment({ legacyPerVolume: 8 });
    const disk = cloud.addVolume();
    for (let days = 1; days <= 6; days += 1) addSnapshot(cloud, disk.id, days);
    cloud.addSnapshot({ kind: "snapshot", volumeId: disk.id, name: "autobk_snapshot_x" });
    const policy = nightly(disk.id, { retention: { keep_last: 30 } });
    const { result } = await invoke(scheduledSnapshots, timerEvent(policy, START));
    expect(result.outcomes).toEqual({ accepted: 1 });
  });

  test("scheduled-snapshots creates no second snapshot if another instance creates the snapshot while it waits for room", async () => {
    const id = randomUUID();
    const elsewhere = await createTestEnvironment();
    elsewhere.cloud.addVolume({ id });
    await elsewhere.invoke(scheduledSnapshots, timerEvent(nightly(id), START));
    const metadata = elsewhere.cloud.snapshots("snapshot")[0]?.metadata ?? {};

    const { cloud, invoke } = await createTestEnvironment({ deletionMs: 10_000 });
    const disk = cloud.addVolume({ id });
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    let other: string | undefined;
    const mutate = (its: EmbeddedCloud) => {
      other = its.addSnapshot({ kind: "snapshot", volumeId: id, metadata }).id;
    };
    cloud.fault({ operation: "evs.listSnapshots", nth: 4 }, { type: "mutatePage", mutate });
    const { records } = await invoke(scheduledSnapshots, timerEvent(nightly(disk.id), START));
    expect(other).toBeDefined();
    expect(brief(records.at(-2))).toEqual({ action: "create", outcome: "existing", snapshot_id: other });
    expect(cloud.count("evs.createSnapshot")).toBe(0);
  });

  test.each([
    ["no retention", undefined, "got none"],
    ["a retention that keeps nothing", { keep_last: 0, min_keep: 1 }, 'got {"keep_last":0,"min_keep":1}'],
  ])(
    "scheduled-snapshots rejects make_room with %s even if no disk is full, in a run and in a dry run",
    async (_what, retention, got) => {
      const { cloud, invoke, requests } = await createTestEnvironment();
      const disk = cloud.addVolume();
      for (const dry_run of [false, true]) {
        const policy = nightly(disk.id, { retention, dry_run });
        const { error, records } = await invoke(scheduledSnapshots, timerEvent(policy, START));
        expect(error).toMatchObject({ reason: "InvalidRequest" });
        expect(error?.message).toMatch(/^make_room: expected a retention with at least one keep_ rule/);
        expect(error?.message).toContain(got);
        expect(records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
      }
      expect(requests()).toEqual([]);
      // Without make_room the policy needs no retention.
      const { result } = await invoke(
        scheduledSnapshots,
        timerEvent(nightly(disk.id, { retention, make_room: false }), START),
      );
      expect(result.outcomes).toEqual({ accepted: 1 });
    },
  );

  test("scheduled-snapshots with make_room and dry_run deletes nothing", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume();
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    const { records } = await invoke(scheduledSnapshots, timerEvent(nightly(disk.id, { dry_run: true }), START));
    expect(records.map(({ outcome }) => outcome)).toEqual(["planned", "done"]);
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });
});

describe("a busy snapshot whose deletion would make room", () => {
  const BUSY = {
    type: "status",
    status: 400,
    body: { error: { code: "EVS.1047", message: "snapshot status must be available or error when delete snapshot!" } },
  } as const;

  /** Creates a test environment that runs `change` after the cloud has refused the first deletion. */
  async function createBusyEnvironment(options: TestEnvironmentOptions, change: (cloud: EmbeddedCloud) => void) {
    const environment = await createTestEnvironment({
      ...options,
      variables: { MAX_CONCURRENCY: "1", ...options?.variables },
    });
    const { cloud, runtime } = environment;
    cloud.fault({ operation: "evs.deleteSnapshot", nth: 1 }, BUSY);
    const { transport } = runtime;
    let deletions = 0;
    runtime.transport = async (request) => {
      const answer = await transport(request);
      if (request.method === "DELETE" && ++deletions === 1) change(cloud);
      return answer;
    };
    return environment;
  }

  /** Changes a snapshot. */
  function change(cloud: EmbeddedCloud, id: string, changes: Changes, days: number) {
    const volumeId = cloud.snapshots("snapshot").find((one) => one.id === id)?.volume_id ?? "";
    cloud.removeSnapshot(id);
    const { hold, policy = "nightly", ...more } = changes;
    const metadata = { ...marker(policy), ...(hold === undefined ? {} : { hold }) };
    cloud.addSnapshot({ kind: "snapshot", id, volumeId, createdAt: now - days * DAY_MS, metadata, ...more });
  }

  test("scheduled-snapshots with make_room keeps the last good snapshot of a disk if the snapshot that its plan kept fails", async () => {
    let old: string[] = [];
    const { cloud, invoke } = await createBusyEnvironment({ timeoutSeconds: 900 }, (its) =>
      change(its, old[6] ?? "", { status: "error" }, 1),
    );
    const disk = cloud.addVolume();
    old = Array.from({ length: 7 }, (_, index) => addSnapshot(cloud, disk.id, 7 - index));
    const { error, records } = await invoke(
      scheduledSnapshots,
      timerEvent(nightly(disk.id, { retention: { keep_last: 1 } }), START),
    );
    expect(error).toBeUndefined();
    expect(records.find(({ snapshot_id }) => snapshot_id === old[5])).toMatchObject({
      action: "prune",
      outcome: "kept",
      rule: "keep_last",
      detail: expect.stringMatching(/^The plan changed/),
    });
    expect(idsOf(cloud, disk.id)).toEqual(expect.arrayContaining([old[6], old[5]]));
    expect(idsOf(cloud, disk.id)).toHaveLength(3);
    expect(records.at(-2)).toMatchObject({ action: "create", outcome: "accepted" });
  });

  test.each([
    ["held", { hold: "yes" }],
    ["owned by another policy", { policy: "weekly" }],
    ["no longer marked", { metadata: {} }],
    ["being rolled back", { status: "rollbacking" }],
  ])("scheduled-snapshots deletes no snapshot that is %s in the next list", async (_what, changes) => {
    let old: string[] = [];
    const { cloud, invoke } = await createBusyEnvironment({ timeoutSeconds: 900 }, (its) => {
      for (const [index, days] of [7, 6, 5, 4].entries()) change(its, old[index] ?? "", changes, days);
    });
    const disk = cloud.addVolume();
    old = Array.from({ length: 7 }, (_, index) => addSnapshot(cloud, disk.id, 7 - index));
    const { records } = await invoke(scheduledSnapshots, timerEvent(nightly(disk.id), START));
    expect(idsOf(cloud, disk.id).sort()).toEqual([...old].sort());
    expect(cloud.count("evs.deleteSnapshot")).toBe(1);
    const pruned = records.filter(({ action }) => action === "prune");
    expect(pruned.map(({ snapshot_id }) => snapshot_id).sort()).toEqual(old.slice(0, 4).sort());
    for (const { outcome } of pruned) expect(["held", "kept"]).toContain(outcome);
    expect(records.at(-2)).toMatchObject({ action: "create", outcome: "failed", error: { reason: "QuotaExceeded" } });
  });

  test("pre-deploy and disk-attached make a new plan from a new list of the disk after a busy deletion", async () => {
    let kept = "";
    const variables = { DISK_ATTACHED_RETENTION: '{"keep_last":1}' };
    const { cloud, invoke } = await createBusyEnvironment({ timeoutSeconds: 300, variables }, (its) =>
      change(its, kept, { status: "error", policy: "disk-attached" }, 1),
    );
    const server = cloud.addServer();
    const disk = cloud.addVolume({ serverId: server.id, attachedAt: now });
    const old = [7, 6, 5, 4, 3, 2, 1].map((days) => addSnapshot(cloud, disk.id, days, { policy: "disk-attached" }));
    kept = old[6] ?? "";
    const { error, records } = await invoke(diskAttached, requested(server.id, disk.id));
    expect(error).toBeUndefined();
    expect(records.find(({ snapshot_id }) => snapshot_id === old[5])).toMatchObject({
      outcome: "kept",
      rule: "keep_last",
    });
    expect(idsOf(cloud, disk.id)).toEqual(expect.arrayContaining([old[6], old[5]]));

    let newest = "";
    const gate = await createBusyEnvironment({ timeoutSeconds: 60 }, (its) =>
      change(its, newest, { status: "error", policy: "pre-deploy" }, 1),
    );
    const other = gate.cloud.addVolume();
    const its = [7, 6, 5, 4, 3, 2, 1].map((days) => addSnapshot(gate.cloud, other.id, days, { policy: "pre-deploy" }));
    newest = its[6] ?? "";
    const body = {
      deployment_id: "release-42",
      targets: [{ kind: "snapshot", volume_ids: [other.id] }],
      make_room: true,
      retention: { keep_last: 1 },
      wait_seconds: 50,
    };
    const answer = await gate.invoke(preDeploy, apig(body));
    expect(JSON.parse(answer.result.body).status).toBe("ready");
    expect(idsOf(gate.cloud, other.id)).toEqual(expect.arrayContaining([its[6], its[5]]));
  });
});

describe("pre-deploy for a disk with 7 snapshots", () => {
  const body = (volumeId: string, changes = {}) => ({
    deployment_id: "release-42",
    targets: [{ kind: "snapshot", volume_ids: [volumeId] }],
    make_room: true,
    retention: { keep_last: 2 },
    ...changes,
  });
  const answer = (result: { statusCode: number; body: string }) => ({
    status: result.statusCode,
    ...JSON.parse(result.body),
  });

  test("pre-deploy with make_room deletes snapshots by its own retention, and the repeated call continues until it is ready", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment({ deletionMs: 4_000 });
    const disk = cloud.addVolume();
    for (let days = 1; days <= 4; days += 1) addSnapshot(cloud, disk.id, days, { policy: "pre-deploy" });
    for (let days = 1; days <= 3; days += 1) addSnapshot(cloud, disk.id, days, { policy: "nightly" });
    const first = await invoke(preDeploy, apig(body(disk.id)));
    expect(answer(first.result)).toMatchObject({
      status: "pending",
      snapshots: [{ outcome: "deferred", error: { reason: "DeadlineExceeded" } }],
    });
    expect(first.records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      "prune deleted",
      "prune deleted",
      "create deferred",
      "run done",
    ]);
    clock.advance(5_000);
    const second = await invoke(preDeploy, apig(body(disk.id, { wait_seconds: 20 })));
    expect(answer(second.result)).toMatchObject({ status: "ready" });
    const left = cloud.snapshots("snapshot").map(({ metadata }) => metadata?.policy);
    expect(left.sort()).toEqual(["nightly", "nightly", "nightly", "pre-deploy", "pre-deploy", "pre-deploy"]);
  });

  test("pre-deploy responds 400 to make_room with another policy, because it does not know what that policy holds", async () => {
    const { cloud, invoke, requests } = await createTestEnvironment();
    const disk = cloud.addVolume();
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    const { result, records } = await invoke(preDeploy, apig(body(disk.id, { policy: "nightly" })));
    expect(answer(result)).toMatchObject({ status: 400, error: { reason: "InvalidRequest" } });
    expect(answer(result).error.message).toMatch(/^make_room: expected the policy pre-deploy, got "nightly": /);
    expect(records[0]).toMatchObject({ action: "create", outcome: "rejected", policy: "nightly" });
    expect(requests()).toEqual([]);
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
    // The policy pre-deploy itself is allowed.
    const own = await invoke(preDeploy, apig(body(cloud.addVolume().id, { policy: "pre-deploy" })));
    expect(own.result.statusCode).toBe(202);
  });

  test("pre-deploy responds 400 with advice to make_room without a retention, even if the disk is not full", async () => {
    const { cloud, invoke, requests } = await createTestEnvironment();
    const disk = cloud.addVolume();
    const { result } = await invoke(preDeploy, apig(body(disk.id, { retention: undefined })));
    expect(answer(result)).toMatchObject({ status: 400, error: { reason: "InvalidRequest" } });
    expect(answer(result).error.message).toMatch(
      /^make_room: expected a retention with at least one keep_ rule.* omit make_room\.$/,
    );
    expect(requests()).toEqual([]);
  });
});

describe("disk-attached for a disk with 7 snapshots", () => {
  const createAttachedFixture = async (DISK_ATTACHED_RETENTION?: string, more: Record<string, string> = {}) => {
    const environment = await createTestEnvironment({ variables: { DISK_ATTACHED_RETENTION, ...more } });
    const { cloud, invoke } = environment;
    const server = cloud.addServer();
    const disk = cloud.addVolume({ serverId: server.id, attachedAt: now });
    const earlier = [6, 5, 4, 3, 2, 1].map((days) => addSnapshot(cloud, disk.id, days, { policy: "disk-attached" }));
    const foreign = addSnapshot(cloud, disk.id, 9, { policy: "nightly" });
    return {
      ...environment,
      disk,
      earlier,
      foreign,
      deliver: () => invoke(diskAttached, requested(server.id, disk.id)),
    };
  };

  test("disk-attached deletes snapshots of earlier attachments by DISK_ATTACHED_RETENTION and creates one snapshot", async () => {
    const { cloud, deliver, disk, earlier, foreign } = await createAttachedFixture('{"keep_last":2}');
    const { error, records, result } = await deliver();
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ deleted: 4, accepted: 1 });
    const deleted = records.filter(({ action }) => action === "prune");
    expect(deleted.map(({ snapshot_id }) => snapshot_id).sort()).toEqual(earlier.slice(0, 4).sort());
    for (const one of deleted) expect(one).toMatchObject({ policy: "disk-attached", resource_id: disk.id });
    const made = records.find(({ action }) => action === "create")?.snapshot_id;
    // The function keeps the snapshot of another policy.
    expect(idsOf(cloud, disk.id)).toEqual([foreign, ...earlier.slice(4), made]);

    const again = await deliver();
    expect(again.result.outcomes).toEqual({ existing: 1 });
    expect(idsOf(cloud, disk.id)).toHaveLength(4);
  });

  test("disk-attached without DISK_ATTACHED_RETENTION reports QuotaExceeded with advice and deletes nothing", async () => {
    const { cloud, deliver, disk } = await createAttachedFixture();
    const { records } = await deliver();
    expect(records[0]).toMatchObject({ action: "create", outcome: "failed", error: { reason: "QuotaExceeded" } });
    expect(records[0].error.message).toContain("to keep fewer (see infra/README.md)");
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });

  test("disk-attached reports QuotaExceeded if DISK_ATTACHED_RETENTION keeps every snapshot", async () => {
    const { cloud, deliver, disk } = await createAttachedFixture('{"keep_last":6}');
    const { records } = await deliver();
    expect(records[0]).toMatchObject({ action: "create", outcome: "failed", error: { reason: "QuotaExceeded" } });
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });

  test.each([
    [
      "text that is not JSON",
      "keep_last=3",
      /^DISK_ATTACHED_RETENTION: expected the retention .*"keep_last":3.*, got "keep_last=3"\.$/,
    ],
    [
      "a number",
      "3",
      /^DISK_ATTACHED_RETENTION: expected an object, got the number 3\. Expected the retention .*"keep_last":3/,
    ],
    ["an unknown rule", '{"keep_dialy":7}', /^DISK_ATTACHED_RETENTION\.keep_dialy: unknown field. Allowed:/],
    ["a rule that is a string", '{"keep_last":"3"}', /^DISK_ATTACHED_RETENTION\.keep_last: expected an integer/],
    ["an object without rules", "{}", /with at least one rule above 0, got "\{\}"\.$/],
    ["only min_keep", '{"keep_last":0,"min_keep":1}', /with at least one rule above 0/],
  ])(
    "disk-attached reports Misconfigured before its first call if DISK_ATTACHED_RETENTION is %s",
    async (_what, value, message) => {
      const { deliver, requests } = await createAttachedFixture(value);
      const { error, records } = await deliver();
      expect(error).toMatchObject({ reason: "Misconfigured", message: expect.stringMatching(message) });
      expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed", policy: "disk-attached" });
      expect(requests()).toEqual([]);
    },
  );

  test("disk-attached creates a standard snapshot without deleting legacy snapshots of a full disk", async () => {
    const { cloud, deliver, disk } = await createAttachedFixture('{"keep_last":2}', {
      DISK_ATTACHED_KIND: "standard-snapshot",
    });
    const { result } = await deliver();
    expect(result.outcomes).toEqual({ accepted: 1 });
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });
});
