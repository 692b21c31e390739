/** `npm run test:api`: sends requests that schemathesis derives from infra/openapi.json to the functions on the local host. */
import { BadUsage, readArguments } from "../../infra/local/terminal/arguments.ts";
import { installSchemathesis } from "./install.ts";
import { failureOf, failuresIn, MIN_CASES, reportLines } from "./report.ts";
import { type OperationResult, type Plan, runOperation } from "./run-operation.ts";
import { operationNames, readDocument } from "./settings.ts";

/** The number of random cases of each operation and round. */
const EXAMPLES = 150;
const DEFAULT_ROUNDS = 6;
/** The operation that waits in real time for snapshots. It gets one round with few random cases, because some take up to 50 s. */
const WAITING_OPERATION = "POST /pre-deploy";
const PART_EXAMPLES = 20;
/** About how many cases schemathesis derives from the schemas of all operations. */
const FIXED_CASES = "about 1,100";

const USAGE = `npm run test:api [-- --part] [--rounds <number>] [--seed <number>]

Sends requests that schemathesis derives from infra/openapi.json to the functions on the local host, and checks each response against
the document: no undocumented status, header, content type or body, no 5xx except a documented 502 of pre-deploy, no accepted invalid
request, and no rejected valid request. Needs Python 3.11. Exits with 0 if no check failed, 1 if a check failed, 2 if the arguments
are wrong.

  --part      sends about 1,250 cases, which takes about a minute
  --rounds    how many times ${EXAMPLES} random cases of each operation except pre-deploy are sent (default ${DEFAULT_ROUNDS}). The first round also sends
              ${FIXED_CASES} cases that schemathesis derives from the schemas without a seed.
  --seed      the seed of the random cases (default 1). The same seed sends the same requests.`;

/** How many operations are tested at the same time. */
const CONCURRENCY = 2;

async function main(argv: readonly string[]): Promise<number> {
  const options = {
    part: { type: "boolean", default: false },
    rounds: { type: "string" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean" },
  } as const;
  const { part, rounds, seed, help } = readArguments({ args: [...argv], options }).values;
  if (help) {
    console.log(USAGE);
    return 0;
  }
  const plan: Plan = {
    seed: readNumber("--seed", seed),
    examples: part ? PART_EXAMPLES : EXAMPLES,
    rounds: readNumber("--rounds", rounds ?? String(part ? 1 : DEFAULT_ROUNDS)),
    document: readDocument(),
    program: installSchemathesis(),
  };
  const started = performance.now();
  const results = await runAll(plan);
  const minCases = part || rounds !== undefined ? 1 : MIN_CASES;
  const seconds = (performance.now() - started) / 1000;
  for (const line of reportLines(results, { seed: plan.seed, seconds, minCases })) console.log(line);
  for (const { passed, operation, output } of results) {
    if (!passed) console.log(`\n${operation}:\n${failuresIn(output)}`);
  }
  return failureOf(results, minCases) === undefined ? 0 : 1;
}

/** Runs all rounds of all operations. Returns their results in the order of the document. */
async function runAll(plan: Plan): Promise<OperationResult[]> {
  const runs = operationNames(plan.document).flatMap((operation) =>
    Array.from({ length: operation === WAITING_OPERATION ? 1 : plan.rounds }, (_, round) => ({ operation, round })),
  );
  const results = new Map<object, OperationResult>();
  // The operation that waits takes longest, so it starts first.
  const isFirst = (run: { operation: string }) => Number(run.operation === WAITING_OPERATION);
  const waiting = runs.toSorted((a, b) => isFirst(b) - isFirst(a));
  const work = async () => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      const examples = run.operation === WAITING_OPERATION ? PART_EXAMPLES : plan.examples;
      results.set(run, await runOperation(run.operation, { ...plan, examples }, run.round));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return runs.flatMap((run) => results.get(run) ?? []);
}

function readNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new BadUsage(`${option}: expected a whole number above 0, got ${JSON.stringify(text)}`);
  }
  return Number(text);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: Error) => {
    const isBadUsage = error instanceof BadUsage;
    console.error(isBadUsage ? `test:api: ${error.message}\n\n${USAGE}` : error.message);
    process.exit(isBadUsage ? 2 : 1);
  },
);
