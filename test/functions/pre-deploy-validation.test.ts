/** Tests requests and events that `pre-deploy` rejects. */
import { describe, expect, test } from "vitest";
import { UNKNOWN_ID } from "../support/common.ts";
import { createFixture } from "../support/deployments.ts";
import { apig, errorOf, type Json, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("an invalid request", () => {
  const target = { kind: "snapshot", volume_ids: [UNKNOWN_ID] };

  test.each<[what: string, body: Json, ...messages: string[]]>([
    ["no deployment_id", { deployment_id: undefined }, "deployment_id: required, but missing."],
    ["an empty deployment_id", { deployment_id: "" }, "deployment_id: expected at least 1 character, got"],
    [
      "a deployment_id of 129 characters",
      { deployment_id: "d".repeat(129) },
      "expected at most 128 characters, got 129.",
    ],
    [
      "a deployment_id with a line break",
      { deployment_id: "a\nb" },
      "deployment_id: expected a string without control",
    ],
    ["a number as deployment_id", { deployment_id: 7 }, "deployment_id: expected a string, got the number 7."],
    ["no targets", { targets: undefined }, "targets: required, but missing."],
    ["an empty array as targets", { targets: [] }, "targets: expected at least 1 item, got 0."],
    [
      "a target that has neither ids nor tags",
      { targets: [{ kind: "snapshot" }] },
      "targets[0]: expected volume_ids or tags",
    ],
    [
      "an unknown kind of snapshot",
      { targets: [{ kind: "disk", volume_ids: [UNKNOWN_ID] }] },
      'targets[0].kind: expected "snapshot"',
    ],
    [
      "values out of range in three fields",
      { wait_seconds: 51, max_age_minutes: 0, retry_failed: "yes" },
      "wait_seconds: expected at most 50, got 51.",
      "max_age_minutes: expected at least 1, got 0.",
      'retry_failed: expected true or false, got "yes".',
    ],
    ["a negative integer as wait_seconds", { wait_seconds: -1 }, "wait_seconds: expected at least 0, got -1."],
    ["a fraction as wait_seconds", { wait_seconds: 0.5 }, "wait_seconds: expected an integer, got the number 0.5."],
    ['the value "7" as policy', { policy: "7" }, "policy: expected a letter followed by"],
    ["an unknown field", { force: true }, "force: unknown field. Allowed: "],
  ])("pre-deploy responds 400 and names each invalid field if a request has %s", async (_what, body, ...messages) => {
    const { cloud, post, requests } = await createFixture();
    const refused = await post({ targets: [target], ...body });
    expect(refused.status).toBe(400);
    expect(errorOf(refused)).toMatchObject({
      code: "InvalidRequest",
      reason: "InvalidRequest",
      request_id: "request-1",
    });
    for (const message of messages) expect(errorOf(refused).message).toContain(message);
    expect(outcomes(refused)).toEqual(["create rejected", "run failed"]);
    expect(requests()).toEqual([]);
    expect(cloud.logs.map(({ line }) => line)).toEqual(refused.records);
  });

  test.each<[what: string, event: Json, message: string, status: number]>([
    ["the method GET", apig("{}", {}, { httpMethod: "GET" }), "Expected the method POST", 405],
    ["a truncated body", apig('{"deployment_id":"rel'), "Expected a JSON body", 400],
    ["an array as the body", apig("[]"), "body: expected an object, got an empty array.", 400],
    ["an empty body", apig("", {}, { body: "" }), "Expected a JSON body, got none.", 400],
  ])("pre-deploy rejects an HTTP request with %s", async (_what, event, message, status) => {
    const { call, requests } = await createFixture();
    const refused = await call(event);
    expect(refused.status).toBe(status);
    expect(errorOf(refused).message).toContain(message);
    expect(outcomes(refused)).toEqual(["create rejected", "run failed"]);
    expect(requests()).toEqual([]);
  });

  test.each<[what: string, event: unknown, trigger: string]>([
    ["a request body that is not inside an event of the API gateway", { deployment_id: "release-7" }, "direct"],
    ["a timer event", { trigger_type: "TIMER", time: "2026-11-21T02:00:00Z", user_event: "{}" }, "timer"],
    ["a CTS event", { cts: { trace_name: "attachVolume" } }, "cts"],
    ["a CloudEvent", { specversion: "1.0", data: {} }, "eventgrid"],
    ["undefined", undefined, "direct"],
    ["an array", [], "direct"],
  ])("pre-deploy fails and sends no request if its event is %s", async (_what, event, trigger) => {
    const { call, requests } = await createFixture();
    const { error, records } = await call(event);
    expect(error?.message).toMatch(/^Expected an HTTP request from the API gateway, got /);
    expect(records.map((one) => `${one.trigger} ${one.action} ${one.outcome}`)).toEqual([
      `${trigger} create rejected`,
      `${trigger} run failed`,
    ]);
    expect(requests()).toEqual([]);
  });
});
