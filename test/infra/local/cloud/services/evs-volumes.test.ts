import { expect, test } from "vitest";
import { startTestCloud, statusAndCode } from "../../../../support/cloud-environment.ts";

const LIST = "/v2/{p}/cloudvolumes/detail";

test("the embedded cloud returns a disk with the fields and types that EVS documents", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const server = cloud.addServer();
  const volume = cloud.addVolume({ name: "data", tags: { backup: "daily" }, serverId: server.id });
  const { json } = await call("GET", `/v2/{p}/cloudvolumes/${volume.id}`);
  expect(json.volume).toMatchObject({
    id: volume.id,
    name: "data",
    status: "in-use",
    tags: { backup: "daily" },
    bootable: "true",
    multiattach: false,
    shareable: "false",
    created_at: "2026-11-21T02:00:00.000000",
    attachments: [
      {
        id: volume.id,
        volume_id: volume.id,
        server_id: server.id,
        attachment_id: expect.any(String),
        device: "/dev/vda",
        attached_at: "2026-11-21T02:00:00.000000",
      },
    ],
  });
  cloud.detach(volume.id);
  expect(cloud.volume(volume.id)).toMatchObject({ status: "available", attachments: [] });
  const { attached_at } = cloud.attach(volume.id, server.id, { after: 1500 });
  expect(attached_at).toBe("2026-11-21T02:00:01.500000");
  expect(cloud.volume(volume.id)).toMatchObject({ status: "attaching", attachments: [] });
  clock.advance(1500);
  expect(cloud.volume(volume.id)).toMatchObject({ status: "in-use", attachments: [{ attached_at }] });
  expect(statusAndCode(await call("GET", "/v2/{p}/cloudvolumes/nothing"))).toEqual([404, "EVS.5404"]);
  expect((await call("GET", `/v2/{p}/cloudvolumes/${volume.id}/tags`)).json).toEqual({
    tags: [{ key: "backup", value: "daily" }],
  });
});

test("the embedded cloud lists disks in pages by offset or by page marker, sorted by any documented sort key", async () => {
  const { cloud, call } = await startTestCloud();
  for (const [index, size] of [30, 10, 20, 50, 40].entries()) {
    cloud.addVolume({ name: `v${index}`, size, createdAt: Date.UTC(2026, 0, index + 1) });
  }
  const page = async (query: string) => {
    const { json } = await call("GET", `${LIST}?${query}`);
    return json.volumes.map(({ name }: { name: string }) => name).join(" ");
  };
  expect(await page("")).toBe("v4 v3 v2 v1 v0");
  expect(await page("sort_dir=asc&limit=2")).toBe("v0 v1");
  expect(await page("sort_key=size&sort_dir=asc")).toBe("v1 v2 v0 v4 v3");
  expect(await page("sort_key=size&limit=2&offset=1")).toBe("v4 v0");
  expect(await page("limit=2&offset=4")).toBe("v0");
  const { json } = await call("GET", `${LIST}?limit=2`);
  expect(json.count).toBe(5);
  expect(json.volumes_links[0].href).toContain("https://172.28.9.185:8776/");
  const marker = json.volumes[1].id;
  expect(await page(`limit=2&marker=${marker}`)).toBe("v2 v1");
  expect(await page(`limit=2&marker=${marker}&sort_key=size&sort_dir=asc`)).toBe("");
  cloud.removeVolume(marker);
  expect(statusAndCode(await call("GET", `${LIST}?limit=2&marker=${marker}`))).toEqual([400, "EVS.1024"]);
  expect(statusAndCode(await call("GET", `${LIST}?sort_key=name`))).toEqual([400, "EVS.1039"]);
  expect(statusAndCode(await call("GET", `${LIST}?sort_dir=up`))).toEqual([400, "EVS.1040"]);
});

test("the embedded cloud filters disks by up to 60 `ids`, and ignores the parameter `id` if a request also has `ids`", async () => {
  const { cloud, call } = await startTestCloud();
  const [a, b] = [cloud.addVolume(), cloud.addVolume()];
  const ask = async (query: string) => {
    const response = await call("GET", `${LIST}?${query}`);
    return response.status === 200 ? response.json.count : statusAndCode(response);
  };
  const literal = (ids: string[]) => encodeURIComponent(`[${ids.map((id) => `'${id}'`).join(",")}]`);
  expect(await ask(`ids=${literal([a.id, b.id, "unknown"])}`)).toBe(2);
  expect(await ask(`ids=['${a.id}']`)).toBe(1);
  expect(await ask(`ids=${literal([a.id])}&id=${b.id}`)).toBe(1);
  expect(await ask(`id=${b.id}`)).toBe(1);
  expect(await ask("ids=[]")).toBe(0);
  expect(await ask(`ids=${a.id},${b.id}`)).toEqual([400, "EVS.5400"]);
  expect(await ask(`ids=${literal(Array(60).fill(a.id))}`)).toBe(1);
  expect(await ask(`ids=${literal(Array(61).fill(a.id))}`)).toEqual([400, "EVS.5400"]);
});

test("the embedded cloud supports every filter of the list request for disks, and rejects a filter by tags", async () => {
  const { cloud, clock, call } = await startTestCloud({ enterpriseProjectsByDefault: "all" });
  const server = cloud.addServer();
  cloud.addVolume({
    name: "root",
    serverId: server.id,
    availabilityZone: "az-9",
    metadata: { "hw:passthrough": "true" },
  });
  const late = cloud.addVolume({ name: "late", enterpriseProjectId: "p1", volumeType: "SAS" });
  cloud.attach(late.id, server.id, { after: 1000 });
  cloud.addVolume({ name: "shared", multiattach: true });
  const names = async (query: string) =>
    (await call("GET", `${LIST}?${query}`)).json.volumes
      .map(({ name }: { name: string }) => name)
      .sort()
      .join(" ");
  expect(await names(`server_id=${server.id}`)).toBe("root");
  clock.advance(1000);
  expect(await names(`server_id=${server.id}`)).toBe("late root");
  expect(await names("status=in-use")).toBe("late root");
  expect(await names("status=available")).toBe("shared");
  expect(await names("name=o")).toBe("root");
  expect(await names("availability_zone=az-9")).toBe("root");
  expect(await names("multiattach=true")).toBe("shared");
  expect(await names("volume_type_id=SAS")).toBe("late");
  expect(await names("enterprise_project_id=p1")).toBe("late");
  expect(await names(`metadata=${encodeURIComponent("{'hw:passthrough':'true'}")}`)).toBe("root");
  expect(await names(`not_metadata=${encodeURIComponent('{"hw:passthrough":true}')}`)).toBe("late shared");
  expect(await names("service_type=EVS&sort_key=status")).toBe("late root shared");
  expect(await names("dedicated_storage_name=x")).toBe("");
  expect(statusAndCode(await call("GET", `${LIST}?tags=x`))).toEqual([400, "EVS.5400"]);
});

test("the embedded cloud lists a disk by tags if the disk has one of the requested values for every requested tag key", async () => {
  const { cloud, call } = await startTestCloud();
  cloud.addVolume({ name: "a", tags: { backup: "daily", env: "prod" } });
  cloud.addVolume({ name: "b", tags: { backup: "weekly", env: "prod" } });
  cloud.addVolume({ name: "c", tags: { backup: "daily" } });
  const ask = (body: object) =>
    call("POST", "/v2/{p}/cloudvolumes/resource_instances/action", { action: "filter", ...body });
  const names = async (body: object) =>
    (await ask(body)).json.resources
      .map((row: { resource_name: string }) => row.resource_name)
      .sort()
      .join("");
  expect(await names({ tags: [{ key: "backup", values: ["daily"] }] })).toBe("ac");
  expect(await names({ tags: [{ key: "backup", values: ["daily", "weekly"] }] })).toBe("abc");
  expect(
    await names({
      tags: [
        { key: "backup", values: [] },
        { key: "env", values: ["prod"] },
      ],
    }),
  ).toBe("ab");
  expect(await names({ tags: [], matches: [{ key: "resource_name", value: "c" }] })).toBe("c");
  expect((await ask({ tags: [], limit: "2", offset: "2" })).json).toMatchObject({ total_count: 3, resources: [{}] });
  expect((await ask({ action: "count", tags: [] })).json).toEqual({ total_count: 3 });
  // `shareable` is a boolean here, but a string in the list of disks.
  expect((await ask({ tags: [] })).json.resources[0].resource_detail.shareable).toBe(false);
  const filters = (count: number) => Array.from({ length: count }, (_, n) => ({ key: `k${n}`, values: [] }));
  expect((await ask({ tags: filters(10) })).status).toBe(200);
  expect((await ask({ tags: filters(11) })).status).toBe(400);
  const values = (count: number) => [{ key: "k", values: Array.from({ length: count }, (_, n) => String(n)) }];
  expect((await ask({ tags: values(10) })).status).toBe(200);
  expect((await ask({ tags: values(11) })).status).toBe(400);
  expect((await ask({ tags: [], limit: 1001 })).status).toBe(400);
  expect((await ask({ action: "delete", tags: [] })).status).toBe(400);
});

test("the embedded cloud returns the tags of all disks, and does not take `tags` for the id of a disk", async () => {
  const { cloud, call } = await startTestCloud();
  cloud.addVolume({ tags: { backup: "daily", env: "prod" } });
  cloud.addVolume({ tags: { backup: "weekly" } });
  const { status, json } = await call("GET", "/v2/{p}/cloudvolumes/tags");
  expect([status, json]).toEqual([200, { tags: { backup: ["daily", "weekly"], env: ["prod"] } }]);
});
