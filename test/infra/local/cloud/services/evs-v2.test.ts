import { expect, test } from "vitest";
import { startCloudWithDisk, startTestCloud, statusAndCode } from "../../../../support/cloud-environment.ts";

const CREATE = "/v2/{p}/cloudsnapshots";
const LIST = "/v2/{p}/cloudsnapshots/detail";

test("the embedded cloud creates, shows, updates and deletes a legacy snapshot", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const volume = cloud.addVolume({ size: 40 });
  const created = await call("POST", CREATE, {
    snapshot: {
      volume_id: volume.id,
      name: "snap-001",
      description: "Daily backup",
      force: false,
      metadata: { a: "b" },
    },
  });
  expect(created.status).toBe(202);
  const { id } = created.json.snapshot;
  expect(created.json).toEqual({
    snapshot: {
      status: "creating",
      description: "Daily backup",
      created_at: "2026-11-21T02:00:00.000000",
      metadata: {},
      volume_id: volume.id,
      size: 40,
      id,
      name: "snap-001",
      updated_at: "2026-11-21T02:00:00.000000",
    },
  });
  const single = `${CREATE}/${id}`;
  expect((await call("GET", single)).json.snapshot).toMatchObject({
    status: "creating",
    metadata: { a: "b" },
    updated_at: null,
  });
  expect(statusAndCode(await call("DELETE", single))).toEqual([400, "EVS.1047"]);
  clock.advance(2999);
  expect((await call("GET", single)).json.snapshot.status).toBe("creating");
  clock.advance(1);
  expect((await call("GET", single)).json.snapshot.status).toBe("available");

  clock.advance(1000);
  const renamed = await call("PUT", single, { snapshot: { name: "other", description: "text" } });
  expect(renamed.status).toBe(200);
  const updated_at = "2026-11-21T02:00:04.000000";
  expect(renamed.json.snapshot).toMatchObject({ name: "other", description: "text", updated_at });

  const deleted = await call("DELETE", single);
  expect([deleted.status, deleted.text]).toEqual([202, ""]);
  expect((await call("GET", single)).json.snapshot.status).toBe("deleting");
  expect(statusAndCode(await call("DELETE", single))).toEqual([400, "EVS.1047"]);
  clock.advance(1000);
  expect(statusAndCode(await call("GET", single))).toEqual([404, "EVS.5404"]);
  expect(statusAndCode(await call("DELETE", single))).toEqual([404, "EVS.5404"]);
  expect(cloud.snapshots()).toEqual([]);
});

test("the embedded cloud returns EVS times with microseconds and without a time zone", async () => {
  const { create } = await startCloudWithDisk();
  const times = [];
  for (let n = 0; n < 3; n += 1) times.push((await create()).json.snapshot.created_at);
  expect(times).toEqual(["2026-11-21T02:00:00.000000", "2026-11-21T02:00:00.000001", "2026-11-21T02:00:00.000002"]);
});

test("the embedded cloud limits the name of a legacy snapshot to 64 characters and its description to 85", async () => {
  const { cloud, call } = await startTestCloud();
  const volume_id = cloud.addVolume().id;
  const create = async (fields: object) =>
    statusAndCode(await call("POST", CREATE, { snapshot: { volume_id, ...fields } }))[0];
  expect(await create({ name: "é".repeat(64), description: "é".repeat(85) })).toBe(202);
  expect(await create({ name: "n".repeat(65) })).toBe(400);
  expect(await create({ description: "d".repeat(86) })).toBe(400);
  expect(await create({ description: null })).toBe(400);
  expect(cloud.snapshots()).toHaveLength(1);
});

test("the embedded cloud allows names of 255 bytes and sends OpenStack's error bodies if `evsLimits` is `classic`", async () => {
  const { cloud, call } = await startTestCloud({ evsLimits: "classic" });
  const volume_id = cloud.addVolume().id;
  const create = (fields: object) => call("POST", CREATE, { snapshot: { volume_id, ...fields } });
  expect((await create({ name: "n".repeat(255), description: "d".repeat(255) })).status).toBe(202);
  expect((await create({ description: null })).status).toBe(202);
  const tooLong = await create({ name: `${"é".repeat(127)}nn` });
  expect(tooLong.status).toBe(400);
  expect(tooLong.json).toEqual({ badRequest: { code: 400, message: expect.any(String) } });
  expect((await create({ description: `${"é".repeat(127)}n` })).status).toBe(202);
  const gone = await create({ volume_id: "00000000-0000-4000-8000-000000000000" });
  expect(gone.json).toEqual({ itemNotFound: { code: 404, message: expect.any(String) } });
  for (let n = 3; n < 7; n += 1) await create({});
  const full = await create({});
  expect([full.status, Object.keys(full.json)]).toEqual([413, ["overLimit"]]);
});

test("the embedded cloud rejects unknown fields and wrong types in the body of a legacy snapshot", async () => {
  const { cloud, call } = await startTestCloud();
  const volume_id = cloud.addVolume().id;
  const refused = [
    undefined,
    "not json",
    [],
    {},
    { snapshot: null },
    { snapshot: [] },
    { snapshot: { volume_id }, extra: 1 },
    { snapshot: { volume_id, tags: {} } },
    { snapshot: { volume_id, incremental: true } },
    { snapshot: { volume_id, force: "true" } },
    { snapshot: { volume_id, name: 1 } },
    { snapshot: { volume_id, name: null } },
    { snapshot: { volume_id, metadata: { a: 1 } } },
    { snapshot: { volume_id, metadata: [] } },
    { snapshot: { volume_id, name: "autobk_snapshot_x" } },
  ];
  for (const body of refused) expect(statusAndCode(await call("POST", CREATE, body))).toEqual([400, "EVS.5400"]);
  for (const body of [{ snapshot: {} }, { snapshot: { volume_id: "" } }, { snapshot: { volume_id: "no-uuid" } }]) {
    expect(statusAndCode(await call("POST", CREATE, body))).toEqual([400, "EVS.1002"]);
  }
  expect(
    (await call("POST", CREATE, { snapshot: { volume_id, metadata: {}, name: "my_autobk_snapshot_" } })).status,
  ).toBe(202);
  expect(cloud.snapshots()).toHaveLength(1);
});

test("the embedded cloud rejects metadata of 1,048,576 bytes or more", async () => {
  const { cloud, call } = await startTestCloud();
  const volume_id = cloud.addVolume().id;
  const create = (length: number) =>
    call("POST", CREATE, { snapshot: { volume_id, metadata: { a: "x".repeat(length) } } });
  expect((await create(1_048_576 - 9)).status).toBe(202);
  expect(statusAndCode(await create(1_048_576 - 8))).toEqual([400, "EVS.1005"]);
});

test("the embedded cloud creates a legacy snapshot of an `in-use` or `attaching` disk only if `force` is true", async () => {
  const { cloud, clock, call } = await startTestCloud();
  const server = cloud.addServer();
  const volume = cloud.addVolume();
  const create = async (force?: boolean) =>
    statusAndCode(
      await call("POST", CREATE, { snapshot: { volume_id: volume.id, ...(force === undefined ? {} : { force }) } }),
    );
  expect(await create()).toEqual([202, undefined]);
  cloud.attach(volume.id, server.id, { after: 5000 });
  expect(cloud.volume(volume.id)?.status).toBe("attaching");
  expect(await create(false)).toEqual([400, "EVS.5400"]);
  expect(await create(true)).toEqual([202, undefined]);
  clock.advance(5000);
  expect(cloud.volume(volume.id)?.status).toBe("in-use");
  expect(await create()).toEqual([400, "EVS.5400"]);
  expect(await create(false)).toEqual([400, "EVS.5400"]);
  expect(await create(true)).toEqual([202, undefined]);
  for (const status of ["error", "extending", "backing-up", "deleting"]) {
    cloud.setVolumeStatus(volume.id, status);
    expect(await create(true)).toEqual([400, "EVS.5400"]);
  }
  cloud.removeVolume(volume.id);
  expect(await create(true)).toEqual([404, "EVS.5404"]);
});

test("the embedded cloud allows seven legacy snapshots per disk and rejects the eighth legacy snapshot", async () => {
  const { cloud, clock, call, create } = await startCloudWithDisk();
  for (let n = 0; n < 7; n += 1) expect((await create()).status).toBe(202);
  expect(statusAndCode(await create())).toEqual([413, "EVS.5413"]);
  expect((await call("POST", CREATE, { snapshot: { volume_id: cloud.addVolume().id } })).status).toBe(202);
  clock.advance(3000);
  const [first] = cloud.snapshots();
  await call("DELETE", `${CREATE}/${first?.id}`);
  expect(statusAndCode(await create())).toEqual([413, "EVS.5413"]);
  clock.advance(1000);
  expect((await create()).status).toBe(202);
});

test("the embedded cloud returns the snapshot quota of the project, and rejects a snapshot that exceeds this quota", async () => {
  const { cloud, call } = await startTestCloud({ snapshotQuota: 2 });
  const create = () => call("POST", CREATE, { snapshot: { volume_id: cloud.addVolume().id } });
  expect([(await create()).status, (await create()).status]).toEqual([202, 202]);
  expect(statusAndCode(await create())).toEqual([413, "EVS.5413"]);
  const quotas = await call("GET", `/v2/{p}/os-quota-sets/${cloud.projectId}?usage=True`);
  expect(quotas.json.quota_set.snapshots).toEqual({ in_use: 2, limit: 2, reserved: 0 });
  expect(quotas.json.quota_set.gigabytes.in_use).toBe(3 * 10 + 2 * 10);
});

test("a legacy snapshot in the embedded cloud gets the final status that a test sets with `endWith`", async () => {
  const { cloud, clock, call, create, volume_id } = await startCloudWithDisk();
  cloud.endWith(volume_id, "error");
  cloud.endWith(volume_id, "stuck");
  cloud.endWith(volume_id, "quiescing");
  for (let n = 0; n < 4; n += 1) await create();
  expect(cloud.snapshots().map(({ status }) => status)).toEqual(["creating", "creating", "creating", "creating"]);
  clock.advance(1_000_000_000);
  expect(cloud.snapshots().map(({ status }) => status)).toEqual(["error", "creating", "quiescing", "available"]);
  const [failed, stuck, unknown] = cloud.snapshots();
  expect((await call("DELETE", `${CREATE}/${failed?.id}`)).status).toBe(202);
  expect(statusAndCode(await call("DELETE", `${CREATE}/${stuck?.id}`))).toEqual([400, "EVS.1047"]);
  expect(statusAndCode(await call("DELETE", `${CREATE}/${unknown?.id}`))).toEqual([400, "EVS.1047"]);
});

test("the embedded cloud rejects a delete request for a legacy snapshot in the status `error_deleting`", async () => {
  const { cloud, call } = await startTestCloud();
  const { id } = cloud.addSnapshot({ kind: "snapshot", volumeId: cloud.addVolume().id, status: "error_deleting" });
  expect(statusAndCode(await call("DELETE", `${CREATE}/${id}`))).toEqual([500, "EVS.2019"]);
});

test("the embedded cloud lists legacy snapshots newest first, in pages by row offset, and counts the snapshots on all pages", async () => {
  const { cloud, call } = await startTestCloud();
  const volumeId = cloud.addVolume().id;
  for (const day of [3, 1, 2, 5, 4]) {
    cloud.addSnapshot({ kind: "snapshot", volumeId, name: `day-${day}`, createdAt: `2026-11-0${day}T00:00:00Z` });
  }
  const page = async (query: string) => {
    const { json } = await call("GET", `${LIST}?${query}`);
    return {
      names: json.snapshots.map(({ name }: { name: string }) => name),
      count: json.count,
      links: json.snapshots_links,
    };
  };
  expect(await page("")).toEqual({ names: ["day-5", "day-4", "day-3", "day-2", "day-1"], count: 5, links: undefined });
  const second = await page("limit=2&offset=2");
  expect(second).toMatchObject({ names: ["day-3", "day-2"], count: 5 });
  // The link to the next page has an internal address, which no caller can reach.
  expect(second.links).toEqual([{ rel: "next", href: expect.stringMatching(/^https:\/\/172\.28\.9\.185:8776\/v2\//) }]);
  expect(await page("limit=2&offset=4")).toEqual({ names: ["day-1"], count: 5, links: undefined });
  expect(await page("limit=2&offset=5")).toEqual({ names: [], count: 5, links: undefined });
  expect(await page("offset=99")).toEqual({ names: [], count: 5, links: undefined });
});

test("the embedded cloud rejects a list request whose limit is not a number from 1 to 1000 or whose offset is negative", async () => {
  const { call } = await startTestCloud();
  const ask = async (query: string) => statusAndCode(await call("GET", `${LIST}?${query}`));
  expect(await ask("limit=1000")).toEqual([200, undefined]);
  expect(await ask("limit=1001")).toEqual([400, "EVS.2142"]);
  expect(await ask("limit=1")).toEqual([200, undefined]);
  expect(await ask("limit=0")).toEqual([400, "EVS.1023"]);
  expect(await ask("limit=ten")).toEqual([400, "EVS.5400"]);
  expect(await ask("offset=-1")).toEqual([400, "EVS.5400"]);
});

test("the embedded cloud rejects a page marker in a list request for legacy snapshots unless `unknownQuery` is `ignore`", async () => {
  const strict = await startTestCloud();
  expect(statusAndCode(await strict.call("GET", `${LIST}?marker=x`))).toEqual([400, "EVS.5400"]);
  const lax = await startTestCloud({ unknownQuery: "ignore" });
  expect((await lax.call("GET", `${LIST}?marker=x`)).status).toBe(200);
});

test("the embedded cloud supports every filter of the list request for legacy snapshots", async () => {
  const { cloud, call } = await startTestCloud({ enterpriseProjectsByDefault: "all" });
  const a = cloud.addVolume({ enterpriseProjectId: "p1", availabilityZone: "az-2" });
  const b = cloud.addVolume();
  await call("POST", CREATE, { snapshot: { volume_id: a.id, name: "nightly-1" } });
  await call("POST", CREATE, { snapshot: { volume_id: b.id, name: "nightly-10" } });
  const old = cloud.addSnapshot({ kind: "snapshot", volumeId: b.id, name: "old", createdAt: "2020-01-01T00:00:00Z" });
  const [, first, second] = cloud.snapshots("snapshot");
  const names = async (query: string) =>
    (await call("GET", `${LIST}?${query}`)).json.snapshots.map(({ name }: { name: string }) => name).sort();
  expect(await names(`volume_id=${b.id}`)).toEqual(["nightly-10", "old"]);
  expect(await names("status=available")).toEqual(["old"]);
  expect(await names("status=creating")).toEqual(["nightly-1", "nightly-10"]);
  expect(await names("name=nightly-1")).toEqual(["nightly-1", "nightly-10"]);
  expect(await names(`id=${old.id}&id=${first?.id}`)).toEqual(["nightly-1", "old"]);
  expect(await names(`id=${second?.id}&volume_id=${a.id}`)).toEqual([]);
  expect(await names("enterprise_project_id=p1")).toEqual(["nightly-1"]);
  expect(await names("enterprise_project_id=all_granted_eps")).toHaveLength(3);
  expect(await names("availability_zone=az-2")).toEqual(["nightly-1"]);
  expect(await names("service_type=EVS")).toHaveLength(3);
  expect(await names("service_type=DSS")).toEqual([]);
  expect(await names("dedicated_storage_id=x")).toEqual([]);
});

test("the embedded cloud filters legacy snapshots by the whole name if `nameFilter` is `exact`, and by enterprise project", async () => {
  const { cloud, call } = await startTestCloud({ nameFilter: "exact" });
  const a = cloud.addVolume({ enterpriseProjectId: "p1" });
  await call("POST", CREATE, { snapshot: { volume_id: a.id, name: "nightly-1" } });
  await call("POST", CREATE, { snapshot: { volume_id: cloud.addVolume().id, name: "nightly-10" } });
  const count = async (query: string) => (await call("GET", `${LIST}?${query}`)).json.count;
  expect(await count("name=nightly-10")).toBe(1);
  expect(await count("name=nightly")).toBe(0);
  expect(await count("")).toBe(1);
  expect(await count("enterprise_project_id=all_granted_eps")).toBe(2);
});

test("the embedded cloud omits a new legacy snapshot from list responses for `listLagMs` milliseconds", async () => {
  const { cloud, clock, call } = await startTestCloud();
  cloud.listLagMs = 5000;
  const created = await call("POST", CREATE, { snapshot: { volume_id: cloud.addVolume().id } });
  const count = async () => (await call("GET", LIST)).json.count;
  expect(await count()).toBe(0);
  expect((await call("GET", `${CREATE}/${created.json.snapshot.id}`)).status).toBe(200);
  clock.advance(4999);
  expect(await count()).toBe(0);
  await call("POST", CREATE, { snapshot: { volume_id: cloud.addVolume().id } });
  expect(await count()).toBe(0);
  clock.advance(1);
  expect(await count()).toBe(1);
  clock.advance(5000);
  expect(await count()).toBe(2);
});
