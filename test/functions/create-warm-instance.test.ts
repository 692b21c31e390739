/** Tests that invocations of create-snapshot in one warm instance do not affect each other. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { SNAPSHOT } from "../support/creates.ts";
import {
  apig,
  createTestEnvironment,
  errorOf,
  type Invocation,
  outcomes,
  type TestEnvironmentOptions,
} from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const KEY = { "idempotency-key": "k" };

/** Creates a test environment in which one handler serves all invocations, as in a warm instance of FunctionGraph. */
async function createWarmInstance(options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const lines: string[] = [];
  const handler = SNAPSHOT.factory({ ...environment.runtime, print: (line) => void lines.push(line) });
  return {
    ...environment,
    /** Sends a POST request with these snapshot options to the handler. */
    post: (snapshot: object, requestId: string, invocation: Invocation = {}, headers: Record<string, string> = {}) =>
      environment.invoke(() => handler, apig({ snapshot }, headers), { requestId, ...invocation }),
    /** The lines that all invocations wrote to stdout. */
    lines,
    recordsOf: (requestId: string) =>
      lines.map((line) => JSON.parse(line)).filter(({ request_id }) => request_id === requestId),
  };
}

test("create-snapshot does not reuse the Idempotency-Key, credentials, variables or errors of earlier invocations in the same instance", async () => {
  const instance = await createWarmInstance();
  const [firstDisk, secondDisk] = instance.addDisks(2);
  const credentials = {
    ak: "ANOTHERACCESSKEY0001",
    sk: "another-secret-key-of-another-agency",
    securityToken: "another-token-1",
  };
  const denied = await instance.post({ volume_id: firstDisk }, "first", { credentials }, KEY);
  expect(denied.result.statusCode).toBe(502);
  instance.cloud.addCredentials({ ...credentials, token: "another-user-token" });
  const misconfigured = await instance.post({ volume_id: firstDisk }, "second", { variables: { EVS_LIMITS: "old" } });
  expect(misconfigured.result.statusCode).toBe(500);
  const accepted = await instance.post({ volume_id: secondDisk }, "third", { credentials });
  expect(accepted.result.statusCode).toBe(202);
  expect(outcomes({ records: instance.recordsOf("first") })).toEqual(["create failed", "run failed"]);
  expect(outcomes({ records: instance.recordsOf("second") })).toEqual(["run failed"]);
  expect(instance.recordsOf("third")).toMatchObject([
    { outcome: "accepted", resource_id: secondDisk, attempts: 1 },
    { outcome: "done", outcomes: { accepted: 1 } },
  ]);
  const output = instance.lines.slice(-2).join("\n") + JSON.stringify(accepted.result);
  for (const earlier of [firstDisk, "first", "second", "old", "AccessDenied"]) expect(output).not.toContain(earlier);
  expect(instance.cloud.snapshots()).toHaveLength(1);
});

test("create-snapshot writes and delivers each record of 20 simultaneous invocations with the request id of the right invocation", async () => {
  const instance = await createWarmInstance({ latencyMs: 1 });
  const disks = instance.addDisks(20);
  const isInvalid = (index: number) => index % 4 === 3;
  const responses = await Promise.all(
    disks.map(async (disk, index) => {
      // Each invocation starts a little later than the previous one, so some invocations start while others wait for EVS.
      for (let turns = index; turns > 0; turns -= 1) await nextTurn();
      const options = isInvalid(index) ? { nonsense: index } : { name: `of-${index}` };
      return instance.post({ volume_id: disk, ...options }, `r-${index}`);
    }),
  );
  for (const [index, { result }] of responses.entries()) {
    expect(result.statusCode).toBe(isInvalid(index) ? 400 : 202);
    expect(result.headers["x-request-id"]).toBe(`r-${index}`);
    expect(instance.recordsOf(`r-${index}`)).toMatchObject(
      isInvalid(index)
        ? [{ outcome: "rejected" }, { outcomes: { rejected: 1 } }]
        : [{ outcome: "accepted", resource_id: disks[index], name: `of-${index}` }, { outcomes: { accepted: 1 } }],
    );
  }
  const made = instance.cloud.snapshots().map(({ volume_id, name }) => `${disks.indexOf(String(volume_id))} ${name}`);
  const expected = disks.flatMap((_, index) => (isInvalid(index) ? [] : [`${index} of-${index}`]));
  expect(made.sort()).toEqual(expected.sort());
  const deliveries = instance.cloud.requests.filter(({ operation }) => operation === "lts.reportLogs");
  for (const { body } of deliveries) {
    const ids = (body as { contents: string[] }).contents.map((line) => JSON.parse(line).request_id);
    expect(new Set(ids).size).toBe(1);
  }
  expect(instance.deliveredRecords()).toHaveLength(40);
});

test("create-snapshot does not return a snapshot of one project to a simultaneous request for another project with the same Idempotency-Key", async () => {
  const instance = await createWarmInstance({ latencyMs: 1 });
  const [volume_id] = instance.addDisks(1);
  const variables = { PROJECT_ID: "fedcba9876543210fedcba9876543210" };
  const [allowed, denied] = await Promise.all([
    instance.post({ volume_id }, "first", {}, KEY),
    instance.post({ volume_id }, "second", { variables }, KEY),
  ]);
  expect(allowed.result.statusCode).toBe(202);
  expect(denied.result.statusCode).toBe(502);
  expect(errorOf(denied).reason).toBe("AccessDenied");
});
