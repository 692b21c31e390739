import { expect, test } from "vitest";
import { createRouter } from "../../../../infra/local/cloud/gateway/routes.ts";
import { ScaledClock, StoppedClock, startCloud } from "../../../../infra/local/cloud/index.ts";
import { caller } from "../../../support/cloud-client.ts";
import { startTestCloud } from "../../../support/cloud-environment.ts";

test("`addSnapshot` adds a snapshot of any kind with the given fields and status to the embedded cloud, and `removeSnapshot` removes it", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const server = cloud.addServer();
  const volume = cloud.addVolume({ serverId: server.id });
  const cluster = cloud.addCluster();
  const createdAt = "2026-10-01T00:00:00Z";
  const legacy = cloud.addSnapshot({
    kind: "snapshot",
    volumeId: volume.id,
    name: "n",
    metadata: { a: "b" },
    createdAt,
  });
  expect(legacy).toMatchObject({ status: "available", metadata: { a: "b" }, created_at: "2026-10-01T00:00:00.000000" });
  const stuck = cloud.addSnapshot({ kind: "snapshot", volumeId: volume.id, status: "creating", createdAt });
  const standard = cloud.addSnapshot({
    kind: "standard-snapshot",
    volumeId: volume.id,
    tags: { hold: "x" },
    status: "error",
    description: "hold",
  });
  expect(standard).toMatchObject({ status: "error", tags: { hold: "x" }, description: "hold" });
  const group = cloud.addSnapshot({ kind: "snapshot-group", serverId: server.id, tags: { a: "b" }, createdAt });
  expect(group).toMatchObject({ status: "avaialble", volume_ids: [volume.id], server_id: server.id });
  const joined = cloud.addSnapshot({ kind: "standard-snapshot", volumeId: volume.id, groupId: group.id });
  expect(cloud.snapshots("snapshot-group")[0]?.member_ids).toEqual([expect.any(String), joined.id]);
  const auto = cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: cluster.id, type: "AUTO", createdAt });
  expect(auto).toMatchObject({ status: "AVAILABLE", type: "AUTO", started: createdAt });
  clock.advance(1_000_000_000);
  expect((await call("GET", `/v2/{p}/cloudsnapshots/${stuck.id}`)).json.snapshot.status).toBe("creating");
  expect(cloud.snapshots()).toHaveLength(7);
  cloud.removeSnapshot(legacy.id);
  expect(cloud.snapshots("snapshot").map(({ id }) => id)).toEqual([stuck.id]);
});

test("`setSnapshotStatus` of the embedded cloud changes the status of a snapshot and cancels its pending status changes", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const server = cloud.addServer();
  const volumeId = cloud.addVolume({ serverId: server.id }).id;
  const created = await call("POST", "/v2/{p}/cloudsnapshots", { snapshot: { volume_id: volumeId, force: true } });
  const { id } = created.json.snapshot;
  const shown = async () => (await call("GET", `/v2/{p}/cloudsnapshots/${id}`)).json.snapshot;
  cloud.setSnapshotStatus(id, "error");
  clock.advance(60_000);
  expect(await shown()).toMatchObject({ status: "error", updated_at: "2026-11-21T02:00:00.000000" });
  cloud.setSnapshotStatus(id, "creating");
  clock.advance(60_000);
  expect((await shown()).status).toBe("creating");
  cloud.setSnapshotStatus(id, "error_deleting");
  expect((await shown()).status).toBe("error_deleting");
  cloud.setSnapshotStatus(id, "available");

  // Setting the status of a snapshot cancels the pending deletion of this snapshot, but not of other snapshots.
  const later = cloud.addSnapshot({ kind: "snapshot", volumeId });
  for (const each of [id, later.id]) await call("DELETE", `/v2/{p}/cloudsnapshots/${each}`);
  cloud.setSnapshotStatus(id, "available");
  clock.advance(60_000);
  expect(cloud.snapshots()).toMatchObject([{ id, status: "available" }]);
  cloud.setSnapshotStatus(id, "deleting");
  clock.advance(60_000);
  expect((await shown()).status).toBe("deleting");

  const group = cloud.addSnapshot({ kind: "snapshot-group", serverId: server.id });
  const cluster = cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: cloud.addCluster().id });
  cloud.setSnapshotStatus(group.id, "error");
  cloud.setSnapshotStatus(cluster.id, "CREATING");
  expect([cloud.snapshots("snapshot-group"), cloud.snapshots("cluster-snapshot")]).toMatchObject([
    [{ status: "error" }],
    [{ status: "CREATING" }],
  ]);
  cloud.setSnapshotStatus(group.id, "available");
  expect(cloud.snapshots("snapshot-group")).toMatchObject([{ status: "avaialble" }]);
  expect(() => cloud.setSnapshotStatus("unknown", "error")).toThrow("There is no snapshot unknown.");
});

test("the embedded cloud lets a test replace the labels and the creation time of a snapshot", async () => {
  const { cloud, call } = await startTestCloud();
  const volumeId = cloud.addVolume().id;
  const clusterId = cloud.addCluster().id;
  const legacy = cloud.addSnapshot({ kind: "snapshot", volumeId, metadata: { a: "b" } });
  const standard = cloud.addSnapshot({ kind: "standard-snapshot", volumeId, tags: { a: "b" } });
  const group = cloud.addSnapshot({ kind: "snapshot-group", volumeIds: [volumeId], tags: { a: "b" } });
  const cluster = cloud.addSnapshot({ kind: "cluster-snapshot", clusterId });
  for (const { id } of [legacy, standard, group]) cloud.setSnapshotLabels(id, { hold: "true" });
  for (const { id } of [legacy, standard, group, cluster]) cloud.setSnapshotCreatedAt(id, "yesterday");
  const lists = async () => [
    ...(await call("GET", "/v2/{p}/cloudsnapshots/detail")).json.snapshots,
    ...(await call("GET", "/v5/{p}/snapshots/detail")).json.snapshots,
    ...(await call("GET", "/v5/{p}/snapshot-groups/detail")).json.snapshot_groups,
    ...(await call("GET", "/v1.0/{p}/snapshots")).json.snapshots,
  ];
  const row = async (id: string) => (await lists()).find((each) => each.id === id);
  expect(await row(legacy.id)).toMatchObject({ metadata: { hold: "true" }, created_at: "yesterday" });
  expect(await row(standard.id)).toMatchObject({ tags: { hold: "true" }, created_at: "yesterday" });
  expect(await row(group.id)).toMatchObject({ tags: { hold: "true" }, created_at: "yesterday" });
  expect(await row(cluster.id)).toMatchObject({ started: "yesterday" });
  for (const { id } of [legacy, standard, group, cluster]) {
    cloud.setSnapshotCreatedAt(id, undefined);
    expect(Object.keys(await row(id))).not.toContain("created_at");
    expect(Object.keys(await row(id))).not.toContain("started");
  }
  expect(() => cloud.setSnapshotLabels(cluster.id, {})).toThrow(
    "snapshots of the kind cluster-snapshot have no labels",
  );
});

test("the embedded cloud lets a test add members to a snapshot group and remove them", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const [a, b] = [cloud.addVolume().id, cloud.addVolume().id];
  const group = cloud.addSnapshot({ kind: "snapshot-group", volumeIds: [a], createdAt: "2026-11-20T00:00:00Z" });
  const members = async () =>
    (await call("GET", `/v5/{p}/snapshots/detail?snapshot_group_id=${group.id}`)).json.snapshots.map(
      ({ volume_id }: { volume_id: string }) => volume_id,
    );
  clock.advance(1000);
  const added = cloud.addMember(group.id, b);
  expect(added).toMatchObject({ status: "available", snapshot_group_id: group.id, volume_id: b });
  expect(added.created_at).toMatch(/^2026-11-20T00:00:00/);
  expect((await members()).sort()).toEqual([a, b].sort());
  cloud.removeMember(group.id, a);
  expect(await members()).toEqual([b]);
  expect(cloud.snapshots("standard-snapshot")).toHaveLength(1);
  expect(() => cloud.removeMember(group.id, a)).toThrow("contains no snapshot of the volume");
  expect(() => cloud.addMember("unknown", a)).toThrow("There is no snapshot group unknown.");
});

test("the embedded cloud returns copies of disks and snapshots, so changes to a copy do not change the embedded cloud", async () => {
  const { cloud } = await startTestCloud();
  const volume = cloud.addVolume({ tags: { a: "b" } });
  volume.tags.a = "changed";
  const snapshot = cloud.addSnapshot({ kind: "snapshot", volumeId: volume.id, metadata: { a: "b" } });
  (snapshot.metadata ?? {}).a = "changed";
  expect(cloud.volume(volume.id)?.tags).toEqual({ a: "b" });
  expect(cloud.snapshots()[0]?.metadata).toEqual({ a: "b" });
});

test("the embedded cloud lets a test add, attach, detach and remove servers and disks", async () => {
  const { cloud } = await startTestCloud();
  const server = cloud.addServer();
  const [a, b] = [cloud.addVolume({ serverId: server.id }), cloud.addVolume({ serverId: server.id })];
  expect([a.attachments[0]?.device, b.attachments[0]?.device]).toEqual(["/dev/vda", "/dev/vdb"]);
  expect(() => cloud.attach(a.id, server.id)).toThrow("already attached");
  cloud.detach(a.id);
  expect(cloud.attach(a.id, server.id).device).toBe("/dev/vda");
  cloud.removeServer(server.id);
  expect([cloud.volume(a.id)?.status, cloud.volume(b.id)?.status]).toEqual(["available", "available"]);
  cloud.removeVolume(a.id);
  expect(cloud.volume(a.id)).toBeUndefined();
  expect(() => cloud.attach(a.id, server.id)).toThrow("no volume");
  expect(() => cloud.addVolume({ id: b.id })).toThrow("already");
  const shared = cloud.addVolume({ multiattach: true, serverId: cloud.addServer().id });
  const second = cloud.addServer();
  cloud.attach(shared.id, second.id);
  expect(cloud.volume(shared.id)?.attachments).toHaveLength(2);
  cloud.detach(shared.id, second.id);
  expect(cloud.volume(shared.id)?.attachments).toHaveLength(1);
});

test("StoppedClock reads a time as UTC and moves only if a test sets or advances the clock, and ScaledClock runs faster than real time", () => {
  const stopped = new StoppedClock("2026-11-21T02:00:00.123456");
  expect(stopped.now()).toBe(Date.UTC(2026, 10, 21, 2, 0, 0, 123));
  stopped.advance(1000);
  expect(stopped.now()).toBe(Date.UTC(2026, 10, 21, 2, 0, 1, 123));
  stopped.set(5);
  expect(stopped.now()).toBe(5);
  expect(() => new StoppedClock("soon")).toThrow("Not a time");
  const fast = new ScaledClock(1_000_000, 0);
  const [first, started] = [fast.now(), performance.now()];
  while (performance.now() - started < 1);
  expect(fast.now() - first).toBeGreaterThanOrEqual(1_000_000);
});

test("the embedded cloud uses the wall clock by default, delays responses by `latencyMs`, and records no request if `keepRequests` is false", async () => {
  const cloud = await startCloud({ creationMs: 0, latencyMs: () => 5, keepRequests: false });
  const call = caller(cloud);
  const started = performance.now();
  const { json } = await call("POST", "/v2/{p}/cloudsnapshots", { snapshot: { volume_id: cloud.addVolume().id } });
  expect(performance.now() - started).toBeGreaterThanOrEqual(4);
  expect(json.snapshot.status).toBe("available");
  expect([cloud.requests.length, cloud.count("evs.createSnapshot")]).toEqual([0, 1]);
  await cloud.close();
  await expect(call("GET", "/v2/{p}/cloudvolumes/detail")).rejects.toThrow();
});

test("a snapshot in the embedded cloud becomes available after the time in `creationMs` for its kind of snapshot", async () => {
  const { cloud, clock, call } = await startTestCloud({ creationMs: { snapshot: 10 } });
  await call("POST", "/v2/{p}/cloudsnapshots", { snapshot: { volume_id: cloud.addVolume().id } });
  await call("POST", "/v5/{p}/snapshots", { snapshot: { volume_id: cloud.addVolume().id } });
  clock.advance(10);
  expect(cloud.snapshots().map(({ status }) => status)).toEqual(["available", "creating"]);
});

test("the embedded cloud lists ten thousand disks and ten thousand snapshots page by page", async () => {
  const { cloud, call } = await startTestCloud();
  for (let n = 0; n < 10_000; n += 1) {
    const { id: volumeId } = cloud.addVolume({ tags: { backup: "daily" } });
    cloud.addSnapshot({ kind: "snapshot", volumeId, createdAt: Date.UTC(2026, 0, 1) + ((n * 7919) % 10_000) });
  }
  const ids = new Set<string>();
  for (let offset = 0; offset < 10_000; offset += 1000) {
    const { json } = await call("GET", `/v2/{p}/cloudsnapshots/detail?limit=1000&offset=${offset}`);
    expect(json.count).toBe(10_000);
    for (const { id } of json.snapshots) ids.add(id);
  }
  expect(ids.size).toBe(10_000);
  const unlimited = (await call("GET", "/v2/{p}/cloudsnapshots/detail")).json;
  // A list response has links only if the request has a limit (SOURCES.md#evs-list-internal-links).
  expect([unlimited.snapshots.length, unlimited.snapshots_links]).toEqual([1000, undefined]);
  let marker = "";
  let disks = 0;
  for (let page = 0; page < 10; page += 1) {
    const { json } = await call("GET", `/v2/{p}/cloudvolumes/detail?limit=1000${marker}`);
    disks += json.volumes.length;
    marker = `&marker=${json.volumes.at(-1)?.id}`;
  }
  expect(disks).toBe(10_000);
});

test("the embedded cloud's router prefers the route /things/detail to the route /things/{id}", () => {
  const handle = () => ({ status: 200 });
  const route = (operation: string, path: string) => ({ operation, method: "GET", path, handle });
  const routes = [route("show", "/v2/{p}/things/{id}"), route("list", "/v2/{p}/things/detail")];
  const find = createRouter([
    { name: "x", routes, failure: { 500: "", 503: "" }, envelope: () => ({}), behindGateway: true },
  ]);
  expect(find("GET", "/v2/a/things/detail")?.route.operation).toBe("list");
  expect(find("GET", "/v2/a/things/b")).toMatchObject({ route: { operation: "show" }, params: { p: "a", id: "b" } });
  expect(find("GET", "/v2/a/things/")).toBeUndefined();
  expect(find("GET", "/v2/a/things/b/c")).toBeUndefined();
});
