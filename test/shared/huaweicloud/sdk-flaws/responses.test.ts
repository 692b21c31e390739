import { describe, expect, test } from "vitest";
import { createSnapshot } from "../../../../functions/create-snapshot/handler.ts";
import type { Fault } from "../../../../infra/local/cloud/index.ts";
import { createTestEnvironment } from "../../../support/environment.ts";
import { callCreateSnapshot, createEvent, DISK } from "../../../support/sdk-flaws.ts";

describe("lost error bodies (SOURCES.md#sdk-loses-error-bodies)", () => {
  test.each<[shape: string, body: object, code: string]>([
    ["OpenStack", { badRequest: { code: 400, message: "volume must be available" } }, "badRequest"],
    ["the API gateway", { error_code: "APIGW.0602", error_msg: "volume must be available" }, "APIGW.0602"],
    [
      "DWS with only the older fields",
      { errCode: "EVS.5400", externalMessage: "volume must be available" },
      "EVS.5400",
    ],
    [
      "a service whose error fields are at the top level",
      { code: "EVS.5400", message: "volume must be available" },
      "EVS.5400",
    ],
    ["LTS", { errorCode: "EVS.5400", errorMessage: "volume must be available" }, "EVS.5400"],
    ["EVS", { error: { code: "EVS.5400", message: "volume must be available" } }, "EVS.5400"],
  ])(
    "create-snapshot returns the code and the message of an error body in the format of %s",
    async (_shape, body, code) => {
      const environment = await createTestEnvironment();
      const fault: Fault = { type: "answer", status: 400, body: JSON.stringify(body) };
      environment.cloud.fault({ operation: "evs.createSnapshot" }, fault);
      const { status, error } = await callCreateSnapshot(environment);
      expect(status).toBe(400);
      const message = expect.stringContaining(`: 400 ${code}: volume must be available. `);
      expect(error).toMatchObject({ code, message, reason: "InvalidRequest" });
    },
  );
});

describe("bodies that are null (SOURCES.md#sdk-null-bodies)", () => {
  test.each([
    [400, 400, "InvalidRequest"],
    [403, 502, "AccessDenied"],
    [404, 404, "NotFound"],
  ])(
    "create-snapshot turns an EVS response with status %i and the body null into the status %i with the reason %s",
    async (given, status, reason) => {
      const environment = await createTestEnvironment();
      environment.cloud.fault({ operation: "evs.createSnapshot" }, { type: "answer", status: given, body: "null" });
      const outcome = await callCreateSnapshot(environment);
      expect(outcome).toMatchObject({ status, error: { reason, code: reason } });
      expect(outcome.output).not.toMatch(/TypeError|undefined/);
    },
  );

  test("create-snapshot sends a second create request after a 202 with the body null", async () => {
    const environment = await createTestEnvironment();
    environment.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "answer", status: 202, body: "null" });
    expect(await callCreateSnapshot(environment)).toMatchObject({ status: 202, error: undefined });
    expect(environment.cloud.snapshots()).toHaveLength(1);
    expect(environment.cloud.count("evs.createSnapshot")).toBe(2);
  });
});

describe("success responses that are invalid (SOURCES.md#sdk-broken-json-succeeds)", () => {
  const BODIES = [
    "<html>200 OK</html>",
    '{"snapshot":{"id":"ffa9',
    "[]",
    '"ok"',
    "42",
    "",
    "{}",
    '{"snapshot":{}}',
    '{"snapshot":null}',
    '{"snapshot":{"id":7}}',
  ];

  test.each(BODIES)(
    "create-snapshot creates exactly one snapshot if the first create request returns 202 with this invalid body: '%s'",
    async (body) => {
      const environment = await createTestEnvironment();
      environment.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "answer", status: 202, body });
      const { status, result } = await callCreateSnapshot(environment);
      expect(status).toBe(202);
      expect(JSON.parse(result.body).snapshot.id).toBe(environment.cloud.snapshots()[0]?.id);
      expect(environment.cloud.snapshots()).toHaveLength(1);
    },
  );

  test.each<[body: string, fault: Fault]>([
    ["is not JSON", { type: "notJson", after: true }],
    ["is an HTML page", { type: "notJson", after: true, html: true }],
    ["is empty", { type: "emptyBody", after: true }],
  ])(
    "create-snapshot finds the snapshot that EVS created if the body of the create response %s",
    async (_body, fault) => {
      const environment = await createTestEnvironment();
      environment.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, fault);
      const { status, result } = await callCreateSnapshot(environment);
      expect([status, result.headers["x-snapshot-outcome"]]).toEqual([202, "accepted"]);
      expect(environment.cloud.snapshots()).toHaveLength(1);
      expect(environment.cloud.count("evs.createSnapshot")).toBe(1);
    },
  );

  test.each([
    ...BODIES,
    '{"snapshots":{}}',
    '{"snapshots":[null]}',
    '{"snapshots":[{}]}',
    '{"snapshots":[{"id":"x"}]}',
  ])("create-snapshot creates nothing if the list request returns 200 with this invalid body: '%s'", async (body) => {
    const environment = await createTestEnvironment();
    environment.cloud.fault({ operation: "evs.listSnapshots" }, { type: "answer", status: 200, body });
    const { status, error } = await callCreateSnapshot(environment);
    expect(status).toBe(502);
    expect(error).toMatchObject({ reason: "BadResponse", message: expect.stringMatching(/expected/i) });
    expect(environment.cloud.count("evs.createSnapshot")).toBe(0);
  });
});

// SOURCES.md#sdk-untyped-responses.
test("create-snapshot returns the body of EVS's create response unchanged", async () => {
  const { cloud, invoke } = await createTestEnvironment();
  const { result } = await invoke(createSnapshot, createEvent(cloud.addVolume({ id: DISK }).id));
  const made = cloud.requests.find(({ operation }) => operation === "evs.createSnapshot");
  expect(result.body).toBe(JSON.stringify(made?.answer));
  expect(JSON.parse(result.body).snapshot).toMatchObject({ volume_id: DISK, status: "creating" });
});

describe("numbers above 2^53 (SOURCES.md#sdk-large-integers)", () => {
  test("create-snapshot returns all digits of a number above 2^53 unchanged", async () => {
    const environment = await createTestEnvironment();
    const body = `{"snapshot":{"id":"${DISK}","status":"creating","size":9007199254740993}}`;
    environment.cloud.fault({ operation: "evs.createSnapshot" }, { type: "answer", status: 202, body });
    expect((await callCreateSnapshot(environment)).result.body).toBe(body);
  });

  test("create-snapshot sends each record to the logging topic with an exact time in nanoseconds", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    clock.advance(123);
    await invoke(createSnapshot, createEvent(cloud.addVolume().id));
    const expected = [0n, 1n].map((line) => String(BigInt(clock.now()) * 1_000_000n + line));
    expect(cloud.logs.map(({ log_time_ns }) => log_time_ns)).toEqual(expected);
  });
});
