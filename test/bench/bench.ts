/** `npm run bench`: what the functions cost, beside what else could be had, in one run. Tables, then a line of JSON. */
import { limitsOf, TARGETS } from "./budgets.ts";
import { coldStart } from "./cold.ts";
import { IN_128_MB, prune, scheduled } from "./large-runs.ts";
import { MB } from "./process.ts";
import { keptAlive, warm } from "./warm.ts";

const USAGE = `npm run bench

Measures what the functions cost, beside what else could be had: tables, then a line of JSON. It takes no arguments.
BENCH_PROCESSES (21): fresh processes of each bundle, fewer for a quick look.`;

/** Of each bundle; fewer for a quick look. */
const PROCESSES = Number(process.env.BENCH_PROCESSES ?? 21);

const one = (value: number): string => value.toFixed(1);
const two = (value: number): string => value.toFixed(2);
const mb = (bytes: number): string => (bytes / MB).toFixed(0);
const kb = (bytes: number): string => (bytes / 1024).toFixed(1);

function table(head: string[], rows: string[][]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

async function main(argv: readonly string[]) {
  if (argv.length > 0) {
    const asked = argv.length === 1 && argv[0] === "--help";
    if (asked) console.log(USAGE);
    else console.error(`bench: expected no arguments, got ${argv.join(" ")}\n\n${USAGE}`);
    process.exitCode = asked ? 0 : 2;
    return;
  }
  const started = Date.now();
  const day = new Date().toISOString().slice(0, 10);
  console.log(`\`npm run bench\`, ${day}, Node.js ${process.version}, medians of ${PROCESSES} fresh processes each\n`);

  const cold = await coldStart(PROCESSES);
  const limits = await limitsOf();
  console.log(
    table(
      ["", "KB", "budget", "load ms", "of the SDK", "first request ms", "of the SDK", "whole call ms", "RSS of bare"],
      cold.map(({ name, bytes, load, loadRatio, first, firstRatio, whole, rssRatio }) => [
        name,
        bytes === 0 ? "" : kb(bytes),
        limits[name] === undefined ? "" : kb(limits[name].bytes),
        one(load),
        two(loadRatio),
        bytes === 0 || name.startsWith("middy") ? "" : one(first),
        bytes === 0 || name.startsWith("middy") ? "" : two(firstRatio),
        bytes === 0 || name.startsWith("middy") ? "" : one(whole),
        two(rssRatio),
      ]),
    ),
  );
  console.log(
    `\nAims: ${TARGETS.bytes / 1024} KB, load ${TARGETS.load} and first request ${TARGETS.first} of the SDK's, RSS ${TARGETS.rss} of bare Node.js's.`,
  );

  const calls = await warm();
  const network = await keptAlive(200);
  console.log(
    `\n${table(
      ["a warm create", "ms", "KB allocated"],
      [
        ["with context, records, validation, errors", two(calls.chain.ms), one(calls.chain.bytes / 1024)],
        ["the bare call", two(calls.bare.ms), one(calls.bare.bytes / 1024)],
        [`over loopback, ${network.requests} requests, ${network.connections} connection(s)`, two(network.ms), ""],
      ],
    )}`,
  );

  const runs = [];
  for (const [disks, shardSize, heap] of [
    [100, 10_000, []],
    [1_000, 10_000, []],
    [10_000, 10_000, []],
    [10_000, 10_000, IN_128_MB],
    [10_000, 500, []],
  ] as const) {
    runs.push({ heap: heap.join(" "), ...(await scheduled(disks, shardSize, heap)) });
  }
  console.log(
    `\n\`scheduled-snapshots\` at 50 requests a second and 30 ms latency:\n\n${table(
      [
        "disks",
        "invocations",
        "snapshots",
        "requests",
        "throttled",
        "seconds",
        "at least",
        "peak RSS MiB",
        "ms CPU a disk",
      ],
      runs.map((run) => [
        String(run.disks),
        String(run.invocations),
        run.doubled === 0 ? String(run.snapshots) : `${run.snapshots}, ${run.doubled} doubled`,
        String(run.requests),
        `${run.throttled} (${((100 * run.throttled) / run.requests).toFixed(1)} %)`,
        one(run.seconds),
        one(run.least),
        `${mb(run.rssPeak)}${run.heap === "" ? "" : " (heap as in 128 MB)"}`,
        two(run.cpu / run.disks),
      ]),
    )}`,
  );

  const pruned = { asIs: await prune(100_000), in128: await prune(100_000, ["--max-semi-space-size=1"]) };
  console.log(
    `\n\`prune-snapshots\` over 100,000 snapshots: ${one(pruned.asIs.cpu / 1000)} s of CPU, peak RSS ${mb(pruned.asIs.rssPeak)} MiB (${mb(pruned.in128.rssPeak)} MiB with a small new space); of that the plan: ${calls.planCpu.toFixed(0)} ms of CPU.`,
  );
  const seconds = (Date.now() - started) / 1000;
  console.log(`\n${seconds.toFixed(0)} s in all.\n`);
  console.log(
    JSON.stringify({ day, node: process.version, processes: PROCESSES, cold, calls, network, runs, pruned, seconds }),
  );
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error);
  process.exit(1);
});
