/** `npm run faults`: runs the whole fault suite and prints its results as tables. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatTable } from "../../infra/local/terminal/table.ts";
import { KINDS } from "../support/kinds.ts";
import type { Run } from "./matrix.ts";
import type { Rate } from "./report.ts";

const USAGE = `npm run faults -- [--runs 10000] [--kills 20] [--seed <n> [--path <p>]]

Runs random scenarios of redeliveries and crashes, kills real processes, runs every fault with every trigger, and measures
how often duplicates occur that no function can prevent. A failure prints its seed and path; with both options, only that
scenario runs again.`;

const root = fileURLToPath(new URL("../..", import.meta.url));
const report = mkdtempSync(join(tmpdir(), "faults-"));

const OPTIONS = {
  runs: { type: "string", default: "10000" },
  kills: { type: "string", default: "20" },
  seed: { type: "string" },
  path: { type: "string" },
  help: { type: "boolean" },
} as const;

/** Returns the options, or undefined after printing why they are wrong. */
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
  printTables();
  return status ?? 1;
}

function printTables(): void {
  const found = new Map(
    readdirSync(report).map((file) => [
      file.replace(".json", ""),
      JSON.parse(readFileSync(join(report, file), "utf8")),
    ]),
  );
  const scenarios = found.get("scenarios");
  if (scenarios) {
    console.log(
      `\nRedeliveries and crashes: ${scenarios.scenarios} scenarios, ${scenarios.broken} with a broken guarantee, ${scenarios.seconds.toFixed(0)} s.`,
    );
  }
  const kills = found.get("kills");
  if (kills)
    console.log(`Real processes: ${kills.runs} runs, ${kills.killed} killed, ${kills.broken} with a broken guarantee.`);
  const inventories = [...found].filter(([name]) => name.startsWith("inventory")).map(([, inventory]) => inventory);
  if (inventories.length > 0) {
    print("Disks at 20 requests per second with 5% faults", [
      ["seed", "disks", "requests", "faults", "throttled", "seconds"],
      ...inventories.map(({ seed, disks, requests, faults, throttled, seconds }) =>
        [seed, disks, requests, faults, throttled, seconds].map(String),
      ),
    ]);
  }
  const matrix: Record<string, Run[]> | undefined = found.get("matrix");
  if (matrix) {
    const cell = (runs: Run[]) => `${runs.length} / ${runs.filter(({ broken }) => broken.length > 0).length}`;
    print("Faults: number of runs / runs with a broken guarantee", [
      ["fault", ...KINDS, "all"],
      ...Object.entries(matrix).map(([fault, runs]) => [
        fault,
        ...KINDS.map((kind) => cell(runs.filter((run) => run.kind === kind))),
        cell(runs),
      ]),
      [
        "all",
        ...KINDS.map((kind) =>
          cell(
            Object.values(matrix)
              .flat()
              .filter((run) => run.kind === kind),
          ),
        ),
        cell(Object.values(matrix).flat()),
      ],
    ]);
  }
  printRates(
    "Not preventable: a redelivery this long after a crash, with lists up to 5 s late",
    found.get("lag"),
    (rate) => `${rate.kind}, created in ${(rate.creationMs ?? 0) / 1000} s`,
  );
  printRates(
    "Not preventable: a delivery to a second process, this much later than to the first",
    found.get("races"),
    (rate) => `${rate.kind}, lists ${(rate.lagMs ?? 0) / 1000} s late`,
  );
}

/** Prints a table with a row for each name and a column for each delay. */
function printRates(title: string, rates: Rate[] | undefined, nameOf: (rate: Rate) => string): void {
  if (rates === undefined || rates.length === 0) return;
  const columns = [...new Set(rates.map(({ laterMs }) => laterMs))].sort((a, b) => a - b);
  const rows = [...new Set(rates.map(nameOf))];
  print(`${title}: targets with a duplicate`, [
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

function print(title: string, rows: string[][]): void {
  const [headings = [], ...others] = rows;
  console.log(`\n${title}\n${formatTable(headings, others).join("\n")}`);
}

try {
  process.exitCode = main();
} finally {
  rmSync(report, { recursive: true });
}
