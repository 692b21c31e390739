/** Tests how the create functions read events of the API gateway, and the format of their responses. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byName, CLUSTER, CREATES, createFixture, creates, SNAPSHOT } from "../support/creates.ts";
import { apig, createTestEnvironment, errorOf, outcomes, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const MIB = 1024 * 1024;
/** Appends spaces to a string until the string has this number of bytes. */
const padToBytes = (text: string, bytes: number) => text + " ".repeat(bytes - Buffer.byteLength(text));
const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64");

describe("the body of an HTTP request", () => {
  test.each<[format: string, encode: (json: string) => object]>([
    ["a base64 body if isBase64Encoded is true", (json) => ({ body: base64(json), isBase64Encoded: true })],
    ["a base64 body if isBase64Encoded is undefined", (json) => ({ body: base64(json), isBase64Encoded: undefined })],
    ["a base64 body without padding", (json) => ({ body: base64(`${json} `).replace(/=+$/, "") })],
    ["a base64 body with line breaks", (json) => ({ body: base64(json).replace(/.{76}/g, "$&\r\n") })],
    ["a base64 body whose JSON starts with a byte order mark", (json) => ({ body: base64(`\ufeff${json}`) })],
    ["a plain-text body if isBase64Encoded is false", (json) => ({ body: json, isBase64Encoded: false })],
    ["a plain-text body if isBase64Encoded is undefined", (json) => ({ body: json, isBase64Encoded: undefined })],
    [
      "a plain-text body that starts and ends with whitespace",
      (json) => ({ body: `\r\n ${json}\n`, isBase64Encoded: undefined }),
    ],
    ["a base64 body that contains 1 MiB of JSON", (json) => ({ body: base64(padToBytes(json, MIB)) })],
    ["a plain-text body of 1 MiB", (json) => ({ body: padToBytes(json, MIB), isBase64Encoded: false })],
  ])("create-snapshot reads %s", async (_format, encode) => {
    const fixture = await createFixture(SNAPSHOT);
    const fields = { name: "до обновления 😀" };
    const { result } = await fixture.http(apig("", {}, encode(JSON.stringify(fixture.body(fields))) as never));
    expect(result.statusCode).toBe(202);
    expect(fixture.snapshots()[0]?.name).toBe(fields.name);
  });

  const NOT_BASE64 = "Expected a base64 body (isBase64Encoded is not false)";
  const NOT_JSON = "Expected a JSON body, got ";
  test.each<[content: string, event: object, message: string]>([
    ["no body", { body: undefined }, "Expected a JSON body, got none."],
    ["the body null", { body: null }, "Expected a JSON body, got none."],
    ["an empty body", { body: "" }, "Expected a JSON body, got none."],
    ["a body of whitespace", { body: base64("  \n") }, 'Expected a JSON body, got "  \\n": '],
    ["a URL-encoded form as its body although isBase64Encoded is true", { body: "snapshot=1&force=true" }, NOT_BASE64],
    ["a plain JSON body although isBase64Encoded is true", { body: '{"snapshot":{}}' }, NOT_BASE64],
    [
      "a base64 body with an invalid character",
      { body: base64('{"snapshot":{}}').replace("9", "*") },
      "Expected a base64 body",
    ],
    ["a truncated base64 body", { body: base64('{"snapshot":{}}').slice(0, 9) }, NOT_JSON],
    ["a base64 body although isBase64Encoded is false", { body: base64("{}"), isBase64Encoded: false }, NOT_JSON],
    [
      "a base64 body that contains invalid UTF-8",
      { body: base64(Buffer.from([0x22, 0xff, 0xfe, 0x22])) },
      "Expected a body in UTF-8",
    ],
    [
      "a base64 body that contains truncated UTF-8",
      { body: base64(Buffer.from('"😀"').subarray(0, 3)) },
      "Expected a body in UTF-8",
    ],
    [
      "a base64 body that contains a URL-encoded form",
      { body: base64("volume_id=1") },
      'Expected a JSON body, got "volume_id=1": ',
    ],
    ["a base64 body that contains truncated JSON", { body: base64('{"snapshot":') }, NOT_JSON],
    [
      "a base64 body that contains more than 200 characters of truncated JSON",
      { body: base64(`{"snapshot":{"name":"${"x".repeat(200)}`) },
      `got ${JSON.stringify(`{"snapshot":{"name":"${"x".repeat(59)}…`)}: Unterminated string`,
    ],
    ["a base64 body that contains two JSON documents", { body: base64("{}{}") }, 'Expected a JSON body, got "{}{}": '],
    [
      "a base64 body that contains JSON inside a JSON string",
      { body: base64(JSON.stringify("{}")) },
      'body: expected an object, got "{}".',
    ],
    [
      "a base64 body that contains 5 MB",
      { body: base64("x".repeat(5_000_000)) },
      "Expected a body of at most 1048576 bytes, got 5000000.",
    ],
    [
      "a plain-text body of 5 MB",
      { body: "x".repeat(5_000_000), isBase64Encoded: false },
      "at most 1048576 bytes, got 5000000.",
    ],
    [
      "a base64 body that contains 1 MiB and 1 byte",
      { body: base64(padToBytes("{}", MIB + 1)) },
      "at most 1048576 bytes, got 1048577.",
    ],
    [
      "a plain-text body of 524,290 characters and 1,048,578 bytes",
      { body: `"${"é".repeat(MIB / 2)}"`, isBase64Encoded: false },
      "got 1048578.",
    ],
  ])("create-snapshot responds 400 to an event with %s", async (_content, event, message) => {
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

describe.each(byName(CREATES))("%s", (_name, create) => {
  test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", "", undefined])(
    `${create.name} responds 405 to an event whose field httpMethod is %j`,
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

  test(`${create.name} rejects a timer event with an error that names the accepted events`, async () => {
    const fixture = await createFixture(create);
    const invoked = await fixture.direct(timerEvent({ policy: "nightly" }));
    expect(invoked.error).toMatchObject({ reason: "InvalidRequest" });
    expect(invoked.error?.message).toContain(
      'Expected an HTTP request from the API gateway, or its JSON body alone, got an event of the trigger "timer".',
    );
    expect(outcomes(invoked)).toEqual(["create rejected", "run failed"]);
    expect(fixture.requests()).toEqual([]);
  });

  test(`${create.name}, invoked directly with the id of a missing resource, throws NotFound with the rejected request and advice in the message`, async () => {
    const fixture = await createFixture(create);
    const body = JSON.stringify(fixture.body()).replaceAll(fixture.resourceId, "5aa119a8-d25b-45a7-8d1b-88e127885635");
    const { result, error, records } = await fixture.direct(JSON.parse(body));
    expect(result).toBeUndefined();
    expect(error).toMatchObject({ name: "NotFound", reason: "NotFound", status: 404 });
    expect(error?.message).toMatch(
      /^POST \/v[125].*: 404 (EVS\.5404|DWS\.0047): .* (could not be found|does not exist)\. .*Check the id/,
    );
    expect(records[1].trigger).toBe("direct");
    expect(records[0].error.message).toBe(error?.message);
  });
});

describe("Idempotency-Key", () => {
  test("create-snapshot ignores the letter case of the header name Idempotency-Key and the whitespace around its value", async () => {
    const fixture = await createFixture(SNAPSHOT);
    for (const headers of [{ "idempotency-key": "k" }, { "Idempotency-Key": " k" }, { "IDEMPOTENCY-KEY": "k\t" }]) {
      expect((await fixture.post({}, headers as never)).result.statusCode).toBe(202);
      fixture.clock.advance(10_000);
    }
    expect(fixture.snapshots()).toHaveLength(1);
  });

  test("create-snapshot accepts an Idempotency-Key of 255 characters and responds 400 to an Idempotency-Key of 256 characters", async () => {
    const fixture = await createFixture(SNAPSHOT);
    expect((await fixture.post({}, { "idempotency-key": "k".repeat(255) })).result.statusCode).toBe(202);
    const response = await fixture.post({}, { "idempotency-key": "k".repeat(256) });
    expect(response.result.statusCode).toBe(400);
    expect(errorOf(response).message).toBe("idempotency-key: expected a header of at most 255 characters, got 256.");
    expect(outcomes(response)).toEqual(["create rejected", "run failed"]);
  });

  test('create-snapshot hashes an Idempotency-Key to the same label "key" for every disk, and hashes an equal FunctionGraph request id to a different label', async () => {
    const fixture = await createFixture(SNAPSHOT);
    const [one, two] = fixture.addDisks(2);
    for (const volume_id of [one, two]) await fixture.post({ volume_id }, { "idempotency-key": "same" });
    await fixture.direct({ snapshot: { volume_id: one } }, { requestId: "same" });
    const keys = fixture.snapshots().map(({ metadata }) => metadata?.key);
    expect(keys).toEqual([keys[0], keys[0], expect.not.stringMatching(String(keys[0]))]);
  });

  test.each<[description: string, value: unknown]>([
    ["an array of 1 item", ["k"]],
    ["an empty array", []],
    ["the number 7", 7],
    ["an object", { key: "k" }],
    ["true", true],
    ["null", null],
  ])(
    "create-snapshot responds 400 and creates nothing if the Idempotency-Key is %s instead of a string",
    async (description, key) => {
      const fixture = await createFixture(SNAPSHOT);
      for (const name of ["idempotency-key", "Idempotency-Key"]) {
        const response = await fixture.post({}, { [name]: key } as never);
        expect(response.result.statusCode).toBe(400);
        expect(errorOf(response).message).toBe(
          `idempotency-key: expected a header with one string, got ${description}.`,
        );
        expect(outcomes(response)).toEqual(["create rejected", "run failed"]);
      }
      expect(fixture.cloud.snapshots()).toHaveLength(0);
    },
  );

  test("create-snapshot responds 400 to an Idempotency-Key that is empty or consists of spaces", async () => {
    const fixture = await createFixture(SNAPSHOT);
    for (const key of ["", "  "]) {
      const { result } = await fixture.post({}, { "idempotency-key": key });
      expect(result.statusCode).toBe(400);
      expect(result.body).toContain("idempotency-key: expected a non-empty header or no header, got an empty header.");
    }
    expect(fixture.cloud.snapshots()).toHaveLength(0);
  });
});

test("create-snapshot accepts an event whose field headers is undefined, null or an empty object", async () => {
  const fixture = await createFixture(SNAPSHOT);
  for (const headers of [undefined, null, {}]) {
    expect((await fixture.http(apig(fixture.body(), {}, { headers }))).result.statusCode).toBe(202);
  }
});

test("create-snapshot generates one request id for its response and its records if FunctionGraph provides no request id", async () => {
  const fixture = await createFixture(SNAPSHOT);
  const { result, records } = await fixture.http(undefined, { requestId: "" });
  const id = result.headers["x-request-id"];
  expect(id).toMatch(/^made-up-/);
  expect(records.map(({ request_id }) => request_id)).toEqual([id, id]);
});

test("the create functions return a valid HTTP response and write two records for each of 100 random events of the API gateway", async () => {
  const environment = await createTestEnvironment();
  const [disk] = environment.addDisks(1);
  const cluster = environment.cloud.addCluster().id;
  const anything = fc.anything({ withBigInt: false, maxDepth: 2 });
  const body = fc.oneof(
    anything,
    fc.json(),
    fc.json().map(base64),
    fc.constant(base64(JSON.stringify({ snapshot: { volume_id: disk } }))),
    fc
      .record({
        snapshot: fc.dictionary(
          fc.constantFrom("volume_id", "cluster_id", "name", "x"),
          fc.constantFrom(disk, cluster, null, 1),
        ),
      })
      .map((random) => base64(JSON.stringify(random))),
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
    fc.asyncProperty(event, fc.constantFrom(...CREATES), async (randomEvent, create) => {
      const { result, error, records } = await environment.invoke(create.factory, randomEvent);
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

test("create-cluster-snapshot sends a description with Cyrillic, Chinese, emoji and control characters unchanged", async () => {
  const fixture = await createFixture(CLUSTER);
  const description = "до 更新 😀\n\t/\\";
  await fixture.post({ description });
  expect(creates(fixture)[0]?.body).toMatchObject({ snapshot: { description: expect.stringContaining(description) } });
});
