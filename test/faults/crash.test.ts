import fc from "fast-check";
import { expect, test } from "vitest";
import { useFixedDate } from "../support/fixed-date.ts";
import { happen, story } from "./crash.ts";
import { ASKED, keep } from "./report.ts";

useFixedDate();

test(`${ASKED.runs} stories of redelivery and crash: no promise is broken`, { timeout: 3_600_000 }, async () => {
  const { runs: numRuns, seed, path } = ASKED;
  const begun = performance.now();
  let told = 0;
  let broken = 0;
  const property = fc.asyncProperty(story, async (one) => {
    told += 1;
    const found = await happen(one);
    if (found.length > 0) broken += 1;
    expect(found).toEqual([]);
  });
  try {
    await fc.assert(property, { numRuns, seed, path });
  } finally {
    keep("stories", { told, broken, seconds: (performance.now() - begun) / 1000 });
  }
});
