/** Collects the reports of many random projects, and counts the broken promises per family. */
import type { PromiseName } from "./check-report.ts";
import { checkReport } from "./check-report.ts";
import { type Family, familyOf, type Project } from "./project.ts";
import { createProject } from "./random-project.ts";
import { runProject } from "./run-project.ts";

/** The counts of all projects of a family. */
export interface FamilyCounts {
  projects: number;
  snapshots: number;
  /** The number of resources in each state. */
  states: Record<string, number>;
  /** The number of projects that broke a promise, per promise. */
  broken: Partial<Record<PromiseName, number>>;
}

export interface ManyResult {
  counts: Partial<Record<Family, FamilyCounts>>;
  examples: { project: Project; promise: PromiseName }[];
}

/** The maximum number of projects in a result for each promise. */
const MAX_EXAMPLES = 2;

const emptyCounts = (): FamilyCounts => ({ projects: 0, snapshots: 0, states: {}, broken: {} });

const addTo = (sums: Record<string, number>, more: Readonly<Record<string, number | undefined>>) => {
  for (const [name, count = 0] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
};

/** Collects the reports of the projects with all seeds from `first` to `last`. */
export async function runMany(first: number, last: number): Promise<ManyResult> {
  const result: ManyResult = { counts: {}, examples: [] };
  for (let seed = first; seed <= last; seed += 1) {
    const project = createProject(seed);
    const outcome = await runProject(project);
    result.counts[familyOf(seed)] ??= emptyCounts();
    const counts = result.counts[familyOf(seed)] as FamilyCounts;
    counts.projects += 1;
    for (const [list, rows] of outcome.delivered) if (list.includes("snapshot")) counts.snapshots += rows.size;
    addTo(counts.states, outcome.report?.counts ?? { error: 1 });
    for (const promise of new Set(checkReport(project, outcome).map((one) => one.promise))) {
      addTo(counts.broken as Record<string, number>, { [promise]: 1 });
      if (result.examples.filter((one) => one.promise === promise).length < MAX_EXAMPLES)
        result.examples.push({ project, promise });
    }
  }
  return result;
}

/** Adds the counts and examples of `other` to `result`. */
export function addMany(result: ManyResult, other: ManyResult): void {
  for (const [family, { projects, snapshots, states, broken }] of Object.entries(other.counts)) {
    result.counts[family as Family] ??= emptyCounts();
    const sum = result.counts[family as Family] as FamilyCounts;
    sum.projects += projects;
    sum.snapshots += snapshots;
    addTo(sum.states, states);
    addTo(sum.broken as Record<string, number>, broken);
  }
  result.examples.push(...other.examples);
}
