/** The command line that the models share: `npm run model`, `npm run retention-model` and `npm run coverage-model`. */
import { parseArgs } from "node:util";
import { runChunks } from "./chunks.ts";

export interface ModelCommand<Case, Result> {
  /** The name of the npm script. */
  name: string;
  usage: string;
  /** The path of the script that calls `runModelCommand`. It also runs in the child processes. */
  script: string;
  /** The number of cases if the caller does not pass `--cases`. */
  defaultCases: number;
  /** The number of cases in one child process. */
  perProcess: number;
  /** The option that runs one case, which the caller passes as JSON. */
  caseOption: string;
  /** Runs the cases from the first to the last seed. */
  runMany: (first: number, last: number) => Promise<Result>;
  /** The result of no cases, to which `add` adds the results of the child processes. */
  total: Result;
  add: (total: Result, part: Result) => void;
  /** Prints the result of all cases. Returns the exit code. */
  printResult: (result: Result, cases: number) => Promise<number>;
  /** Runs one case and prints its result. Returns the exit code. */
  runCase: (one: Case) => Promise<number>;
}

/** Runs the command of a model with the arguments of the process, and sets the exit code. */
export async function runModelCommand<Case, Result>(command: ModelCommand<Case, Result>): Promise<void> {
  process.exitCode = await run(command);
}

async function run<Case, Result>(command: ModelCommand<Case, Result>): Promise<number> {
  const { name, usage, script, caseOption, perProcess, total, add } = command;
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: String(command.defaultCases) },
      seed: { type: "string", default: "1" },
      [caseOption]: { type: "string" },
      chunk: { type: "string" },
      help: { type: "boolean" },
    },
  }) as { values: Record<string, string | undefined> };
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (values.chunk !== undefined) {
    const [first = 0, last = 0] = values.chunk.split("-").map(Number);
    process.stdout.write(JSON.stringify(await command.runMany(first, last)));
    return 0;
  }
  const one = values[caseOption];
  if (one !== undefined) return command.runCase(JSON.parse(one) as Case);
  const [first, count] = [Number(values.seed), Number(values.cases)];
  if (![first, count].every((number) => Number.isSafeInteger(number) && number > 0)) {
    console.error(
      `${name}: expected whole numbers above 0, got --seed ${values.seed} --cases ${values.cases}\n\n${usage}`,
    );
    return 2;
  }
  await runChunks<Result>(script, { first, count, perProcess }, (part) => add(total, part));
  return command.printResult(total, count);
}

/** Prints a table in Markdown. */
export function printMarkdownTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  for (const row of [head, head.map(() => "---"), ...rows]) console.log(`| ${row.join(" | ")} |`);
}

/** Prints a case as the option that runs the case again. */
export function printRepeat(command: string, option: string, one: unknown): void {
  console.log(`  npm run ${command} -- --${option} '${JSON.stringify(one).replaceAll("'", "'\\''")}'`);
}
