import fc from "fast-check";
import { expect, test } from "vitest";
import { useFixedDate } from "../support/fixed-date.ts";
import { runScenario, scenario } from "./crash.ts";
import { OPTIONS, saveResult } from "./report.ts";

useFixedDate();

test(`the functions keep every guarantee in ${OPTIONS.runs} random scenarios with redeliveries, crashes and failed requests`, {
  timeout: 3_600_000,
}, async () => {
  const { runs: numRuns, seed, path } = OPTIONS;
  const started = performance.now();
  let scenarios = 0;
  let broken = 0;
  const property = fc.asyncProperty(scenario, async (one) => {
    scenarios += 1;
    const found = await runScenario(one);
    if (found.length > 0) broken += 1;
    expect(found).toEqual([]);
  });
  try {
    await fc.assert(property, { numRuns, seed, path });
  } finally {
    saveResult("scenarios", { scenarios, broken, seconds: (performance.now() - started) / 1000 });
  }
});
