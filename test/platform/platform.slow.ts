/**
 * Runs every bundle as FunctionGraph does, with Node.js 20 and 22, as a user without rights and with limits of memory and time.
 * The groups of tests run one after the other, because the large lists would slow down the runs that wait for the time limit.
 */
import { describe, expect, test } from "vitest";
import { loadDefinitions } from "../../infra/definitions.ts";
import { CASES } from "./cases.ts";
import { LARGE_CASES } from "./extreme-cases.ts";
import { findRuntime } from "./node-runtimes.ts";
import { runFunction, runLarge, runUntilTimeLimit, SHORT_LIMIT_SECONDS } from "./run-function.ts";

const DEFINITIONS = await loadDefinitions();
const BOTH = [20, 22].flatMap((major) =>
  DEFINITIONS.map((definition) => [definition.name, major, definition] as const),
);
const MAX_MS = { timeout: 60_000 };

test("every function has a case", () => {
  expect(Object.keys(CASES)).toEqual(DEFINITIONS.map(({ name }) => name));
});

test.each([20, 22])("Node.js %i is installed, or npm can install it", { timeout: 300_000 }, (major) => {
  expect(findRuntime(major).version).toMatch(new RegExp(`^${major}\\.`));
});

describe("one event of each trigger", () => {
  test.concurrent.each(BOTH)(
    "%s on Node.js %i returns what each trigger expects, and does not act twice on a repeated event",
    MAX_MS,
    async (_name, major, definition) => {
      const { invocations } = await runFunction(definition, findRuntime(major));
      expect(invocations).toBeGreaterThan(1);
    },
  );
});

describe("a cloud that does not respond", () => {
  test.concurrent.each(BOTH)(
    `%s on Node.js %i reports the failure before the time limit of ${SHORT_LIMIT_SECONDS} s if no request gets a response`,
    // The functions reserve 150 ms. On a busy machine, a process can wait longer than that for a processor.
    { ...MAX_MS, retry: 2 },
    async (_name, major, definition) => {
      const { longestMs } = await runUntilTimeLimit(definition, findRuntime(major), SHORT_LIMIT_SECONDS);
      expect(longestMs).toBeLessThan(SHORT_LIMIT_SECONDS * 1000);
    },
  );
});

describe("many snapshots", () => {
  test.concurrent.each(BOTH.filter(([name]) => name in LARGE_CASES))(
    "%s on Node.js %i uses at most 110 MiB of memory for many snapshots",
    MAX_MS,
    async (_name, major, definition) => {
      expect((await runLarge(definition, findRuntime(major)))?.invocations).toBe(1);
    },
  );
});
