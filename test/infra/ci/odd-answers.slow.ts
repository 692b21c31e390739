/** Runs the built gate client with responses that pre-deploy never sends, such as malformed or contradictory responses. */
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
const allSnapshots = [first, second, tagged];
const ready = (snapshots: unknown, more: object = {}) => ({
  status: "ready",
  deployment_id: "release-1",
  snapshots,
  ...more,
});
/** Returns a `ready` response with three snapshots. `change` replaces fields of the snapshot whose disk is selected by tags. */
const readyWith = (change: Entry) => ready([first, second, { ...tagged, ...change }]);
const READY = JSON.stringify(ready(allSnapshots));

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

const COMPLETE_RESPONSES: [string, Respond][] = [
  ['a "ready" response with a snapshot for every selection', http(200, READY)],
  [
    'a "ready" response with an upper-case id, unknown fields, and snapshots in another order than the selections',
    http(200, ready([tagged, { ...second, resource_id: DISKS[1]?.toUpperCase(), hint: null }, first], { hint: [1] })),
  ],
];

// The slowest cases come first, because several cases run concurrently.
// biome-ignore format: the cases are easier to compare in rows
const ODD_RESPONSES: [string, Respond][] = [
  ["101 Switching Protocols", raw("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n")],
  ["101 Switching Protocols on a connection that stays open",
    raw("HTTP/1.1 101 OK\r\nconnection: upgrade\r\n\r\n", "hang")],
  ["no response on an open connection", () => {}],
  ["only the headers on an open connection", raw(`${HEAD}content-length: ${READY.length}\r\n\r\n`, "hang")],
  ["only a part of the body on an open connection",
    raw(`${HEAD}content-length: ${READY.length}\r\n\r\n${READY.slice(0, 60)}`, "hang")],
  ["another header every 200 ms", sendHeadersSlowly],
  ["20,000 headers without a body", raw(`${HEAD}${"x-more: 1\r\n".repeat(20_000)}`, "hang")],
  ["a body that is shorter than its content-length", raw(`${HEAD}content-length: 999\r\n\r\n${READY}`)],
  ["a chunk that is shorter than its declared length", raw(`${HEAD}transfer-encoding: chunked\r\n\r\nfff\r\n${READY}`)],
  ["a body without its last character and without a content-length",
    raw(`${HEAD}connection: close\r\n\r\n${READY.slice(0, -1)}`)],
  ["a body of more than 16 MiB", http(200, `${READY}${" ".repeat(17 * 1024 * 1024)}`)],
  ["a connection that the server closes without a response", (socket) => void socket.destroy()],
  ["the banner of an SSH server", raw("SSH-2.0-OpenSSH_9.6\r\n")],
  ["100 Continue without a final response", raw("HTTP/1.1 100 Continue\r\n\r\n")],
  ["204 No Content", raw("HTTP/1.1 204 No Content\r\n\r\n")],
  ['204 No Content with a "ready" body', http(204, READY)],
  ['a "ready" body with the HTTP status 202', http(202, READY)],
  ['a "ready" body with the HTTP status 206', http(206, READY)],
  ["a redirect with the HTTP status 302", http(302, READY, { location: "/0" })],
  ["a redirect with the HTTP status 307", http(307, READY, { location: "/0" })],
  ['a "ready" body with the HTTP status 502', http(502, READY)],
  ['a "pending" body with the HTTP status 200', http(200, ready(allSnapshots, { status: "pending" }))],
  ["an empty body", http(200, "")],
  ["the JSON value null as the body", http(200, "null")],
  ["the JSON value true as the body", http(200, "true")],
  ['the JSON string "ready" as the body', http(200, '"ready"')],
  ['an array that contains a "ready" object', http(200, `[${READY}]`)],
  ["an empty object as the body", http(200, "{}")],
  ['the JSON string "constructor" as the body', http(200, '"constructor"')],
  ['a "ready" object in the field __proto__', http(200, `{"__proto__":${READY}}`)],
  ['a "ready" object with a superfluous closing brace', http(200, `${READY}}`)],
  ['a body with two "ready" objects', http(200, `${READY}\n${READY}`)],
  ['a byte order mark before a "ready" object', http(200, `\ufeff${READY}`)],
  ['a "ready" body that is compressed', http(200, gzipSync(READY), { "content-encoding": "gzip" })],
  ['a "ready" body in UTF-16', http(200, Buffer.from(READY, "utf16le"))],
  ["an HTML page as the body", http(200, "<html><title>ready</title></html>", { "content-type": "text/html" })],
  ['two status fields: "failed", then "ready"', http(200, READY.replace("{", '{"status":"failed",'))],
  ['two status fields: "ready", then "failed"', http(200, READY.replace(/}$/, ',"status":"failed"}'))],
  ["a snapshot with two outcome fields", http(200, READY.replace('"outcome"', '"outcome":"failed","outcome"'))],
  ["a snapshot with two outcome fields, one with an escaped name",
    http(200, READY.replace('"outcome"', '"outc\\u006fme" : "failed","outcome"'))],
  ['a status that is the array ["ready"]', http(200, ready(allSnapshots, { status: ["ready"] }))],
  ["a status that is the boolean true", http(200, ready(allSnapshots, { status: true }))],
  ['the status "Ready" with a capital letter', http(200, ready(allSnapshots, { status: "Ready" }))],
  ['the unknown status "constructor"', http(200, ready(allSnapshots, { status: "constructor" }))],
  ['a "ready" object with an error field', http(200, ready(allSnapshots, { error: { reason: "New", message: "no" } }))],
  ['a "ready" object with an error code of the gateway', http(200, ready(allSnapshots, { error_code: "APIG.0201" }))],
  ["a deployment id that was not requested", http(200, ready(allSnapshots, { deployment_id: "release-2" }))],
  ["a response without a deployment id", http(200, ready(allSnapshots, { deployment_id: undefined }))],
  ["an array that contains the deployment id", http(200, ready(allSnapshots, { deployment_id: ["release-1"] }))],
  ["a response without the snapshots field", http(200, ready(undefined))],
  ["a snapshots field that is null", http(200, ready(null))],
  ["an empty snapshots array", http(200, ready([]))],
  ["a snapshots field that is an object", http(200, ready({ 0: first, 1: second, 2: tagged, length: 3 }))],
  ["a snapshots field that is a string", http(200, ready("available"))],
  ["a snapshots array without objects", http(200, ready([1, "available", true]))],
  ["a snapshots array with a null element", http(200, ready([...allSnapshots, null]))],
  ["a snapshots array that contains an array", http(200, ready([...allSnapshots, [tagged]]))],
  ["no snapshot for the selection by tags", http(200, ready([first, second]))],
  ["no snapshot for one of the requested disk ids", http(200, ready([first, tagged]))],
  ["a disk snapshot of a kind that was not requested",
    http(200, ready([first, { ...second, kind: "standard-snapshot" }, tagged]))],
  [
    "the same snapshot id for two disks, once in upper case",
    http(
      200,
      ready([
        { ...first, snapshot_id: "2A4D0F86-67CD-408A-8B66-A8C33D1FE9B1" },
        { ...second, snapshot_id: "2a4d0f86-67cd-408a-8b66-a8c33d1fe9b1" },
        tagged,
      ]),
    ),
  ],
  ["the same snapshot id for two disks",
    http(200, ready([first, { ...second, snapshot_id: first?.snapshot_id }, tagged]))],
  ["a snapshot without a resource_id", http(200, ready([first, { ...second, resource_id: undefined }, tagged]))],
  ['the snapshot outcome "failed"', http(200, readyWith({ outcome: "failed" }))],
  ['the snapshot outcome "accepted"', http(200, readyWith({ outcome: "accepted" }))],
  ['the snapshot outcome "Available" with a capital letter', http(200, readyWith({ outcome: "Available" }))],
  ['the snapshot outcome "available" with a space after it', http(200, readyWith({ outcome: "available " }))],
  ["a snapshot outcome that is the boolean true", http(200, readyWith({ outcome: true }))],
  ["a snapshot outcome that is the number 1", http(200, readyWith({ outcome: 1 }))],
  ['a snapshot outcome that is the array ["available"]', http(200, readyWith({ outcome: ["available"] }))],
  ['the unknown snapshot outcome "toString"', http(200, readyWith({ outcome: "toString" }))],
  ["a snapshot outcome that cannot be converted to a string",
    http(200, readyWith({ outcome: { toString: 1, valueOf: 1 } }))],
  ["no snapshot for the tags, and a field with 100,000 nested arrays",
    http(200, JSON.stringify(ready([first, second])).replace(/}$/, `,"more":${"[".repeat(1e5)}${"]".repeat(1e5)}}`))],
  ["a snapshots field with 20,000 nested arrays",
    http(200, `{"status":"ready","snapshots":${"[".repeat(2e4)}${"]".repeat(2e4)}}`)],
  ["a snapshot without a kind", http(200, readyWith({ kind: undefined }))],
  ["a snapshot kind that is an array", http(200, readyWith({ kind: ["standard-snapshot"] }))],
  ["a snapshot without a snapshot_id", http(200, readyWith({ snapshot_id: undefined }))],
  ["a snapshot_id that is null", http(200, readyWith({ snapshot_id: null }))],
  ["a snapshot_id that is a number", http(200, readyWith({ snapshot_id: 7 }))],
  ["a snapshot_id that is an empty string", http(200, readyWith({ snapshot_id: "" }))],
  ['a snapshot_id that is the string "null"', http(200, readyWith({ snapshot_id: "null" }))],
  ["a snapshot_id that is a text with a space", http(200, readyWith({ snapshot_id: "snapshot 7" }))],
  ["a snapshot_id that is the nil UUID", http(200, readyWith({ snapshot_id: "00000000-0000-0000-0000-000000000000" }))],
  ["a snapshot_id that is a hyphen", http(200, readyWith({ snapshot_id: "-" }))],
  ["a snapshot_id that is the id of the disk", http(200, ready([{ ...first, snapshot_id: DISKS[0] }, second, tagged]))],
  ["a snapshot with an error field",
    http(200, readyWith({ error: { reason: "SnapshotFailed", message: "it failed" } }))],
  ["a snapshot with an empty error object", http(200, readyWith({ error: {} }))],
  ['a "ready" object with an errors field', http(200, ready(allSnapshots, { errors: ["it failed"] }))],
  ['a "ready" object with an error_msg field', http(200, ready(allSnapshots, { error_msg: "it failed" }))],
  ...["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"].map((name): [string, Respond] => [
    `the unknown error reason "${name}"`,
    http(409, { error: { reason: name, code: name, message: name } }),
  ]),
  ["an error reason that is an array", http(400, { error: { reason: ["constructor"] } })],
  ['a failed snapshot with the unknown error reason "toString"',
    http(502, { status: "failed", snapshots: [{ outcome: "failed", error: { reason: "toString" } }] })],
  ["an error message that cannot be converted to a string",
    http(400, { error: { reason: { toString: 1 }, message: { toString: 1 } } })],
  ["an error field that is null", http(400, { error: null })],
  ["a Retry-After header of one microsecond", http(202, { status: "pending" }, { "retry-after": "0.000001" })],
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

test('the gate client exits with 0 only if a well-formed "ready" response has a snapshot for every selection', async (context) => {
  const cases = [...ODD_RESPONSES, ...COMPLETE_RESPONSES];
  const calls = new Map<number, number>();
  const server = createServer((request, response) => {
    const index = Number(request.url?.slice(1));
    calls.set(index, (calls.get(index) ?? 0) + 1);
    request.socket.on("error", () => {});
    response.detachSocket(request.socket);
    cases[index]?.[1](request.socket);
  });
  const port = await listen(server, context);
  const exits = new Map<string, Exited>();
  const indexes = cases.keys();
  const worker = async () => {
    for (const index of indexes) exits.set(cases[index]?.[0] as string, await run(`http://127.0.0.1:${port}/${index}`));
  };
  await Promise.all(Array.from({ length: 10 }, worker));

  expect(ODD_RESPONSES.length).toBeGreaterThan(30);
  expect(exits.size).toBe(cases.length);
  const accepted = [...exits].filter(([, { code }]) => code === 0).map(([name]) => name);
  expect(accepted.sort()).toEqual(COMPLETE_RESPONSES.map(([name]) => name).sort());
  for (const [name, { code, output }] of exits) {
    if (code === 0) continue;
    // If the gate client crashed, its exit code would not be 1, 2 or 3, or it would print a stack trace.
    expect([1, 2, 3], name).toContain(code);
    expect(output, name).toMatch(/ s {2}(not ready within 1 s: |failed: |rejected: )/);
    expect(output, name).not.toMatch(/\n {4}at |deployment can begin|undefined|TypeError|RangeError/);
    expect(output, name).not.toContain(APP_CODE);
  }
  for (const [index, count] of calls) expect(count, cases[index]?.[0]).toBeLessThanOrEqual(4);
}, 60_000);
