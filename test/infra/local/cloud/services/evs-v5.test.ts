import { expect, test } from "vitest";
import { startTestCloud, statusAndCode } from "../../../../support/cloud-environment.ts";

const CREATE = "/v5/{p}/snapshots";
const LIST = "/v5/{p}/snapshots/detail";

test("the embedded cloud creates, shows, updates and deletes a standard snapshot", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const volume = cloud.addVolume({ serverId: cloud.addServer().id });
  const created = await call("POST", CREATE, {
    snapshot: {
      volume_id: volume.id,
      name: "test_name",
      description: "test description",
      enterprise_project_id: "94f1ea84-1428-49b6-9920-8a9b8a29e4ca",
      tags: { policy: "nightly" },
      instant_access: true,
      incremental: false,
    },
  });
  const { job_id, snapshot_id } = created.json;
  expect([created.status, created.json]).toEqual([202, { job_id, snapshot_id }]);
  expect(job_id).toMatch(/^[0-9a-f]{32}$/);
  const single = `${CREATE}/${snapshot_id}`;
  const { snapshot } = (await call("GET", single)).json;
  expect(snapshot).toMatchObject({
    id: snapshot_id,
    status: "creating",
    volume_id: volume.id,
    tags: { policy: "nightly" },
    incremental: false,
    instant_access: true,
    snapshot_type: "user",
    snapshot_group_id: null,
    created_at: "2026-11-21T02:00:00.000000",
    enterprise_project_id: "94f1ea84-1428-49b6-9920-8a9b8a29e4ca",
    snapshot_chains: [{ snapshot_count: 1, capacity: volume.size, volume_id: volume.id }],
  });
  const job = async (version = "v2") => (await call("GET", `/${version}/{p}/jobs/${job_id}`)).json;
  expect(await job()).toEqual({
    status: "RUNNING",
    entities: { volume_id: volume.id, name: volume.name, size: volume.size, volume_type: "SSD" },
    job_id,
    job_type: "createSnapshot",
    begin_time: "2026-11-21T02:00:00.000Z",
    end_time: "",
    error_code: null,
    fail_reason: null,
  });
  expect(statusAndCode(await call("DELETE", single))).toEqual([400, "EVS.1047"]);
  clock.advance(3000);
  expect(await job("v1")).toMatchObject({ status: "SUCCESS", end_time: "2026-11-21T02:00:03.000Z" });
  expect((await call("GET", single)).json.snapshot.status).toBe("available");
  const renamed = await call("PUT", single, { snapshot: { name: "n", description: "d", instant_access: false } });
  expect(renamed.json.snapshot).toMatchObject({ name: "n", description: "d", instant_access: false });
  expect((await call("PUT", single, { snapshot: { instant_access: true } })).status).toBe(400);

  const deleted = await call("DELETE", single);
  expect([deleted.status, deleted.json]).toEqual([202, { job_id: expect.stringMatching(/^[0-9a-f]{32}$/) }]);
  expect((await call("GET", single)).json.snapshot.status).toBe("deleting");
  clock.advance(1000);
  expect(statusAndCode(await call("GET", single))).toEqual([404, "EVS.5404"]);
  expect(statusAndCode(await call("DELETE", single))).toEqual([404, "EVS.5404"]);
  expect((await call("GET", `/v2/{p}/jobs/${deleted.json.job_id}`)).json.status).toBe("SUCCESS");
  expect(statusAndCode(await call("GET", "/v2/{p}/jobs/none"))).toEqual([400, "Common.0011"]);
});

test("the embedded cloud rejects a standard snapshot while another standard snapshot of the disk is being created", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const volume_id = cloud.addVolume().id;
  const create = async () => statusAndCode(await call("POST", CREATE, { snapshot: { volume_id } }));
  expect(await create()).toEqual([202, undefined]);
  expect(await create()).toEqual([409, "EVS.2409"]);
  expect((await call("POST", CREATE, { snapshot: { volume_id: cloud.addVolume().id } })).status).toBe(202);
  clock.advance(3000);
  expect(await create()).toEqual([202, undefined]);
});

test("the embedded cloud limits the lengths of a standard snapshot's name, description and tags, and the number of tags", async () => {
  const { cloud, call } = await startTestCloud();
  const create = async (fields: object) =>
    statusAndCode(await call("POST", CREATE, { snapshot: { volume_id: cloud.addVolume().id, ...fields } }));
  const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, "v"]));
  expect(await create({ name: "ü".repeat(64), description: "ü".repeat(85) })).toEqual([202, undefined]);
  expect(await create({ name: "n".repeat(65) })).toEqual([400, "EVS.5400"]);
  expect(await create({ description: "d".repeat(86) })).toEqual([400, "EVS.5400"]);
  expect(await create({ tags: { ["k".repeat(36)]: "v".repeat(43) } })).toEqual([202, undefined]);
  expect(await create({ tags: { ["k".repeat(37)]: "v" } })).toEqual([400, "EVS.1062"]);
  expect(await create({ tags: { k: "v".repeat(44) } })).toEqual([400, "EVS.1062"]);
  expect(await create({ tags: { k: "" } })).toEqual([202, undefined]);
  expect(await create({ tags: { "": "v" } })).toEqual([400, "EVS.1062"]);
  expect(await create({ tags: { time: "2026-11-21T02:00:00Z" } })).toEqual([400, "EVS.1062"]);
  expect(await create({ tags: tags(20) })).toEqual([202, undefined]);
  expect(await create({ tags: tags(21) })).toEqual([400, "EVS.1061"]);
});

test("the embedded cloud rejects unknown fields and wrong types in the body of a standard snapshot", async () => {
  const { cloud, call } = await startTestCloud();
  const volume_id = cloud.addVolume().id;
  const create = async (body: unknown) => statusAndCode(await call("POST", CREATE, body));
  for (const fields of [
    { force: true },
    { metadata: {} },
    { instant_access: "yes" },
    { incremental: 1 },
    { tags: [{ key: "a", value: "b" }] },
    { tags: { a: 1 } },
    { name: null },
    { name: "autobk_snapshot_x" },
  ]) {
    expect(await create({ snapshot: { volume_id, ...fields } })).toEqual([400, "EVS.5400"]);
  }
  expect(await create({ volume_id })).toEqual([400, "EVS.5400"]);
  expect(await create({ snapshot: {} })).toEqual([400, "EVS.1002"]);
  expect(await create({ snapshot: { volume_id, enterprise_project_id: "mine" } })).toEqual([400, "EVS.2059"]);
  expect(await create({ snapshot: { volume_id: crypto.randomUUID() } })).toEqual([404, "EVS.5404"]);
  expect(cloud.snapshots()).toEqual([]);
});

test("the embedded cloud creates incremental standard snapshots without instant access by default", async () => {
  const { cloud, call } = await startTestCloud();
  await call("POST", CREATE, { snapshot: { volume_id: cloud.addVolume().id } });
  expect(cloud.snapshots()).toMatchObject([{ kind: "standard-snapshot", incremental: true, instant_access: false }]);
});

test("the embedded cloud creates a standard snapshot only if the disk is `available` or `in-use`", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const volume = cloud.addVolume();
  const create = async () => statusAndCode(await call("POST", CREATE, { snapshot: { volume_id: volume.id } }));
  cloud.attach(volume.id, cloud.addServer().id, { after: 1000 });
  expect(await create()).toEqual([400, "EVS.5400"]);
  clock.advance(1000);
  expect(await create()).toEqual([202, undefined]);
  cloud.setVolumeStatus(volume.id, "error");
  clock.advance(3000);
  expect(await create()).toEqual([400, "EVS.5400"]);
});

test("the embedded cloud allows 256 standard snapshots per disk, 7 with instant access, and no instant access on SAS disks", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const [full, instant, sas] = [cloud.addVolume(), cloud.addVolume(), cloud.addVolume({ volumeType: "SAS" })];
  const create = async (volume: { id: string }, fields = {}) => {
    clock.advance(3000);
    return statusAndCode(await call("POST", CREATE, { snapshot: { volume_id: volume.id, ...fields } }));
  };
  for (let n = 0; n < 255; n += 1) cloud.addSnapshot({ kind: "standard-snapshot", volumeId: full.id });
  expect(await create(full)).toEqual([202, undefined]);
  expect(await create(full)).toEqual([413, "EVS.5413"]);
  for (let n = 0; n < 6; n += 1)
    cloud.addSnapshot({ kind: "standard-snapshot", volumeId: instant.id, instantAccess: true });
  expect(await create(instant, { instant_access: true })).toEqual([202, undefined]);
  expect(await create(instant, { instant_access: true })).toEqual([413, "EVS.5413"]);
  expect(await create(instant)).toEqual([202, undefined]);
  expect(await create(sas, { instant_access: true })).toEqual([400, "EVS.5400"]);
});

test("the embedded cloud returns a job in the status FAIL if the snapshot fails, and SUCCESS if its final status is unknown", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const finalStatuses = async (ending: string) => {
    const volume_id = cloud.addVolume().id;
    cloud.endWith(volume_id, ending);
    const { job_id, snapshot_id } = (await call("POST", CREATE, { snapshot: { volume_id } })).json;
    clock.advance(3000);
    const job = (await call("GET", `/v2/{p}/jobs/${job_id}`)).json;
    return [job.status, (await call("GET", `${CREATE}/${snapshot_id}`)).json.snapshot.status];
  };
  expect(await finalStatuses("error")).toEqual(["FAIL", "error"]);
  expect(await finalStatuses("stuck")).toEqual(["RUNNING", "creating"]);
  expect(await finalStatuses("quiescing")).toEqual(["SUCCESS", "quiescing"]);
});

test("the embedded cloud lists standard snapshots in pages by offset or by page marker, without a count by default", async () => {
  const { cloud, call } = await startTestCloud();
  const volumeId = cloud.addVolume().id;
  for (const day of [2, 1, 3]) {
    cloud.addSnapshot({ kind: "standard-snapshot", volumeId, name: `d${day}`, createdAt: Date.UTC(2026, 0, day) });
  }
  const page = async (query: string) =>
    (await call("GET", `${LIST}?${query}`)).json.snapshots.map(({ name }: { name: string }) => name).join(" ");
  expect(await page("")).toBe("d3 d2 d1");
  expect(await page("limit=2&offset=1")).toBe("d2 d1");
  expect(await page("limit=2&offset=3")).toBe("");
  expect(await page("sort_key=created_at&sort_dir=asc&limit=1")).toBe("d1");
  const { json } = await call("GET", `${LIST}?limit=1`);
  expect(Object.keys(json)).toEqual(["snapshots"]);
  expect(await page(`limit=5&marker=${json.snapshots[0].id}`)).toBe("d2 d1");
  expect(statusAndCode(await call("GET", `${LIST}?marker=gone`))).toEqual([400, "EVS.1024"]);
  expect(statusAndCode(await call("GET", `${LIST}?limit=1001`))).toEqual([400, "EVS.2142"]);
  expect(statusAndCode(await call("GET", `${LIST}?limit=0`))).toEqual([400, "EVS.1023"]);

  const counting = await startTestCloud({ v5ListCount: true, v5Times: "zoned" });
  const other = counting.cloud.addVolume().id;
  for (let n = 0; n < 2; n += 1) counting.cloud.addSnapshot({ kind: "standard-snapshot", volumeId: other });
  const full = (await counting.call("GET", `${LIST}?limit=1`)).json;
  expect(full.count).toBe(2);
  expect(full.snapshots_links).toHaveLength(1);
  expect(full.snapshots[0].created_at).toMatch(/^2026-11-21T02:00:00\.\d{6}Z$/);
});

test("the embedded cloud supports every filter of the list request for standard snapshots", async () => {
  const { cloud, call } = await startTestCloud();
  const server = cloud.addServer();
  const volume = cloud.addVolume({ serverId: server.id, availabilityZone: "az-3" });
  const a = cloud.addSnapshot({ kind: "standard-snapshot", volumeId: volume.id, name: "aa", tags: { p: "x", q: "y" } });
  const b = cloud.addSnapshot({
    kind: "standard-snapshot",
    volumeId: cloud.addVolume().id,
    name: "ab",
    tags: { p: "x" },
    status: "error",
  });
  const group = cloud.addSnapshot({ kind: "snapshot-group", serverId: server.id, name: "g" });
  const names = async (query: string) => {
    const response = await call("GET", `${LIST}?${query}`);
    if (response.status !== 200) return statusAndCode(response);
    return response.json.snapshots
      .map(({ name }: { name: string }) => name)
      .sort()
      .join(" ");
  };
  const tags = (value: unknown) => `tags=${encodeURIComponent(JSON.stringify(value))}`;
  expect(await names(`volume_id=${volume.id}`)).toBe("aa g-0001");
  expect(await names(`snapshot_group_id=${group.id}`)).toBe("g-0001");
  expect(await names("snapshot_group_id=none")).toBe("");
  expect(await names("status=error")).toBe("ab");
  expect(await names("name=a")).toBe("aa ab");
  expect(await names(`id=${a.id}`)).toBe("aa");
  expect(await names(`ids=${a.id},${b.id},unknown`)).toBe("aa ab");
  expect(await names("tag_key=q")).toBe("aa");
  expect(await names(tags({ p: "x" }))).toBe("aa ab");
  expect(await names(tags({ p: "x", q: "y" }))).toBe("aa");
  expect(await names(tags([{ key: "p", value: "x" }]))).toEqual([400, "EVS.5400"]);
  expect(await names("snapshot_type=auto")).toBe("");
  expect(await names("availability_zone=az-3")).toBe("aa g-0001");
  expect(await names("enterprise_project_id=all_granted_eps")).toBe("aa ab g-0001");
  expect(await names("server_id=x")).toEqual([400, "EVS.5400"]);
});

test("the embedded cloud adds, removes and lists the tags of standard snapshots", async () => {
  const { cloud, call } = await startTestCloud();
  const { id } = cloud.addSnapshot({ kind: "standard-snapshot", volumeId: cloud.addVolume().id, tags: { a: "1" } });
  const change = (what: string, tags: unknown) => call("POST", `${CREATE}/${id}/tags/${what}`, { tags });
  expect((await change("create", [{ key: "hold", value: "audit" }])).status).toBe(204);
  expect((await change("create", [{ key: "x".repeat(37), value: "" }])).status).toBe(400);
  expect((await change("delete", [{ key: "a" }])).status).toBe(204);
  expect(cloud.snapshots()[0]?.tags).toEqual({ hold: "audit" });
  expect((await call("GET", "/v5/{p}/snapshots/tags")).json).toEqual({ tags: [{ key: "hold", value: ["audit"] }] });
});

test("the embedded cloud responds with 404 to every v5 path if `withoutStandardSnapshots` is true", async () => {
  const { cloud, call } = await startTestCloud({ withoutStandardSnapshots: true });
  const volume_id = cloud.addVolume().id;
  expect(statusAndCode(await call("POST", CREATE, { snapshot: { volume_id } }))).toEqual([404, "APIGW.0101"]);
  expect((await call("POST", "/v2/{p}/cloudsnapshots", { snapshot: { volume_id } })).status).toBe(202);
});
