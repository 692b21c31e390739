import { expect, test } from "vitest";
import type { CloudOptions } from "../../../../../infra/local/cloud/index.ts";
import { startTestCloud, statusAndCode } from "../../../../support/cloud-environment.ts";

const CREATE = "/v5/{p}/snapshot-groups";

/** Starts an embedded cloud with a server that has three disks. */
async function startCloudWithServer(options: Omit<CloudOptions, "clock"> = {}) {
  const { cloud, clock, call } = await startTestCloud(options);
  const { id: server_id } = cloud.addServer();
  const disks = [0, 1, 2].map(() => cloud.addVolume({ serverId: server_id }).id);
  const create = (snapshot_group: object) => call("POST", CREATE, { snapshot_group });
  return { cloud, clock, call, create, server_id, disks };
}

test("the embedded cloud creates, shows, updates and deletes a snapshot group with one member for each disk of the server", async () => {
  const { cloud, clock, call, create, server_id, disks } = await startCloudWithServer();
  const created = await create({ server_id, name: "release", description: "d", tags: { a: "b" }, incremental: true });
  const { job_id, snapshot_group_id } = created.json;
  expect([created.status, created.json]).toEqual([202, { job_id, snapshot_group_id }]);
  const single = `${CREATE}/${snapshot_group_id}`;
  const { snapshot_group } = (await call("GET", single)).json;
  expect(snapshot_group).toEqual({
    id: snapshot_group_id,
    project_id: cloud.projectId,
    name: "release",
    description: "d",
    status: "creating",
    server_id,
    tags: { a: "b" },
    enterprise_project_id: "0",
    created_at: "2026-11-21T02:00:00.000000",
    updated_at: "2026-11-21T02:00:00.000000",
  });
  const members = async () =>
    (await call("GET", `/v5/{p}/snapshots/detail?snapshot_group_id=${snapshot_group_id}`)).json.snapshots;
  expect((await members()).map(({ volume_id }: { volume_id: string }) => volume_id).sort()).toEqual([...disks].sort());
  expect((await members())[0]).toMatchObject({ status: "creating", incremental: true, snapshot_group_id, tags: {} });
  clock.advance(3000);
  expect((await call("GET", single)).json.snapshot_group.status).toBe("avaialble");
  const job = (await call("GET", `/v2/{p}/jobs/${job_id}`)).json;
  expect(job).toMatchObject({ status: "SUCCESS", entities: { sub_jobs: disks.map(() => ({ status: "SUCCESS" })) } });
  expect(cloud.snapshots("snapshot-group")).toMatchObject([{ volume_ids: disks, status: "avaialble" }]);

  expect((await call("PUT", single, { snapshot_group: { name: "n" } })).json.snapshot_group.name).toBe("n");
  const deleted = await call("DELETE", single);
  expect([deleted.status, Object.keys(deleted.json)]).toEqual([202, ["job_id"]]);
  clock.advance(1000);
  expect(statusAndCode(await call("GET", single))).toEqual([404, "EVS.5404"]);
  expect(cloud.snapshots()).toEqual([]);
});

test("if its options say so, the embedded cloud keeps the members of deleted groups, spells group statuses correctly, and tags the members", async () => {
  const choices = { groupDeleteCascades: false, groupAvailable: "available", groupTagsOnMembers: true } as const;
  const { cloud, clock, call, create, server_id } = await startCloudWithServer(choices);
  const { snapshot_group_id } = (await create({ server_id, tags: { a: "b" } })).json;
  clock.advance(3000);
  expect(cloud.snapshots("snapshot-group")[0]?.status).toBe("available");
  await call("DELETE", `${CREATE}/${snapshot_group_id}`);
  clock.advance(1000);
  expect(cloud.snapshots()).toHaveLength(3);
  expect(cloud.snapshots()[0]).toMatchObject({ kind: "standard-snapshot", snapshot_group_id, tags: { a: "b" } });
});

test("the embedded cloud creates a snapshot group from server_id or volume_ids, and rejects disks that are not attached to the server", async () => {
  const { cloud, create, server_id, disks } = await startCloudWithServer();
  const loose = cloud.addVolume().id;
  expect(statusAndCode(await create({}))).toEqual([400, "EVS.5400"]);
  expect(statusAndCode(await create({ volume_ids: [] }))).toEqual([400, "EVS.5400"]);
  expect(statusAndCode(await create({ server_id, volume_ids: [disks[0], loose] }))).toEqual([400, "EVS.5400"]);
  expect(statusAndCode(await create({ server_id: crypto.randomUUID() }))).toEqual([404, "EVS.5404"]);
  expect(statusAndCode(await create({ server_id: cloud.addServer().id }))).toEqual([400, "EVS.5400"]);
  expect(statusAndCode(await create({ volume_ids: [crypto.randomUUID()] }))).toEqual([404, "EVS.5404"]);
  expect(statusAndCode(await create({ volume_ids: "x" }))).toEqual([400, "EVS.5400"]);
  expect(cloud.snapshots()).toEqual([]);
  expect((await create({ server_id, volume_ids: [disks[0]] })).status).toBe(202);
  expect((await create({ volume_ids: [loose, disks[1], loose] })).status).toBe(202);
  expect(cloud.snapshots("snapshot-group").map(({ volume_ids }) => volume_ids)).toEqual([
    [disks[0]],
    [loose, disks[1]],
  ]);
  expect(cloud.snapshots("snapshot-group")[1]?.server_id).toBeNull();
});

test("the embedded cloud limits the name and the description of a snapshot group to 255 bytes each", async () => {
  const { clock, create, server_id } = await startCloudWithServer();
  const ask = async (fields: object) => {
    clock.advance(3000);
    return statusAndCode(await create({ server_id, ...fields }));
  };
  expect(await ask({ name: `${"é".repeat(127)}n`, description: "d".repeat(255) })).toEqual([202, undefined]);
  expect(await ask({ name: "é".repeat(128) })).toEqual([400, "EVS.5400"]);
  expect(await ask({ description: "é".repeat(128) })).toEqual([400, "EVS.5400"]);
  expect(await ask({ name: "" })).toEqual([202, undefined]);
  expect(await ask({ tags: { k: "v".repeat(44) } })).toEqual([400, "EVS.1062"]);
  expect(await ask({ force: true })).toEqual([400, "EVS.5400"]);
  expect(await ask({ incremental: "x" })).toEqual([400, "EVS.5400"]);
  expect(await ask({ volume_id: "x" })).toEqual([400, "EVS.5400"]);
});

test("while a snapshot of a disk is being created, the embedded cloud rejects a group with 400 and a second snapshot with 409", async () => {
  const { cloud, clock, call, create, server_id, disks } = await startCloudWithServer();
  const single = async () =>
    statusAndCode(await call("POST", "/v5/{p}/snapshots", { snapshot: { volume_id: disks[1] } }));
  expect(await single()).toEqual([202, undefined]);
  expect(statusAndCode(await create({ server_id }))).toEqual([400, "EVS.2409"]);
  expect(cloud.snapshots("snapshot-group")).toEqual([]);
  clock.advance(3000);
  expect((await create({ server_id })).status).toBe(202);
  expect(await single()).toEqual([409, "EVS.2409"]);
});

test("the embedded cloud shows a snapshot group as available although one of its members failed", async () => {
  const { cloud, clock, create, server_id, disks } = await startCloudWithServer();
  cloud.endWith(disks[2] ?? "", "error");
  await create({ server_id });
  clock.advance(3000);
  expect(cloud.snapshots("snapshot-group")[0]?.status).toBe("avaialble");
  expect(cloud.snapshots("standard-snapshot").map(({ status }) => status)).toEqual(["available", "available", "error"]);
  cloud.endWith(server_id, "error");
  await create({ server_id });
  clock.advance(3000);
  expect(cloud.snapshots("snapshot-group")[1]?.status).toBe("error");

  const strict = await startCloudWithServer({ groupFailsWithMember: true });
  strict.cloud.endWith(strict.disks[0] ?? "", "error");
  await strict.create({ server_id: strict.server_id });
  strict.clock.advance(3000);
  expect(strict.cloud.snapshots("snapshot-group")[0]?.status).toBe("error");
});

test("the embedded cloud lists, counts and tags snapshot groups", async () => {
  const { cloud, clock, call, create, server_id, disks } = await startCloudWithServer();
  await create({ server_id, name: "first", tags: { p: "x" } });
  clock.advance(3000);
  await create({ volume_ids: disks, name: "second", tags: { p: "x", q: "y" } });
  const names = async (query: string) => {
    const response = await call("GET", `${CREATE}/detail?${query}`);
    if (response.status !== 200) return statusAndCode(response);
    return response.json.snapshot_groups.map(({ name }: { name: string }) => name).join(" ");
  };
  const tags = (value: unknown) => `tags=${encodeURIComponent(JSON.stringify(value))}`;
  expect(await names("")).toBe("second first");
  expect(await names("sort_dir=asc&limit=1")).toBe("first");
  expect(await names("limit=1&offset=1")).toBe("first");
  expect(await names(`server_id=${server_id}`)).toBe("first");
  expect(await names("status=creating")).toBe("second");
  expect(await names("name=fir")).toBe("first");
  expect(await names("tag_key=q")).toBe("second");
  expect(await names(tags([{ key: "p", value: "x" }]))).toBe("second first");
  expect(await names(tags({ p: "x" }))).toEqual([400, "EVS.5400"]);
  expect(await names(`id=${cloud.snapshots("snapshot-group")[0]?.id}`)).toBe("first");
  expect(await names("volume_id=x")).toEqual([400, "EVS.5400"]);
  expect((await call("GET", `${CREATE}/count`)).json).toEqual({ count: 2 });
  const { id } = cloud.snapshots("snapshot-group")[0] ?? {};
  expect((await call("POST", `${CREATE}/${id}/tags/create`, { tags: [{ key: "hold", value: "" }] })).status).toBe(204);
  expect((await call("POST", `${CREATE}/${id}/tags/delete`, { tags: [{ key: "p" }] })).status).toBe(204);
  expect(cloud.snapshots("snapshot-group")[0]?.tags).toEqual({ hold: "" });
  expect((await call("GET", `${CREATE}/tags`)).json.tags).toContainEqual({ key: "hold", value: [""] });
});

test("the embedded cloud lists snapshots and groups of another enterprise project only if the request names that project", async () => {
  const { cloud, call } = await startTestCloud();
  const project = "94f1ea84-1428-49b6-9920-8a9b8a29e4ca";
  const { id: server_id } = cloud.addServer({ enterpriseProjectId: project });
  cloud.addVolume({ serverId: server_id, enterpriseProjectId: project });
  expect((await call("POST", CREATE, { snapshot_group: { server_id } })).status).toBe(202);
  const count = async (list: string, query: string) => {
    const { json } = await call("GET", `/v5/{p}/${list}/detail${query}`);
    return (json.snapshots ?? json.snapshot_groups).length;
  };
  for (const list of ["snapshots", "snapshot-groups"]) {
    expect(await count(list, ""), list).toBe(0);
    expect(await count(list, "?enterprise_project_id=0"), list).toBe(0);
    expect(await count(list, `?enterprise_project_id=${project}`), list).toBe(1);
    expect(await count(list, "?enterprise_project_id=all_granted_eps"), list).toBe(1);
  }
});
