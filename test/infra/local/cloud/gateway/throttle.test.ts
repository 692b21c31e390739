import { expect, test } from "vitest";
import { startTestCloud, statusAndCode } from "../../../../support/cloud-environment.ts";

const LIST = "/v2/{p}/cloudvolumes/detail";

test("the embedded cloud responds with 429 and the documented message to requests above its limit per second", async () => {
  const { cloud, clock, call } = await startTestCloud({ rate: { perSecond: 3 } });
  const ask = async () => (await call("GET", LIST)).status;
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual([200, 200, 200, 429]);
  const { json } = await call("GET", LIST);
  expect(json).toEqual({
    error_code: "APIGW.0308",
    error_msg: "The throttling threshold has been reached: policy user over ratelimit,limit:3,time:1 second",
    request_id: expect.any(String),
  });
  clock.advance(333);
  expect(await ask()).toBe(429);
  clock.advance(1);
  expect([await ask(), await ask()]).toEqual([200, 429]);
  clock.advance(60_000);
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual([200, 200, 200, 429]);
  expect([cloud.count("evs.listVolumes", 200), cloud.count(/^evs/, 429), cloud.count("evs.listVolumes")]).toEqual([
    7, 5, 12,
  ]);
});

test("the embedded cloud limits the requests per minute if `rate` contains `perMinute`", async () => {
  const { clock, call } = await startTestCloud({ rate: { perSecond: 100, perMinute: 2 } });
  const ask = async () => call("GET", LIST);
  await ask();
  await ask();
  expect((await ask()).json.error_msg).toMatch(/limit:2,time:1 minute$/);
  clock.advance(30_000);
  expect([(await ask()).status, (await ask()).status]).toEqual([200, 429]);
});

test("the embedded cloud creates no snapshot if it throttles the create request", async () => {
  const { cloud, clock, call } = await startTestCloud({ rate: { perSecond: 1 } });
  const volume_id = cloud.addVolume().id;
  const create = async () => statusAndCode(await call("POST", "/v2/{p}/cloudsnapshots", { snapshot: { volume_id } }));
  expect(await create()).toEqual([202, undefined]);
  expect(await create()).toEqual([429, "APIGW.0308"]);
  expect(cloud.snapshots()).toHaveLength(1);
  clock.advance(1000);
  expect(await create()).toEqual([202, undefined]);
});

test("the embedded cloud does not count requests to LTS against the gateway's rate limit", async () => {
  const { cloud, call } = await startTestCloud({ rate: { perSecond: 1 } });
  const body = `{"log_time_ns":${cloud.clock.now()}000000,"contents":["x"],"labels":{}}`;
  for (let n = 0; n < 3; n += 1) {
    expect((await call("POST", "/v2/{p}/lts/groups/g/streams/s/tenant/contents", body)).status).toBe(200);
  }
  expect((await call("GET", LIST)).status).toBe(200);
});

test("the embedded cloud does not count a request with a wrong signature against the rate limit", async () => {
  const { call } = await startTestCloud({ rate: { perSecond: 1 } });
  await call("GET", LIST, undefined, { omit: ["x-sdk-date"] });
  expect((await call("GET", LIST)).status).toBe(200);
});
