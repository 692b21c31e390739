import { expect, test } from "vitest";
import type { CloudOptions } from "../../../../../infra/local/cloud/index.ts";
import { startTestCloud, statusAndCode } from "../../../../support/cloud-environment.ts";

const TOPIC = "/v2/{p}/lts/groups/g1/streams/s1/tenant/contents";
const nanoseconds = (ms: number) => `${BigInt(ms) * 1_000_000n + 123n}`;

/** Starts an embedded cloud. Returns `report`, which sends log lines to a log stream. */
async function startTopic(options: Omit<CloudOptions, "clock"> = {}) {
  const { cloud, call } = await startTestCloud(options);
  /** Returns the current time of the cloud's clock in nanoseconds. */
  const now = () => nanoseconds(cloud.clock.now());
  const report = (fields: object, time = now(), signing = {}) => {
    const body = JSON.stringify({ log_time_ns: 0, contents: ["x"], labels: {}, ...fields });
    return call("POST", TOPIC, body.replace('"log_time_ns":0', `"log_time_ns":${time}`), signing);
  };
  return { cloud, call, now, report };
}

test("the embedded cloud stores log lines with their log group, log stream, labels and time in nanoseconds", async () => {
  const { cloud, now, report } = await startTopic();
  const time = now();
  const response = await report({ contents: ['{"action":"create"}', "plain text"], labels: { function: "f" } }, time);
  expect([response.status, response.json]).toEqual([
    200,
    { errorCode: "SVCSTG.ALS.200.200", error_msg: "Report success.", result: null },
  ]);
  expect(cloud.logs).toMatchObject([
    { line: { action: "create" }, group: "g1", stream: "s1", labels: { function: "f" }, log_time_ns: time },
    { line: "plain text", text: "plain text", log_time_ns: String(BigInt(time) + 1n) },
  ]);
});

test("the embedded cloud rejects invalid log bodies with 400 in the error format of LTS", async () => {
  const { cloud, call, now, report } = await startTopic();
  for (const fields of [
    { labels: undefined },
    { labels: "x" },
    { contents: undefined },
    { contents: "x" },
    { contents: [{ a: 1 }] },
    { extra: 1 },
  ]) {
    expect(statusAndCode(await report(fields))).toEqual([400, "SVCSTG.ALS.400.400"]);
  }
  for (const time of ["null", "1.5", "true", '"now"']) {
    expect(statusAndCode(await report({}, time))).toEqual([400, "SVCSTG.ALS.400.400"]);
  }
  expect(statusAndCode(await call("POST", TOPIC, "not json"))).toEqual([400, "SVCSTG.ALS.400.400"]);
  const text = { headers: { "content-type": "text/plain" } };
  expect(statusAndCode(await report({}, now(), text))).toEqual([400, "SVCSTG.ALS.400.400"]);
  expect(cloud.logs).toEqual([]);
  expect((await report({}, `"${now()}"`)).status).toBe(200);
  const charset = { headers: { "content-type": "application/json;charset=UTF-8" } };
  expect((await report({ tenant_project_id: "x" }, now(), charset)).status).toBe(200);
});

test("the embedded cloud accepts but discards a log line whose time differs by more than two days from its clock", async () => {
  const { cloud, report } = await startTopic();
  const day = 24 * 60 * 60 * 1000;
  for (const off of [-2 * day + 5000, 2 * day - 5000]) await report({}, nanoseconds(cloud.clock.now() + off));
  expect([cloud.logs.length, cloud.lostLogs.length]).toEqual([2, 0]);
  for (const off of [-2 * day - 5000, 2 * day + 5000]) {
    expect((await report({}, nanoseconds(cloud.clock.now() + off))).status).toBe(200);
  }
  // The embedded cloud reads a time in milliseconds as nanoseconds, so it discards the log line.
  expect((await report({}, String(cloud.clock.now()))).status).toBe(200);
  expect([cloud.logs.length, cloud.lostLogs.length]).toEqual([2, 3]);
});

test("the embedded cloud accepts a log line of 1 MB and rejects a log line of 1 MB plus one byte", async () => {
  const { cloud, report } = await startTopic();
  expect((await report({ contents: ["x".repeat(1024 * 1024)] })).status).toBe(200);
  expect((await report({ contents: ["y", `${"é".repeat(512 * 1024)}x`] })).status).toBe(400);
  expect(cloud.logs).toHaveLength(1);
});

test("the embedded cloud rejects a request body to LTS that is larger than `logBodyLimit`", async () => {
  const { report } = await startTopic({ logBodyLimit: 512 * 1024 });
  expect((await report({ contents: ["x".repeat(500 * 1024)] })).status).toBe(200);
  expect((await report({ contents: ["x".repeat(512 * 1024)] })).status).toBe(413);
});

test("the embedded cloud rejects log lines for another project and for unknown log streams", async () => {
  const { call, report } = await startTopic({
    topics: [
      { group: "g1", stream: "s1" },
      { group: "g2", stream: "s2" },
    ],
  });
  const foreign = await call("POST", TOPIC.replace("{p}", "f".repeat(32)), {
    log_time_ns: 1,
    contents: [],
    labels: {},
  });
  expect(foreign.status).toBe(401);
  expect(foreign.json).toEqual({ errorCode: "SVCSTG.ALS.403.105", error_msg: "Project id is invalid.", result: null });
  expect((await report({})).status).toBe(200);
  for (const path of ["groups/g3/streams/s1", "groups/g1/streams/s2"]) {
    const body = { log_time_ns: 1, contents: [], labels: {} };
    expect((await call("POST", `/v2/{p}/lts/${path}/tenant/contents`, body)).status).toBe(400);
  }
});

test("the embedded cloud stores each log line of a high-accuracy LTS request with the time of that log line", async () => {
  const { cloud, call, now } = await startTopic();
  const times = [now(), nanoseconds(cloud.clock.now() - 1000)];
  const contents = times.map((time, n) => `{"log_time_ns":${time},"log":"{\\"n\\":${n},\\"log_time_ns\\":7}"}`);
  const response = await call("POST", `${TOPIC}/high-accuracy`, `{"contents":[${contents}],"labels":{}}`);
  expect(response.status).toBe(200);
  expect(cloud.logs).toMatchObject([
    { line: { n: 0 }, log_time_ns: times[0] },
    { line: { n: 1 }, log_time_ns: times[1] },
  ]);
  expect((await call("POST", `${TOPIC}/high-accuracy`, { contents: ["x"], labels: {} })).status).toBe(400);
});
