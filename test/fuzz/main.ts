/** `npm run fuzz`: sends random responses to every call of the functions, and checks the guarantees. */
import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { CALLS } from "../support/rights.ts";
import { type CaseResult, runCase } from "./case.ts";
import { type Instances, startInstances } from "./instances.ts";
import { describeCase, Report } from "./report.ts";

const USAGE = `npm run fuzz -- [--answers 10000] [--seed <text>] [--call <name> [--case <number>]]

Sends random responses to every call of the functions to EVS, DWS, ECS, LTS and FunctionGraph. After each invocation the
fuzz checks that the function finished in time, wrote one record per target, printed no secret, reported nothing false, and
used at most 110 MiB of memory. Exits with 0 if every guarantee held.

  --answers  the minimum number of random responses to each call; the default takes about an hour
  --seed     repeat the random responses of an earlier run
  --call     send random responses only to this call, such as evs.createSnapshot
  --case     run only this case of the call, and print all requests, responses and output`;

const OPTIONS = {
  answers: { type: "string", default: "10000" },
  seed: { type: "string" },
  call: { type: "string" },
  case: { type: "string" },
  help: { type: "boolean" },
} as const;

interface Arguments {
  answers: number;
  seed: string;
  calls: string[];
  index: number | undefined;
}

/**
 * Returns the arguments, or undefined for --help.
 *
 * @throws {Error} when an argument is invalid
 */
function readArguments(): Arguments | undefined {
  const values = parseArgs({ options: OPTIONS }).values;
  if (values.help) return undefined;
  const whole = (name: "answers" | "case", text: string) => {
    if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name}: expected a whole number, got "${text}".`);
    return Number(text);
  };
  const { call } = values;
  if (call !== undefined && !CALLS.has(call)) {
    throw new Error(`--call: expected one of ${[...CALLS.keys()].join(", ")}, got "${call}".`);
  }
  if (values.case !== undefined && (call === undefined || values.seed === undefined)) {
    throw new Error("--case: expected --call and --seed as well.");
  }
  return {
    answers: whole("answers", values.answers),
    seed: values.seed ?? randomUUID().slice(0, 8),
    calls: call === undefined ? [...CALLS.keys()] : [call],
    index: values.case === undefined ? undefined : whole("case", values.case),
  };
}

/** Runs the cases of all calls, several cases at a time. */
async function runAll({ answers, seed, calls }: Arguments, report: Report): Promise<void> {
  const queue = calls.map((operation) => ({ operation, cases: 0, responses: 0 }));
  const work = async (instances: Instances) => {
    for (let job = queue[0]; job !== undefined; job = queue[0]) {
      if (job.responses >= answers) {
        queue.shift();
        report.progress(job.operation);
        continue;
      }
      job.cases += 1;
      if (job.cases > 100 + 20 * answers) {
        throw new Error(
          `${job.operation}: expected ${answers} random responses, but ${job.cases} invocations made only ${job.responses} calls.`,
        );
      }
      const id = { seed, operation: job.operation, index: job.cases };
      const result = await runCase(id, instances).catch((thrown) => {
        throw new Error(`The fuzz itself threw an error in the case ${JSON.stringify(id)}.`, { cause: thrown });
      });
      job.responses += countSent(result);
      report.add(result, countSent(result));
    }
    await instances.end();
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, () => work(startInstances())));
}

/** Returns the number of random responses that the fuzzed call got. */
const countSent = ({ id, responses }: CaseResult): number =>
  responses.reduce((sum, { operation, handle }) => sum + (operation === id.operation ? handle.hits : 0), 0);

async function main(): Promise<number> {
  let values: Arguments | undefined;
  try {
    values = readArguments();
  } catch (thrown) {
    console.error(`fuzz: ${(thrown as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (values === undefined) {
    console.log(USAGE);
    return 0;
  }
  if (values.index !== undefined) {
    const instances = startInstances();
    const [operation = ""] = values.calls;
    const result = await runCase({ seed: values.seed, operation, index: values.index }, instances);
    await instances.end();
    console.log(describeCase(result, true));
    return result.findings.length === 0 ? 0 : 1;
  }
  const report = new Report(values.seed);
  await runAll(values, report);
  report.print();
  return report.findings === 0 ? 0 : 1;
}

main().then((status) => process.exit(status));
