/** The gateway's events as they come and the answers as it needs them; and the same calls without a gateway. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLUSTER, CREATES, creates, errorOf, onTheSitesDay, outcomes, SNAPSHOT, stage } from "../support/creates.ts";
import { apig, createTestEnvironment, timerEvent } from "../support/environment.ts";

onTheSitesDay();

const MIB = 1024 * 1024;
/** As many bytes as that, the rest of them blanks. */
const filled = (text: string, bytes: number) => text + " ".repeat(bytes - Buffer.byteLength(text));
const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64");

describe("bodies", () => {
  test.each<[what: string, write: (json: string) => object]>([
    ["base64, as the gateway sends them", (json) => ({ body: base64(json), isBase64Encoded: true })],
    ["base64 without the flag", (json) => ({ body: base64(json), isBase64Encoded: undefined })],
    ["base64 without padding", (json) => ({ body: base64(`${json} `).replace(/=+$/, "") })],
    ["base64 in lines", (json) => ({ body: base64(json).replace(/.{76}/g, "$&\r\n") })],
    ["base64 with a byte order mark", (json) => ({ body: base64(`\ufeff${json}`) })],
    ["plain", (json) => ({ body: json, isBase64Encoded: false })],
    ["plain without the flag", (json) => ({ body: json, isBase64Encoded: undefined })],
    ["plain, indented, without the flag", (json) => ({ body: `\r\n ${json}\n`, isBase64Encoded: undefined })],
    ["1 MiB of base64", (json) => ({ body: base64(filled(json, MIB)) })],
    ["1 MiB, plain", (json) => ({ body: filled(json, MIB), isBase64Encoded: false })],
  ])("are read: %s", async (_what, write) => {
    const site = await stage(SNAPSHOT);
    const fields = { name: "до обновления 😀" };
    const { result } = await site.http(apig("", {}, write(JSON.stringify(site.body(fields))) as never));
    expect(result.statusCode).toBe(202);
    expect(site.cloud.snapshots("snapshot")[0]?.name).toBe(fields.name);
  });

  test.each<[what: string, event: object, message: string]>([
    ["nothing", { body: undefined }, "Expected a JSON body, got none."],
    ["null", { body: null }, "Expected a JSON body, got none."],
    ["an empty text", { body: "" }, "Expected a JSON body, got none."],
    ["blanks", { body: base64("  \n") }, 'Expected a JSON body, got "  \\n": '],
    ["no base64", { body: "snapshot=1&force=true" }, "Expected a body in base64, as isBase64Encoded says"],
    [
      "JSON that claims to be base64",
      { body: '{"snapshot":{}}' },
      "Expected a body in base64, as isBase64Encoded says",
    ],
    ["base64 with a hole in it", { body: base64('{"snapshot":{}}').replace("9", "*") }, "Expected a body in base64"],
    ["base64 that was cut off", { body: base64('{"snapshot":{}}').slice(0, 9) }, "Expected a JSON body, got "],
    ["base64 that claims to be plain", { body: base64("{}"), isBase64Encoded: false }, "Expected a JSON body, got "],
    ["broken UTF-8", { body: base64(Buffer.from([0x22, 0xff, 0xfe, 0x22])) }, "Expected a body in UTF-8"],
    ["half of an emoji", { body: base64(Buffer.from('"😀"').subarray(0, 3)) }, "Expected a body in UTF-8"],
    ["a form", { body: base64("volume_id=1") }, 'Expected a JSON body, got "volume_id=1": '],
    ["JSON that was cut off", { body: base64('{"snapshot":') }, "Expected a JSON body, got "],
    [
      "long JSON that was cut off",
      { body: base64(`{"snapshot":{"name":"${"x".repeat(200)}`) },
      `got ${JSON.stringify(`{"snapshot":{"name":"${"x".repeat(59)}…`)}: Unterminated string`,
    ],
    ["two documents", { body: base64("{}{}") }, 'Expected a JSON body, got "{}{}": '],
    ["JSON in JSON", { body: base64(JSON.stringify("{}")) }, 'body: expected an object, got "{}".'],
    [
      "5 MB of base64",
      { body: base64("x".repeat(5_000_000)) },
      "Expected a body of at most 1048576 bytes, got 5000000.",
    ],
    ["5 MB, plain", { body: "x".repeat(5_000_000), isBase64Encoded: false }, "at most 1048576 bytes, got 5000000."],
    ["a byte more than 1 MiB", { body: base64(filled("{}", MIB + 1)) }, "at most 1048576 bytes, got 1048577."],
    [
      "1 MiB of bytes and one, in fewer characters",
      { body: `"${"é".repeat(MIB / 2)}"`, isBase64Encoded: false },
      "got 1048578.",
    ],
  ])("are refused: %s", async (_what, event, message) => {
    const site = await stage(SNAPSHOT);
    const answer = await site.http(apig("", {}, event as never));
    expect(answer.result.statusCode).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: "InvalidRequest", reason: "InvalidRequest" });
    expect(errorOf(answer).message).toContain(message);
    expect(errorOf(answer).message.length).toBeLessThan(300);
    expect(outcomes(answer)).toEqual(["create rejected", "run failed"]);
    expect(site.requests()).toEqual([]);
  });
});

describe.each(CREATES)("$name", (create) => {
  test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", "", undefined])(
    "the method %s: 405",
    async (httpMethod) => {
      const site = await stage(create);
      const answer = await site.http(apig(site.body(), {}, { httpMethod }), { requestId: "r-1" });
      expect(answer.result).toStrictEqual({
        statusCode: 405,
        headers: { "content-type": "application/json", "x-request-id": "r-1", allow: "POST" },
        body: expect.any(String),
        isBase64Encoded: false,
      });
      expect(errorOf(answer)).toMatchObject({ reason: "InvalidRequest", request_id: "r-1" });
      expect(errorOf(answer).message).toContain("Expected the method POST");
      expect(outcomes(answer)).toEqual(["create rejected", "run failed"]);
      expect(site.requests()).toEqual([]);
    },
  );

  test("started by a timer it says what it expects, and from whom", async () => {
    const site = await stage(create);
    const { error, records } = await site.direct(timerEvent({ policy: "nightly" }));
    expect(error).toMatchObject({ reason: "InvalidRequest" });
    expect(error?.message).toContain(
      'Expected an HTTP request from the API gateway, or the body of the API\'s call by itself, got an event of the trigger "timer".',
    );
    expect(records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
    expect(site.requests()).toEqual([]);
  });

  test("invoked directly it throws, with all that is known in the message", async () => {
    const site = await stage(create);
    const missing = JSON.stringify(site.body()).replaceAll(
      /"[0-9a-f-]{36}"/g,
      '"5aa119a8-d25b-45a7-8d1b-88e127885635"',
    );
    const { result, error, records } = await site.direct(JSON.parse(missing));
    expect(result).toBeUndefined();
    expect(error).toMatchObject({ name: "NotFound", reason: "NotFound", status: 404 });
    // The call, the cloud's status, code and message, and what to do.
    expect(error?.message).toMatch(
      /^POST \/v[125].*: 404 (EVS\.5404|DWS\.0047): .* (could not be found|does not exist)\. .*check the id/,
    );
    expect(records[1].trigger).toBe("direct");
    expect(records[0].error.message).toBe(error?.message);
  });
});

describe("Idempotency-Key", () => {
  test("is found under any spelling of its name, with blanks around its value", async () => {
    const site = await stage(SNAPSHOT);
    for (const headers of [{ "idempotency-key": "k" }, { "Idempotency-Key": " k" }, { "IDEMPOTENCY-KEY": "k\t" }]) {
      expect((await site.post({}, headers as never)).result.statusCode).toBe(202);
      site.clock.advance(10_000);
    }
    expect(site.cloud.snapshots()).toHaveLength(1);
  });

  test("holds 255 characters, not 256", async () => {
    const site = await stage(SNAPSHOT);
    expect((await site.post({}, { "idempotency-key": "k".repeat(255) })).result.statusCode).toBe(202);
    const answer = await site.post({}, { "idempotency-key": "k".repeat(256) });
    expect(answer.result.statusCode).toBe(400);
    expect(errorOf(answer).message).toBe("idempotency-key: expected a header of at most 255 characters, got 256.");
    expect(outcomes(answer)).toEqual(["create rejected", "run failed"]);
  });

  test("is part of no other key: functions and disks do not share it, and a request id is none", async () => {
    const site = await stage(SNAPSHOT);
    const [one, two] = [site.cloud.addVolume(), site.cloud.addVolume()];
    const headers = { "idempotency-key": "same" };
    for (const { id } of [one, two]) await site.post({ volume_id: id }, headers);
    await site.direct({ snapshot: { volume_id: one.id } }, { requestId: "same" });
    const keys = site.cloud.snapshots("snapshot").map(({ metadata }) => metadata?.key);
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
    "that is %s is refused with a 400, because to ignore it would create a snapshot for each repeat",
    async (words, key) => {
      const site = await stage(SNAPSHOT);
      for (const name of ["idempotency-key", "Idempotency-Key"]) {
        const answer = await site.post({}, { [name]: key } as never);
        expect(answer.result.statusCode).toBe(400);
        expect(errorOf(answer).message).toBe(`idempotency-key: expected a header with one string, got ${words}.`);
        expect(outcomes(answer)).toEqual(["create rejected", "run failed"]);
      }
      expect(site.cloud.snapshots()).toHaveLength(0);
    },
  );

  test("an empty one, as of a variable that was not set, is refused: it would protect nobody", async () => {
    const site = await stage(SNAPSHOT);
    for (const key of ["", "  "]) {
      const { result } = await site.post({}, { "idempotency-key": key });
      expect(result.statusCode).toBe(400);
      expect(result.body).toContain("idempotency-key: expected a header with a value, or none; got an empty one.");
    }
    expect(site.cloud.snapshots()).toHaveLength(0);
  });
});

test("an event without headers is a call without a key", async () => {
  const site = await stage(SNAPSHOT);
  for (const headers of [undefined, null, {}]) {
    expect((await site.http(apig(site.body(), {}, { headers }))).result.statusCode).toBe(202);
  }
});

test("where the platform names no request, a made-up id stands for it, in the answer and in the records", async () => {
  const site = await stage(SNAPSHOT);
  const { result, records } = await site.http(undefined, { requestId: "" });
  const id = result.headers["x-request-id"];
  expect(id).toMatch(/^made-up-/);
  expect(records.map(({ request_id }) => request_id)).toEqual([id, id]);
});

test("whatever the gateway sends: an answer of exactly its shape, one terminal record, nothing thrown", async () => {
  const site = await createTestEnvironment();
  const disk = site.cloud.addVolume().id;
  const cluster = site.cloud.addCluster().id;
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
      const { result, error, records } = await site.invoke(create.factory, given);
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

test("a description that a cluster takes reaches it over HTTP in any script", async () => {
  const site = await stage(CLUSTER);
  const description = "до 更新 😀\n\t/\\";
  await site.post({ description });
  expect(creates(site)[0]?.body).toMatchObject({ snapshot: { description: expect.stringContaining(description) } });
});
