/** Counts the verdicts of many scenarios, per family. */
import { ALWAYS, IF_CALM, judge, type Verdict } from "./judge.ts";
import { runScenario } from "./run-scenario.ts";
import { createScenario, type Family, familyOf, type Scenario } from "./scenario.ts";

/** The counts of all scenarios of a family. */
export interface FamilyCounts {
  scenarios: number;
  creates: number;
  verdicts: Record<keyof Verdict, number>;
}

/** A scenario that breaks a guarantee. */
export interface Failure {
  scenario: Scenario;
  verdict: keyof Verdict;
  texts: string[];
}

export interface ModelResult {
  counts: Partial<Record<Family, FamilyCounts>>;
  failures: Failure[];
}

/** The maximum number of failures that a result contains. */
const MAX_FAILURES = 10;

/** Returns the guarantee that a scenario breaks, or undefined if it breaks none. */
export async function findFailure(scenario: Scenario, family: Family): Promise<Failure | undefined> {
  const found = judge(await runScenario(scenario));
  const verdict = guaranteesOf(family).find((name) => found[name].length > 0);
  return verdict && { scenario, verdict, texts: found[verdict] };
}

const guaranteesOf = (family: Family): readonly (keyof Verdict)[] => (family === "calm" ? IF_CALM : ALWAYS);

/** Runs the scenarios with the numbers from `first` to `last`. */
export async function runFamilies(first: number, last: number): Promise<ModelResult> {
  const result: ModelResult = { counts: {}, failures: [] };
  for (let seed = first; seed <= last; seed += 1) {
    const family = familyOf(seed);
    const scenario = createScenario(seed);
    const ran = await runScenario(scenario);
    const found = judge(ran);
    result.counts[family] ??= { scenarios: 0, creates: 0, verdicts: {} as FamilyCounts["verdicts"] };
    const counts = result.counts[family] as FamilyCounts;
    counts.scenarios += 1;
    counts.creates += ran.cloud.rows.length;
    for (const name of Object.keys(found) as (keyof Verdict)[])
      counts.verdicts[name] = (counts.verdicts[name] ?? 0) + found[name].length;
    for (const verdict of guaranteesOf(family))
      if (found[verdict].length > 0 && result.failures.length < MAX_FAILURES)
        result.failures.push({ scenario, verdict, texts: found[verdict] });
  }
  return result;
}

/** Adds the counts and failures of `other` to `result`. */
export function addResult(result: ModelResult, other: ModelResult): void {
  for (const [family, counts] of Object.entries(other.counts) as [Family, FamilyCounts][]) {
    const sum = result.counts[family];
    if (sum === undefined) {
      result.counts[family] = counts;
      continue;
    }
    sum.scenarios += counts.scenarios;
    sum.creates += counts.creates;
    for (const name of Object.keys(counts.verdicts) as (keyof Verdict)[])
      sum.verdicts[name] = (sum.verdicts[name] ?? 0) + counts.verdicts[name];
  }
  result.failures.push(...other.failures.slice(0, MAX_FAILURES - result.failures.length));
}
