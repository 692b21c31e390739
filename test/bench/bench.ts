/** `npm run bench`: compares the functions with the plain SDK, plain middy, bare Node.js and Cloud Custodian. */
import { writeFileSync } from "node:fs";
import { BadUsage } from "../../infra/local/terminal/arguments.ts";
import { readBenchArguments, USAGE } from "./arguments.ts";
import { readLimits } from "./budgets.ts";
import { measureColdStarts } from "./cold.ts";
import { conclusionOf, describeFigure, figureRows, figuresOf } from "./figures.ts";
import { findCoverageProblems, runCoverage } from "./large-coverage.ts";
import { findPruneProblems, runPrune } from "./large-prune.ts";
import { findProblems, runScheduled, type ScheduledRun } from "./large-runs.ts";
import { formatMarkdownTable } from "./markdown-table.ts";
import { runPeer } from "./peer.ts";
import { formatColdStarts, formatCoverage, formatPrune, formatRuns, formatWarmCalls } from "./tables.ts";
import { measureKeptAlive, measureWarmCalls } from "./warm.ts";

const PROCESSES = Number(process.env.BENCH_PROCESSES ?? 21);

/** Runs scheduled-snapshots with several numbers of disks and of invocations. */
async function measureRuns(isSlow: boolean): Promise<ScheduledRun[]> {
  const all = [
    { disks: 100, shardSize: 10_000, in128Mb: false },
    { disks: 1_000, shardSize: 10_000, in128Mb: false },
    { disks: 10_000, shardSize: 10_000, in128Mb: true },
    { disks: 10_000, shardSize: 10_000, in128Mb: false },
    { disks: 10_000, shardSize: 500, in128Mb: false },
  ];
  const runs = [];
  for (const options of isSlow ? all.slice(-2) : all) runs.push(await runScheduled({ ...options, isSlow }));
  return runs;
}

/** Prints what is wrong with large runs. Returns the exit code. */
function printProblems(problems: readonly string[]): number {
  for (const problem of problems) console.error(`bench: ${problem}.`);
  return problems.length === 0 ? 0 : 1;
}

async function runSlow() {
  const runs = await measureRuns(true);
  const exitCode = printProblems(runs.flatMap(findProblems));
  if (exitCode === 0)
    console.log("Every disk has a snapshot and exactly one record, and records name all duplicates.\n");
  console.log(formatRuns(runs));
  return { exitCode, results: { runs } };
}

async function runFull() {
  const step = (name: string) => console.error(`Measuring ${name} ...`);
  const started = Date.now();
  step("cold starts (1 of 5)");
  const { baselines, cold } = await measureColdStarts(PROCESSES);
  step("warm instances (2 of 5)");
  const calls = await measureWarmCalls();
  const network = await measureKeptAlive(200);
  step("scheduled-snapshots with up to 10,000 disks (3 of 5)");
  const runs = await measureRuns(false);
  step("prune-snapshots with 100,000 snapshots (4 of 5)");
  const pruned = await runPrune();
  step("report-coverage with 10,000 disks (5 of 5)");
  const coverage = await runCoverage();
  const seconds = (Date.now() - started) / 1000;

  const figures = figuresOf({ cold, runs, planCpu: calls.planCpu, pruned, coverage });
  const [head = [], ...rows] = figureRows(figures);
  console.log(`${conclusionOf(figures)}\n\n${formatMarkdownTable(head, rows)}\n`);
  console.log(`Cold starts with Node.js ${process.version}: medians of ${PROCESSES} new processes per bundle.\n`);
  console.log(`${formatColdStarts([...baselines, ...cold], await readLimits())}\n`);
  console.log(`${formatWarmCalls(calls, network)}\n`);
  console.log(`${formatRuns(runs)}\n\n${formatPrune(pruned)}\n\n${formatCoverage(coverage)}\n`);
  console.log(`The bench took ${seconds.toFixed(0)} s.`);
  const problems = [
    ...runs.flatMap(findProblems),
    ...findPruneProblems(pruned),
    ...findCoverageProblems(coverage),
    ...figures.filter(({ isMet, dependsOnMachine }) => !(isMet || dependsOnMachine)).map(describeFigure),
  ];
  const measured = { baselines, cold, calls, network, runs, pruned, coverage };
  return { exitCode: printProblems(problems), results: { processes: PROCESSES, seconds, figures, ...measured } };
}

async function main(argv: readonly string[]): Promise<number> {
  const { mode, disks, json } = readBenchArguments(argv);
  if (mode === "help") {
    console.log(USAGE);
    return 0;
  }
  const { exitCode, results } = await (mode === "peer" ? runPeer(disks) : mode === "slow" ? runSlow() : runFull());
  const day = new Date().toISOString().slice(0, 10);
  if (json !== undefined)
    writeFileSync(json, `${JSON.stringify({ day, node: process.version, mode, ...results }, null, 2)}\n`);
  return exitCode;
}

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: Error) => {
    const isBadUsage = error instanceof BadUsage;
    console.error(isBadUsage ? `bench: ${error.message}\n\n${USAGE}` : error);
    process.exitCode = isBadUsage ? 2 : 1;
  },
);
