/** Builds random HTTP responses, from unusual bodies and headers to bytes that are not valid HTTP. */
import { gzipSync } from "node:zlib";
import { arbitraryJson, hugeText, type Json, mutate } from "./mutate.ts";
import type { Random } from "./random.ts";

export interface OddResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

// biome-ignore format: values are easier to read in rows
const CODES = [
  "EVS.5400", "EVS.5404", "EVS.5413", "EVS.5500", "EVS.2024", "EVS.2409", "EVS.1047", "EVS.2144", "EVS.2019",
  "EVS.1033", "DWS.0000", "DWS.0001", "DWS.5149", "DWS.5150", "DWS.7023", "DWS.9999", "APIGW.0308", "APIGW.0301",
  "APIGW.0101", "APIGW.0201", "APIGW.0310", "APIG.0101", "FSS.0404", "FSS.0500", "SVCSTG.ALS.200.200",
  "SVCSTG.ALS.403.105", "Ecs.0219", "constructor", "__proto__", "0", "200", "409", "", "E".repeat(70_000),
];
// biome-ignore format: values are easier to read in rows
const MESSAGES = [
  "Bad request.", "Volume status must be available or in-use, but current status is: extending.",
  "Please try again later.", "The region does not support this.", "Insufficient snapshot quota.",
  "snapshot status must be available or error",
  "The throttling threshold has been reached: policy user over ratelimit,limit:50,time:1 second",
  "over ratelimit,limit:0,time:1 second", "over ratelimit,limit:1,time:9999 minute", "DWS.7023 busy",
  "in-use volume", "name already exists", "a\u0000b\u001b[31mc\u2028d\u202ee\u009bf", "", "m".repeat(70_000),
  "x".repeat(400_000),
];
// biome-ignore format: values are easier to read in rows
const STATUSES = [
  200, 201, 202, 204, 206, 299, 301, 302, 307, 400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 499, 500, 501, 502,
  503, 504, 599,
];

/** Returns an error body in the format of a random service. */
export function envelope(random: Random, code: string = random.pick(CODES), message = random.pick(MESSAGES)): Json {
  switch (random.int(0, 6)) {
    case 0:
      return { error: { code, message } };
    case 1:
      return { error_code: code, error_msg: message, request_id: random.uuid() };
    case 2:
      return { errCode: code, externalMessage: message, error_code: code, error_msg: message };
    case 3:
      return {
        [random.pick(["itemNotFound", "overLimit", "conflictingRequest", "badRequest"])]: { code: 404, message },
      };
    case 4:
      return { errorCode: code, error_msg: message, result: null };
    case 5:
      return { code, message };
    default:
      return { error: { code, message, details: [{ code, message }] }, snapshot: null };
  }
}

/** Returns the body of a success response from a random service. The body contains existing or unknown ids. */
export function plausible(random: Random, ids: readonly string[]): Json {
  const id = random.chance(0.6) || ids.length === 0 ? random.uuid() : random.pick(ids);
  const other = ids.length === 0 ? random.uuid() : random.pick(ids);
  const status = random.pick(["creating", "creating", "available", "error", "deleting", "CREATING"]);
  const row = {
    id,
    status,
    volume_id: other,
    server_id: other,
    cluster_id: other,
    name: "n",
    created_at: "2026-11-21T02:00:00.000000",
  };
  const count = random.pick([0, 1, 2, 1_000_000]);
  return random.pick<Json>([
    { snapshot: row },
    { job_id: random.uuid(), snapshot_id: id },
    { job_id: random.uuid(), snapshot_group_id: id },
    { count, snapshots: [row], snapshot_groups: [row], volumes: [row], servers: [row], clusters: [row] },
    { count: 0, snapshots: [], snapshot_groups: [], volumes: [], servers: [], clusters: [] },
    { volume: { ...row, attachments: [{ server_id: other, attachment_id: id }] } },
    { request_id: id },
    { errorCode: "SVCSTG.ALS.200.200", error_msg: "Report success.", result: null },
  ]);
}

export function oddResponse(random: Random, ids: readonly string[]): OddResponse {
  const status = random.chance(0.3) ? random.int(200, 599) : random.pick(STATUSES);
  return { status, headers: status === 204 || status === 304 ? {} : oddHeaders(random), body: oddBody(random, ids) };
}

function oddBody(random: Random, ids: readonly string[]): string {
  const json = (value: Json | undefined) => JSON.stringify(value) ?? "";
  switch (random.weighted({ error: 30, odd: 10, success: 20, json: 12, text: 10, html: 6, torn: 8, empty: 4 })) {
    case "error":
      return json(envelope(random));
    case "odd":
      return json(mutate(envelope(random), { random, ids }));
    case "success":
      return json(random.chance(0.5) ? plausible(random, ids) : mutate(plausible(random, ids), { random, ids }));
    case "json":
      return json(arbitraryJson(random, 4));
    case "text":
      return random.pick([
        "OK",
        "Bad Gateway",
        "null",
        "1e999",
        "-",
        "NaN",
        "{}{}",
        "\ufeff{}",
        "\ufeff\ufeff{}",
        "[1,2",
        "{'a':1}",
        hugeText(random, random.int(1, 9_000)),
      ]);
    case "html":
      return `<html><head><title>${random.int(400, 599)}</title></head><body>${hugeText(random, random.int(0, 3_000))}</body></html>`;
    case "torn": {
      const whole = json(plausible(random, ids));
      return whole.slice(0, random.int(1, whole.length));
    }
    default:
      return random.pick(["", " ", "\n", "\t\r\n"]);
  }
}

const HEADERS: Record<string, (random: Random) => string> = {
  "retry-after": (random) =>
    random.pick([
      "0",
      "1",
      "3",
      "59",
      "61",
      "3600",
      "86400000",
      "9".repeat(20),
      "1e22",
      "-1",
      "-3600",
      "0.25",
      "1e400",
      "Infinity",
      "soon",
      "",
      "Fri, 31 Dec 9999 23:59:59 GMT",
      "Thu, 01 Jan 1970 00:00:00 GMT",
      "2026-11-21T02:00:05Z",
      "1, 2",
      "0x10",
    ]),
  "x-request-id": (random) =>
    random.pick(["", "r", "a b", "\u00e9\u00ff", "../x", '"', "r".repeat(6_000), "<b>", "null", "\u0085\u009b31m"]),
  "content-type": (random) =>
    random.pick([
      "",
      "text/html",
      "application/json; charset=utf-16",
      "application/octet-stream",
      "multipart/mixed; boundary=x",
      "x",
      "/",
    ]),
  "content-encoding": (random) => random.pick(["gzip", "br", "deflate", "identity", "gzip, gzip", "bogus"]),
  "content-length": (random) => random.pick(["0", "1", "10", "100000"]),
  connection: (random) => random.pick(["close", "keep-alive", "upgrade", "x"]),
  "keep-alive": (random) => random.pick(["timeout=0", "timeout=-1", "timeout=99999999999", "max=0"]),
  date: (random) => random.pick(["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "x"]),
  location: (random) => random.pick(["http://127.0.0.1:1/", "/", "//evil.example/", "javascript:alert(1)"]),
  "set-cookie": () => "session=1; Path=/",
  "x-huge": (random) => "h".repeat(random.pick([100, 8_000, 20_000])),
  "transfer-encoding": () => "chunked",
};

function oddHeaders(random: Random): Record<string, string> {
  const names = Object.keys(HEADERS).filter(() => random.chance(0.12));
  const headers = Object.fromEntries(names.map((name) => [name, HEADERS[name]?.(random) ?? ""]));
  // The HTTP server of Node.js rejects a response that has both transfer-encoding and content-length.
  if ("transfer-encoding" in headers) delete headers["content-length"];
  return headers;
}

/**
 * Returns the bytes of an invalid HTTP response. For example, its framing is broken, it contains two responses, or it is empty.
 */
export function rawResponse(random: Random, ids: readonly string[]): Buffer {
  const text = JSON.stringify(
    random.chance(0.5) ? plausible(random, ids) : envelope(random, "EVS.5400", "Bad request."),
  );
  const head = (line: string, headers: string, body: Buffer | string) =>
    Buffer.concat([Buffer.from(`${line}\r\n${headers}\r\n\r\n`, "latin1"), Buffer.from(body as string)]);
  const sized = (body: Buffer | string) =>
    `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`;
  const ok = (body: Buffer | string, line = "HTTP/1.1 200 OK") => head(line, sized(body), body);
  const noise = Buffer.from(Array.from({ length: random.int(1, 600) }, () => random.int(0, 255)));
  const builders: (() => Buffer)[] = [
    () => ok(noise),
    () => ok(gzipSync(text)),
    () => head("HTTP/1.1 200 OK", `content-encoding: gzip\r\n${sized(gzipSync(text))}`, gzipSync(text)),
    () => ok(Buffer.from(text, "utf16le")),
    () => ok(Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.of(0xc3, 0x28, 0xff), Buffer.from("}")])),
    () =>
      ok(
        text,
        random.pick([
          "HTTP/1.0 202 OK",
          "HTTP/1.1 202",
          "HTTP/1.1 099 X",
          "HTTP/1.1 999 X",
          "HTTP/1.1 2000 X",
          "ICY 200 OK",
          "HTTP/2 200",
          "HTTP/1.1 -1 X",
        ]),
      ),
    () =>
      head(
        "HTTP/1.1 200 OK",
        "transfer-encoding: chunked",
        `${random.pick(["ffffffffffffffffff", "-1", "zz", "5;x=y"])}\r\n${text}`,
      ),
    () =>
      head(
        "HTTP/1.1 200 OK",
        "transfer-encoding: chunked",
        `${text.length.toString(16)}\r\n${text}\r\n0\r\nx: y\r\n\r\n`,
      ),
    () => head("HTTP/1.1 200 OK", `content-length: 5\r\ncontent-length: ${text.length}`, text),
    () =>
      head(
        "HTTP/1.1 200 OK",
        `content-length: ${random.pick(["-5", "1e9", "99999999999999999999", "0x10", ""])}`,
        text,
      ),
    () => head("HTTP/1.1 200 OK", "x-a: a\u0000b\u0007\r\n folded\r\nx b: c\r\n: d", text),
    () => head("HTTP/1.1 200 OK", Array.from({ length: 3_000 }, (_, index) => `x-${index}: y`).join("\r\n"), text),
    () => Buffer.concat([ok(text), ok(text, "HTTP/1.1 500 Second")]),
    () => head("HTTP/1.1 200 OK", "connection: close", text),
    () => head("HTTP/1.1 304 Not Modified", sized(text), text),
    () => Buffer.concat([Buffer.from("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"), ok(text)]),
    () => Buffer.from(ok(text).subarray(0, random.int(1, 60))),
    () => Buffer.from("SSH-2.0-OpenSSH_9.6\r\n"),
    () => Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]),
    () => noise,
    () => Buffer.alloc(0),
  ];
  return random.pick(builders)();
}
