/** The values of `npm run bench` that have a maximum. */
import { maxBundleBytes, TARGETS } from "./budgets.ts";
import type { ColdStart } from "./cold.ts";
import { type CoverageRun, MAX_BODY_BYTES, MAX_COVERAGE_RSS, MAX_OTHER_REQUESTS } from "./large-coverage.ts";
import { MAX_PRUNE_PASSES, MAX_PRUNE_RSS, PAGE_ROWS, type PruneRun } from "./large-prune.ts";
import { maxExcessOf, type ScheduledRun } from "./large-runs.ts";
import { MB } from "./process.ts";

/** The results of `npm run bench` that have a maximum. */
export interface Results {
  /** One entry for each function. */
  cold: ColdStart[];
  runs: ScheduledRun[];
  /** CPU time in milliseconds to plan the retention of 100,000 snapshots. */
  planCpu: number;
  pruned: PruneRun;
  coverage: CoverageRun[];
}

export interface Figure {
  name: string;
  measured: number;
  maximum: number;
  isMet: boolean;
  /** Whether the figure depends on the speed of the machine. Such a figure does not change the exit code. */
  dependsOnMachine: boolean;
}

/** The maximum CPU time in milliseconds to plan the retention of 100,000 snapshots. */
const MAX_PLAN_CPU_MS = 300;
const DISKS = 10_000;
const MEMORY_MB = 128;

const figure = (name: string, measured: number, maximum: number, dependsOnMachine = false): Figure => ({
  name,
  measured,
  maximum,
  // The comparison with a value that is not a number is false.
  isMet: measured <= maximum,
  dependsOnMachine,
});

/** Returns the function with the largest value, and this value. */
function largestOf(cold: readonly ColdStart[], read: (one: ColdStart) => number): [name: string, value: number] {
  const values = cold.map((one): [string, number] => [one.name, read(one)]);
  return values.reduce((a, b) => (Number.isNaN(a[1]) || b[1] <= a[1] ? a : b));
}

function figuresOfBundles(cold: readonly ColdStart[]): Figure[] {
  const [largest, bytes] = largestOf(cold, (one) => one.bytes);
  const [slowest, load] = largestOf(cold, (one) => one.loadRatio);
  const [last, first] = largestOf(cold, (one) => one.firstRatio);
  const [hungriest, rss] = largestOf(cold, (one) => one.rssRatio);
  return [
    figure(`largest bundle size in KB: ${largest}`, bytes / 1024, maxBundleBytes() / 1024),
    figure(`longest load time ÷ plain SDK: ${slowest}`, load, TARGETS.load, true),
    figure(`longest time to the first response ÷ plain SDK: ${last}`, first, TARGETS.first, true),
    figure(`largest RSS ÷ bare Node.js: ${hungriest}`, rss, TARGETS.rss),
  ];
}

function figuresOfRun(run: ScheduledRun): Figure[] {
  const { invocations, in128Mb, seconds, minSeconds, rssPeak } = run;
  const where = in128Mb ? `in ${MEMORY_MB} MB` : `in ${invocations} invocation${invocations === 1 ? "" : "s"}`;
  const name = `${DISKS.toLocaleString("en-US")} disks ${where}`;
  return [
    figure(`${name}: seconds ÷ minimum`, seconds / minSeconds, 1 + maxExcessOf(run)),
    ...(in128Mb ? [figure(`${name}: peak RSS in MiB`, rssPeak / MB, MEMORY_MB)] : []),
  ];
}

/** Returns the values that have a maximum. */
export function figuresOf({ cold, runs, planCpu, pruned, coverage }: Results): Figure[] {
  const prune = `prune of ${pruned.snapshots.toLocaleString("en-US")} snapshots in 128 MB`;
  const report = "coverage of 10,000 disks in 256 MB";
  // Without a run, no value is measured, so no maximum is met.
  const maxOf = (read: (run: CoverageRun) => number) =>
    coverage.length === 0 ? Number.NaN : Math.max(...coverage.map(read));
  return [
    ...figuresOfBundles(cold),
    ...runs.filter(({ disks }) => disks === DISKS).flatMap(figuresOfRun),
    figure("plan of the retention of 100,000 snapshots: CPU ms", planCpu, MAX_PLAN_CPU_MS, true),
    figure(`${prune}: peak RSS in MiB`, pruned.rssPeak / MB, MAX_PRUNE_RSS / MB),
    // Each pass needs one request more than the list has full pages.
    figure(`${prune}: list requests`, pruned.pages, MAX_PRUNE_PASSES * (pruned.snapshots / PAGE_ROWS + 1)),
    figure(`${report}: peak RSS in MiB`, maxOf(({ rssPeak }) => rssPeak) / MB, MAX_COVERAGE_RSS / MB),
    figure(
      `${report}: requests in addition to the list pages`,
      maxOf(({ requests, pages }) => requests - pages),
      MAX_OTHER_REQUESTS,
    ),
    figure(`${report}: MB of the largest response`, maxOf(({ bytes }) => bytes) / 1e6, MAX_BODY_BYTES / 1e6),
  ];
}

const rounded = (value: number): string => String(Number(value.toFixed(3)));

/** Describes a figure that exceeds its maximum. */
export const describeFigure = ({ name, measured, maximum }: Figure): string =>
  `${name}: ${rounded(measured)} instead of at most ${rounded(maximum)}`;

/** Returns a sentence about the figures that exceed their maximum, with their values. */
export function conclusionOf(figures: readonly Figure[]): string {
  const exceeded = figures.filter(({ isMet }) => !isMet);
  if (exceeded.length === 0) return `All ${figures.length} figures are within their maximum.`;
  const values = exceeded.map(describeFigure);
  const verb = exceeded.length === 1 ? "exceeds its maximum" : "exceed their maximums";
  return `${exceeded.length} of ${figures.length} figures ${verb}: ${values.join("; ")}.`;
}

/** Returns one row for each figure, after a row with the names of the columns. */
export const figureRows = (figures: readonly Figure[]): string[][] => [
  ["figure", "measured", "maximum", "measured ÷ maximum"],
  ...figures.map(({ name, measured, maximum }) => [
    name,
    rounded(measured),
    rounded(maximum),
    (measured / maximum).toFixed(2),
  ]),
];
