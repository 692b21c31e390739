import { expect, test } from "vitest";
import { startTestCloud, statusAndCode } from "../../../../support/cloud-environment.ts";

const LIST = "/v1/{p}/cloudservers/detail";

test("the embedded cloud lists servers in pages numbered from 1, with 25 servers per page by default", async () => {
  const { cloud, call } = await startTestCloud();
  for (let n = 1; n <= 60; n += 1) cloud.addServer({ name: `s${n}`, createdAt: Date.UTC(2026, 0, 1, 0, n) });
  const page = async (query: string) => {
    const response = await call("GET", `${LIST}?${query}`);
    if (response.status !== 200) return statusAndCode(response);
    const { count, servers } = response.json;
    return [count, servers.length, servers[0]?.name];
  };
  expect(await page("")).toEqual([60, 25, "s60"]);
  expect(await page("offset=0")).toEqual([60, 25, "s60"]);
  expect(await page("offset=1")).toEqual([60, 25, "s60"]);
  expect(await page("offset=3")).toEqual([60, 10, "s10"]);
  expect(await page("offset=4")).toEqual([60, 0, undefined]);
  expect(await page("limit=40&offset=2")).toEqual([60, 20, "s20"]);
  expect(await page("limit=1000")).toEqual([60, 60, "s60"]);
  expect(await page("limit=1001")).toEqual([400, "Ecs.0000"]);
  expect(await page("offset=x")).toEqual([400, "Ecs.0000"]);
});

test("the embedded cloud returns a server with its disks and tags, and filters servers by name, status, tags and enterprise project", async () => {
  const { cloud, call } = await startTestCloud({ enterpriseProjectsByDefault: "all" });
  const web = cloud.addServer({ name: "web", tags: { backup: "daily", env: "" } });
  const db = cloud.addServer({ name: "db", status: "SHUTOFF", enterpriseProjectId: "p1", tags: { backup: "weekly" } });
  const [root, data] = [cloud.addVolume({ serverId: web.id }), cloud.addVolume({ serverId: web.id })];
  const { server } = (await call("GET", `/v1/{p}/cloudservers/${web.id}`)).json;
  expect(server).toMatchObject({ name: "web", status: "ACTIVE", tags: ["backup=daily", "env="] });
  expect(server["os-extended-volumes:volumes_attached"]).toEqual([
    { id: root.id, delete_on_termination: "false", bootIndex: "0", device: "/dev/vda" },
    { id: data.id, delete_on_termination: "false", bootIndex: "-1", device: "/dev/vdb" },
  ]);
  const names = async (query: string) =>
    (await call("GET", `${LIST}?${query}`)).json.servers.map(({ name }: { name: string }) => name).join(" ");
  expect(await names("name=e")).toBe("web");
  expect(await names("status=SHUTOFF")).toBe("db");
  expect(await names("tags=backup")).toBe("db web");
  expect(await names(`tags=${encodeURIComponent("backup=daily")}`)).toBe("web");
  expect(await names("not-tags=env")).toBe("db");
  expect(await names(`server_id=${db.id},unknown`)).toBe("db");
  expect(await names("enterprise_project_id=p1")).toBe("db");
  const [addresses] = Object.values<{ addr: string }[]>(server.addresses);
  expect(await names(`ip_eq=${addresses?.[0]?.addr}`)).toBe("web");
  expect(await names("ip=192.168.")).toBe("db web");
  expect(await names("ip=10.0.")).toBe("");
  expect(await names(`flavor=${server.flavor.id}`)).toBe("db web");
  expect(await names("flavor=other")).toBe("");
  expect(await names("reservation_id=r1")).toBe("");
  expect(statusAndCode(await call("GET", "/v1/{p}/cloudservers/unknown"))).toEqual([404, "Ecs.0114"]);
});

test("the embedded cloud lists servers by tags, and requires the limit and the row offset as strings", async () => {
  const { cloud, call } = await startTestCloud();
  for (let n = 1; n <= 3; n += 1) cloud.addServer({ name: `s${n}`, tags: { backup: "daily", n: String(n) } });
  const ask = (body: object) =>
    call("POST", "/v1/{p}/cloudservers/resource_instances/action", { action: "filter", ...body });
  const tags = [{ key: "backup", values: ["daily"] }];
  const { json } = await ask({ tags });
  expect(json.total_count).toBe(3);
  expect(json.resources[0]).toEqual({
    resource_id: expect.any(String),
    resource_name: "s3",
    resource_detail: "",
    tags: [
      { key: "backup", value: "daily" },
      { key: "n", value: "3" },
    ],
  });
  expect((await ask({ tags, limit: "2", offset: "2" })).json.resources).toHaveLength(1);
  expect((await ask({ tags, not_tags: [{ key: "n", values: ["1", "2"] }] })).json.total_count).toBe(1);
  expect((await ask({ tags, matches: [{ key: "resource_name", value: "s2" }] })).json.total_count).toBe(1);
  expect((await ask({ action: "count", tags })).json).toEqual({ total_count: 3 });
  expect(statusAndCode(await ask({ tags, limit: 2 }))).toEqual([400, "Ecs.0000"]);
  expect(statusAndCode(await ask({ tags, limit: "1001" }))).toEqual([400, "Ecs.0000"]);
  expect(statusAndCode(await ask({ action: "delete", tags }))).toEqual([400, "Ecs.0000"]);
});

test("the embedded cloud returns the block devices of a server with camelCase field names", async () => {
  const { cloud, call } = await startTestCloud();
  const server = cloud.addServer();
  const volume = cloud.addVolume({ serverId: server.id, size: 40 });
  const { json } = await call("GET", `/v1/{p}/cloudservers/${server.id}/block_device`);
  expect(json.volumeAttachments).toMatchObject([
    {
      id: volume.id,
      volumeId: volume.id,
      serverId: server.id,
      device: "/dev/vda",
      bootIndex: 0,
      size: 40,
      bus: "virtio",
    },
  ]);
  expect(json.attachableQuantity).toEqual({ free_scsi: 59, free_blk: 23, free_disk: 59 });
  const single = await call("GET", `/v1/{p}/cloudservers/${server.id}/block_device/${volume.id}`);
  expect(single.json.volumeAttachment.volumeId).toBe(volume.id);
  const short = await call("GET", `/v1/{p}/cloudservers/${server.id}/os-volume_attachments`);
  expect(short.json.volumeAttachments).toEqual([
    { id: volume.id, volumeId: volume.id, serverId: server.id, device: "/dev/vda" },
  ]);
});

test("the embedded cloud attaches and detaches a disk after calls to ECS", async () => {
  const { cloud, call } = await startTestCloud();
  const server = cloud.addServer();
  const { id: volumeId } = cloud.addVolume();
  const attach = () =>
    call("POST", `/v1/{p}/cloudservers/${server.id}/attachvolume`, { volumeAttachment: { volumeId } });
  const attached = await attach();
  expect([attached.status, Object.keys(attached.json)]).toEqual([200, ["job_id"]]);
  expect((await call("GET", `/v1/{p}/jobs/${attached.json.job_id}`)).json.status).toBe("SUCCESS");
  expect(cloud.volume(volumeId)).toMatchObject({ status: "in-use", attachments: [{ server_id: server.id }] });
  expect((await attach()).status).toBe(400);
  expect((await call("DELETE", `/v1/{p}/cloudservers/${server.id}/detachvolume/${volumeId}`)).status).toBe(200);
  expect(cloud.volume(volumeId)?.status).toBe("available");
});
