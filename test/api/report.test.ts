/** Tests the report of `npm run test:api`. */
import { expect, test } from "vitest";
import { failureOf, failuresIn, reportLines } from "./report.ts";
import type { OperationResult } from "./run-operation.ts";

const result = (operation: string, counts: Record<string, number>, passed = true): OperationResult => ({
  operation,
  seconds: 1,
  passed,
  output: "",
  counts: { [operation]: counts },
  modes: { valid: 2, invalid: 1 },
  excluded: { failed_deployment: 3 },
  exclusions: ["failed_deployment", "escape_in_query"],
  digest: operation,
  slow: [],
});

const GOOD = [result("POST /a", { "202": 2, "400": 1 }), result("GET /b", { "200": 3 })];
const OPTIONS = { seed: 1, seconds: 61.4, minCases: 6 };

test("the first line of the report of test:api contains the number of cases, the duration and the seed", () => {
  expect(reportLines(GOOD, OPTIONS)[0]).toBe(
    "The functions conform to infra/openapi.json: 0 failures in 6 cases in 61 s, seed 1.",
  );
});

test("test:api reports how often each operation returned each status, and how often each exclusion applied", () => {
  const text = reportLines(GOOD, OPTIONS).join("\n");
  expect(text).toMatch(/^POST \/a {2,}3 +202: 2, 400: 1 +1 +passed$/m);
  expect(text).toContain("Cases: 4 valid and 2 invalid requests.");
  expect(text).toMatch(/failed_deployment 6, escape_in_query 0$/m);
});

test("test:api fails if schemathesis reports a failure of an operation, or if schemathesis sent fewer cases than expected", () => {
  expect(failureOf(GOOD, 6)).toBeUndefined();
  expect(failureOf(GOOD, 7)).toBe("expected at least 7 cases, got 6");
  expect(failureOf([...GOOD, result("POST /c", {}, false), result("POST /c", {}, false)], 1)).toBe(
    "schemathesis reports failures of POST /c",
  );
  expect(reportLines([], OPTIONS)[0]).toMatch(/^The functions do not conform/);
});

test("the hash of all requests in the report of test:api changes if the requests to one operation change", () => {
  const hashes = [GOOD, GOOD, [result("POST /a", {}), { ...result("GET /b", {}), digest: "other" }]].map(
    (results) => /Hash of all requests: (\w+)/.exec(reportLines(results, OPTIONS).join("\n"))?.[1],
  );
  expect(hashes[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[2]).not.toBe(hashes[0]);
});

test("test:api prints the failures in the output of schemathesis, or the whole output if the output lists no failures", () => {
  const output = "progress\n===== FAILURES =====\n__ POST /a __\n1. Server error\n===== SUMMARY =====\ncounts\n";
  expect(failuresIn(output)).toBe("__ POST /a __\n1. Server error");
  expect(failuresIn("Traceback\nImportError\n")).toBe("Traceback\nImportError");
});
