/** Tests that a composed function first reads the configuration, then validates the event, and then calls the handler. */
import { expect, test } from "vitest";
import { SnapshotError } from "../../../shared/core/errors.ts";
import { compose } from "../../../shared/middleware/compose.ts";
import { httpRequest } from "../../../shared/middleware/http-request.ts";
import { finishRun } from "../../../shared/middleware/run-summary.ts";
import { timerEvent } from "../../../shared/middleware/timer-event.ts";
import type { SchemaOf } from "../../../shared/validation/validate.ts";
import { apig, createTestEnvironment, START, timerEvent as timer } from "../../support/environment.ts";

const schema: SchemaOf<{ policy: string; size?: number }> = {
  type: "object",
  required: ["policy"],
  properties: { policy: { type: "string" }, size: { type: "integer" } },
};

/** Composes a timer function that appends to `steps` when its check and its handler are called. */
function timerFunction(steps: string[] = []) {
  return compose({
    name: "sample",
    target: { action: "verify" },
    trigger: timerEvent,
    schema: () => schema,
    check({ size = 0 }) {
      steps.push("check");
      if (size < 0) throw new SnapshotError("InvalidRequest", `size: expected at least 0, got ${size}.`);
    },
    async handler({ body, time }, invocation) {
      steps.push(`handle ${body.policy} ${new Date(time).toISOString()}`);
      finishRun(invocation, { targets: 1 });
    },
  });
}

test("compose passes the body and the time of a valid timer event to the handler, and returns the summary of the run", async () => {
  const steps: string[] = [];
  const environment = await createTestEnvironment();
  const { result } = await environment.invoke(timerFunction(steps), timer({ policy: "nightly" }));
  expect(steps).toEqual(["check", `handle nightly ${new Date(START).toISOString()}`]);
  expect(result).toEqual({
    function: "sample",
    policy: "nightly",
    targets: 1,
    outcomes: {},
    deferred_to: [],
    topic: "delivered",
  });
});

test("compose calls neither the function's check nor its handler if the body does not match the schema", async () => {
  const steps: string[] = [];
  const environment = await createTestEnvironment();
  const { error, records } = await environment.invoke(timerFunction(steps), timer({ policy: "nightly", size: "big" }));
  expect(steps).toEqual([]);
  expect(error).toMatchObject({ reason: "InvalidRequest", message: 'size: expected an integer, got "big".' });
  expect(records.map(({ action, outcome, policy }) => [action, outcome, policy])).toEqual([
    ["verify", "rejected", "nightly"],
    ["run", "failed", "nightly"],
  ]);
});

test("compose does not call the function's handler if the function's check throws", async () => {
  const steps: string[] = [];
  const environment = await createTestEnvironment();
  const { error } = await environment.invoke(timerFunction(steps), timer({ policy: "nightly", size: -1 }));
  expect(steps).toEqual(["check"]);
  expect(error).toMatchObject({ reason: "InvalidRequest", message: "size: expected at least 0, got -1." });
});

test("compose fails with Misconfigured if both the configuration and the event are invalid", async () => {
  const environment = await createTestEnvironment({ variables: { HTTP_TIMEOUT_MS: "soon" } });
  const { error, records } = await environment.invoke(timerFunction(), { trigger_type: "TIMER" });
  expect(error).toMatchObject({ reason: "Misconfigured" });
  expect(records.map(({ action, outcome }) => [action, outcome])).toEqual([["run", "failed"]]);
});

test("compose writes a record with the policy and the event time even if the configuration is invalid", async () => {
  const environment = await createTestEnvironment({ variables: { HTTP_TIMEOUT_MS: "soon" } });
  const { records } = await environment.invoke(timerFunction(), timer({ policy: "nightly" }));
  expect(records).toEqual([
    expect.objectContaining({ policy: "nightly", event_time: new Date(START).toISOString(), outcome: "failed" }),
  ]);
  expect(environment.cloud.logs).toHaveLength(1);
});

test("compose makes an HTTP function return the handler's body as JSON, or an error envelope if the handler throws", async () => {
  const environment = await createTestEnvironment();
  const echo = compose({
    name: "echo",
    target: { action: "create" },
    trigger: httpRequest,
    schema: () => schema,
    async handler({ body }) {
      if (body.size === 0) throw new SnapshotError("Busy", "The disk is busy.", { retryAfterMs: 1_500 });
      return { status: 202, body: { echo: body.policy }, headers: { "retry-after": "5" } };
    },
  });
  const { result } = await environment.invoke(echo, apig({ policy: "nightly" }), { requestId: "r-1" });
  expect(result).toMatchObject({
    statusCode: 202,
    headers: { "x-request-id": "r-1", "retry-after": "5" },
    body: '{"echo":"nightly"}',
  });
  const busy = await environment.invoke(echo, apig({ policy: "nightly", size: 0 }), { requestId: "r-2" });
  expect(busy.result).toMatchObject({ statusCode: 409, headers: { "x-request-id": "r-2", "retry-after": "2" } });
  expect(JSON.parse(busy.result.body)).toEqual({
    error: { code: "Busy", message: "The disk is busy.", reason: "Busy", request_id: "r-2" },
  });
});

test("compose returns to each of 20 concurrent invocations the summary and the record of its own policy", async () => {
  const environment = await createTestEnvironment();
  const sample = timerFunction();
  const policies = Array.from({ length: 20 }, (_, index) => `policy-${index}`);
  const invoked = await Promise.all(policies.map((policy) => environment.invoke(sample, timer({ policy }))));
  expect(invoked.map(({ result, records }) => [result.policy, records.at(-1)?.policy])).toEqual(
    policies.map((policy) => [policy, policy]),
  );
});
