/** Collects the report of an estate with the code of report-coverage, and checks it. */
import { instant } from "../../shared/core/instant.ts";
import { type CoverageOptions, collectCoverage } from "../../shared/coverage/collect.ts";
import type { Coverage } from "../../shared/coverage/coverage.ts";
import type { CoverageSource } from "../../shared/coverage/source.ts";
import { createCoverageSource } from "../../shared/huaweicloud/coverage-source.ts";
import { type BrokenPromise, checkReport, type Outcome } from "./check-report.ts";
import type { Estate } from "./estate.ts";
import { createEstateCloud } from "./estate-cloud.ts";

/** Collects a report. The tests of the checker pass functions that break a promise. */
export type Collect = (options: CoverageOptions, source: CoverageSource) => Promise<Coverage>;

export async function runEstate(estate: Estate, collect: Collect = collectCoverage): Promise<Outcome> {
  const cloud = createEstateCloud(estate);
  const { deployedKinds } = estate;
  const deployed = deployedKinds && new Map([["nightly", { kinds: deployedKinds }]]);
  const source = createCoverageSource(cloud.connection, { retryBudget: cloud.retryBudget, deployed });
  const filters = (tags: Estate["tags"]) => tags.map(([key, value]) => ({ key, value }));
  const options: CoverageOptions = {
    now: instant(Date.parse(estate.now)),
    maxAgeHours: estate.maxAgeHours,
    types: estate.types,
    tags: filters(estate.tags),
    excludeTags: filters(estate.excludeTags),
  };
  const result = await collect(options, source).then(
    (report) => ({ report }),
    (error: unknown) => ({ error }),
  );
  return { ...result, delivered: cloud.delivered, incomplete: cloud.incomplete(), requests: cloud.requests };
}

/** Returns the promises that the report of an estate breaks. */
export const findBroken = async (estate: Estate, collect?: Collect): Promise<BrokenPromise[]> =>
  checkReport(estate, await runEstate(estate, collect));

/** Removes rows and faults from an estate while `isFailing` returns true for what remains. */
export async function shrinkEstate(estate: Estate, isFailing: (estate: Estate) => Promise<boolean>): Promise<Estate> {
  let smallest = estate;
  const tryChange = async (changed: Estate) => {
    if (!(await isFailing(changed))) return false;
    smallest = changed;
    return true;
  };
  for (const name of Object.keys(estate.lists) as (keyof Estate["lists"])[]) {
    const withList = (changes: object): Estate => ({
      ...smallest,
      lists: { ...smallest.lists, [name]: { ...smallest.lists[name], ...changes } },
    });
    await tryChange(withList({ fault: { type: "none" }, pageRows: 1_000 }));
    for (let index = smallest.lists[name].rows.length - 1; index >= 0; index -= 1)
      await tryChange(withList({ rows: smallest.lists[name].rows.filter((_, at) => at !== index) }));
  }
  return smallest;
}
