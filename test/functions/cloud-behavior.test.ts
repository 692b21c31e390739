/** Tests that unusual behavior of Huawei Cloud causes no duplicate snapshots, wrong deletions or wrong outcomes. */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import { createRequestTrace } from "../support/attachments.ts";
import { createFixture, GROUP, SNAPSHOT } from "../support/creates.ts";
import { apig, createTestEnvironment, nightly, outcomeHeader, outcomes, timerEvent } from "../support/environment.ts";

const TAGS = { backup: "daily" };

describe("list responses about resources", () => {
  test("scheduled-snapshots finds the only tagged disk of 2,301 disks although disks are created and deleted between the list pages", async () => {
    const { addDisks, cloud, invoke } = await createTestEnvironment();
    const tagged = cloud.addVolume({ tags: TAGS, createdAt: "2020-01-01T00:00:00Z" });
    const others = addDisks(2_300);
    const mutate = () => {
      cloud.addVolume();
      const next = others.shift();
      if (next) cloud.removeVolume(next);
    };
    cloud.fault({ operation: "evs.listVolumes" }, { type: "mutatePage", mutate });
    const { records, result } = await invoke(scheduledSnapshots, nightly({ tags: TAGS }));
    expect(records[0].error).toBeUndefined();
    expect(result.outcomes).toEqual({ accepted: 1 });
    expect(cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).toEqual([tagged.id]);
  });

  test.each([
    ["dws.listClusters", "cluster-snapshot", { clusters: [], count: 3 }],
    ["ecs.listServers", "snapshot-group", { servers: [], count: 3 }],
    ["evs.listVolumes", "snapshot", { volumes: [], count: 3 }],
  ])(
    'scheduled-snapshots fails with BadResponse if the %s response has the value 3 in the field "count" but lists no resource',
    async (operation, kind, body) => {
      const { cloud, invoke } = await createTestEnvironment();
      cloud.fault({ operation }, { type: "answer", status: 200, body: JSON.stringify(body) });
      const { error, records } = await invoke(scheduledSnapshots, nightly({ kind, tags: TAGS }));
      expect(error?.name).toBe("TargetsFailed");
      expect(records[0]).toMatchObject({ outcome: "failed", kind, error: { reason: "BadResponse" } });
    },
  );

  test("verify-snapshots and prune-snapshots fail with Unsupported if the API gateway responds that the API does not exist", async () => {
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

  test("scheduled-snapshots still creates the snapshot of a disk in volume_ids if the request that lists the disks fails, unless the target has exclude_tags", async () => {
    const { addDisks, cloud, invoke } = await createTestEnvironment();
    const volume_ids = addDisks(1);
    const body = { error: { code: "EVS.5403", message: "no" } };
    cloud.fault({ operation: "evs.listVolumes" }, { type: "status", status: 403, body });
    const outcomesFor = async (fields: object) => {
      const { error } = await invoke(scheduledSnapshots, nightly({ volume_ids, tags: { a: "b" }, ...fields }));
      return JSON.parse(String(error?.message)).outcomes;
    };
    // The list request fails, so the function does not know whether a tag excludes the disk. One record is about the disk, and one
    // about the resources that the tags select.
    expect(await outcomesFor({ exclude_tags: { scratch: "*" } })).toEqual({ failed: 2 });
    expect(cloud.snapshots()).toHaveLength(0);
    expect(await outcomesFor({})).toEqual({ accepted: 1, failed: 1 });
    expect(cloud.snapshots().map(({ volume_id }) => volume_id)).toEqual(volume_ids);
  });
});

describe("prune-snapshots", () => {
  /** Adds an available snapshot that the policy `nightly` created on the first day of this month in 2026. */
  const addSnapshot = (cloud: EmbeddedCloud, volumeId: string | undefined, month: string, labels: object = {}) => {
    const key = deriveKey("schedule", "nightly", month);
    const metadata = { "managed-by": "snapshot-functions", policy: "nightly", key, content: "00000000", ...labels };
    const createdAt = `2026-${month}-01T00:00:00Z`;
    return cloud.addSnapshot({ kind: "snapshot", volumeId, status: "available", createdAt, metadata } as never).id;
  };
  const event = timerEvent({ policy: "nightly", retention: { keep_last: 1 } });

  test.each([true, null, 1, "yes"])(
    'prune-snapshots keeps a snapshot whose label "hold" has the value %j',
    async (hold) => {
      const { addDisks, cloud, invoke } = await createTestEnvironment();
      const [disk] = addDisks(1);
      const held = addSnapshot(cloud, disk, "01", { hold });
      addSnapshot(cloud, disk, "11");
      expect((await invoke(pruneSnapshots, event)).result.outcomes).toEqual({ kept: 1, held: 1 });
      expect(cloud.snapshots().map(({ id }) => id)).toContain(held);
    },
  );

  test("prune-snapshots reports the deletion of a snapshot as failed if a proxy responds 404 with an HTML page to the delete request", async () => {
    const { addDisks, cloud, invoke } = await createTestEnvironment();
    const [disk] = addDisks(1);
    for (const month of ["01", "02"]) addSnapshot(cloud, disk, month);
    cloud.fault({ method: "DELETE" }, { type: "answer", status: 404, body: "<html>not here</html>" });
    const { error, records } = await invoke(pruneSnapshots, event);
    expect(error?.name).toBe("TargetsFailed");
    expect(records.map(({ outcome }) => outcome)).toEqual(["kept", "failed", "failed"]);
  });
});

test("verify-snapshots reports a snapshot that failed 30 minutes ago, although the snapshot was requested 26.5 hours ago and lookback_minutes is 24 hours", async () => {
  const { addDisks, cloud, clock, invoke } = await createTestEnvironment({ creationMs: 26 * 3_600_000 });
  const volume_ids = addDisks(1);
  cloud.endWith(volume_ids[0] ?? "", "error");
  await invoke(scheduledSnapshots, nightly({ volume_ids }));
  clock.advance(26.5 * 3_600_000);
  const { records } = await invoke(verifySnapshots, timerEvent({}, new Date(clock.now()).toISOString()));
  expect(records[0]).toMatchObject({ action: "verify", outcome: "failed", error: { reason: "SnapshotFailed" } });
});

test("disk-attached fails and writes a failed record for the disk if EVS responds only after the deadline", async () => {
  const { addDisks, cloud, clock, invoke } = await createTestEnvironment();
  const server = cloud.addServer();
  const [disk = ""] = addDisks(1, { serverId: server.id });
  cloud.fault({ operation: "evs.showVolume" }, { type: "mutatePage", mutate: () => clock.advance(60_000) });
  const invoked = await invoke(diskAttached, createRequestTrace(server.id, disk));
  expect(invoked.error?.name).toBe("TargetsFailed");
  expect(outcomes(invoked)).toEqual(["create failed", "run failed"]);
});

describe("the security token in a response", () => {
  test("create-snapshot removes the security token from its output if the create response of EVS contains the token", async () => {
    const fixture = await createFixture(SNAPSHOT);
    const { securityToken } = fixture.cloud.credentials;
    const snapshot = { id: "ffa9bc5e-1172-4021-acaf-cdcd78a9584d", description: securityToken };
    fixture.failCreate({ type: "answer", status: 202, body: JSON.stringify({ snapshot }) });
    const { output } = await fixture.post();
    expect(output).toContain(snapshot.id);
    expect(output).not.toContain(securityToken);
  });

  test("scheduled-snapshots removes the security token from its output if FunctionGraph returns the token instead of a request id", async () => {
    const { addDisks, cloud, invoke } = await createTestEnvironment({ variables: { SHARD_SIZE: "1" } });
    addDisks(3, { tags: TAGS });
    const token = String(cloud.credentials.securityToken);
    const body = JSON.stringify({ request_id: token });
    cloud.fault({ operation: "functiongraph.invokeAsync" }, { type: "answer", status: 202, body });
    const { output } = await invoke(scheduledSnapshots, nightly({ tags: TAGS }));
    expect(output).not.toContain(token);
  });
});

test("create-snapshot responds 400 to a body of 20,000 nested arrays", async () => {
  const fixture = await createFixture(SNAPSHOT);
  const response = await fixture.http(apig(`{"x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`));
  expect(response.result.statusCode).toBe(400);
  expect(outcomes(response)).toEqual(["create rejected", "run failed"]);
  expect(fixture.requests()).toEqual([]);
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

describe("create-snapshot-group requests with disks but without a server", () => {
  test("create-snapshot-group returns the existing group for a repeated Idempotency-Key if the group contains disks without a server", async () => {
    const fixture = await createFixture(GROUP);
    const disks = fixture.addDisks(2);
    await fixture.postWithKey({ server_id: undefined, volume_ids: disks });
    fixture.clock.advance(60_000);
    const response = await fixture.postWithKey({ server_id: undefined, volume_ids: disks.toReversed() });
    expect(outcomeHeader(response)).toBe("existing");
    expect(fixture.snapshots()).toHaveLength(1);
  });

  test("create-snapshot-group responds 409 if a request repeats an Idempotency-Key with the same disks but a different name", async () => {
    const fixture = await createFixture(GROUP);
    const volume_ids = fixture.addDisks(2);
    const post = (name: string) => fixture.postWithKey({ server_id: undefined, volume_ids, name });
    await post("before");
    fixture.clock.advance(60_000);
    expect((await post("after")).result.statusCode).toBe(409);
    expect(outcomeHeader(await post("before"))).toBe("existing");
    expect(fixture.snapshots()).toHaveLength(1);
  });
});

describe("existing snapshots that are not usable", () => {
  test("create-snapshot and pre-deploy report an existing snapshot in an unknown status as unverified and create no second snapshot", async () => {
    const fixture = await createFixture(SNAPSHOT);
    const [gateDisk = ""] = fixture.addDisks(1);
    for (const disk of [fixture.resourceId, gateDisk]) fixture.cloud.endWith(disk, "managing");
    const gateRequest = { deployment_id: "release-7", targets: [{ kind: "snapshot", volume_ids: [gateDisk] }] };
    await fixture.postWithKey();
    await fixture.invoke(preDeploy, apig(gateRequest));
    fixture.clock.advance(60_000);
    const created = await fixture.postWithKey();
    expect(created.records[0]).toMatchObject({ outcome: "unverified", level: "warn" });
    expect(JSON.parse(created.result.body).snapshot.status).toBe("managing");
    const gate = await fixture.invoke(preDeploy, apig(gateRequest));
    expect(gate.result.statusCode).toBe(202);
    expect(gate.records[0]).toMatchObject({ outcome: "unverified", level: "warn" });
    expect(fixture.snapshots()).toHaveLength(2);
  });

  test("pre-deploy creates a third cluster snapshot with an unused name if the first failed snapshot was deleted and the second failed snapshot still exists", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment({ creationMs: 5_000 });
    const cluster = cloud.addCluster();
    for (const _ of [1, 2]) cloud.endWith(cluster.id, "error");
    const targets = [{ kind: "cluster-snapshot", cluster_ids: [cluster.id] }];
    const callGate = async () => {
      const { result } = await invoke(preDeploy, apig({ deployment_id: "r", targets, retry_failed: true }));
      clock.advance(60_000);
      return result;
    };
    await callGate();
    await callGate();
    const [first, second] = cloud.snapshots("cluster-snapshot");
    expect([first?.status, second?.status]).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
    cloud.removeSnapshot(first?.id ?? "");
    expect((await callGate()).statusCode).toBe(202);
    expect(JSON.parse((await callGate()).body).status).toBe("ready");
  });
});
