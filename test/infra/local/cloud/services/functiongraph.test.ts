import { expect, test } from "vitest";
import type { Invocation } from "../../../../../infra/local/cloud/index.ts";
import { startTestCloud, statusAndCode } from "../../../../support/cloud-environment.ts";

const urnOf = (project: string, name = "scheduled", region = "eu-west-101") =>
  `urn:fss:${region}:${project}:function:default:${name}:latest`;
const path = (urn: string) => `/v2/{p}/fgs/functions/${urn}/invocations-async`;

test("the embedded cloud acknowledges an asynchronous invocation before it runs the function", async () => {
  const calls: Invocation[] = [];
  const { cloud, call } = await startTestCloud({ onInvokeAsync: async (invocation) => void calls.push(invocation) });
  const urn = urnOf(cloud.projectId);
  const response = await call("POST", path(urn), { version: "v2.0", user_event: "{}" });
  expect([response.status, Object.keys(response.json)]).toEqual([202, ["request_id"]]);
  await cloud.idle();
  expect(calls).toEqual([{ urn, payload: { version: "v2.0", user_event: "{}" }, requestId: response.json.request_id }]);
  expect(cloud.invocations).toEqual(calls);
  expect((await call("POST", path(encodeURIComponent(urn)), {})).status).toBe(202);
});

test("the embedded cloud acknowledges an asynchronous invocation with 202 even if the function fails", async () => {
  const { cloud, call } = await startTestCloud({
    onInvokeAsync: () => {
      throw new Error("no");
    },
  });
  expect((await call("POST", path(urnOf(cloud.projectId)), {})).status).toBe(202);
  await expect(cloud.idle()).rejects.toThrow("no");
});

test("the embedded cloud runs an asynchronous invocation even if the caller does not receive the acknowledgement", async () => {
  const runs: Invocation[] = [];
  const { cloud, call } = await startTestCloud({ onInvokeAsync: (run) => void runs.push(run) });
  cloud.fault({ nth: 1 }, { type: "reset", after: true });
  await expect(call("POST", path(urnOf(cloud.projectId)), {})).rejects.toThrow();
  await cloud.idle();
  expect(runs).toHaveLength(1);
});

test("the embedded cloud accepts an asynchronous event of 256 KB and rejects an event of 256 KB plus one byte", async () => {
  const { cloud, call } = await startTestCloud();
  const urn = urnOf(cloud.projectId);
  const body = (length: number) => `{"a":"${"x".repeat(length - 8)}"}`;
  expect((await call("POST", path(urn), body(256 * 1024))).status).toBe(202);
  expect(statusAndCode(await call("POST", path(urn), body(256 * 1024 + 1)))).toEqual([413, "FSS.0413"]);
  expect(statusAndCode(await call("POST", path(urn), "[]"))).toEqual([400, "FSS.0406"]);
  expect(cloud.invocations).toHaveLength(1);
});

test("the embedded cloud responds with 404 to an asynchronous invocation of an unknown function", async () => {
  const { cloud, call } = await startTestCloud();
  const ask = async (urn: string) => statusAndCode(await call("POST", path(urn), {}));
  expect(await ask(urnOf("f".repeat(32)))).toEqual([404, "FSS.0404"]);
  expect(await ask(urnOf(cloud.projectId, "f", "elsewhere"))).toEqual([404, "FSS.0404"]);
  expect(await ask("nonsense")).toEqual([400, "FSS.0400"]);
  const some = await startTestCloud({ functions: [`urn:fss:eu-west-101:${cloud.projectId}:function:default:known`] });
  expect((await some.call("POST", path(urnOf(cloud.projectId, "known")), {})).status).toBe(202);
  expect(statusAndCode(await some.call("POST", path(urnOf(cloud.projectId, "other")), {}))).toEqual([404, "FSS.0404"]);
});
