/** Collects the report of an project with the code of report-coverage, and checks it. */
import { instant } from "../../shared/core/instant.ts";
import { type CoverageOptions, collectCoverage } from "../../shared/coverage/collect.ts";
import type { Coverage } from "../../shared/coverage/coverage.ts";
import type { CoverageSource } from "../../shared/coverage/source.ts";
import { createCoverageSource } from "../../shared/huaweicloud/coverage-source.ts";
import { type BrokenPromise, checkReport, type Outcome } from "./check-report.ts";
import type { Project } from "./project.ts";
import { createProjectCloud } from "./project-cloud.ts";

/** Collects a report. The tests of the checker pass functions that break a promise. */
export type Collect = (options: CoverageOptions, source: CoverageSource) => Promise<Coverage>;

export async function runProject(project: Project, collect: Collect = collectCoverage): Promise<Outcome> {
  const cloud = createProjectCloud(project);
  const { deployedKinds } = project;
  const deployed = deployedKinds && new Map([["nightly", { kinds: deployedKinds }]]);
  const source = createCoverageSource(cloud.connection, { retryBudget: cloud.retryBudget, deployed });
  const filters = (tags: Project["tags"]) => tags.map(([key, value]) => ({ key, value }));
  const options: CoverageOptions = {
    now: instant(Date.parse(project.now)),
    maxAgeHours: project.maxAgeHours,
    types: project.types,
    tags: filters(project.tags),
    excludeTags: filters(project.excludeTags),
  };
  const result = await collect(options, source).then(
    (report) => ({ report }),
    (error: unknown) => ({ error }),
  );
  return { ...result, delivered: cloud.delivered, incomplete: cloud.incomplete(), requests: cloud.requests };
}

/** Returns the promises that the report of an project breaks. */
export const findBroken = async (project: Project, collect?: Collect): Promise<BrokenPromise[]> =>
  checkReport(project, await runProject(project, collect));

/** Removes rows and faults from an project while `isFailing` returns true for what remains. */
export async function shrinkProject(
  project: Project,
  isFailing: (project: Project) => Promise<boolean>,
): Promise<Project> {
  let smallest = project;
  const tryChange = async (changed: Project) => {
    if (!(await isFailing(changed))) return false;
    smallest = changed;
    return true;
  };
  for (const name of Object.keys(project.lists) as (keyof Project["lists"])[]) {
    const withList = (changes: object): Project => ({
      ...smallest,
      lists: { ...smallest.lists, [name]: { ...smallest.lists[name], ...changes } },
    });
    await tryChange(withList({ fault: { type: "none" }, pageRows: 1_000 }));
    for (let index = smallest.lists[name].rows.length - 1; index >= 0; index -= 1)
      await tryChange(withList({ rows: smallest.lists[name].rows.filter((_, at) => at !== index) }));
  }
  return smallest;
}
