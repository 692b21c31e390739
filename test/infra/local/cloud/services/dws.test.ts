import { expect, test } from "vitest";
import { startTestCloud, statusAndCode } from "../../../../support/cloud-environment.ts";

const CREATE = "/v1.0/{p}/snapshots";

test("the embedded cloud creates, shows and deletes a cluster snapshot", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const cluster = cloud.addCluster({ name: "dws-1", tags: { backup: "daily" } });
  const created = await call("POST", CREATE, {
    snapshot: { name: "snapshot-3", cluster_id: cluster.id, description: "Snapshot-3 description" },
  });
  const { id } = created.json.snapshot;
  expect([created.status, created.json]).toEqual([200, { snapshot: { id } }]);
  const single = `${CREATE}/${id}`;
  expect((await call("GET", single)).json.snapshot).toMatchObject({
    id,
    name: "snapshot-3",
    description: "Snapshot-3 description",
    status: "CREATING",
    type: "MANUAL",
    started: "2026-11-21T02:00:00Z",
    finished: null,
    cluster_id: cluster.id,
    cluster_name: "dws-1",
  });
  const shown = async () => (await call("GET", `/v1.0/{p}/clusters/${cluster.id}`)).json.cluster;
  expect(await shown()).toMatchObject({
    status: "AVAILABLE",
    task_status: "SNAPSHOTTING",
    action_progress: { SNAPSHOTTING: "16%" },
    tags: [{ key: "backup", value: "daily" }],
  });
  clock.advance(6000);
  expect((await call("GET", single)).json.snapshot).toMatchObject({
    status: "AVAILABLE",
    finished: "2026-11-21T02:00:06Z",
  });
  expect(await shown()).toMatchObject({ status: "AVAILABLE", task_status: null, action_progress: {} });
  const deleted = await call("DELETE", single);
  expect([deleted.status, deleted.text]).toEqual([202, ""]);
  expect(statusAndCode(await call("GET", single))).toEqual([400, "DWS.5149"]);
  expect(statusAndCode(await call("DELETE", single))).toEqual([400, "DWS.0001"]);
});

test("the embedded cloud requires cluster snapshot names of 4 to 64 allowed characters that are unique in the project", async () => {
  const { cloud, call } = await startTestCloud();
  const create = async (name: unknown, cluster_id = cloud.addCluster().id) =>
    statusAndCode(await call("POST", CREATE, { snapshot: { name, cluster_id } }));
  expect(await create("abcd")).toEqual([200, undefined]);
  expect(await create("abc")).toEqual([400, "DWS.5038"]);
  expect(await create(`a${"b".repeat(63)}`)).toEqual([200, undefined]);
  expect(await create(`a${"b".repeat(64)}`)).toEqual([400, "DWS.5038"]);
  expect(await create("A-b_9")).toEqual([200, undefined]);
  for (const name of ["1abc", "_abc", "-abc", "ab.c", "ab c", "abcé", "abcd\n", null, undefined, 1]) {
    expect(await create(name)).toEqual([400, "DWS.5038"]);
  }
  expect(await create("abcd")).toEqual([400, "DWS.5150"]);
  expect(await create("ABCD")).toEqual([400, "DWS.5150"]);
  const other = await startTestCloud({ duplicateClusterSnapshot: { status: 409, code: "DWS.6000" } });
  const cluster_id = other.cloud.addCluster().id;
  other.cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: cluster_id, name: "taken" });
  expect(statusAndCode(await other.call("POST", CREATE, { snapshot: { name: "taken", cluster_id } }))).toEqual([
    409,
    "DWS.6000",
  ]);
});

test("the embedded cloud rejects a cluster snapshot description that is null, too long or has a forbidden character", async () => {
  const { cloud, call } = await startTestCloud();
  let n = 0;
  const create = async (description: unknown) => {
    n += 1;
    const snapshot = { name: `name-${n}`, cluster_id: cloud.addCluster().id, description };
    return statusAndCode(await call("POST", CREATE, { snapshot }));
  };
  expect(await create("d".repeat(256))).toEqual([200, undefined]);
  expect(await create("d".repeat(257))).toEqual([400, "DWS.5038"]);
  expect(await create("managed-by:x key:1/2 (a) #%$^*")).toEqual([200, undefined]);
  for (const character of "!<>'=&\"") expect(await create(`a${character}b`)).toEqual([400, "DWS.5038"]);
  expect(await create(null)).toEqual([400, "DWS.5038"]);
});

test("the embedded cloud rejects a create request for a cluster snapshot with an invalid body or an unknown cluster", async () => {
  const { cloud, call } = await startTestCloud();
  const cluster_id = cloud.addCluster().id;
  const create = async (body: unknown) => statusAndCode(await call("POST", CREATE, body));
  expect(await create({})).toEqual([400, "DWS.0001"]);
  expect(await create("x")).toEqual([400, "DWS.0001"]);
  expect(await create({ snapshot: { name: "abcd", cluster_id, tags: {} } })).toEqual([400, "DWS.0001"]);
  expect(await create({ snapshot: { name: "abcd" } })).toEqual([400, "DWS.0001"]);
  expect(await create({ snapshot: { name: "abcd", cluster_id: "c-1" } })).toEqual([400, "DWS.0001"]);
  const unknown = crypto.randomUUID();
  expect(await create({ snapshot: { name: "abcd", cluster_id: unknown } })).toEqual([404, "DWS.0047"]);
  expect(statusAndCode(await call("GET", `/v1.0/{p}/clusters/${unknown}`))).toEqual([404, "DWS.0047"]);
  expect(statusAndCode(await call("GET", `/v1.0/{p}/clusters/${unknown}/snapshots`))).toEqual([404, "DWS.0047"]);
});

test("the embedded cloud responds with 403 DWS.7023 to a create request for a snapshot of a busy or unavailable cluster", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const { id: cluster_id } = cloud.addCluster();
  const create = (name: string) => call("POST", CREATE, { snapshot: { name, cluster_id } });
  expect((await create("first")).status).toBe(200);
  const busy = await create("second");
  expect(busy.status).toBe(403);
  expect(busy.json).toEqual({
    externalMessage: "Cluster status is not allowed to operation",
    errCode: "DWS.7023",
    error_code: "DWS.7023",
    error_msg: "Cluster status is not allowed to operation",
  });
  clock.advance(6000);
  cloud.setCluster(cluster_id, { taskStatus: "GROWING" });
  expect(statusAndCode(await create("second"))).toEqual([403, "DWS.7023"]);
  cloud.setCluster(cluster_id, { taskStatus: undefined, status: "UNAVAILABLE" });
  expect(statusAndCode(await create("second"))).toEqual([403, "DWS.7023"]);
  cloud.setCluster(cluster_id, { status: "AVAILABLE" });
  expect((await create("second")).status).toBe(200);
});

test("a cluster snapshot in the embedded cloud gets the final status that a test sets with `endWith`", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const finalStatuses = async (ending: string) => {
    const { id: cluster_id } = cloud.addCluster();
    cloud.endWith(cluster_id, ending);
    const { json } = await call("POST", CREATE, { snapshot: { name: `name-${ending}`, cluster_id } });
    clock.advance(60_000);
    return [
      (await call("GET", `${CREATE}/${json.snapshot.id}`)).json.snapshot.status,
      cloud.cluster(cluster_id)?.task_status,
    ];
  };
  expect(await finalStatuses("error")).toEqual(["UNAVAILABLE", null]);
  expect(await finalStatuses("stuck")).toEqual(["CREATING", "SNAPSHOTTING"]);
  expect(await finalStatuses("PAUSED")).toEqual(["PAUSED", null]);
});

test("the embedded cloud rejects delete requests for automated cluster snapshots and for cluster snapshots in creation", async () => {
  const { cloud, call } = await startTestCloud();
  const clusterId = cloud.addCluster().id;
  const auto = cloud.addSnapshot({ kind: "cluster-snapshot", clusterId, name: "auto", type: "AUTO" });
  const unfinished = cloud.addSnapshot({ kind: "cluster-snapshot", clusterId, name: "half", status: "CREATING" });
  expect(statusAndCode(await call("DELETE", `${CREATE}/${auto.id}`))).toEqual([403, "DWS.7023"]);
  expect(statusAndCode(await call("DELETE", `${CREATE}/${unfinished.id}`))).toEqual([403, "DWS.7023"]);
  expect(cloud.snapshots("cluster-snapshot")).toHaveLength(2);
});

test("the embedded cloud lists the snapshots of all clusters without pages, and the snapshots of one cluster in pages numbered from 0", async () => {
  const { cloud, call } = await startTestCloud();
  const [a, b] = [cloud.addCluster(), cloud.addCluster()];
  for (let n = 1; n <= 5; n += 1) {
    const createdAt = Date.UTC(2026, 0, n);
    cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: a.id, name: `name-${n}`, createdAt });
  }
  cloud.addSnapshot({ kind: "cluster-snapshot", clusterId: b.id, name: "other" });
  const all = (await call("GET", CREATE)).json;
  expect([all.count, all.snapshots.length]).toEqual([6, 6]);
  expect(statusAndCode(await call("GET", `${CREATE}?limit=1`))).toEqual([400, "DWS.0001"]);
  const page = async (query: string) => {
    const response = await call("GET", `/v1.0/{p}/clusters/${a.id}/snapshots?${query}`);
    if (response.status !== 200) return statusAndCode(response);
    const names = response.json.snapshots.map(({ name }: { name: string }) => name.slice(5)).join("");
    return [
      names,
      response.json.count,
      response.json.cluster_id === a.id,
      response.json.project_id === cloud.projectId,
    ];
  };
  expect(await page("")).toEqual(["54321", 5, true, true]);
  expect(await page("limit=2&offset=0")).toEqual(["54", 5, true, true]);
  expect(await page("limit=2&offset=1")).toEqual(["32", 5, true, true]);
  expect(await page("limit=2&offset=2")).toEqual(["1", 5, true, true]);
  expect(await page("limit=2&offset=3")).toEqual(["", 5, true, true]);
  expect(await page("sort_key=name&sort_dir=asc&limit=3")).toEqual(["123", 5, true, true]);
  expect(await page("limit=0")).toEqual([400, "DWS.0001"]);
  expect(await page("offset=-1")).toEqual([400, "DWS.0001"]);
});

test("the embedded cloud lists only the clusters of the enterprise project that the list request names", async () => {
  const { cloud, call } = await startTestCloud({ enterpriseProjectsByDefault: "all" });
  cloud.addCluster({ name: "a" });
  cloud.addCluster({ name: "b", enterpriseProjectId: "p1" });
  const names = async (query: string) =>
    (await call("GET", `/v1.0/{p}/clusters${query}`)).json.clusters.map(({ name }: { name: string }) => name).join("");
  expect(await names("")).toBe("ab");
  expect(await names("?enterprise_project_id=all_granted_eps")).toBe("ab");
  expect(await names("?enterprise_project_id=p1")).toBe("b");
  expect(await names("?enterprise_project_id=0")).toBe("a");

  const usual = await startTestCloud();
  usual.cloud.addCluster({ enterpriseProjectId: "p1" });
  expect((await usual.call("GET", "/v1.0/{p}/clusters")).json.clusters).toEqual([]);
});

test("the embedded cloud omits a new cluster snapshot from list responses for `listLagMs` milliseconds", async () => {
  const { cloud, clock, call } = await startTestCloud();
  cloud.listLagMs = 5000;
  await call("POST", CREATE, { snapshot: { name: "late", cluster_id: cloud.addCluster().id } });
  expect((await call("GET", CREATE)).json.count).toBe(0);
  clock.advance(5000);
  expect((await call("GET", CREATE)).json.count).toBe(1);
});
