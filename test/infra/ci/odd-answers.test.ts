/** Runs the built gate client against a server that sends responses that pre-deploy never sends. */
import { writeFileSync } from "node:fs";
import { createServer, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { APP_CODE, buildClient, type Exited, listen, runCommand } from "../../support/gate-client.ts";

const DISKS = ["5aa119a8-d25b-45a7-8d1b-88e127885635", "0f1ac67b-9d4f-4d0a-8a55-5dd6f6a1b2c3"];
const TARGETS = [
  { kind: "snapshot", volume_ids: DISKS },
  { kind: "standard-snapshot", tags: { app: "shop" } },
];

type Entry = Record<string, unknown>;
let serial = 0;
const entry = (kind: string, more: Entry = {}): Entry => ({
  kind,
  resource_id: "94f1ea84-1428-49b6-9920-8a9b8a29e4ca",
  name: "d-release-1-0a1b2c3d",
  snapshot_id: `2a4d0f86-67cd-408a-8b66-${String(++serial).padStart(12, "0")}`,
  outcome: "available",
  ...more,
});
const [first, second, tagged] = [
  entry("snapshot", { resource_id: DISKS[0] }),
  entry("snapshot", { resource_id: DISKS[1] }),
  entry("standard-snapshot"),
];
const covering = [first, second, tagged];
const ready = (snapshots: unknown, more: object = {}) => ({
  status: "ready",
  deployment_id: "release-1",
  snapshots,
  ...more,
});
/** Returns a `ready` response in which `change` replaces fields of the snapshot for the tags. */
const readyWith = (change: Entry) => ready([first, second, { ...tagged, ...change }]);
const READY = JSON.stringify(ready(covering));

/** Writes a response to a socket. */
type Respond = (socket: Socket) => void;
const http = (status: number, body: unknown, headers: Record<string, string | number> = {}): Respond => {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const lines = { "content-type": "application/json", "content-length": bytes.length, ...headers };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return (socket) => {
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join("")}connection: close\r\n\r\n`);
    socket.end(bytes);
  };
};
const raw =
  (text: string, then: "end" | "hang" = "end"): Respond =>
  (socket) =>
    void (then === "end" ? socket.end(text) : socket.write(text));
const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

const COVERING: [string, Respond][] = [
  ["a ready that covers every selection", http(200, READY)],
  [
    "a ready that covers every selection, with upper-case ids, in another order and with unknown fields",
    http(200, ready([tagged, { ...second, resource_id: DISKS[1]?.toUpperCase(), hint: null }, first], { hint: [1] })),
  ],
];

// The slowest cases come first, because several cases run concurrently.
const ODD: [string, Respond][] = [
  ["101 Switching Protocols", raw("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n")],
  ["101 Switching Protocols to a socket that stays", raw("HTTP/1.1 101 OK\r\nconnection: upgrade\r\n\r\n", "hang")],
  ["a hang before the first byte", () => {}],
  ["a hang after the headers", raw(`${HEAD}content-length: ${READY.length}\r\n\r\n`, "hang")],
  ["a hang after half a body", raw(`${HEAD}content-length: ${READY.length}\r\n\r\n${READY.slice(0, 60)}`, "hang")],
  ["headers that never end, one every 200 ms", sendHeadersSlowly],
  ["headers that never end", raw(`${HEAD}${"x-more: 1\r\n".repeat(20_000)}`, "hang")],
  ["half a body, and the end of the connection", raw(`${HEAD}content-length: 999\r\n\r\n${READY}`)],
  ["half a body in chunks", raw(`${HEAD}transfer-encoding: chunked\r\n\r\nfff\r\n${READY}`)],
  ["half a body without a length", raw(`${HEAD}connection: close\r\n\r\n${READY.slice(0, -1)}`)],
  ["more than 16 MiB", http(200, `${READY}${" ".repeat(17 * 1024 * 1024)}`)],
  ["a connection that is closed at once", (socket) => void socket.destroy()],
  ["something that is no HTTP", raw("SSH-2.0-OpenSSH_9.6\r\n")],
  ["100 Continue alone", raw("HTTP/1.1 100 Continue\r\n\r\n")],
  ["204 No Content", raw("HTTP/1.1 204 No Content\r\n\r\n")],
  ["204 No Content with a ready behind it", http(204, READY)],
  ["202 with a ready", http(202, READY)],
  ["206 with a ready", http(206, READY)],
  ["302", http(302, READY, { location: "/0" })],
  ["307", http(307, READY, { location: "/0" })],
  ["502 with a ready", http(502, READY)],
  ["200 with pending", http(200, ready(covering, { status: "pending" }))],
  ["an empty body", http(200, "")],
  ["null", http(200, "null")],
  ["true", http(200, "true")],
  ["a string", http(200, '"ready"')],
  ["an array", http(200, `[${READY}]`)],
  ["an empty object", http(200, "{}")],
  ["the name of a method as a string", http(200, '"constructor"')],
  ["a ready in __proto__", http(200, `{"__proto__":${READY}}`)],
  ["a ready with a bracket too many", http(200, `${READY}}`)],
  ["two answers in one", http(200, `${READY}\n${READY}`)],
  ["a ready behind a byte order mark", http(200, `\ufeff${READY}`)],
  ["a ready that is compressed", http(200, gzipSync(READY), { "content-encoding": "gzip" })],
  ["a ready in UTF-16", http(200, Buffer.from(READY, "utf16le"))],
  ["a page", http(200, "<html><title>ready</title></html>", { "content-type": "text/html" })],
  ["a status twice, failed first", http(200, READY.replace("{", '{"status":"failed",'))],
  ["a status twice, ready first", http(200, READY.replace(/}$/, ',"status":"failed"}'))],
  ["an outcome twice", http(200, READY.replace('"outcome"', '"outcome":"failed","outcome"'))],
  ["an outcome twice, once in escapes", http(200, READY.replace('"outcome"', '"outc\\u006fme" : "failed","outcome"'))],
  ['the status ["ready"]', http(200, ready(covering, { status: ["ready"] }))],
  ["the status true", http(200, ready(covering, { status: true }))],
  ["the status Ready", http(200, ready(covering, { status: "Ready" }))],
  ["the status constructor", http(200, ready(covering, { status: "constructor" }))],
  ["a ready together with an error", http(200, ready(covering, { error: { reason: "New", message: "no" } }))],
  ["a ready together with an error of the gateway", http(200, ready(covering, { error_code: "APIG.0201" }))],
  ["another deployment", http(200, ready(covering, { deployment_id: "release-2" }))],
  ["no deployment", http(200, ready(covering, { deployment_id: undefined }))],
  ["a deployment in an array", http(200, ready(covering, { deployment_id: ["release-1"] }))],
  ["no snapshots", http(200, ready(undefined))],
  ["snapshots that are null", http(200, ready(null))],
  ["an empty list of snapshots", http(200, ready([]))],
  ["snapshots as an object", http(200, ready({ 0: first, 1: second, 2: tagged, length: 3 }))],
  ["snapshots as a string", http(200, ready("available"))],
  ["snapshots that are no objects", http(200, ready([1, "available", true]))],
  ["one snapshot that is null", http(200, ready([...covering, null]))],
  ["one snapshot that is an array", http(200, ready([...covering, [tagged]]))],
  ["no snapshot for the tags", http(200, ready([first, second]))],
  ["no snapshot for one of the ids", http(200, ready([first, tagged]))],
  ["one of the ids under another kind", http(200, ready([first, { ...second, kind: "standard-snapshot" }, tagged]))],
  [
    "one snapshot for two ids, in two spellings",
    http(
      200,
      ready([
        { ...first, snapshot_id: "2A4D0F86-67CD-408A-8B66-A8C33D1FE9B1" },
        { ...second, snapshot_id: "2a4d0f86-67cd-408a-8b66-a8c33d1fe9b1" },
        tagged,
      ]),
    ),
  ],
  ["one snapshot for two ids", http(200, ready([first, { ...second, snapshot_id: first?.snapshot_id }, tagged]))],
  ["a snapshot without a resource", http(200, ready([first, { ...second, resource_id: undefined }, tagged]))],
  ["a snapshot that is failed", http(200, readyWith({ outcome: "failed" }))],
  ["a snapshot that is accepted", http(200, readyWith({ outcome: "accepted" }))],
  ['the outcome "Available"', http(200, readyWith({ outcome: "Available" }))],
  ['the outcome "available "', http(200, readyWith({ outcome: "available " }))],
  ["the outcome true", http(200, readyWith({ outcome: true }))],
  ["the outcome 1", http(200, readyWith({ outcome: 1 }))],
  ['the outcome ["available"]', http(200, readyWith({ outcome: ["available"] }))],
  ["the outcome toString", http(200, readyWith({ outcome: "toString" }))],
  ["an outcome that cannot become a string", http(200, readyWith({ outcome: { toString: 1, valueOf: 1 } }))],
  [
    "100,000 nested arrays and an incomplete list",
    http(200, JSON.stringify(ready([first, second])).replace(/}$/, `,"more":${"[".repeat(1e5)}${"]".repeat(1e5)}}`)),
  ],
  [
    "snapshots of 20,000 nested arrays",
    http(200, `{"status":"ready","snapshots":${"[".repeat(2e4)}${"]".repeat(2e4)}}`),
  ],
  ["a snapshot without a kind", http(200, readyWith({ kind: undefined }))],
  ["a kind in an array", http(200, readyWith({ kind: ["standard-snapshot"] }))],
  ["a snapshot without an id", http(200, readyWith({ snapshot_id: undefined }))],
  ["a snapshot whose id is null", http(200, readyWith({ snapshot_id: null }))],
  ["a snapshot whose id is a number", http(200, readyWith({ snapshot_id: 7 }))],
  ["a snapshot whose id is empty", http(200, readyWith({ snapshot_id: "" }))],
  ["a snapshot whose id is the string null", http(200, readyWith({ snapshot_id: "null" }))],
  ["a snapshot whose id is a sentence", http(200, readyWith({ snapshot_id: "snapshot 7" }))],
  [
    "a snapshot whose id is the nil UUID",
    http(200, readyWith({ snapshot_id: "00000000-0000-0000-0000-000000000000" })),
  ],
  ["a snapshot whose id is a dash", http(200, readyWith({ snapshot_id: "-" }))],
  ["a snapshot whose id is that of its disk", http(200, ready([{ ...first, snapshot_id: DISKS[0] }, second, tagged]))],
  ["a snapshot with an error", http(200, readyWith({ error: { reason: "SnapshotFailed", message: "it failed" } }))],
  ["a snapshot with an error that is empty", http(200, readyWith({ error: {} }))],
  ["a list of errors", http(200, ready(covering, { errors: ["it failed"] }))],
  ["the message of an error", http(200, ready(covering, { error_msg: "it failed" }))],
  ...["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"].map((name): [string, Respond] => [
    `the reason ${name}`,
    http(409, { error: { reason: name, code: name, message: name } }),
  ]),
  ["a reason in an array", http(400, { error: { reason: ["constructor"] } })],
  [
    "a failure by toString",
    http(502, { status: "failed", snapshots: [{ outcome: "failed", error: { reason: "toString" } }] }),
  ],
  [
    "a message that cannot become a string",
    http(400, { error: { reason: { toString: 1 }, message: { toString: 1 } } }),
  ],
  ["an error that is null", http(400, { error: null })],
  ["a Retry-After of a microsecond", http(202, { status: "pending" }, { "retry-after": "0.000001" })],
];

/** Sends a header every 200 ms until the client closes the connection. */
function sendHeadersSlowly(socket: Socket): void {
  socket.write(HEAD);
  const timer = setInterval(() => socket.write("x-more: 1\r\n"), 200);
  socket.on("close", () => clearInterval(timer));
}

const folder = buildClient();
beforeAll(() => writeFileSync(join(folder(), "targets.json"), JSON.stringify(TARGETS)));

const run = (url: string) =>
  runCommand(
    folder(),
    `exec "${process.execPath}" .ci/snapshot-gate.cjs --targets targets.json --deployment-id release-1 --timeout-seconds 1`,
    { SNAPSHOT_GATE_URL: url, SNAPSHOT_GATE_APP_CODE: APP_CODE },
  );

test("the gate client exits with 0 only for a ready response with a snapshot of every target, and for no malformed response", async (context) => {
  const cases = [...ODD, ...COVERING];
  const calls = new Map<number, number>();
  const server = createServer((request, response) => {
    const index = Number(request.url?.slice(1));
    calls.set(index, (calls.get(index) ?? 0) + 1);
    request.socket.on("error", () => {});
    response.detachSocket(request.socket);
    cases[index]?.[1](request.socket);
  });
  const port = await listen(server, context);
  const ended = new Map<string, Exited>();
  const indexes = cases.keys();
  const worker = async () => {
    for (const index of indexes) ended.set(cases[index]?.[0] as string, await run(`http://127.0.0.1:${port}/${index}`));
  };
  await Promise.all(Array.from({ length: 10 }, worker));

  expect(ODD.length).toBeGreaterThan(30);
  expect(ended.size).toBe(cases.length);
  const accepted = [...ended].filter(([, { code }]) => code === 0).map(([name]) => name);
  expect(accepted.sort()).toEqual(COVERING.map(([name]) => name).sort());
  for (const [name, { code, output }] of ended) {
    if (code === 0) continue;
    // The client decided to exit: the process neither crashed nor exited without a decision.
    expect([1, 2, 3], name).toContain(code);
    expect(output, name).toMatch(/ s {2}(not ready within 1 s: |failed: |rejected: )/);
    expect(output, name).not.toMatch(/\n {4}at |deployment can begin|undefined|TypeError|RangeError/);
    expect(output, name).not.toContain(APP_CODE);
  }
  for (const [index, count] of calls) expect(count, cases[index]?.[0]).toBeLessThanOrEqual(4);
}, 60_000);
