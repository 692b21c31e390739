/** Applies the policies of many random estates, and counts the broken promises per family. */
import type { PromiseName } from "./check-promises.ts";
import { type Estate, type Family, familyOf } from "./estate.ts";
import { createEstate } from "./random-estate.ts";
import { runEstate } from "./run-estate.ts";

/** The counts of all estates of a family. */
export interface EstateCounts {
  estates: number;
  snapshots: number;
  deletions: number;
  /** The number of estates that broke a promise, per promise. */
  broken: Partial<Record<PromiseName, number>>;
}

/** An estate that breaks a promise. */
export interface BrokenEstate {
  estate: Estate;
  promise: PromiseName;
}

export interface ManyResult {
  counts: Partial<Record<Family, EstateCounts>>;
  examples: BrokenEstate[];
}

/** The maximum number of estates in a result for each promise. */
const MAX_EXAMPLES = 2;

const addExample = (examples: BrokenEstate[], example: BrokenEstate): void => {
  if (examples.filter(({ promise }) => promise === example.promise).length < MAX_EXAMPLES) examples.push(example);
};

/** Runs the estates with all seed numbers from `first` to `last`. */
export async function runMany(first: number, last: number): Promise<ManyResult> {
  const result: ManyResult = { counts: {}, examples: [] };
  for (let seed = first; seed <= last; seed += 1) {
    const family = familyOf(seed);
    const estate = createEstate(seed);
    const { history, broken } = await runEstate(estate);
    result.counts[family] ??= { estates: 0, snapshots: 0, deletions: 0, broken: {} };
    const counts = result.counts[family];
    counts.estates += 1;
    counts.snapshots += estate.rows.length;
    counts.deletions += history.deletes.length;
    for (const promise of new Set(broken.map((one) => one.promise))) {
      counts.broken[promise] = (counts.broken[promise] ?? 0) + 1;
      addExample(result.examples, { estate, promise });
    }
  }
  return result;
}

/** Adds the counts and examples of `other` to `result`. */
export function addMany(result: ManyResult, other: ManyResult): void {
  for (const [family, counts] of Object.entries(other.counts) as [Family, EstateCounts][]) {
    result.counts[family] ??= { estates: 0, snapshots: 0, deletions: 0, broken: {} };
    const sum = result.counts[family];
    sum.estates += counts.estates;
    sum.snapshots += counts.snapshots;
    sum.deletions += counts.deletions;
    for (const [promise, count] of Object.entries(counts.broken) as [PromiseName, number][])
      sum.broken[promise] = (sum.broken[promise] ?? 0) + count;
  }
  for (const example of other.examples) addExample(result.examples, example);
}
