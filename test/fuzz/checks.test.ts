import { expect, onTestFinished, test } from "vitest";
import { startCloud } from "../../infra/local/cloud/index.ts";
import { check } from "./checks.ts";
import type { Evidence } from "./evidence.ts";
import type { Invoked } from "./instance.ts";

const DISK = "5aa119a8-d25b-45a7-8d1b-88e127885635";
const MIB = 1024 * 1024;

type Json = Record<string, unknown>;

const record = (fields: Json) => ({
  version: 1,
  function: "create-snapshot",
  request_id: "r",
  trigger: "http",
  ...fields,
});

/** Returns the evidence of an invocation that created one snapshot. `changes` replaces parts of the evidence. */
async function evidenceOf(
  changes: { create?: Json; run?: Json; invoked?: Partial<Invoked>; lines?: string[]; repeated?: boolean } = {},
): Promise<Evidence> {
  const cloud = await startCloud();
  onTestFinished(() => cloud.close());
  cloud.addVolume({ id: DISK });
  const before = cloud.snapshots();
  const metadata = { key: "0123456789abcdef0123456789abcdef" };
  const { id } = cloud.addSnapshot({ kind: "snapshot", volumeId: DISK, metadata });
  if (changes.repeated) cloud.addSnapshot({ kind: "snapshot", volumeId: DISK, metadata });
  const created = { action: "create", kind: "snapshot", resource_id: DISK, outcome: "accepted", snapshot_id: id };
  const lines = changes.lines ?? [
    JSON.stringify(record({ ...created, ...changes.create })),
    JSON.stringify(record({ action: "run", outcome: "done", outcomes: { accepted: 1 }, ...changes.run })),
  ];
  for (const text of lines) {
    cloud.logs.push({ line: text, text, group: "", stream: "", labels: {}, log_time_ns: "0", requestId: "" });
  }
  const result = {
    statusCode: 202,
    headers: { "content-type": "application/json" },
    body: "{}",
    isBase64Encoded: false,
  };
  const invoked: Invoked = {
    result: JSON.stringify(result),
    tookMs: 1_000,
    stdout: lines,
    stderr: [],
    peakBytes: 60 * MIB,
    ...changes.invoked,
  };
  return {
    scenario: {
      functionName: "create-snapshot",
      event: {},
      variables: {},
      remainingMs: 60_000,
      trigger: "http",
      targets: [{ kind: "snapshot", resource: DISK }],
      selectedBy: undefined,
    },
    requestId: "r",
    invoked,
    cloud,
    responses: [],
    before,
    isUnfuzzed: () => true,
    findSecrets: (text) => (text.includes("s3cr3t") ? ["a secret"] : []),
  };
}

const brokenGuarantees = async (changes?: Parameters<typeof evidenceOf>[0]) =>
  new Set(check(await evidenceOf(changes)).map(({ guarantee }) => guarantee));

test("the checks of the fuzz test find no broken guarantee if an invocation kept every guarantee", async () => {
  expect(check(await evidenceOf())).toEqual([]);
});

test.each<[string, string, Parameters<typeof evidenceOf>[0]]>([
  ["ends", "the process was killed", { invoked: { lost: "the process exited (SIGKILL)" } }],
  ["in time", "the invocation finished after its deadline", { invoked: { tookMs: 60_001 } }],
  ["memory", "the process used 111 MiB of memory", { invoked: { peakBytes: 111 * MIB } }],
  ["one record each", "a target has no result record", { create: { resource_id: "another" } }],
  ["one record each", "the counts in the run record are wrong", { run: { outcomes: { accepted: 2 } } }],
  ["one record each", "the invocation printed no record", { lines: [] }],
  [
    "no false success",
    "a success record contains the id of a snapshot that does not exist",
    { create: { snapshot_id: "made-up" } },
  ],
  ["no duplicate", "two snapshots have the same idempotency key", { repeated: true }],
  ["short clean lines", "a printed line has more than 64 KB", { create: { detail: "x".repeat(65 * 1024) } }],
  ["short clean lines", "a printed line contains the line separator U+2028", { create: { detail: "a\u2028b" } }],
  ["short clean lines", "a printed line is not JSON", { lines: ["warning: x"] }],
  [
    "well-formed response",
    "an HTTP function throws an error",
    { invoked: { error: { isError: true, message: "", printed: "" } } },
  ],
  [
    "well-formed response",
    "the response has a success status although a target failed",
    { create: { outcome: "failed", error: {} } },
  ],
  ["well-formed response", "the response has no status code", { invoked: { result: '{"body":""}' } }],
  ["no secret", "a record contains a secret", { create: { detail: "s3cr3t" } }],
  ["no secret", "a line on stderr contains a secret", { invoked: { stderr: ["s3cr3t"] } }],
  ["topic has all", "the logging topic lacks a printed line", { invoked: { stdout: ["{}"] } }],
])("the checks of the fuzz test find that the guarantee %j is broken if %s", async (guarantee, _what, changes) => {
  expect(await brokenGuarantees(changes)).toContain(guarantee);
});
