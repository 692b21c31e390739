/** Tests the report that `npm run invoke` prints: its conclusion, its table of records, and its exit code. */
import { describe, expect, test } from "vitest";
import { describeInvocation, describeWait } from "../../../../infra/local/invoke/conclusion.ts";
import { exitCodeOf, type InvokeReport, printReport } from "../../../../infra/local/invoke/report.ts";
import type { ResultRecord } from "../../../../infra/local/site/records.ts";
import { captureOutputs } from "../../../support/outputs.ts";

let ids = 0;
const record = (fields: Partial<ResultRecord>): ResultRecord => ({
  version: 1,
  level: fields.outcome === "failed" || fields.outcome === "rejected" ? "error" : "info",
  time: "2026-11-21T02:00:00.000Z",
  function: "scheduled-snapshots",
  request_id: "request-1",
  action: "create",
  kind: "standard-snapshot",
  outcome: "accepted",
  resource_id: "v-1",
  snapshot_id: `s-${++ids}`,
  ...fields,
});

const report = (fields: Partial<InvokeReport> = {}): InvokeReport => ({
  invocation: {
    function: "scheduled-snapshots",
    requestId: "request-1",
    cold: true,
    durationMs: 1234,
    result: { outcomes: {} },
  },
  records: [],
  otherLines: [],
  place: "on the embedded cloud",
  nameOf: (id) => ({ "v-1": "web-1-data", "v-2": "archive" })[id] ?? id,
  ...fields,
});

function print(fields: Partial<InvokeReport>, columns?: number, environment?: Record<string, string>) {
  const outputs = captureOutputs(columns, environment);
  printReport(report(fields), outputs.out);
  return outputs.stdout();
}

const BUSY = {
  reason: "Busy",
  code: "EVS.5400",
  message:
    "EVS did not create the snapshot: the disk is busy. Wait until the disk is available, then repeat the request with the same name.",
};
const FAILURE = record({ outcome: "failed", resource_id: "v-2", error: BUSY });

test("the report prints the complete error and advice of a failed record below the table, wrapped to 80 columns", () => {
  const error = { errorType: "TargetsFailed", errorMessage: "{}" };
  const { invocation } = report();
  const text = print({ records: [record({}), FAILURE], invocation: { ...invocation, error } }, 80, { NO_COLOR: "1" });
  const lines = text.split("\n");
  expect(lines[0]).toBe("scheduled-snapshots started 1 snapshot and failed to create 1 snapshot, so the");
  expect(lines[1]).toBe("invocation failed.");
  const rows = lines.filter((line) => /^(failed|accepted) /.test(line));
  expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
    ["failed", "standard-snapshot", "archive", FAILURE.snapshot_id, "Busy"],
    ["accepted", "standard-snapshot", "web-1-data", expect.anything()],
  ]);
  expect(text.replaceAll(/\s+/g, " ")).toContain(`archive: Busy (EVS.5400): ${BUSY.message}`);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
});

test("the report has a column for the action if an invocation created and deleted snapshots", () => {
  const text = print({
    records: [record({}), record({ action: "prune", outcome: "deleted", rule: "kept by no rule" })],
  });
  expect(text).toMatch(/\naction {2}outcome +kind +resource +snapshot +why\ncreate +accepted .*\nprune +deleted /);
});

test("if several resources have the same error, the report prints the error once, with the names of the resources", () => {
  const records = ["v-1", "v-2"].map((resource_id) => record({ outcome: "failed", resource_id, error: BUSY }));
  const text = print({ records });
  expect(text).toContain("\nweb-1-data, archive: Busy (EVS.5400): ");
  expect(text.split(BUSY.message.slice(0, 30))).toHaveLength(2);
});

test("the report prints up to three kept snapshots of a resource in separate rows, and merges more than three into one row", () => {
  const kept = (resource_id: string, rule: string) => record({ action: "prune", outcome: "kept", resource_id, rule });
  const many = ["keep_last, keep_daily", "keep_daily", "keep_daily", "keep_weekly"].map((rule) => kept("v-1", rule));
  const few = ["keep_last", "keep_last", "keep_daily"].map((rule) => kept("v-2", rule));
  const rows = print({ records: [...many, ...few] })
    .split("\n")
    .filter((line) => line.startsWith("kept "));
  expect(rows[0]).toMatch(/web-1-data +4 snapshots +keep_last, keep_daily, keep_weekly$/);
  expect(rows.slice(1)).toHaveLength(3);
});

const LONG_RULE = "failed, and a newer good snapshot exists";
const pruned = (fields: Partial<ResultRecord> = {}) =>
  record({
    action: "prune",
    outcome: "deleted",
    rule: LONG_RULE,
    name: "nightly-20261121T020000Z-0123abcd",
    kind: "standard-snapshot",
    ...fields,
  });

test.each([100, 80])(
  "in a terminal of %i columns, the report shortens the name of a snapshot before the reason of its deletion",
  (columns) => {
    const text = print({ records: [pruned(), pruned({ resource_id: "v-2", rule: "keep_last" })] }, columns);
    const row = text.split("\n").find((line) => line.startsWith("deleted "));
    expect(row).toMatch(new RegExp(`^deleted .* nightly-2\\S*… +${LONG_RULE}$`));
    expect(row?.length).toBeLessThanOrEqual(columns);
  },
);

test("the report has a column for the kind only if the reasons have enough space beside it", () => {
  const heading = (...records: ResultRecord[]) =>
    print({ records })
      .split("\n")
      .find((line) => line.startsWith("outcome"));
  expect(heading(pruned({ rule: "keep_last" }))).toMatch(/^outcome +kind +resource +snapshot +why$/);
  const longName = pruned({ resource_id: "a-server-with-a-long-name" });
  expect(heading(longName)).toMatch(/^outcome +resource +snapshot +why$/);
});

test("the report calls a snapshot a duplicate and abbreviates the id of the original", () => {
  const text = print({ records: [pruned({ rule: "twin of ac30dbcf-b38f-4a3b-8f00-0a1b2c3d4e5f" })] });
  expect(text).toMatch(/ duplicate \(twin of ac30dbcf…\)\n/);
  expect(text).not.toMatch(/0a1b2c3d4e5f/);
});

test("the report states after a dry run that the cloud received no create or delete request", () => {
  const planned = pruned({ outcome: "planned", detail: "deleted" });
  const words = (fields: Partial<InvokeReport>) => print({ records: [planned], ...fields }).replaceAll("\n", " ");
  expect(words({ changes: 0 })).toContain("Nothing was created or deleted: the cloud received no such request.");
  expect(words({})).not.toContain("Nothing was created");
  expect(words({ changes: 1 })).toContain("This was no dry run: the cloud received 1 create or delete request.");
  expect(exitCodeOf(report({ records: [planned], changes: 0 }))).toBe(0);
  expect(exitCodeOf(report({ records: [planned], changes: 1 }))).toBe(1);
  // Without a dry run, these requests are the work of the function.
  expect(words({ records: [pruned()], changes: 1 })).not.toContain("dry run");
  expect(exitCodeOf(report({ records: [pruned()], changes: 1 }))).toBe(0);
});

test("the report prints the name of a resource or snapshot beside its id in an error", () => {
  const ids = ["85f3fe2f-788c-40aa-8999-0c59ec82ef51", "e8360d82-7b9e-483c-8615-3ad707a6f065", "0".repeat(8)];
  const [snapshot_id = "", disk = "", unknown = ""] = ids;
  const message = `Expected the snapshot ${snapshot_id} of ${disk} to become available, not ${unknown}.`;
  const failed = record({ outcome: "failed", snapshot_id, resource_id: disk, name: "nightly-1", error: { message } });
  const text = print({ records: [failed], nameOf: (id) => (id === disk ? "orders" : id) });
  expect(text.replaceAll(/\s+/g, " ")).toContain(
    `Expected the snapshot nightly-1 (${snapshot_id}) of orders (${disk}) to become available, not ${unknown}.`,
  );
});

test("if NO_COLOR is set, the report has no color but the same text", () => {
  const colored = print({ records: [FAILURE] }, 100, {});
  expect(colored).toContain("\x1b[31m");
  const plain = print({ records: [FAILURE] }, 100, { NO_COLOR: "1" });
  expect(plain).not.toContain("\x1b");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removes the colors
  expect(colored.replaceAll(/\x1b\[\d+m/g, "")).toBe(plain);
});

test("the report warns if the logging topic did not receive the records", () => {
  const { invocation } = report();
  const text = print({ invocation: { ...invocation, result: { outcomes: {}, topic: "failed" } } });
  expect(text).toContain("Note: The logging topic did not receive the records.");
});

test("the report names each snapshot that failed while the command waited", () => {
  const created = record({ snapshot_id: "s-x" });
  const snapshots = [{ kind: "standard-snapshot", id: "s-x", resourceId: "v-1", state: "failed" }] as const;
  const text = print({ records: [created], wait: { snapshots: [...snapshots], seconds: 2.04 } });
  expect(text).toMatch(/^scheduled-snapshots started 1 snapshot\. After 2\.0 s, the snapshot failed\.\n/);
  expect(text).toMatch(/\naccepted .* s-x +failed\n/);
  expect(text).toContain(
    "\nweb-1-data: The snapshot s-x failed. Check the disk or cluster, then create another snapshot.\n",
  );
});

describe("the conclusion of the report", () => {
  const conclude = (...records: ResultRecord[]) => describeInvocation(report().invocation, records);

  test.each([
    ["no record", [], "scheduled-snapshots had nothing to do."],
    [
      "a redelivery",
      ["existing", "existing"],
      "scheduled-snapshots found 2 snapshots that an earlier request created.",
    ],
    ["a dry run", ["planned"], "scheduled-snapshots (dry run) would create 1 snapshot."],
    [
      "several outcomes",
      ["skipped", "accepted", "failed"],
      "scheduled-snapshots started 1 snapshot, skipped 1 target and failed to create 1 snapshot.",
    ],
    ["an unknown outcome", ["paused"], "scheduled-snapshots create paused: 1 target."],
  ])("the conclusion counts the outcomes of %s", (_what, outcomes, sentence) => {
    expect(conclude(...outcomes.map((outcome) => record({ outcome })))).toBe(sentence);
  });

  test("the conclusion states that prune-snapshots deleted no snapshot if it kept all snapshots", () => {
    const sentence = conclude(record({ action: "prune", outcome: "kept" }));
    expect(sentence).toBe("scheduled-snapshots deleted no snapshot and kept 1.");
  });

  test.each([
    [["unprotected", "failing"], "found 1 unprotected resource and 1 with failing snapshots."],
    [
      ["stale", "stale", "unknown"],
      "found no unprotected resources, 2 whose snapshots are too old and 1 in an unclear state.",
    ],
    [["orphaned"], "found no unprotected resources and 1 resource that no longer exists but has snapshots."],
    [["failed"], "could not read 1 list."],
  ])("the conclusion counts the resources with the states %s", (states, sentence) => {
    const records = states.map((outcome) => record({ action: "coverage", outcome }));
    expect(conclude(...records)).toBe(`scheduled-snapshots ${sentence}`);
  });

  test("the conclusion of a wait counts the snapshots by state", () => {
    const waited = (...states: string[]) =>
      states.map((state) => ({ kind: "snapshot", id: "s", resourceId: "v", state }));
    const describeStates = (...states: string[]) =>
      describeWait({ snapshots: waited(...states) as never, seconds: 3.14 });
    expect(describeStates("available")).toBe("The snapshot became available after 3.1 s.");
    expect(describeStates("available", "available")).toBe("All 2 snapshots became available after 3.1 s.");
    expect(describeStates("available", "failed", "creating")).toBe(
      "After 3.1 s, of 3 snapshots 1 is available, 1 failed and 1 is still creating.",
    );
  });
});

describe("the exit code of invoke", () => {
  const { invocation } = report();
  const wait = (state: string) => ({ snapshots: [{ state }], seconds: 1 }) as InvokeReport["wait"];
  const run = (outcome: string, request_id = "request-1") => record({ action: "run", outcome, request_id });
  test.each([
    ["success", {}, 0],
    ["a failed invocation", { invocation: { ...invocation, error: { errorType: "E", errorMessage: "m" } } }, 1],
    ["the HTTP status 404", { invocation: { ...invocation, result: { statusCode: 404, body: "{}" } } }, 1],
    ["the HTTP status 202", { invocation: { ...invocation, result: { statusCode: 202, body: "{}" } } }, 0],
    ["snapshots that became available", { wait: wait("available") }, 0],
    ["a snapshot that failed", { wait: wait("failed") }, 1],
    ["a snapshot that is still in creation after the maximum wait", { wait: wait("creating") }, 1],
    [
      "another failed invocation that the invocation started",
      { records: [run("done"), run("failed", "request-2")] },
      1,
    ],
    ["another invocation that succeeded when it was retried", { records: [run("failed"), run("done")] }, 0],
  ])("the exit code of invoke after %s is correct", (_what, fields, code) => {
    expect(exitCodeOf(report(fields))).toBe(code);
  });
});
