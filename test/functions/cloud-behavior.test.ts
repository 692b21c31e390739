/** Tests behavior of the cloud that once made the functions create duplicates, delete too much or report wrong outcomes. */
import { describe, expect, test } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../functions/create-snapshot-group/handler.ts";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import { createRequestTrace } from "../support/attachments.ts";
import { apig, createTestEnvironment, timerEvent } from "../support/environment.ts";

describe("a list that shows a new snapshot 5 s late", () => {
  test("create-snapshot returns the existing snapshot for an Idempotency-Key that is repeated before a list shows the snapshot", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = 5_000;
    const event = apig({ snapshot: { volume_id: cloud.addVolume().id, name: "snap-001" } }, { "idempotency-key": "k" });
    const first = await invoke(createSnapshot, event);
    clock.advance(2_000);
    const second = await invoke(createSnapshot, event);
    expect(second.result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(JSON.parse(second.result.body).snapshot.id).toBe(JSON.parse(first.result.body).snapshot.id);
    const other = apig(
      { snapshot: { volume_id: JSON.parse(first.result.body).snapshot.volume_id } },
      { "idempotency-key": "k" },
    );
    expect((await invoke(createSnapshot, other)).result.statusCode).toBe(409);
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("create-snapshot remembers its snapshot after it has refused another request with the same key", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = 5_000;
    const disk = cloud.addVolume().id;
    const post = (name: string) =>
      invoke(createSnapshot, apig({ snapshot: { volume_id: disk, name } }, { "idempotency-key": "k" }));
    await post("one");
    clock.advance(1_000);
    expect((await post("two")).result.statusCode).toBe(409);
    clock.advance(1_000);
    expect((await post("one")).result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("create-snapshot creates another snapshot if no list shows the first one for more than 10 s", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const event = apig({ snapshot: { volume_id: cloud.addVolume().id } }, { "idempotency-key": "k" });
    const post = async () => (await invoke(createSnapshot, event)).result.headers["x-snapshot-outcome"];
    expect(await post()).toBe("accepted");
    // Another client deletes the snapshot at once.
    for (const { id } of cloud.snapshots()) cloud.removeSnapshot(id);
    for (let asked = 0; asked < 2; asked += 1) {
      clock.advance(4_500);
      expect(await post()).toBe("existing");
    }
    clock.advance(4_500);
    expect(await post()).toBe("accepted");
  });

  test("pre-deploy creates one snapshot for calls that follow each other every second", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = 5_000;
    const body = { deployment_id: "release-7", targets: [{ kind: "snapshot", volume_ids: [cloud.addVolume().id] }] };
    for (let second = 0; second < 5; second += 1) {
      expect((await invoke(preDeploy, apig(body))).result.statusCode).toBe(202);
      clock.advance(1_000);
    }
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("scheduled-snapshots creates no second snapshot for an event that is redelivered after 1.5 s", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = 5_000;
    const event = timerEvent({
      policy: "nightly",
      targets: [{ kind: "snapshot", volume_ids: [cloud.addVolume().id] }],
    });
    await invoke(scheduledSnapshots, event);
    clock.advance(1_500);
    expect((await invoke(scheduledSnapshots, event)).result.outcomes).toEqual({ existing: 1 });
    expect(cloud.snapshots()).toHaveLength(1);
  });
});

describe("lists of resources", () => {
  test("scheduled-snapshots finds a disk by its tag although other disks appear and disappear between the pages", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const tagged = cloud.addVolume({ tags: { backup: "daily" }, createdAt: "2020-01-01T00:00:00Z" });
    const others = Array.from({ length: 2_300 }, () => cloud.addVolume());
    let next = 0;
    cloud.fault(
      { operation: "evs.listVolumes" },
      {
        type: "mutatePage",
        mutate: () => {
          cloud.addVolume();
          const gone = others[next++];
          if (gone) cloud.removeVolume(gone.id);
        },
      },
    );
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    const { records, result } = await invoke(scheduledSnapshots, timerEvent(policy));
    expect(records[0].error).toBeUndefined();
    expect(result.outcomes).toEqual({ accepted: 1 });
    expect(cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).toEqual([tagged.id]);
  });

  test.each([
    ["dws.listClusters", "cluster-snapshot", { clusters: [], count: 3 }],
    ["ecs.listServers", "snapshot-group", { servers: [], count: 3 }],
    ["evs.listVolumes", "snapshot", { volumes: [], count: 3 }],
  ])(
    "scheduled-snapshots reports BadResponse if %s counts more rows than it returns",
    async (operation, kind, body) => {
      const { cloud, invoke } = await createTestEnvironment();
      cloud.fault({ operation }, { type: "answer", status: 200, body: JSON.stringify(body) });
      const policy = { policy: "nightly", targets: [{ kind, tags: { backup: "daily" } }] };
      const { error, records } = await invoke(scheduledSnapshots, timerEvent(policy));
      expect(error?.name).toBe("TargetsFailed");
      expect(records[0]).toMatchObject({ outcome: "failed", kind, error: { reason: "BadResponse" } });
    },
  );

  test("verify-snapshots and prune-snapshots fail if the endpoint has no API", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const body = JSON.stringify({ error_code: "APIGW.0101", error_msg: "The API does not exist." });
    cloud.fault({ method: "GET" }, { type: "answer", status: 404, body });
    for (const [factory, event] of [
      [verifySnapshots, {}],
      [pruneSnapshots, { policy: "nightly", retention: { keep_last: 1 } }],
    ] as const) {
      const { error, records } = await invoke(factory, timerEvent(event));
      expect(error?.reason).toBe("Unsupported");
      expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed", error: { code: "APIGW.0101" } });
    }
  });
});

describe("snapshots with unusual labels or statuses", () => {
  const labels = (key: string) => ({ "managed-by": "snapshot-functions", policy: "nightly", key, content: "00000000" });
  const key = deriveKey("schedule", "nightly", "0");

  test.each([true, null, 1, "yes"])("prune-snapshots keeps a snapshot with the label hold set to %j", async (hold) => {
    const { cloud, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume();
    const at = (createdAt: string, metadata: object) =>
      cloud.addSnapshot({ kind: "snapshot", volumeId: disk.id, status: "available", createdAt, metadata } as never);
    const held = at("2026-01-01T00:00:00Z", { ...labels(key), hold });
    at("2026-11-01T00:00:00Z", labels(deriveKey("schedule", "nightly", "1")));
    const { result } = await invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }));
    expect(result.outcomes).toEqual({ kept: 1, held: 1 });
    expect(cloud.snapshots().map(({ id }) => id)).toContain(held.id);
  });

  test("prune-snapshots does not accept a 404 page of a proxy as proof of a deletion", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume();
    for (const [month, one] of ["01", "02"].entries()) {
      const metadata = labels(deriveKey("schedule", "nightly", String(month)));
      const createdAt = `2026-${one}-01T00:00:00Z`;
      cloud.addSnapshot({ kind: "snapshot", volumeId: disk.id, status: "available", createdAt, metadata } as never);
    }
    cloud.fault({ method: "DELETE" }, { type: "answer", status: 404, body: "<html>not here</html>" });
    const { error, records } = await invoke(
      pruneSnapshots,
      timerEvent({ policy: "nightly", retention: { keep_last: 1 } }),
    );
    expect(error?.name).toBe("TargetsFailed");
    expect(records.map(({ outcome }) => outcome)).toEqual(["kept", "failed", "failed"]);
  });

  test("verify-snapshots reports a snapshot that fails after the lookback", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment({ creationMs: 26 * 3_600_000 });
    const disk = cloud.addVolume();
    cloud.endWith(disk.id, "error");
    await invoke(
      scheduledSnapshots,
      timerEvent({ policy: "nightly", targets: [{ kind: "snapshot", volume_ids: [disk.id] }] }),
    );
    clock.advance(26.5 * 3_600_000);
    const { records } = await invoke(verifySnapshots, timerEvent({}, new Date(clock.now()).toISOString()));
    expect(records[0]).toMatchObject({ action: "verify", outcome: "failed", error: { reason: "SnapshotFailed" } });
  });
});

describe("unusual input", () => {
  test("create-snapshot-group finds an existing group whose list entry names no server", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const disks = [cloud.addVolume().id, cloud.addVolume().id];
    const post = (ids: string[]) =>
      invoke(createSnapshotGroup, apig({ snapshot_group: { volume_ids: ids } }, { "idempotency-key": "k" }));
    await post(disks);
    clock.advance(60_000);
    expect((await post([...disks].reverse())).result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(cloud.snapshots("snapshot-group")).toHaveLength(1);
  });

  test("create-snapshot responds 400 to a body of 20,000 nested arrays", async () => {
    const { invoke, requests } = await createTestEnvironment();
    const { result, records } = await invoke(createSnapshot, apig(`{"x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`));
    expect(result.statusCode).toBe(400);
    expect(records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
    expect(requests()).toEqual([]);
  });

  test("create-snapshot removes the security token from a response that repeats it", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const snapshot = { id: "ffa9bc5e-1172-4021-acaf-cdcd78a9584d", description: cloud.credentials.securityToken };
    cloud.fault(
      { operation: "evs.createSnapshot" },
      { type: "answer", status: 202, body: JSON.stringify({ snapshot }) },
    );
    const { output } = await invoke(createSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }));
    expect(output).toContain(snapshot.id);
    expect(output).not.toContain(cloud.credentials.securityToken);
  });

  test("disk-attached writes a failed record and fails if it finds the disk attached after its time has run out", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const server = cloud.addServer();
    const disk = cloud.addVolume({ serverId: server.id });
    cloud.fault({ operation: "evs.showVolume" }, { type: "mutatePage", mutate: () => clock.advance(60_000) });
    const { error, records } = await invoke(diskAttached, createRequestTrace(server.id, disk.id));
    expect(error?.name).toBe("TargetsFailed");
    expect(records.map(({ action, outcome }) => [action, outcome])).toEqual([
      ["create", "failed"],
      ["run", "failed"],
    ]);
  });
});

test.each([
  ["scheduled-snapshots", scheduledSnapshots],
  ["disk-attached", diskAttached],
  ["verify-snapshots", verifySnapshots],
  ["prune-snapshots", pruneSnapshots],
] as const)("%s rejects an event of the API gateway", async (_name, factory) => {
  const { invoke, requests } = await createTestEnvironment();
  const { error, result, records } = await invoke(factory, apig({ policy: "nightly" }));
  expect(result).toBeUndefined();
  expect(error?.message).toMatch(/^Expected a.* got an event of the trigger "http"/);
  expect(records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
  expect(requests()).toEqual([]);
});

describe("existing snapshots that do not match the request", () => {
  test("create-snapshot-group responds 409 to a different request with the same Idempotency-Key and the same disks", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const ids = [cloud.addVolume().id, cloud.addVolume().id];
    const post = (name: string) =>
      invoke(createSnapshotGroup, apig({ snapshot_group: { volume_ids: ids, name } }, { "idempotency-key": "k" }));
    await post("before");
    clock.advance(60_000);
    expect((await post("after")).result.statusCode).toBe(409);
    expect((await post("before")).result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(cloud.snapshots("snapshot-group")).toHaveLength(1);
  });

  test("create-snapshot and pre-deploy report an existing snapshot in an unknown status as unverified and create no other one", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const [one, other] = [cloud.addVolume().id, cloud.addVolume().id];
    for (const disk of [one, other]) cloud.endWith(disk, "managing");
    const create = apig({ snapshot: { volume_id: one } }, { "idempotency-key": "k" });
    const gate = apig({ deployment_id: "release-7", targets: [{ kind: "snapshot", volume_ids: [other] }] });
    await invoke(createSnapshot, create);
    await invoke(preDeploy, gate);
    clock.advance(60_000);
    const created = await invoke(createSnapshot, create);
    expect(created.records[0]).toMatchObject({ outcome: "unverified", level: "warn" });
    expect(JSON.parse(created.result.body).snapshot.status).toBe("managing");
    const passed = await invoke(preDeploy, gate);
    expect(passed.result.statusCode).toBe(202);
    expect(passed.records[0]).toMatchObject({ outcome: "unverified", level: "warn" });
    expect(cloud.snapshots()).toHaveLength(2);
  });

  test("pre-deploy uses a free name for its third attempt after the first of two failed cluster snapshots was deleted", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment({ creationMs: 5_000 });
    const cluster = cloud.addCluster();
    for (const _ of [1, 2]) cloud.endWith(cluster.id, "error");
    const targets = [{ kind: "cluster-snapshot", cluster_ids: [cluster.id] }];
    const post = async () => {
      const { result } = await invoke(preDeploy, apig({ deployment_id: "r", targets, retry_failed: true }));
      clock.advance(60_000);
      return result;
    };
    await post();
    await post();
    const [first, second] = cloud.snapshots("cluster-snapshot");
    expect([first?.status, second?.status]).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
    cloud.removeSnapshot(first?.id ?? "");
    expect((await post()).statusCode).toBe(202);
    expect(JSON.parse((await post()).body).status).toBe("ready");
  });

  test("scheduled-snapshots creates the snapshot of a disk that a target names although the disks that its tags select cannot be listed", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume().id;
    const refusal = { error: { code: "EVS.5403", message: "no" } };
    cloud.fault({ operation: "evs.listVolumes" }, { type: "status", status: 403, body: refusal });
    const event = (more: object) =>
      timerEvent({ policy: "nightly", targets: [{ kind: "snapshot", volume_ids: [disk], tags: { a: "b" }, ...more }] });
    // The function cannot read the tags that could exclude the disk.
    const excluding = await invoke(scheduledSnapshots, event({ exclude_tags: { scratch: "*" } }));
    expect(JSON.parse(String(excluding.error?.message)).outcomes).toEqual({ failed: 1 });
    expect(cloud.snapshots()).toHaveLength(0);
    const { error } = await invoke(scheduledSnapshots, event({}));
    expect(JSON.parse(String(error?.message)).outcomes).toEqual({ accepted: 1, failed: 1 });
    expect(cloud.snapshots().map(({ volume_id }) => volume_id)).toEqual([disk]);
  });
});

describe("requests that are repeated after a moment", () => {
  test("create-snapshot waits until a list must show the snapshot of an ambiguous create before it sends another one", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = 5_000;
    cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "reset", after: true });
    const event = apig({ snapshot: { volume_id: cloud.addVolume().id } }, { "idempotency-key": "k" });
    const first = await invoke(createSnapshot, event, { remainingMs: 4_000 });
    expect(JSON.parse(first.result.body).error.reason).toBe("OutcomeUnknown");
    // The invocation has no time for a list, so the function sends no create.
    const second = await invoke(createSnapshot, event, { remainingMs: 2_000 });
    expect(JSON.parse(second.result.body).error.reason).toBe("OutcomeUnknown");
    const before = clock.now();
    const third = await invoke(createSnapshot, event);
    expect(third.result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(clock.now() - before).toBeLessThan(6_500);
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("scheduled-snapshots continues a partly failed run in the same instance without waiting for it", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const disks = Array.from({ length: 20 }, () => cloud.addVolume().id);
    const body = { error: { code: "EVS.5400", message: "no" } };
    cloud.fault({ operation: "evs.createSnapshot", nth: 11, times: 10 }, { type: "status", status: 400, body });
    const event = timerEvent({ policy: "nightly", targets: [{ kind: "snapshot", volume_ids: disks }] });
    const first = await invoke(scheduledSnapshots, event);
    expect(JSON.parse(String(first.error?.message)).outcomes).toEqual({ accepted: 10, failed: 10 });
    const before = clock.now();
    const second = await invoke(scheduledSnapshots, event);
    expect(second.result.outcomes).toEqual({ accepted: 10, existing: 10 });
    expect(clock.now() - before).toBeLessThan(1_000);
    expect(cloud.snapshots()).toHaveLength(20);
  });

  test.each([20, 900])(
    "scheduled-snapshots with a timeout of %i s continues a run that another instance left incomplete a minute ago",
    async (timeoutSeconds) => {
      const { cloud, clock, invoke, runtime } = await createTestEnvironment({ timeoutSeconds });
      const disks = Array.from({ length: 12 }, () => cloud.addVolume().id);
      const event = (volume_ids: string[]) =>
        timerEvent({ policy: "nightly", targets: [{ kind: "snapshot", volume_ids }] });
      await invoke(scheduledSnapshots, event(disks.slice(0, 3)));
      clock.advance(60_000);
      runtime.inFlight = new Map();
      const before = clock.now();
      const { result } = await invoke(scheduledSnapshots, event(disks));
      expect(result.outcomes).toEqual({ accepted: 9, existing: 3 });
      expect(clock.now() - before).toBeLessThan(1_000);
    },
  );

  test("scheduled-snapshots removes the security token from the ids of other invocations in its result", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    for (let disk = 0; disk < 3; disk += 1) cloud.addVolume({ tags: { backup: "daily" } });
    const token = String(cloud.credentials.securityToken);
    const body = JSON.stringify({ request_id: token });
    cloud.fault({ operation: "functiongraph.invokeAsync" }, { type: "answer", status: 202, body });
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    const { output } = await invoke(scheduledSnapshots, timerEvent(policy), { variables: { SHARD_SIZE: "1" } });
    expect(output).not.toContain(token);
  });
});
