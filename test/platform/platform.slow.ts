/** Runs every bundle as FunctionGraph does, with Node.js 20 and 22, as a user without rights and with limits of memory and time. */
import { describe, expect, test } from "vitest";
import { loadDefinitions } from "../../infra/definitions.ts";
import { CASES } from "./cases.ts";
import { LARGE_CASES } from "./extreme-cases.ts";
import { findRuntime } from "./node-runtimes.ts";
import { runFunction, runLarge, runUntilTimeLimit, SHORT_LIMIT_SECONDS } from "./run-function.ts";

const DEFINITIONS = await loadDefinitions();
/** The first test of a version may have to install it. */
const INSTALL_MS = 300_000;

test("every function has a case", () => {
  expect(Object.keys(CASES)).toEqual(DEFINITIONS.map(({ name }) => name));
});

describe.each([20, 22])("on Node.js %i", (major) => {
  test(`npm can install Node.js ${major}, or it is installed`, { timeout: INSTALL_MS }, () => {
    expect(findRuntime(major).version).toMatch(new RegExp(`^${major}\\.`));
  });

  for (const definition of DEFINITIONS) {
    const { name } = definition;

    test.concurrent(`${name} returns what each of its triggers needs on Node.js ${major}, and does not act twice on a repeated event`, {
      timeout: 60_000,
    }, async () => {
      const { invocations, longestMs } = await runFunction(definition, findRuntime(major));
      expect(invocations).toBeGreaterThan(1);
      expect(longestMs).toBeLessThan(definition.timeoutSeconds * 1000);
    });

    test.concurrent(`${name} on Node.js ${major} reports the failure before a time limit of ${SHORT_LIMIT_SECONDS} s if no request gets a response`, {
      timeout: 60_000,
    }, async () => {
      const { longestMs } = await runUntilTimeLimit(definition, findRuntime(major), SHORT_LIMIT_SECONDS);
      expect(longestMs).toBeLessThan(SHORT_LIMIT_SECONDS * 1000);
    });
  }

  for (const definition of DEFINITIONS.filter(({ name }) => name in LARGE_CASES)) {
    test.concurrent(`${definition.name} uses at most 110 MiB of memory for many snapshots on Node.js ${major}`, {
      timeout: 60_000,
    }, async () => {
      expect((await runLarge(definition, findRuntime(major)))?.invocations).toBe(1);
    });
  }
});
