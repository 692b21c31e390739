/** `npm run bench`: compares the functions with the plain SDK, plain middy, bare Node.js and Cloud Custodian. */
import { BadUsage } from "../../infra/local/terminal/arguments.ts";
import { readLimits, TARGETS } from "./budgets.ts";
import { measureColdStarts } from "./cold.ts";
import { findPruneProblems, runPrune } from "./large-prune.ts";
import { findProblems, IN_128_MB, runScheduled } from "./large-runs.ts";
import { formatMarkdownTable } from "./markdown-table.ts";
import { readPeerArguments, runPeer } from "./peer.ts";
import { MB } from "./process.ts";
import { measureKeptAlive, measureWarmCalls } from "./warm.ts";

const USAGE = `npm run bench [-- --slow | -- --peer [--disks 1000] [--json <file>]]

Measures the size, start time, speed and memory of the functions, and of the plain SDK, plain middy and bare Node.js for
comparison. Prints which functions miss a target, then tables, then a line of JSON. It takes about 10 minutes. Exits with 1
if a large run of scheduled-snapshots or prune-snapshots misses its limits. The environment variable BENCH_PROCESSES sets how many processes
start per bundle (default 21).

  --slow   only runs scheduled-snapshots for 10,000 disks, with CPU work that takes five times as long
  --peer   only compares scheduled-snapshots with Cloud Custodian for Huawei Cloud, in about 10 minutes: a first run, a
           second run, a lost response and a disk that is always throttled. It needs Python 3.11 or later, and installs
           Custodian in node_modules/.cache/custodian. Exits with 1 if scheduled-snapshots creates a duplicate, misses
           a disk without a message or lacks a record.
  --disks  the number of disks for --peer (default 1000)
  --json   the file to which --peer writes its results`;

const PROCESSES = Number(process.env.BENCH_PROCESSES ?? 21);

const oneDecimal = (value: number): string => value.toFixed(1);
const twoDecimals = (value: number): string => value.toFixed(2);
const mb = (bytes: number): string => (bytes / MB).toFixed(0);
const kb = (bytes: number): string => (bytes / 1024).toFixed(1);

/** Returns a sentence about the functions that exceed a target for size, time or memory, with the measured values. */
function conclusionOf(rows: Awaited<ReturnType<typeof measureColdStarts>>): string {
  const [, , , ...functions] = rows;
  const missed = functions.flatMap(({ name, bytes, loadRatio, firstRatio, rssRatio }) => {
    const misses = [
      bytes > TARGETS.bytes ? `${kb(bytes)} KB` : "",
      loadRatio > TARGETS.load ? `load ${twoDecimals(loadRatio)}` : "",
      firstRatio > TARGETS.first ? `first response ${twoDecimals(firstRatio)}` : "",
      rssRatio > TARGETS.rss ? `RSS ${twoDecimals(rssRatio)}` : "",
    ].filter(Boolean);
    return misses.length === 0 ? [] : [`${name} (${misses.join(", ")})`];
  });
  const targets = `at most ${TARGETS.bytes / 1024} KB, a load time of ${TARGETS.load} and a first response of ${TARGETS.first} times the SDK's, an RSS of ${TARGETS.rss} times that of bare Node.js`;
  return missed.length === 0
    ? `All ${functions.length} functions meet the targets: ${targets}.`
    : `${missed.length} of ${functions.length} functions miss a target: ${missed.join(", ")}. The targets are ${targets}.`;
}

type LargeRun = Awaited<ReturnType<typeof runScheduled>> & { heap: string };

/** Runs scheduled-snapshots with several numbers of disks and of invocations. */
async function measureRuns(isSlow: boolean): Promise<LargeRun[]> {
  const runs = [];
  for (const [disks, shardSize, heap] of [
    ...(isSlow
      ? []
      : ([
          [100, 10_000, []],
          [1_000, 10_000, []],
          [10_000, 10_000, IN_128_MB],
        ] as const)),
    [10_000, 10_000, []],
    [10_000, 500, []],
  ] as const) {
    runs.push({ heap: heap.join(" "), ...(await runScheduled(disks, shardSize, heap, isSlow)) });
  }
  return runs;
}

/** Prints which runs miss their limits, and a table of all runs. Sets the exit code if a run misses a limit. */
function printRuns(runs: readonly LargeRun[], isSlow: boolean): void {
  for (const run of runs) {
    const problems = findProblems(run, isSlow);
    if (problems.length === 0) continue;
    process.exitCode = 1;
    console.error(`bench: ${run.disks} disks in ${run.invocations} invocations: ${problems.join("; ")}.`);
  }
  console.log(
    `\n\`scheduled-snapshots\` with a limit of 50 requests per second and a latency of 30 ms:\n\n${formatMarkdownTable(
      [
        "disks",
        "invocations",
        "snapshots",
        "requests",
        "throttled requests",
        "seconds",
        "minimum seconds at this limit",
        "peak RSS MiB",
        "CPU ms per disk",
      ],
      runs.map((run) => [
        String(run.disks),
        String(run.invocations),
        run.duplicates === 0 ? String(run.snapshots) : `${run.snapshots}, ${run.duplicates} duplicates`,
        String(run.requests),
        `${run.throttled} (${((100 * run.throttled) / run.requests).toFixed(1)} %)`,
        oneDecimal(run.seconds),
        oneDecimal(run.minSeconds),
        `${mb(run.rssPeak)}${run.heap === "" ? "" : " (heap limited as in 128 MB)"}`,
        twoDecimals(run.cpu / run.disks),
      ]),
    )}`,
  );
}

async function comparePeer(argv: readonly string[]): Promise<void> {
  try {
    process.exitCode = await runPeer(readPeerArguments(argv));
  } catch (error) {
    const isUsage = error instanceof BadUsage;
    console.error(isUsage ? `bench: ${error.message}\n\n${USAGE}` : (error as Error).message);
    process.exitCode = isUsage ? 2 : 1;
  }
}

async function main(argv: readonly string[]) {
  if (argv.includes("--peer") && !argv.includes("--help")) return comparePeer(argv);
  const isSlow = argv.length === 1 && argv[0] === "--slow";
  if (argv.length > 0 && !isSlow) {
    const isHelp = argv.includes("--help");
    if (isHelp) console.log(USAGE);
    else console.error(`bench: expected --slow, --peer or no arguments, got ${argv.join(" ")}\n\n${USAGE}`);
    process.exitCode = isHelp ? 0 : 2;
    return;
  }
  if (isSlow) {
    printRuns(await measureRuns(true), true);
    return;
  }
  const started = Date.now();
  const day = new Date().toISOString().slice(0, 10);
  const cold = await measureColdStarts(PROCESSES);
  const limits = await readLimits();
  console.log(`${conclusionOf(cold)}\n`);
  console.log(
    `Cold starts on ${day} with Node.js ${process.version}: medians of ${PROCESSES} new processes per bundle.\n`,
  );
  console.log(
    formatMarkdownTable(
      [
        "bundle",
        "KB",
        "budget KB",
        "load ms",
        "load / SDK",
        "first response ms",
        "first response / SDK",
        "invocation ms",
        "RSS / bare Node.js",
      ],
      cold.map(({ name, bytes, load, loadRatio, first, firstRatio, whole, rssRatio }) => [
        name,
        bytes === 0 ? "" : kb(bytes),
        limits[name] === undefined ? "" : kb(limits[name].bytes),
        oneDecimal(load),
        twoDecimals(loadRatio),
        bytes === 0 || name.startsWith("middy") ? "" : oneDecimal(first),
        bytes === 0 || name.startsWith("middy") ? "" : twoDecimals(firstRatio),
        bytes === 0 || name.startsWith("middy") ? "" : oneDecimal(whole),
        twoDecimals(rssRatio),
      ]),
    ),
  );

  const calls = await measureWarmCalls();
  const network = await measureKeptAlive(200);
  console.log(
    `\n${formatMarkdownTable(
      ["a create call in a warm instance", "ms", "KB allocated"],
      [
        ["the whole function, without a network", twoDecimals(calls.chain.ms), oneDecimal(calls.chain.bytes / 1024)],
        ["without the middlewares, without a network", twoDecimals(calls.bare.ms), oneDecimal(calls.bare.bytes / 1024)],
        [
          `the whole function over loopback: ${network.requests} requests, ${network.connections} connection(s)`,
          twoDecimals(network.ms),
          "",
        ],
      ],
    )}`,
  );

  const runs = await measureRuns(false);
  printRuns(runs, false);
  const pruned = await runPrune();
  const problems = findPruneProblems(pruned);
  if (problems.length > 0) {
    process.exitCode = 1;
    console.error(`bench: prune-snapshots with 100,000 snapshots: ${problems.join("; ")}.`);
  }
  console.log(
    `\n\`prune-snapshots\` with 100,000 snapshots and a heap limited as in 128 MB: ${oneDecimal(pruned.cpu / 1000)} s of CPU time, ${calls.planCpu.toFixed(0)} ms of it for the retention plan, ${pruned.pages} list pages, and a peak RSS of ${mb(pruned.rssPeak)} MiB.`,
  );
  const seconds = (Date.now() - started) / 1000;
  console.log(`\nThe bench took ${seconds.toFixed(0)} s.\n`);
  console.log(
    JSON.stringify({ day, node: process.version, processes: PROCESSES, cold, calls, network, runs, pruned, seconds }),
  );
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error);
  process.exit(1);
});
