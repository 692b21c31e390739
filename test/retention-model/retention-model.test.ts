/** Tests the retention of prune-snapshots and of make_room with random scenarios, and tests the checker of the model. */
import { describe, expect, test } from "vitest";
import { BROKEN_PLANS } from "./broken-planners.ts";
import { BROKEN_RUNS } from "./broken-runs.ts";
import { createScenario } from "./random-scenario.ts";
import { runMany } from "./run-many.ts";
import { findBroken, runScenario } from "./run-scenario.ts";
import { familyOf } from "./scenario.ts";
import { shrinkScenario } from "./shrink-scenario.ts";

const BROKEN_PLANNERS = [...BROKEN_PLANS, ...BROKEN_RUNS];

/** The number of random scenarios. */
const CASES = Number(process.env.ESTATES ?? 700);

describe("random scenarios", () => {
  test(`prune-snapshots and make_room break no promise in ${CASES} random scenarios (npm run retention-model runs more)`, async () => {
    const { counts, examples } = await runMany(1, CASES);
    const commands = examples.map(({ promise, scenario: { seed } }) => [
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

  // The seeds of scenarios in which prune-snapshots once broke a promise.
  test.each([80_029, 130_089])("prune-snapshots breaks no promise in the random scenario %i", async (seed) => {
    expect(await findBroken(createScenario(seed))).toEqual([]);
  });

  test("two random scenarios with the same seed have the same result", async () => {
    for (const seed of [6, 12, 13]) {
      const results = await Promise.all([seed, seed].map(async (one) => runScenario(createScenario(one))));
      expect(results[0]).toEqual(results[1]);
    }
  });
});

describe("the checker of the retention model", () => {
  test.each(BROKEN_PLANNERS.map(({ promise, fault, ...planner }) => [promise, fault, planner] as const))(
    "the checker of the retention model finds that the promise %j is broken if %s",
    async (promise, _, { scenario, apply }) => {
      const broken = await findBroken(scenario, apply);
      expect(broken.map((one) => one.promise)).toContain(promise);
    },
  );

  test("in the same scenarios, the checker of the retention model finds no broken promise if the real prune-snapshots and make_room run", async () => {
    for (const { promise, scenario } of BROKEN_PLANNERS) expect(await findBroken(scenario), promise).toEqual([]);
  });

  test("shrinkScenario removes all snapshots from a failing scenario except the snapshots that cause the failure", async () => {
    const seed = 7_000;
    expect(familyOf(seed)).toBe("calm");
    const scenario = createScenario(seed);
    const first = scenario.rows.find(({ raw }) => raw.status === "available");
    const smallest = await shrinkScenario(scenario, async ({ rows }) =>
      rows.some(({ raw }) => raw.id === first?.raw.id),
    );
    expect(smallest.rows).toEqual([{ kind: first?.kind, raw: { id: first?.raw.id, status: "available" } }]);
    expect(smallest.policy).toEqual({ policy: "nightly" });
  });
});
