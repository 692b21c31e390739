import { expect, test } from "vitest";
import { startTestCloud, statusAndCode } from "../../../support/cloud-environment.ts";

test("the embedded cloud returns at most `pageCap` rows per page, and counts only those rows if `counts` is `page`", async () => {
  const { cloud, call } = await startTestCloud({ pageCap: 2, counts: "page", v5ListCount: true });
  const servers = [cloud.addServer(), cloud.addServer(), cloud.addServer()];
  const volumes = servers.map(({ id }) => cloud.addVolume({ serverId: id, tags: { backup: "daily" } }));
  const cluster = cloud.addCluster();
  for (const [index, { id }] of volumes.entries()) {
    cloud.addSnapshot({ kind: "snapshot", volumeId: id });
    cloud.addSnapshot({ kind: "snapshot-group", volumeIds: [id] });
    cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: cluster.id, name: `name-${index}` });
  }
  const lists = [
    ["/v2/{p}/cloudsnapshots/detail", "snapshots", "offset=2"],
    ["/v2/{p}/cloudvolumes/detail", "volumes", "offset=2"],
    ["/v5/{p}/snapshots/detail", "snapshots", "offset=2"],
    ["/v5/{p}/snapshot-groups/detail", "snapshot_groups", "offset=2"],
    // For servers and cluster snapshots, `offset` is a page number. Servers begin with page 1, cluster snapshots with page 0.
    ["/v1/{p}/cloudservers/detail", "servers", "offset=2"],
    [`/v1.0/{p}/clusters/${cluster.id}/snapshots`, "snapshots", "offset=1"],
  ];
  for (const [path, field = "", second] of lists) {
    const pages = [`${path}?limit=1000`, `${path}?limit=1000&${second}`];
    const responses = [];
    for (const page of pages) responses.push((await call("GET", page)).json);
    expect(responses.map(({ count }) => count)).toEqual([2, 1]);
    const rows = responses.flatMap((response) => response[field]);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(3);
  }
  for (const path of ["/v2/{p}/cloudvolumes", "/v1/{p}/cloudservers"]) {
    const { json } = await call("POST", `${path}/resource_instances/action`, { action: "filter", tags: [] });
    expect([json.resources.length, json.total_count]).toEqual([2, 3]);
  }
  expect((await call("GET", "/v1.0/{p}/snapshots")).json).toMatchObject({ count: 3, snapshots: [{}, {}, {}] });
});

test("the embedded cloud omits the ids and times of disk attachments if `attachmentIds` is false", async () => {
  const { cloud, call } = await startTestCloud({ attachmentIds: false });
  const server = cloud.addServer();
  const { id } = cloud.addVolume({ serverId: server.id });
  const { json } = await call("GET", `/v2/{p}/cloudvolumes/${id}`);
  expect(json.volume.attachments).toEqual([
    { id, volume_id: id, server_id: server.id, host_name: null, device: "/dev/vda" },
  ]);
  expect((await call("GET", "/v2/{p}/cloudvolumes/detail")).json.volumes).toEqual([json.volume]);
});

test("the embedded cloud returns null as the description of DWS snapshots if `describeClusterSnapshots` is `null`", async () => {
  const { cloud, call } = await startTestCloud({ describeClusterSnapshots: "null" });
  const cluster_id = cloud.addCluster().id;
  const { json } = await call("POST", "/v1.0/{p}/snapshots", {
    snapshot: { cluster_id, name: "name", description: "given" },
  });
  const shown = await call("GET", `/v1.0/{p}/snapshots/${json.snapshot.id}`);
  expect(shown.json.snapshot).toMatchObject({ name: "name", description: null });
  for (const path of ["/v1.0/{p}/snapshots", `/v1.0/{p}/clusters/${cluster_id}/snapshots`]) {
    expect((await call("GET", path)).json.snapshots).toMatchObject([{ name: "name", description: null }]);
  }
});

/** All disk statuses except `available` and `in-use` (*EVS API Reference, "EVS Disk Status", evs_04_0040*). */
const OTHER_STATUSES = [
  "creating",
  "error",
  "attaching",
  "detaching",
  "restoring-backup",
  "backing-up",
  "error_restoring",
  "uploading",
  "downloading",
  "extending",
  "error_extending",
  "deleting",
  "error_deleting",
  "rollbacking",
  "error_rollbacking",
  "awaiting-transfer",
];

test("the embedded cloud sends the error in `wrongVolumeStatus` if the disk status allows no snapshot", async () => {
  const rejections: [wanted: { status: number; code: string } | undefined, body: object][] = [
    [undefined, { error: { code: "EVS.5400" } }],
    [{ status: 400, code: "EVS.2024" }, { error: { code: "EVS.2024" } }],
    [{ status: 400, code: "EVS.2130" }, { error: { code: "EVS.2130" } }],
    [{ status: 409, code: "conflictingRequest" }, { conflictingRequest: { code: 409 } }],
  ];
  for (const [wrongVolumeStatus, body] of rejections) {
    const { cloud, call } = await startTestCloud(wrongVolumeStatus ? { wrongVolumeStatus } : {});
    const server = cloud.addServer().id;
    const volume_id = cloud.addVolume({ serverId: server }).id;
    const creates: [path: string, body: unknown][] = [
      ["/v2/{p}/cloudsnapshots", { snapshot: { volume_id } }],
      ["/v5/{p}/snapshots", { snapshot: { volume_id } }],
      ["/v5/{p}/snapshot-groups", { snapshot_group: { server_id: server } }],
    ];
    for (const status of OTHER_STATUSES) {
      cloud.setVolumeStatus(volume_id, status);
      for (const [path, create] of creates) {
        const response = await call("POST", path, create);
        expect(response.status, status).toBe(wrongVolumeStatus?.status ?? 400);
        expect(response.json).toMatchObject(body);
        expect(response.text).toContain(`current status is: ${status}`);
      }
    }
    cloud.setVolumeStatus(volume_id, undefined);
    expect(statusAndCode(await call("POST", "/v5/{p}/snapshots", { snapshot: { volume_id } }))).toEqual([
      202,
      undefined,
    ]);
  }
});
