/** Tests the retention of prune-snapshots and of make_room with random estates, and tests the checker of the model. */
import { describe, expect, test } from "vitest";
import { BROKEN_PLANS } from "./broken-planners.ts";
import { BROKEN_RUNS } from "./broken-runs.ts";
import { familyOf } from "./estate.ts";
import { createEstate } from "./random-estate.ts";
import { findBroken, runEstate } from "./run-estate.ts";
import { runMany } from "./run-many.ts";
import { shrinkEstate } from "./shrink-estate.ts";

const BROKEN_PLANNERS = [...BROKEN_PLANS, ...BROKEN_RUNS];

/** The number of random estates. */
const CASES = Number(process.env.ESTATES ?? 700);

describe("random estates", () => {
  test(`prune-snapshots and make_room break no promise in ${CASES} random estates (npm run retention-model runs more)`, async () => {
    const { counts, examples } = await runMany(1, CASES);
    const commands = examples.map(({ promise, estate: { seed } }) => [
      promise,
      `npm run retention-model -- --seed ${seed} --cases 1`,
    ]);
    expect(commands).toEqual([]);
    expect(Object.keys(counts)).toHaveLength(7);
    for (const { deletions, snapshots } of Object.values(counts)) {
      expect(snapshots).toBeGreaterThan(CASES / 7);
      expect(deletions).toBeGreaterThan(0);
    }
  }, 120_000);

  test("two random estates with the same seed are equal, and have the same result", async () => {
    for (const seed of [6, 12, 13]) {
      const results = await Promise.all([seed, seed].map(async (one) => runEstate(createEstate(one))));
      expect(results[0]).toEqual(results[1]);
    }
  });
});

describe("the checker of the retention model", () => {
  test.each(BROKEN_PLANNERS.map(({ promise, fault, ...planner }) => [promise, fault, planner] as const))(
    "the checker reports the broken promise %s if %s",
    async (promise, _, { estate, apply }) => {
      const broken = await findBroken(estate, apply);
      expect(broken.map((one) => one.promise)).toContain(promise);
    },
  );

  test("the checker reports none of these promises if prune-snapshots and make_room apply the same policies", async () => {
    for (const { promise, estate } of BROKEN_PLANNERS) expect(await findBroken(estate), promise).toEqual([]);
  });

  test("a failing estate is made smaller until only the snapshots that cause the failure remain", async () => {
    const seed = 7_000;
    expect(familyOf(seed)).toBe("calm");
    const estate = createEstate(seed);
    const first = estate.rows.find(({ raw }) => raw.status === "available");
    const smallest = await shrinkEstate(estate, async ({ rows }) => rows.some(({ raw }) => raw.id === first?.raw.id));
    expect(smallest.rows).toEqual([{ kind: first?.kind, raw: { id: first?.raw.id, status: "available" } }]);
    expect(smallest.policy).toEqual({ policy: "nightly" });
  });
});
