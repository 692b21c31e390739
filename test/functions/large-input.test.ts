/** Tests that the functions reject bodies of 1 MiB quickly, with little memory and with a short error message. */
import { describe, expect, test } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { runBare } from "../support/bare-node.ts";
import { apig, createTestEnvironment, expectInvalidInput } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const MIB = 1024 * 1024;

/** Returns `start`, as many comma-separated items as fit into 1 MiB, and `end`. */
function fillWith(start: string, itemAt: (index: number) => string, end: string): string {
  const items: string[] = [];
  for (let size = start.length + end.length; ; ) {
    const item = itemAt(items.length);
    size += item.length + 1;
    if (size > MIB) return start + items.join(",") + end;
    items.push(item);
  }
}

const GATE_START = '{"deployment_id":"release-7","targets":[';
const TARGET_START = `${GATE_START}{"kind":"snapshot",`;
/** Returns a function that builds the JSON field `<name><index>` with the value 0. */
const field = (name: string) => (index: number) => `"${name}${index}":0`;
const uuid = (index: number) => `"5aa119a8-d25b-45a7-8d1b-${String(index).padStart(12, "0")}"`;

describe("a body of 1 MiB", () => {
  test.each<[content: string, body: string, message: string]>([
    [
      "only numbers as targets",
      fillWith(GATE_START, () => "0", "]}"),
      "targets: expected at most 10000 items, got 524",
    ],
    [
      "only empty objects as targets",
      fillWith(GATE_START, () => "{}", "]}"),
      "targets: expected at most 10000 items, got 349",
    ],
    [
      "more than 10,000 targets with an unknown kind",
      fillWith(GATE_START, () => '{"kind":"x"}', "]}"),
      "targets: expected at most 10000 items",
    ],
    [
      "more than 10,000 targets without ids and tags",
      fillWith(GATE_START, () => '{"kind":"snapshot"}', "]}"),
      "targets: expected at most 10000 items",
    ],
    [
      "more than 10,000 numbers instead of disk ids",
      fillWith(`${TARGET_START}"volume_ids":[`, () => "0", "]}]}"),
      "targets[0].volume_ids: expected at most 10000 items",
    ],
    [
      "more than 10,000 valid disk ids in one target",
      fillWith(`${TARGET_START}"volume_ids":[`, uuid, "]}]}"),
      "targets[0].volume_ids: expected at most 10000 items, got 26",
    ],
    [
      "more than 10,000 unknown fields",
      fillWith(`${GATE_START}],`, field("f"), "}"),
      "body: expected at most 10000 fields, got 96",
    ],
    [
      "more than 10,000 unknown fields in one target",
      fillWith(TARGET_START, field("f"), "}]}"),
      "targets[0]: expected at most 10000 fields, got 96",
    ],
    [
      "more than 10,000 tags whose values are numbers",
      fillWith(`${TARGET_START}"tags":{`, field("t"), "}}]}"),
      "targets[0].tags: expected at most 10000 fields, got 96",
    ],
    [
      "more than 10,000 valid tags in one target",
      fillWith(`${TARGET_START}"tags":{`, (index) => `"t${index}":""`, "}}]}"),
      "targets[0].tags: expected at most 10000 fields, got 88",
    ],
    [
      "targets with 100 unknown fields each",
      fillWith(
        GATE_START,
        () => `{"kind":"snapshot",${Array.from({ length: 100 }, (_, i) => field("f")(i)).join()}}`,
        "]}",
      ),
      "Validation stopped after 200 faults. There are more.",
    ],
    [
      "unknown fields with long names",
      fillWith(`${GATE_START}],`, field("f".repeat(200)), "}"),
      "targets: expected at least 1 item, got 0.",
    ],
    [
      "field names that consist of control characters",
      fillWith(`${GATE_START}],`, field("\\u0001".repeat(20)), "}"),
      "Validation stopped after ",
    ],
    [
      "524,288 nested arrays",
      "[".repeat(MIB / 2) + "]".repeat(MIB / 2),
      "body: expected an object, got an array of 1 item.",
    ],
    ["only opening brackets", "[".repeat(MIB), "Expected a JSON body, got "],
    [
      "a deployment_id of almost 1 MiB",
      `{"deployment_id":"${"x".repeat(MIB - 100)}"}`,
      "deployment_id: expected at most 128 characters",
    ],
    ["only spaces", " ".repeat(MIB), "Expected a JSON body, got "],
  ])(
    "pre-deploy with a heap limit of 64 MB returns the status 400 with a body of less than 64 KiB if the request body of 1 MiB contains %s",
    async (_content, body, message) => {
      const variables = { REGION: "eu-west-101", PROJECT_ID: "0123456789abcdef" };
      const context = { getSecurityAccessKey: "access-key", getSecuritySecretKey: "secret-key", variables };
      const environment = { NODE_OPTIONS: "--max-old-space-size=64" };
      const run = await runBare("pre-deploy", [{ event: apig(body), context }], { environment });
      const response = run.returned[0]?.result;
      expect(response.statusCode).toBe(400);
      expect(JSON.parse(response.body).error.message).toContain(message);
      expect(response.body.length).toBeLessThan(64 * 1024);
      expect(run.stdout.length).toBeLessThan(128 * 1024);
    },
  );
});

test("create-snapshot rejects 1 MiB of spaces with one invalid base64 character within 20 s, which is the timeout of each test", async () => {
  const environment = await createTestEnvironment();
  const invoked = await environment.invoke(createSnapshot, apig("", {}, { body: `${" ".repeat(MIB - 1)}!` }));
  expectInvalidInput(invoked, "Expected a base64 body", environment.requests());
});
