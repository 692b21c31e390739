/** `npm run fuzz`: sends random responses to every call that the functions make, and checks what the functions do. */
import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { CALLS } from "../support/rights.ts";
import { type CaseResult, runCase } from "./case.ts";
import { type Instances, startInstances } from "./instances.ts";
import { describeCase, Report } from "./report.ts";

const USAGE = `npm run fuzz -- [--answers 10000] [--seed <text>] [--call <name> [--case <number>]]

Sends random responses to every call that the functions make, at least --answers to each call. After each invocation it
checks that the function ended in time, wrote one record for each target, printed no secret, reported nothing false, and
used at most 110 MiB of memory. --call: fuzz only one call, such as evs.createSnapshot. --case: run only one case of that
call, and print everything that was sent and printed.`;

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

/** Runs the cases of all calls, several at a time. */
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
          `Expected ${answers} responses to ${job.operation}; ${job.cases} invocations made ${job.responses} such calls.`,
        );
      }
      const id = { seed, operation: job.operation, index: job.cases };
      const result = await runCase(id, instances).catch((thrown) => {
        throw new Error(`The fuzz itself failed in the case ${JSON.stringify(id)}.`, { cause: thrown });
      });
      job.responses += countSent(result);
      report.add(result, countSent(result));
    }
    await instances.end();
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, () => work(startInstances())));
}

/** Returns how many random responses the fuzzed call got. */
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
