import fc from "fast-check";
import { expect, test } from "vitest";
import { onTheSitesDay } from "../shared/middleware/creates.ts";
import { happen, story } from "./crash.ts";

onTheSitesDay();

const RUNS = Number(process.env.FAULTS_RUNS ?? 200);

test(`${RUNS} stories of redelivery and crash: no promise is broken`, { timeout: 3_600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      expect(await happen(told)).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});
