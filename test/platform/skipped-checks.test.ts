/** Tests which checks `npm run platform` reports as skipped. */
import { expect, test } from "vitest";
import { findSkippedChecks, summaryLines } from "./skipped-checks.ts";

const ALL = { canChangeUser: true, canFindFiles: true };
const SUMMARY = { failures: [], versions: ["20.1.0", "22.1.0"], skipped: [], passed: 20, all: 20 };

test("findSkippedChecks returns one skipped check for each feature that the machine lacks, and none if the machine has all features", () => {
  expect(findSkippedChecks({ limitsMemory: true }, { writtenBytes: 0 }, ALL)).toEqual([]);
  const skipped = findSkippedChecks({ limitsMemory: false }, {}, { canChangeUser: false, canFindFiles: false });
  expect(skipped.map((text) => text.split(",")[0])).toEqual([
    "the rights of the user nobody",
    "files in shared folders such as /tmp",
    "the memory limit of the whole process",
    "the bytes written to a disk",
  ]);
});

test("the report of npm run platform states that the bundles run as on FunctionGraph only if no check was skipped", () => {
  expect(summaryLines(SUMMARY)).toEqual([
    "Every bundle runs as on FunctionGraph with Node.js 20.1.0 and 22.1.0: 20 of 20 combinations.",
  ]);
  expect(summaryLines({ ...SUMMARY, skipped: ["a, because b"] })).toEqual([
    "Every bundle runs with Node.js 20.1.0 and 22.1.0: 20 of 20 combinations, without 1 check that this machine does not support.",
    "Skipped: a, because b.",
  ]);
});

test("if a run failed, the report of npm run platform states how many of all combinations passed", () => {
  expect(summaryLines({ ...SUMMARY, failures: ["one failed"], passed: 19 })).toEqual([
    "1 run failed with Node.js 20.1.0 and 22.1.0: 19 of 20 combinations passed.",
    "\none failed",
  ]);
});
