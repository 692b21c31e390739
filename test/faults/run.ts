/** `npm run faults`: runs the whole fault suite and prints a summary. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatTable } from "../../infra/local/terminal/table.ts";
import { KINDS } from "../support/kinds.ts";
import type { Run } from "./matrix.ts";
import type { DuplicateRate } from "./report.ts";

const USAGE = `npm run faults -- [--runs 10000] [--kills 20] [--seed <n> [--path <p>]]

Checks the guarantees under faults, in about 15 minutes: --runs random scenarios of redeliveries and crashes, --kills runs in
which real processes are killed, and every fault with every trigger and kind. Also measures how often duplicates occur that
the functions cannot prevent. A failed scenario prints its seed and path. With --seed and --path, only that scenario runs.
Exits with 0 if every guarantee held.`;

const root = fileURLToPath(new URL("../..", import.meta.url));
const report = mkdtempSync(join(tmpdir(), "faults-"));

const OPTIONS = {
  runs: { type: "string", default: "10000" },
  kills: { type: "string", default: "20" },
  seed: { type: "string" },
  path: { type: "string" },
  help: { type: "boolean" },
} as const;

/** Returns the command-line options, or prints an error and returns undefined if they are invalid. */
function readArguments() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (thrown) {
    console.error(`faults: ${(thrown as Error).message}\n\n${USAGE}`);
    return undefined;
  }
}

function main(): number {
  const values = readArguments();
  if (values === undefined) return 2;
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const env = {
    ...process.env,
    FAULTS_REPORT: report,
    FAULTS_RUNS: values.runs,
    FAULTS_KILLS: values.kills,
    ...(values.seed === undefined ? {} : { FAULTS_SEED: values.seed }),
    ...(values.path === undefined ? {} : { FAULTS_PATH: values.path }),
  };
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const files = values.path === undefined ? "test/faults" : "test/faults/crash.test.ts";
  const config = ["--config", "test/vitest.config.mjs"];
  const { status } = spawnSync(process.execPath, [vitest, "run", ...config, files], {
    cwd: root,
    env,
    stdio: "inherit",
  });
  printSummary(status === 0);
  return status ?? 1;
}

/** Prints whether the guarantees held, then the figures of each part of the suite. */
function printSummary(hasPassed: boolean): void {
  const results = new Map(
    readdirSync(report).map((file) => [
      file.replace(".json", ""),
      JSON.parse(readFileSync(join(report, file), "utf8")),
    ]),
  );
  console.log(
    hasPassed
      ? "\nEvery guarantee held."
      : "\nThe fault suite failed. The failed tests are listed above, each with the broken guarantees or its timeout.",
  );
  const scenarios = results.get("scenarios");
  if (scenarios) {
    console.log(
      `Random redeliveries and crashes: ${scenarios.broken} of ${scenarios.scenarios} scenarios broke a guarantee (${scenarios.seconds.toFixed(0)} s).`,
    );
  }
  const kills = results.get("kills");
  if (kills) {
    console.log(
      `Killed processes: ${kills.broken} of ${kills.runs} runs broke a guarantee (${kills.killed} processes killed).`,
    );
  }
  const inventories = [...results].filter(([name]) => name.startsWith("inventory")).map(([, inventory]) => inventory);
  if (inventories.length > 0) {
    printTable("scheduled-snapshots at 20 requests per second with 5% faults", [
      ["seed", "disks", "requests", "faults", "throttled requests", "seconds"],
      ...inventories.map(({ seed, disks, requests, faults, throttled, seconds }) =>
        [seed, disks, requests, faults, throttled, seconds].map(String),
      ),
    ]);
  }
  const matrix: Record<string, Run[]> | undefined = results.get("matrix");
  if (matrix) {
    const brokenOf = (runs: Run[]) => `${runs.filter(({ broken }) => broken.length > 0).length} of ${runs.length}`;
    const rowOf = (name: string, runs: Run[]) => [
      name,
      ...KINDS.map((kind) => brokenOf(runs.filter((run) => run.kind === kind))),
      brokenOf(runs),
    ];
    printTable("Runs with a broken guarantee, by fault and kind", [
      ["fault", ...KINDS, "all kinds"],
      ...Object.entries(matrix).map(([fault, runs]) => rowOf(fault, runs)),
      rowOf("all faults", Object.values(matrix).flat()),
    ]);
  }
  printRates(
    "Not preventable: targets with a duplicate if the redelivery comes this long after a crash, and list responses omit a new snapshot for up to 5 s",
    results.get("lag"),
    (rate) => `${rate.kind}, created in ${(rate.creationMs ?? 0) / 1000} s`,
  );
  printRates(
    "Not preventable: targets with a duplicate if a second process gets the event this long after the first process",
    results.get("races"),
    (rate) => `${rate.kind}, listed after ${(rate.lagMs ?? 0) / 1000} s`,
  );
}

/** Prints the percentage of targets that got a duplicate, in a table with a column for each delay of the second delivery. */
function printRates(title: string, rates: DuplicateRate[] | undefined, nameOf: (rate: DuplicateRate) => string): void {
  if (rates === undefined || rates.length === 0) return;
  const columns = [...new Set(rates.map(({ laterMs }) => laterMs))].sort((a, b) => a - b);
  const rows = [...new Set(rates.map(nameOf))];
  printTable(title, [
    ["", ...columns.map((ms) => `${ms / 1000} s`)],
    ...rows.map((row) => [
      row,
      ...columns.map((ms) => {
        const rate = rates.find((one) => nameOf(one) === row && one.laterMs === ms);
        return rate === undefined ? "" : `${Math.round((100 * rate.duplicated) / rate.total)}%`;
      }),
    ]),
  ]);
}

function printTable(title: string, rows: string[][]): void {
  const [headings = [], ...others] = rows;
  console.log(`\n${title}\n${formatTable(headings, others).join("\n")}`);
}

try {
  process.exitCode = main();
} finally {
  rmSync(report, { recursive: true });
}
