/** Tests input of 1 MiB. */
import { describe, expect, test } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { runBare } from "../support/bare-node.ts";
import { apig, createTestEnvironment, expectRejected } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const MIB = 1024 * 1024;

/** Returns a string that repeats an item as often as it fits into 1 MiB. */
function filled(head: string, item: (index: number) => string, tail: string): string {
  const items: string[] = [];
  for (let size = head.length + tail.length; ; ) {
    const next = item(items.length);
    size += next.length + 1;
    if (size > MIB) return head + items.join(",") + tail;
    items.push(next);
  }
}

const GATE = '{"deployment_id":"release-7","targets":[';
const SNAPSHOT = `${GATE}{"kind":"snapshot",`;
const uuid = (index: number) => `"5aa119a8-d25b-45a7-8d1b-${String(index).padStart(12, "0")}"`;

describe("a body of 1 MiB", () => {
  test.each<[what: string, body: string, message: string]>([
    ["targets that are numbers", filled(GATE, () => "0", "]}"), "targets: expected at most 10000 items, got 524"],
    ["empty targets", filled(GATE, () => "{}", "]}"), "targets: expected at most 10000 items, got 349"],
    ["unknown kinds", filled(GATE, () => '{"kind":"x"}', "]}"), "targets: expected at most 10000 items"],
    [
      "targets without ids and tags",
      filled(GATE, () => '{"kind":"snapshot"}', "]}"),
      "targets: expected at most 10000 items",
    ],
    [
      "ids that are numbers",
      filled(`${SNAPSHOT}"volume_ids":[`, () => "0", "]}]}"),
      "targets[0].volume_ids: expected at most 10000 items",
    ],
    [
      "valid ids",
      filled(`${SNAPSHOT}"volume_ids":[`, uuid, "]}]}"),
      "targets[0].volume_ids: expected at most 10000 items, got 26",
    ],
    [
      "unknown fields",
      filled(`${GATE}],`, (index) => `"f${index}":0`, "}"),
      "body: expected at most 10000 fields, got 96",
    ],
    [
      "unknown fields of a target",
      filled(SNAPSHOT, (index) => `"f${index}":0`, "}]}"),
      "targets[0]: expected at most 10000 fields, got 96",
    ],
    [
      "tags that are numbers",
      filled(`${SNAPSHOT}"tags":{`, (index) => `"t${index}":0`, "}}]}"),
      "targets[0].tags: expected at most 10000 fields, got 96",
    ],
    [
      "valid tags",
      filled(`${SNAPSHOT}"tags":{`, (index) => `"t${index}":""`, "}}]}"),
      "targets[0].tags: expected at most 10000 fields, got 88",
    ],
    [
      "targets with many unknown fields each",
      filled(
        GATE,
        () => `{"kind":"snapshot",${Array.from({ length: 100 }, (_, index) => `"f${index}":0`).join()}}`,
        "]}",
      ),
      "Validation stopped after 200 faults. There are more.",
    ],
    [
      "long unknown fields",
      filled(`${GATE}],`, (index) => `"${"f".repeat(200)}${index}":0`, "}"),
      "targets: expected at least 1 item, got 0.",
    ],
    [
      "field names of control characters",
      filled(`${GATE}],`, (index) => `"${"\\u0001".repeat(20)}${index}":0`, "}"),
      "Validation stopped after ",
    ],
    ["nested arrays", "[".repeat(MIB / 2) + "]".repeat(MIB / 2), "body: expected an object, got an array of 1 item."],
    ["arrays without an end", "[".repeat(MIB), "Expected a JSON body, got "],
    ["a long string", `{"deployment_id":"${"x".repeat(MIB - 100)}"}`, "deployment_id: expected at most 128 characters"],
    ["spaces", " ".repeat(MIB), "Expected a JSON body, got "],
  ])(
    "pre-deploy responds to 1 MiB of %s with a 400 of at most 64 KB within 64 MB of heap",
    async (_what, body, message) => {
      const variables = { REGION: "eu-west-101", PROJECT_ID: "0123456789abcdef" };
      const context = { getSecurityAccessKey: "access-key", getSecuritySecretKey: "secret-key", variables };
      const environment = { NODE_OPTIONS: "--max-old-space-size=64" };
      const run = await runBare("pre-deploy", [{ event: apig(body), context }], { environment });
      const answer = run.returned[0]?.result;
      expect(answer.statusCode).toBe(400);
      expect(JSON.parse(answer.body).error.message).toContain(message);
      expect(answer.body.length).toBeLessThan(64 * 1024);
      expect(run.stdout.length).toBeLessThan(128 * 1024);
    },
  );
});

test("create-snapshot rejects a body of 1 MiB of spaces and one character that is not base64 without a delay", async () => {
  const environment = await createTestEnvironment();
  const invoked = await environment.invoke(createSnapshot, apig("", {}, { body: `${" ".repeat(MIB - 1)}!` }));
  expectRejected(invoked, "Expected a body in base64", environment.requests());
});
