/** Formats the measured values of `npm run bench` as tables in Markdown. */
import type { Budgets } from "./budgets.ts";
import type { ColdStart } from "./cold.ts";
import type { CoverageRun } from "./large-coverage.ts";
import type { PruneRun } from "./large-prune.ts";
import type { ScheduledRun } from "./large-runs.ts";
import { formatMarkdownTable } from "./markdown-table.ts";
import { MB } from "./process.ts";
import type { KeptAlive, WarmCalls } from "./warm.ts";

const oneDecimal = (value: number): string => value.toFixed(1);
const twoDecimals = (value: number): string => value.toFixed(2);
const mb = (bytes: number): string => oneDecimal(bytes / MB);
const kb = (bytes: number): string => oneDecimal(bytes / 1024);

/** @param limits the maximum size of each bundle */
export function formatColdStarts(rows: readonly ColdStart[], limits: Budgets["functions"]): string {
  return formatMarkdownTable(
    [
      "bundle",
      "KB",
      "maximum KB",
      "load ms",
      "load ÷ SDK",
      "first response ms",
      "first response ÷ SDK",
      "invocation ms",
      "RSS ÷ bare Node.js",
    ],
    rows.map(({ name, bytes, load, loadRatio, first, firstRatio, whole, rssRatio }) => {
      // Bare Node.js and middy send no request.
      const sendsRequests = bytes > 0 && !name.startsWith("middy");
      return [
        name,
        bytes === 0 ? "" : kb(bytes),
        limits[name] === undefined ? "" : kb(limits[name].bytes),
        oneDecimal(load),
        twoDecimals(loadRatio),
        ...(sendsRequests ? [oneDecimal(first), twoDecimals(firstRatio), oneDecimal(whole)] : ["", "", ""]),
        twoDecimals(rssRatio),
      ];
    }),
  );
}

export function formatWarmCalls({ chain, bare }: WarmCalls, network: KeptAlive): string {
  const loopback = `over loopback: ${network.requests} requests, ${network.connections} connection(s)`;
  return formatMarkdownTable(
    ["a create call in a warm instance", "ms", "KB allocated"],
    [
      ["the whole function, without a network", twoDecimals(chain.ms), kb(chain.bytes)],
      ["without the middlewares, without a network", twoDecimals(bare.ms), kb(bare.bytes)],
      [`the whole function ${loopback}`, twoDecimals(network.ms), ""],
    ],
  );
}

export function formatRuns(runs: readonly ScheduledRun[]): string {
  const table = formatMarkdownTable(
    [
      "disks",
      "invocations",
      "snapshots",
      "duplicates",
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
      String(run.snapshots),
      String(run.duplicates),
      String(run.requests),
      `${run.throttled} (${oneDecimal((100 * run.throttled) / run.requests)} %)`,
      oneDecimal(run.seconds),
      oneDecimal(run.minSeconds),
      `${mb(run.rssPeak)}${run.in128Mb ? " (heap limited as in 128 MB)" : ""}`,
      twoDecimals(run.cpu / run.disks),
    ]),
  );
  return `\`scheduled-snapshots\` with a limit of 50 requests per second and a latency of 30 ms:\n\n${table}`;
}

export const formatPrune = ({ snapshots, left, cpu, pages, rssPeak }: PruneRun): string =>
  `\`prune-snapshots\` deleted ${snapshots - left} of ${snapshots} snapshots with a heap limited as in 128 MB: ${oneDecimal(cpu / 1000)} s of CPU time, ${pages} list requests, and a peak RSS of ${mb(rssPeak)} MiB.`;

export function formatCoverage(runs: readonly CoverageRun[]): string {
  const table = formatMarkdownTable(
    ["run", "peak RSS MiB", "requests", "list pages", "bytes", "s CPU"],
    runs.map(({ format, rssPeak, requests, pages, bytes, cpu }) => [
      format,
      mb(rssPeak),
      String(requests),
      String(pages),
      String(bytes),
      oneDecimal(cpu / 1000),
    ]),
  );
  return `\`report-coverage\` with 10,000 disks and a heap limited as in 256 MB:\n\n${table}`;
}
