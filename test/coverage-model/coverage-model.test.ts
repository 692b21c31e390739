/** Tests coverage reports of random projects, and tests the checker of the model. */
import { describe, expect, test } from "vitest";
import { BROKEN_REPORTS } from "./broken-reports.ts";
import { FAMILIES } from "./project.ts";
import { createProject } from "./random-project.ts";
import { runMany } from "./run-many.ts";
import { findBroken, runProject, shrinkProject } from "./run-project.ts";

/** The number of random projects. */
const CASES = Number(process.env.PROJECTS ?? 300);
/** The maximum number of projects in which the checker must find a fault. */
const MAX_SEARCHED = 300;

describe("random projects", () => {
  test(`the coverage reports of ${CASES} random projects break no promise (npm run coverage-model checks more)`, async () => {
    const { counts, examples } = await runMany(1, CASES);
    const commands = examples.map(({ promise, project: { seed } }) => [
      promise,
      `npm run coverage-model -- --seed ${seed} --cases 1`,
    ]);
    expect(commands).toEqual([]);
    expect(Object.keys(counts)).toHaveLength(FAMILIES.length);
    for (const { states } of Object.values(counts)) {
      for (const state of ["excluded", "protected", "failing", "stale", "unprotected", "orphaned"])
        expect(states[state]).toBeGreaterThan(0);
    }
  }, 120_000);

  test("a coverage report breaks no promise if the first list page contains every id and each further page repeats the first page (seed 38033)", async () => {
    expect(await findBroken(createProject(38033))).toEqual([]);
  });

  test("two random projects with the same seed are equal and have equal coverage reports", async () => {
    for (const seed of [3, 4]) {
      const [first, second] = await Promise.all([seed, seed].map((one) => runProject(createProject(one))));
      expect(first?.report).toEqual(second?.report);
      expect(createProject(seed)).toEqual(createProject(seed));
    }
  });
});

describe("the checker of the coverage model", () => {
  test.each(BROKEN_REPORTS.map(({ promise, fault, collect }) => [promise, fault, collect] as const))(
    "the checker of coverage reports finds that the promise %j is broken if %s",
    async (promise, _, collect) => {
      const found = new Set<string>();
      for (let seed = 1; seed <= MAX_SEARCHED && !found.has(promise); seed += 1)
        for (const broken of await findBroken(createProject(seed), collect)) found.add(broken.promise);
      expect([...found]).toContain(promise);
    },
  );

  test("shrinkProject removes all rows from a failing project except the rows that cause the failure", async () => {
    const project = createProject(1);
    const [disk] = project.lists.disks.rows;
    const smallest = await shrinkProject(project, async ({ lists }) =>
      lists.disks.rows.some(({ id }) => id === disk?.id),
    );
    expect(Object.values(smallest.lists).flatMap(({ rows }) => rows)).toEqual([disk]);
  });
});
