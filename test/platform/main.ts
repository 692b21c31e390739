/** `npm run platform`: runs every bundle as FunctionGraph does, and prints how long it takes to load and how much memory it uses. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadDefinitions } from "../../infra/definitions.ts";
import { formatTable } from "../../infra/local/terminal/table.ts";
import type { FunctionDefinition } from "../../shared/middleware/definition.ts";
import { findRuntime, installRuntime, type NodeRuntime } from "./node-runtimes.ts";
import { type FunctionRun, runFunction, runLarge, runUntilTimeLimit, SHORT_LIMIT_SECONDS } from "./run-function.ts";
import { CAN_CHANGE_USER } from "./sandbox.ts";
import { summaryLines } from "./skipped-checks.ts";

const USAGE = `npm run platform [-- --node <version>] [--real-limits] [--save]

Runs every bundle in dist/ as FunctionGraph does: with Node.js 20 and 22, as the user nobody, with read-only code, a memory limit and
a time limit. The loader follows the public documents of FunctionGraph. Exits with 1 if a function returns what a trigger does not
accept, acts twice on a repeated event, writes a file, makes Node.js print a warning, or exceeds a limit.

  --node         run only this version of Node.js, such as 20.15.1, or "installed"
  --real-limits  let every function run until the time limit in its function.ts (15 minutes) instead of ${SHORT_LIMIT_SECONDS} s
  --save         write the figures to test/bench/platform.json

The first run downloads about 50 MB for each version of Node.js that is not installed. Only root can start a process as nobody.`;

const FIGURES_FILE = join(import.meta.dirname, "..", "bench", "platform.json");
const MIB = 1024 * 1024;
/** How many functions run at once in the runs that use the processor. */
const MAX_BUSY = 2;
/** How many functions run at once while they wait for the time limit. */
const MAX_WAITING = 5;

interface Row {
  function: string;
  node: string;
  load_ms: number;
  first_invocation_ms: number;
  rss_loaded_mib: number;
  peak_rss_mib: number;
  peak_rss_large_mib?: number;
  time_limit_s: number;
  returned_after_s: number;
}

process.exitCode = await main();

async function main(): Promise<number> {
  let values: { node?: string; "real-limits"?: boolean; save?: boolean; help?: boolean };
  try {
    const flag = { type: "boolean" } as const;
    values = parseArgs({ options: { node: { type: "string" }, "real-limits": flag, save: flag, help: flag } }).values;
    if (!/^(installed|\d+\.\d+\.\d+)$/.test(values.node ?? "installed"))
      throw new Error(`--node: expected a version such as 20.15.1, or "installed", got "${values.node}".`);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  try {
    return await runAll(findRuntimes(values.node), values["real-limits"] ?? false, values.save ?? false);
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

function findRuntimes(version: string | undefined): NodeRuntime[] {
  if (version === undefined) return [findRuntime(20), findRuntime(22)];
  const installed = { version: process.versions.node, program: process.execPath };
  return [version === "installed" ? installed : installRuntime(version)];
}

type Run = (definition: FunctionDefinition, runtime: NodeRuntime) => Promise<FunctionRun> | undefined;

async function runAll(runtimes: NodeRuntime[], hasRealLimits: boolean, isSaved: boolean): Promise<number> {
  const definitions = await loadDefinitions();
  const jobs = runtimes.flatMap((runtime) => definitions.map((definition) => ({ runtime, definition })));
  const failures: string[] = [];
  /** Runs every function with every version of Node.js. The result has a run for each job, or undefined if it failed. */
  const runEach = async (parallel: number, run: Run): Promise<(FunctionRun | undefined)[]> => {
    const runs: (FunctionRun | undefined)[] = [];
    const waiting = [...jobs.entries()];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, { definition, runtime }] = next;
        try {
          runs[index] = await run(definition, runtime);
        } catch (error) {
          failures.push((error as Error).message);
        }
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    return runs;
  };
  const secondsOf = ({ timeoutSeconds }: FunctionDefinition) => (hasRealLimits ? timeoutSeconds : SHORT_LIMIT_SECONDS);
  const normal = await runEach(MAX_BUSY, runFunction);
  const large = await runEach(MAX_BUSY, runLarge);
  const late = await runEach(hasRealLimits ? jobs.length : MAX_WAITING, (definition, runtime) =>
    runUntilTimeLimit(definition, runtime, secondsOf(definition)),
  );
  const rows = jobs.flatMap(({ definition }, index): Row[] => {
    const [one, last] = [normal[index], late[index]];
    return one === undefined || last === undefined ? [] : [rowOf(one, large[index], last, secondsOf(definition))];
  });
  rows.sort((one, other) => one.function.localeCompare(other.function) || one.node.localeCompare(other.node));
  const limits = new Set(normal.flatMap((one) => one?.limit ?? []));
  const skipped = [...new Set([...normal, ...large, ...late].flatMap((one) => one?.skippedChecks ?? []))];
  const versions = runtimes.map(({ version }) => version);
  const summary = { failures, versions, skipped, passed: rows.length, all: jobs.length };
  for (const line of summaryLines(summary)) console.log(line);
  report(rows, limits);
  if (isSaved && failures.length === 0) writeFileSync(FIGURES_FILE, `${JSON.stringify(rows, null, 2)}\n`);
  return failures.length === 0 ? 0 : 1;
}

function rowOf(normal: FunctionRun, large: FunctionRun | undefined, late: FunctionRun, seconds: number): Row {
  const mib = (bytes: number) => Number((bytes / MIB).toFixed(1));
  return {
    function: normal.name,
    node: normal.node,
    load_ms: Number(normal.figures.loadMs.toFixed(1)),
    first_invocation_ms: Math.round(normal.firstMs),
    rss_loaded_mib: mib(normal.figures.loadedRssBytes),
    peak_rss_mib: mib(normal.figures.peakRssBytes),
    ...(large === undefined ? {} : { peak_rss_large_mib: mib(large.figures.peakRssBytes) }),
    time_limit_s: seconds,
    returned_after_s: Number((late.longestMs / 1000).toFixed(2)),
  };
}

function report(rows: readonly Row[], limits: Set<string>): void {
  console.log(`Memory limit: ${[...limits].sort().join("; ")}`);
  const user = CAN_CHANGE_USER ? "nobody" : "the user of this command, because only root can start a process as nobody";
  console.log(`User: ${user}\n`);
  const headings = [
    "function",
    "Node.js",
    "load ms",
    "first invocation ms",
    "RSS loaded MiB",
    "peak RSS MiB",
    "peak RSS large MiB",
    "time limit s",
    "returned after s",
  ];
  const cells = rows.map((row) => [
    row.function,
    row.node,
    row.load_ms,
    row.first_invocation_ms,
    row.rss_loaded_mib,
    row.peak_rss_mib,
    row.peak_rss_large_mib ?? "",
    row.time_limit_s,
    row.returned_after_s,
  ]);
  for (const line of formatTable(
    headings,
    cells.map((row) => row.map(String)),
  ))
    console.log(line);
}
