/** Applies the policies of many random scenarios, and counts the broken promises per family. */
import type { PromiseName } from "./check-promises.ts";
import { createScenario } from "./random-scenario.ts";
import { runScenario } from "./run-scenario.ts";
import { type Family, familyOf, type Scenario } from "./scenario.ts";

/** The counts of all scenarios of a family. */
export interface ScenarioCounts {
  scenarios: number;
  snapshots: number;
  deletions: number;
  /** The number of scenarios that broke a promise, per promise. */
  broken: Partial<Record<PromiseName, number>>;
}

/** A scenario that breaks a promise. */
export interface BrokenScenario {
  scenario: Scenario;
  promise: PromiseName;
}

export interface ManyResult {
  counts: Partial<Record<Family, ScenarioCounts>>;
  examples: BrokenScenario[];
}

/** The maximum number of scenarios in a result for each promise. */
const MAX_EXAMPLES = 2;

const addExample = (examples: BrokenScenario[], example: BrokenScenario): void => {
  if (examples.filter(({ promise }) => promise === example.promise).length < MAX_EXAMPLES) examples.push(example);
};

/** Runs the scenarios with all seed numbers from `first` to `last`. */
export async function runMany(first: number, last: number): Promise<ManyResult> {
  const result: ManyResult = { counts: {}, examples: [] };
  for (let seed = first; seed <= last; seed += 1) {
    const family = familyOf(seed);
    const scenario = createScenario(seed);
    const { history, broken } = await runScenario(scenario);
    result.counts[family] ??= { scenarios: 0, snapshots: 0, deletions: 0, broken: {} };
    const counts = result.counts[family];
    counts.scenarios += 1;
    counts.snapshots += scenario.rows.length;
    counts.deletions += history.deletes.length;
    for (const promise of new Set(broken.map((one) => one.promise))) {
      counts.broken[promise] = (counts.broken[promise] ?? 0) + 1;
      addExample(result.examples, { scenario, promise });
    }
  }
  return result;
}

/** Adds the counts and examples of `other` to `result`. */
export function addMany(result: ManyResult, other: ManyResult): void {
  for (const [family, counts] of Object.entries(other.counts) as [Family, ScenarioCounts][]) {
    result.counts[family] ??= { scenarios: 0, snapshots: 0, deletions: 0, broken: {} };
    const sum = result.counts[family];
    sum.scenarios += counts.scenarios;
    sum.snapshots += counts.snapshots;
    sum.deletions += counts.deletions;
    for (const [promise, count] of Object.entries(counts.broken) as [PromiseName, number][])
      sum.broken[promise] = (sum.broken[promise] ?? 0) + count;
  }
  for (const example of other.examples) addExample(result.examples, example);
}
