/** `npm run test:dates`: runs the tests at dates at which software often fails, such as a leap day, in several time zones. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { DATES, environmentOf, filesOf, ROOT, type Run, runs, ZONES } from "./plan.ts";

const USAGE = `npm run test:dates [-- --part | -- --help]

Runs every test that can depend on the date at ${DATES.length} dates in ${ZONES.length} time zones, two runs at a time. It takes about
an hour on 2 cores. Exits with 0 if every run passed, otherwise with 1.

  --part   run only a leap day and the end of a year, which takes 7 minutes`;

/** Runs the tests at one date in one time zone. Returns whether all tests passed. */
async function executeRun(run: Run): Promise<boolean> {
  const started = performance.now();
  const files = filesOf(run).map((path) => `test/${path}`);
  const vitest = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--config",
    "test/vitest.dates.config.mjs",
    "--maxWorkers=1",
  ];
  const child = spawn(process.execPath, [...vitest, ...files], {
    cwd: ROOT,
    env: { ...process.env, ...environmentOf(run), NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ok = (await new Promise((resolve) => child.once("close", resolve))) === 0;
  const seconds = Math.round((performance.now() - started) / 1000);
  const passed = /^ +Tests +.*?(\d+) passed/m.exec(output)?.[1] ?? "0";
  const label = `${run.date.name.padEnd(30)}  ${run.zone.padEnd(16)}`;
  console.log(
    `${ok ? "passed" : "FAILED"}  ${label}  ${passed.padStart(4)} tests passed  ${String(seconds).padStart(3)} s`,
  );
  if (!ok) console.log(`To repeat one test file at this date:\n  ${commandOf(run)} <file>\n\n${output}`);
  return ok;
}

/** Returns the command that runs a test file at the date and in the time zone of a run. */
function commandOf(run: Run): string {
  const variables = Object.entries(environmentOf(run)).map(([name, value]) => `${name}='${value}'`);
  return `${variables.join(" ")} npx vitest run --config test/vitest.dates.config.mjs`;
}

async function main(): Promise<number> {
  let part = false;
  try {
    const { values } = parseArgs({ options: { part: { type: "boolean", default: false }, help: { type: "boolean" } } });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    part = values.part;
  } catch (thrown) {
    console.error(`test:dates: ${(thrown as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const waiting = runs(part);
  const total = waiting.length;
  let failed = 0;
  const work = async () => {
    for (let run = waiting.shift(); run; run = waiting.shift()) {
      if (!(await executeRun(run))) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
  console.log(failed === 0 ? `All ${total} runs passed.` : `${failed} of ${total} runs failed.`);
  return failed > 0 ? 1 : 0;
}

main().then((code) => {
  process.exitCode = code;
});
