import { describe, expect, test } from "vitest";
import { createSnapshot } from "../../../../functions/create-snapshot/handler.ts";
import type { Fault } from "../../../../infra/local/cloud/index.ts";
import { createTestEnvironment } from "../../../support/environment.ts";
import { create, DISK, outcomeOf } from "../../../support/sdk-flaws.ts";

describe("lost error bodies (SOURCES.md#sdk-loses-error-bodies)", () => {
  test.each<[shape: string, body: object, code: string]>([
    ["OpenStack", { badRequest: { code: 400, message: "volume must be available" } }, "badRequest"],
    ["the gateway", { error_code: "APIGW.0602", error_msg: "volume must be available" }, "APIGW.0602"],
    [
      "DWS with only the older fields",
      { errCode: "EVS.5400", externalMessage: "volume must be available" },
      "EVS.5400",
    ],
    ["fields at the top level", { code: "EVS.5400", message: "volume must be available" }, "EVS.5400"],
    ["LTS", { errorCode: "EVS.5400", errorMessage: "volume must be available" }, "EVS.5400"],
    ["EVS", { error: { code: "EVS.5400", message: "volume must be available" } }, "EVS.5400"],
  ])(
    "create-snapshot returns the code and the message of an error body in the shape of %s",
    async (_shape, body, code) => {
      const site = await createTestEnvironment();
      const fault: Fault = { type: "answer", status: 400, body: JSON.stringify(body) };
      site.cloud.fault({ operation: "evs.createSnapshot" }, fault);
      const { status, error } = await outcomeOf(site);
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
  ])("create-snapshot reads an error %i with the body null as %i %s", async (given, status, reason) => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.createSnapshot" }, { type: "answer", status: given, body: "null" });
    const outcome = await outcomeOf(site);
    expect(outcome).toMatchObject({ status, error: { reason, code: reason } });
    expect(outcome.output).not.toMatch(/TypeError|undefined/);
  });

  test("create-snapshot does not accept a success response with the body null", async () => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "answer", status: 202, body: "null" });
    expect(await outcomeOf(site)).toMatchObject({ status: 202, error: undefined });
    expect(site.cloud.snapshots()).toHaveLength(1);
    expect(site.cloud.count("evs.createSnapshot")).toBe(2);
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

  test.each(BODIES)("create-snapshot creates the snapshot once after a 202 with the invalid body %j", async (body) => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "answer", status: 202, body });
    const { status, result } = await outcomeOf(site);
    expect(status).toBe(202);
    expect(JSON.parse(result.body).snapshot.id).toBe(site.cloud.snapshots()[0]?.id);
    expect(site.cloud.snapshots()).toHaveLength(1);
  });

  test.each<Fault>([
    { type: "notJson", after: true },
    { type: "notJson", after: true, html: true },
    { type: "emptyBody", after: true },
  ])("create-snapshot finds the created snapshot after an unreadable response: %j", async (fault) => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, fault);
    const { status, result } = await outcomeOf(site);
    expect([status, result.headers["x-snapshot-outcome"]]).toEqual([202, "accepted"]);
    expect(site.cloud.snapshots()).toHaveLength(1);
    expect(site.cloud.count("evs.createSnapshot")).toBe(1);
  });

  test.each([
    ...BODIES,
    '{"snapshots":{}}',
    '{"snapshots":[null]}',
    '{"snapshots":[{}]}',
    '{"snapshots":[{"id":"x"}]}',
  ])("create-snapshot creates nothing after a list response 200 with the invalid body %j", async (body) => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.listSnapshots" }, { type: "answer", status: 200, body });
    const { status, error } = await outcomeOf(site);
    expect(status).toBe(502);
    expect(error).toMatchObject({ reason: "BadResponse", message: expect.stringMatching(/expected/i) });
    expect(site.cloud.count("evs.createSnapshot")).toBe(0);
  });
});

// SOURCES.md#sdk-untyped-responses.
test("create-snapshot returns the body of the API unchanged", async () => {
  const { cloud, invoke } = await createTestEnvironment();
  const { result } = await invoke(createSnapshot, create(cloud.addVolume({ id: DISK }).id));
  const made = cloud.requests.find(({ operation }) => operation === "evs.createSnapshot");
  expect(result.body).toBe(JSON.stringify(made?.answer));
  expect(JSON.parse(result.body).snapshot).toMatchObject({ volume_id: DISK, status: "creating" });
});

describe("numbers above 2^53 (SOURCES.md#sdk-large-integers)", () => {
  test("create-snapshot returns the digits of large numbers unchanged", async () => {
    const site = await createTestEnvironment();
    const body = `{"snapshot":{"id":"${DISK}","status":"creating","size":9007199254740993}}`;
    site.cloud.fault({ operation: "evs.createSnapshot" }, { type: "answer", status: 202, body });
    expect((await outcomeOf(site)).result.body).toBe(body);
  });

  test("create-snapshot reports a record with the exact nanoseconds of its millisecond", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    clock.advance(123);
    await invoke(createSnapshot, create(cloud.addVolume().id));
    const expected = [0n, 1n].map((line) => String(BigInt(clock.now()) * 1_000_000n + line));
    expect(cloud.logs.map(({ log_time_ns }) => log_time_ns)).toEqual(expected);
  });
});
