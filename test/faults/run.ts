/** `npm run faults`: all of the fault suite, and what it found as tables. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatTable } from "../../infra/local/terminal/table.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.ts";
import type { Run } from "./matrix.ts";
import type { Rate } from "./report.ts";

const USAGE = `npm run faults -- [--runs 10000] [--kills 20] [--seed <n> [--path <p>]]

Runs the property of redelivery and crash, kills real processes, goes through the matrix of faults, and measures what
cannot be excluded. A failure prints its seed and path; with both, that one story is told again.`;

const kinds = Object.keys(KINDS);
const root = fileURLToPath(new URL("../..", import.meta.url));
const report = mkdtempSync(join(tmpdir(), "faults-"));

const OPTIONS = {
  runs: { type: "string", default: "10000" },
  kills: { type: "string", default: "20" },
  seed: { type: "string" },
  path: { type: "string" },
  help: { type: "boolean" },
} as const;

/** Undefined where it was called in the wrong way, which has been said then. */
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
  const stories = found.get("stories");
  if (stories) {
    console.log(
      `\nRedelivery and crash: ${stories.told} stories, ${stories.broken} broken, ${stories.seconds.toFixed(0)} s.`,
    );
  }
  const kills = found.get("kills");
  if (kills) console.log(`Real processes: ${kills.runs} runs, ${kills.killed} killed, ${kills.broken} broken.`);
  const estates = [...found].filter(([name]) => name.startsWith("estate")).map(([, estate]) => estate);
  if (estates.length > 0) {
    print("Disks at 20 requests a second, 5% faults", [
      ["seed", "disks", "requests", "faults", "throttled", "seconds"],
      ...estates.map(({ seed, disks, requests, faults, throttled, seconds }) =>
        [seed, disks, requests, faults, throttled, seconds].map(String),
      ),
    ]);
  }
  const matrix: Record<string, Run[]> | undefined = found.get("matrix");
  if (matrix) {
    const cell = (runs: Run[]) => `${runs.length} / ${runs.filter(({ broken }) => broken.length > 0).length}`;
    print("Faults: runs / of them with a broken promise", [
      ["fault", ...kinds, "all"],
      ...Object.entries(matrix).map(([fault, runs]) => [
        fault,
        ...kinds.map((kind) => cell(runs.filter((run) => run.kind === kind))),
        cell(runs),
      ]),
      [
        "all",
        ...kinds.map((kind) =>
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
    "Not excluded: an event delivered again so long after a crash, lists up to 5 s late",
    found.get("lag"),
    (rate) => `${rate.kind}, created in ${(rate.creationMs ?? 0) / 1000} s`,
  );
  printRates(
    "Not excluded: an event delivered to two processes, the second one so much later",
    found.get("races"),
    (rate) => `${rate.kind}, lists ${(rate.lagMs ?? 0) / 1000} s late`,
  );
}

/** Rows by what `nameOf` says, columns by how much later. */
function printRates(title: string, rates: Rate[] | undefined, nameOf: (rate: Rate) => string): void {
  if (rates === undefined || rates.length === 0) return;
  const columns = [...new Set(rates.map(({ laterMs }) => laterMs))].sort((a, b) => a - b);
  const rows = [...new Set(rates.map(nameOf))];
  print(`${title}: taken twice`, [
    ["", ...columns.map((ms) => `${ms / 1000} s`)],
    ...rows.map((row) => [
      row,
      ...columns.map((ms) => {
        const rate = rates.find((one) => nameOf(one) === row && one.laterMs === ms);
        return rate === undefined ? "" : `${Math.round((100 * rate.doubled) / rate.of)}%`;
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
