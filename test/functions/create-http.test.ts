/** Tests the events of the API gateway that the create functions read and the responses that they return. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLUSTER, CREATES, createFixture, creates, SNAPSHOT } from "../support/creates.ts";
import { apig, createTestEnvironment, errorOf, outcomes, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const MIB = 1024 * 1024;
/** Returns the text with as many spaces after it as it needs to have this number of bytes. */
const filled = (text: string, bytes: number) => text + " ".repeat(bytes - Buffer.byteLength(text));
const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64");

describe("the body of an HTTP request", () => {
  test.each<[what: string, write: (json: string) => object]>([
    ["base64, as the gateway sends them", (json) => ({ body: base64(json), isBase64Encoded: true })],
    ["base64 without the flag", (json) => ({ body: base64(json), isBase64Encoded: undefined })],
    ["base64 without padding", (json) => ({ body: base64(`${json} `).replace(/=+$/, "") })],
    ["base64 in lines", (json) => ({ body: base64(json).replace(/.{76}/g, "$&\r\n") })],
    ["base64 with a byte order mark", (json) => ({ body: base64(`\ufeff${json}`) })],
    ["plain text", (json) => ({ body: json, isBase64Encoded: false })],
    ["plain text without the flag", (json) => ({ body: json, isBase64Encoded: undefined })],
    ["indented plain text without the flag", (json) => ({ body: `\r\n ${json}\n`, isBase64Encoded: undefined })],
    ["1 MiB of base64", (json) => ({ body: base64(filled(json, MIB)) })],
    ["1 MiB of plain text", (json) => ({ body: filled(json, MIB), isBase64Encoded: false })],
  ])("create-snapshot reads a body that is sent as %s", async (_what, write) => {
    const fixture = await createFixture(SNAPSHOT);
    const fields = { name: "до обновления 😀" };
    const { result } = await fixture.http(apig("", {}, write(JSON.stringify(fixture.body(fields))) as never));
    expect(result.statusCode).toBe(202);
    expect(fixture.cloud.snapshots("snapshot")[0]?.name).toBe(fields.name);
  });

  test.each<[what: string, event: object, message: string]>([
    ["absent", { body: undefined }, "Expected a JSON body, got none."],
    ["null", { body: null }, "Expected a JSON body, got none."],
    ["an empty string", { body: "" }, "Expected a JSON body, got none."],
    ["whitespace", { body: base64("  \n") }, 'Expected a JSON body, got "  \\n": '],
    [
      "a form instead of base64",
      { body: "snapshot=1&force=true" },
      "Expected a base64 body (isBase64Encoded is not false)",
    ],
    [
      "JSON that is declared as base64",
      { body: '{"snapshot":{}}' },
      "Expected a base64 body (isBase64Encoded is not false)",
    ],
    [
      "base64 with an invalid character",
      { body: base64('{"snapshot":{}}').replace("9", "*") },
      "Expected a base64 body",
    ],
    ["truncated base64", { body: base64('{"snapshot":{}}').slice(0, 9) }, "Expected a JSON body, got "],
    [
      "base64 that is declared as plain text",
      { body: base64("{}"), isBase64Encoded: false },
      "Expected a JSON body, got ",
    ],
    ["invalid UTF-8", { body: base64(Buffer.from([0x22, 0xff, 0xfe, 0x22])) }, "Expected a body in UTF-8"],
    ["half of an emoji in UTF-8", { body: base64(Buffer.from('"😀"').subarray(0, 3)) }, "Expected a body in UTF-8"],
    ["a form in base64", { body: base64("volume_id=1") }, 'Expected a JSON body, got "volume_id=1": '],
    ["truncated JSON", { body: base64('{"snapshot":') }, "Expected a JSON body, got "],
    [
      "long truncated JSON",
      { body: base64(`{"snapshot":{"name":"${"x".repeat(200)}`) },
      `got ${JSON.stringify(`{"snapshot":{"name":"${"x".repeat(59)}…`)}: Unterminated string`,
    ],
    ["two JSON documents", { body: base64("{}{}") }, 'Expected a JSON body, got "{}{}": '],
    ["JSON in a JSON string", { body: base64(JSON.stringify("{}")) }, 'body: expected an object, got "{}".'],
    [
      "5 MB of base64",
      { body: base64("x".repeat(5_000_000)) },
      "Expected a body of at most 1048576 bytes, got 5000000.",
    ],
    [
      "5 MB of plain text",
      { body: "x".repeat(5_000_000), isBase64Encoded: false },
      "at most 1048576 bytes, got 5000000.",
    ],
    ["1 byte more than 1 MiB", { body: base64(filled("{}", MIB + 1)) }, "at most 1048576 bytes, got 1048577."],
    [
      "2 bytes more than 1 MiB in fewer characters",
      { body: `"${"é".repeat(MIB / 2)}"`, isBase64Encoded: false },
      "got 1048578.",
    ],
  ])("create-snapshot responds 400 to a body that is %s", async (_what, event, message) => {
    const fixture = await createFixture(SNAPSHOT);
    const response = await fixture.http(apig("", {}, event as never));
    expect(response.result.statusCode).toBe(400);
    expect(errorOf(response)).toMatchObject({ code: "InvalidRequest", reason: "InvalidRequest" });
    expect(errorOf(response).message).toContain(message);
    expect(errorOf(response).message.length).toBeLessThan(300);
    expect(outcomes(response)).toEqual(["create rejected", "run failed"]);
    expect(fixture.requests()).toEqual([]);
  });
});

describe.each(CREATES)("$name", (create) => {
  test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", "", undefined])(
    `${create.name} responds 405 to the method %j`,
    async (httpMethod) => {
      const fixture = await createFixture(create);
      const response = await fixture.http(apig(fixture.body(), {}, { httpMethod }), { requestId: "r-1" });
      expect(response.result).toStrictEqual({
        statusCode: 405,
        headers: { "content-type": "application/json", "x-request-id": "r-1", allow: "POST" },
        body: expect.any(String),
        isBase64Encoded: false,
      });
      expect(errorOf(response)).toMatchObject({ reason: "InvalidRequest", request_id: "r-1" });
      expect(errorOf(response).message).toContain("Expected the method POST");
      expect(outcomes(response)).toEqual(["create rejected", "run failed"]);
      expect(fixture.requests()).toEqual([]);
    },
  );

  test(`${create.name} rejects a timer event with a message that describes the expected event`, async () => {
    const fixture = await createFixture(create);
    const { error, records } = await fixture.direct(timerEvent({ policy: "nightly" }));
    expect(error).toMatchObject({ reason: "InvalidRequest" });
    expect(error?.message).toContain(
      'Expected an HTTP request from the API gateway, or its JSON body alone, got an event of the trigger "timer".',
    );
    expect(records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
    expect(fixture.requests()).toEqual([]);
  });

  test(`${create.name} throws an error with the call, the cloud's response and the advice when it is invoked directly`, async () => {
    const fixture = await createFixture(create);
    const missing = JSON.stringify(fixture.body()).replaceAll(
      /"[0-9a-f-]{36}"/g,
      '"5aa119a8-d25b-45a7-8d1b-88e127885635"',
    );
    const { result, error, records } = await fixture.direct(JSON.parse(missing));
    expect(result).toBeUndefined();
    expect(error).toMatchObject({ name: "NotFound", reason: "NotFound", status: 404 });
    // The message contains the call, the status, code and message of the cloud, and the advice.
    expect(error?.message).toMatch(
      /^POST \/v[125].*: 404 (EVS\.5404|DWS\.0047): .* (could not be found|does not exist)\. .*Check the id/,
    );
    expect(records[1].trigger).toBe("direct");
    expect(records[0].error.message).toBe(error?.message);
  });
});

describe("Idempotency-Key", () => {
  test("create-snapshot reads the Idempotency-Key header in any letter case and with whitespace around its value", async () => {
    const fixture = await createFixture(SNAPSHOT);
    for (const headers of [{ "idempotency-key": "k" }, { "Idempotency-Key": " k" }, { "IDEMPOTENCY-KEY": "k\t" }]) {
      expect((await fixture.post({}, headers as never)).result.statusCode).toBe(202);
      fixture.clock.advance(10_000);
    }
    expect(fixture.cloud.snapshots()).toHaveLength(1);
  });

  test("create-snapshot accepts an Idempotency-Key of 255 characters and refuses one of 256", async () => {
    const fixture = await createFixture(SNAPSHOT);
    expect((await fixture.post({}, { "idempotency-key": "k".repeat(255) })).result.statusCode).toBe(202);
    const response = await fixture.post({}, { "idempotency-key": "k".repeat(256) });
    expect(response.result.statusCode).toBe(400);
    expect(errorOf(response).message).toBe("idempotency-key: expected a header of at most 255 characters, got 256.");
    expect(outcomes(response)).toEqual(["create rejected", "run failed"]);
  });

  test("create-snapshot uses the same key for each disk of an Idempotency-Key, and another key for an equal request id", async () => {
    const fixture = await createFixture(SNAPSHOT);
    const [one, two] = [fixture.cloud.addVolume(), fixture.cloud.addVolume()];
    const headers = { "idempotency-key": "same" };
    for (const { id } of [one, two]) await fixture.post({ volume_id: id }, headers);
    await fixture.direct({ snapshot: { volume_id: one.id } }, { requestId: "same" });
    const keys = fixture.cloud.snapshots("snapshot").map(({ metadata }) => metadata?.key);
    expect(keys).toEqual([keys[0], keys[0], expect.not.stringMatching(String(keys[0]))]);
  });

  test.each<[words: string, value: unknown]>([
    ["an array of 1 item", ["k"]],
    ["an empty array", []],
    ["the number 7", 7],
    ["an object", { key: "k" }],
    ["true", true],
    ["null", null],
  ])(
    "create-snapshot responds 400 to an Idempotency-Key that is %s, because it could not recognize a repeated request",
    async (words, key) => {
      const fixture = await createFixture(SNAPSHOT);
      for (const name of ["idempotency-key", "Idempotency-Key"]) {
        const response = await fixture.post({}, { [name]: key } as never);
        expect(response.result.statusCode).toBe(400);
        expect(errorOf(response).message).toBe(`idempotency-key: expected a header with one string, got ${words}.`);
        expect(outcomes(response)).toEqual(["create rejected", "run failed"]);
      }
      expect(fixture.cloud.snapshots()).toHaveLength(0);
    },
  );

  test("create-snapshot responds 400 to an empty Idempotency-Key", async () => {
    const fixture = await createFixture(SNAPSHOT);
    for (const key of ["", "  "]) {
      const { result } = await fixture.post({}, { "idempotency-key": key });
      expect(result.statusCode).toBe(400);
      expect(result.body).toContain("idempotency-key: expected a non-empty header or no header, got an empty header.");
    }
    expect(fixture.cloud.snapshots()).toHaveLength(0);
  });
});

test("create-snapshot accepts an event without headers as a request without an Idempotency-Key", async () => {
  const fixture = await createFixture(SNAPSHOT);
  for (const headers of [undefined, null, {}]) {
    expect((await fixture.http(apig(fixture.body(), {}, { headers }))).result.statusCode).toBe(202);
  }
});

test("create-snapshot uses a generated request id in its response and records if the platform provides none", async () => {
  const fixture = await createFixture(SNAPSHOT);
  const { result, records } = await fixture.http(undefined, { requestId: "" });
  const id = result.headers["x-request-id"];
  expect(id).toMatch(/^made-up-/);
  expect(records.map(({ request_id }) => request_id)).toEqual([id, id]);
});

test("the create functions return a valid gateway response with one record and throw nothing for any event of the gateway", async () => {
  const environment = await createTestEnvironment();
  const disk = environment.cloud.addVolume().id;
  const cluster = environment.cloud.addCluster().id;
  const anything = fc.anything({ withBigInt: false, maxDepth: 2 });
  const body = fc.oneof(
    anything,
    fc.json(),
    fc.json().map(base64),
    fc.constant({ snapshot: { volume_id: disk } }).map((good) => base64(JSON.stringify(good))),
    fc
      .record({
        snapshot: fc.dictionary(
          fc.constantFrom("volume_id", "cluster_id", "name", "x"),
          fc.constantFrom(disk, cluster, null, 1),
        ),
      })
      .map((odd) => base64(JSON.stringify(odd))),
  );
  const event = fc.record(
    {
      httpMethod: fc.oneof({ weight: 4, arbitrary: fc.constant("POST") }, anything),
      body,
      headers: fc.oneof(fc.dictionary(fc.constantFrom("idempotency-key", "x"), anything), anything),
      isBase64Encoded: fc.oneof(fc.boolean(), fc.constant(undefined), anything),
      path: anything,
    },
    { requiredKeys: ["httpMethod"] },
  );
  await fc.assert(
    fc.asyncProperty(event, fc.constantFrom(...CREATES), async (given, create) => {
      const { result, error, records } = await environment.invoke(create.factory, given);
      expect(error).toBeUndefined();
      expect(Object.keys(result).sort()).toEqual(["body", "headers", "isBase64Encoded", "statusCode"]);
      expect(result.isBase64Encoded).toBe(false);
      expect(typeof result.body).toBe("string");
      expect(Object.values(result.headers).every((value) => typeof value === "string")).toBe(true);
      expect([200, 202, 400, 404, 405, 409, 413, 429, 502]).toContain(result.statusCode);
      expect(records.map(({ action }) => action)).toEqual(["create", "run"]);
    }),
    { numRuns: 100 },
  );
});

test("create-cluster-snapshot sends a description in any script unchanged", async () => {
  const fixture = await createFixture(CLUSTER);
  const description = "до 更新 😀\n\t/\\";
  await fixture.post({ description });
  expect(creates(fixture)[0]?.body).toMatchObject({ snapshot: { description: expect.stringContaining(description) } });
});
