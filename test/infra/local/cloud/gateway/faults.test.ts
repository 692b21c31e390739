import { expect, test } from "vitest";
import type { Fault } from "../../../../../infra/local/cloud/index.ts";
import { startCloudWithDisk } from "../../../../support/cloud-environment.ts";

const CREATE = "/v2/{p}/cloudsnapshots";
const LIST = "/v2/{p}/cloudvolumes/detail";

test("a fault of the embedded cloud affects only requests that match its conditions, such as operation, path and resource", async () => {
  const { cloud, call, create, volume_id } = await startCloudWithDisk({ legacyPerVolume: 99 });
  const other = cloud.addVolume().id;
  const fault: Fault = { type: "status", status: 500 };
  const statuses = async (count: number) => {
    const all = [];
    for (let n = 0; n < count; n += 1) all.push((await create()).status);
    return all;
  };
  const handles = [cloud.fault({ nth: 2, method: "post" }, fault)];
  expect(await statuses(3)).toEqual([202, 500, 202]);
  expect([handles[0]?.seen, handles[0]?.hits]).toEqual([3, 1]);
  cloud.clearFaults();
  cloud.fault({ operation: /createSnapshot$/, nth: 2, times: 2 }, fault);
  expect(await statuses(4)).toEqual([202, 500, 500, 202]);
  cloud.clearFaults();
  const unlimited = cloud.fault({ path: /cloudsnapshots$/g }, fault);
  expect(await statuses(3)).toEqual([500, 500, 500]);
  unlimited.remove();
  expect(await statuses(1)).toEqual([202]);
  cloud.fault({ resource: other }, fault);
  expect(await statuses(1)).toEqual([202]);
  expect((await call("POST", CREATE, { snapshot: { volume_id: other } })).status).toBe(500);
  expect((await call("GET", `${LIST}?id=${other}`)).status).toBe(500);
  expect((await call("GET", `${LIST}?id=${volume_id}`)).status).toBe(200);
  cloud.clearFaults();
  const draws = [0.5, 0.1, 0.9];
  cloud.fault({ probability: { value: 0.3, random: () => draws.shift() ?? 1 } }, fault);
  expect(await statuses(3)).toEqual([202, 500, 202]);
});

test("a fault for the first request to the embedded cloud ignores a request with a wrong signature and affects the next request", async () => {
  const { cloud, call, create } = await startCloudWithDisk();
  const handle = cloud.fault({ nth: 1 }, { type: "reset", after: true });
  await call("GET", LIST, undefined, { omit: ["x-sdk-date"] });
  expect(handle.seen).toBe(0);
  await expect(create()).rejects.toThrow();
  expect(cloud.snapshots()).toHaveLength(1);
});
