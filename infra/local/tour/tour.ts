import type { OutputLine } from "../host/index.ts";
import { type LocalSite, startLocalSite } from "../site/local-site.ts";
import { parseRecord, summarizeRecord } from "../site/records.ts";
import { createdAt, findRequestedSnapshots } from "../site/sample-inventory.ts";
import { watchSnapshots } from "../site/watch.ts";
import type { Screen } from "../terminal/screen.ts";
import { wrapText } from "../terminal/table.ts";
import { countOf, type Problem, StepFailed, type StepResult, type TourStep } from "./step.ts";
import { createTourSteps } from "./steps.ts";
import { measureRun, printGuarantees, printSnapshots } from "./summary.ts";

/**
 * How long the embedded cloud takes to create a snapshot of each kind, in milliseconds. The durations differ, so a user can see
 * the progress.
 */
const CREATION_MS = { snapshot: 400, "standard-snapshot": 600, "snapshot-group": 800, "cluster-snapshot": 1000 };
/** The maximum time that the tour waits for snapshots to finish, in milliseconds. */
const MAX_WAIT_MS = 30_000;
/** The spaces before each line below the first line of a step. */
const INDENT = " ".repeat(8);

export interface TourOptions {
  /** The folder with the built functions. Default: `dist` */
  dist?: string;
  /** The port of the gateway. Default: any free port */
  port?: number;
  /** True to also print the result records and the snapshots. Default false */
  verbose?: boolean;
}

export interface Tour {
  localSite: LocalSite;
  /** One message for each failed check. Empty if every snapshot is available and the logging topic received every record. */
  problems: string[];
  close(): Promise<void>;
}

/** Starts the embedded cloud and the functions, runs the steps of the tour, waits until the snapshots are finished, and prints a summary. */
export async function runTour(screen: Screen, { dist, port, verbose = false }: TourOptions = {}): Promise<Tour> {
  const { style, line } = screen;
  const onLine = ({ text, function: name }: OutputLine) => {
    const record = parseRecord(text);
    if (record && verbose) line(style.dim(`${INDENT}record  ${summarizeRecord(record, nameOf)}`));
    // A line that is not JSON comes from Node.js, such as the error of a function that ended its process.
    else if (!record && (verbose || !text.startsWith("{"))) line(style.dim(`${INDENT}${name}: ${text.slice(0, 200)}`));
  };
  let localSite: LocalSite | undefined;
  const nameOf = (id: string) => localSite?.inventory.nameOf(id) ?? id;
  const running = await startLocalSite({
    history: true,
    creationMs: CREATION_MS,
    onLine,
    ...(dist === undefined ? {} : { dist }),
    ...(port === undefined ? {} : { port }),
  });
  localSite = running;
  printStart(running, screen);

  let currentStep = "";
  const started = performance.now();
  const watch = watchSnapshots(
    running.cloud,
    () => {},
    () => {
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      if (currentStep !== "") screen.update(`    ${currentStep}  ${seconds} s`);
    },
  );

  const steps = createTourSteps(running);
  const results: StepResult[] = [];
  const problems: string[] = [];
  const ids: string[] = [];
  const early = new Map(steps.filter((step) => step.startsEarly).map((step) => [step, runStep(step, running)]));
  for (const [index, step] of steps.entries()) {
    currentStep = `${index + 1} of ${steps.length}: ${step.title}`;
    if (step.waitsForSnapshots) await watch.waitUntilSettled(ids, MAX_WAIT_MS);
    const result = await (early.get(step) ?? runStep(step, running));
    currentStep = "";
    ids.push(...(result.snapshotIds ?? []));
    if ("problem" in result) {
      printProblem(index + 1, step.title, result.problem, screen);
      problems.push(`${step.title}: ${describeProblem(result.problem)}`);
    } else {
      printStep(index + 1, result, screen);
      results.push(result);
    }
  }
  currentStep = "the last snapshots";
  await running.cloud.idle();
  await running.host.idle();
  await watch.waitUntilSettled(ids, MAX_WAIT_MS);
  currentStep = "";
  screen.update("");

  if (verbose) printSnapshots(ids, running, watch, screen);
  const measurement = measureRun(ids, running, watch);
  problems.push(...measurement.problems.map(describeProblem));
  line();
  if (problems.length === 0) printGuarantees(results, ids, measurement, screen);
  else printProblems(problems, screen);

  return {
    localSite: running,
    problems,
    async close() {
      watch.stop();
      await running.close();
    },
  };
}

interface FailedStep {
  problem: Problem;
  snapshotIds: string[];
}

async function runStep(step: TourStep, localSite: LocalSite): Promise<StepResult | FailedStep> {
  try {
    return await step.run(localSite);
  } catch (thrown) {
    if (thrown instanceof StepFailed) return { problem: thrown.problem, snapshotIds: thrown.snapshotIds };
    return { problem: { expected: "the step to run", got: (thrown as Error).message }, snapshotIds: [] };
  }
}

const describeProblem = ({ expected, got }: Problem): string => `expected ${expected}, got ${got}`;

function printStart({ inventory, host, cloud }: LocalSite, { line, style, width }: Screen): void {
  const types = [...new Set(inventory.resources.map(({ type }) => type))];
  const counts = types.map((type) => countOf(inventory.resources.filter((one) => one.type === type).length, type));
  const days = Math.ceil((cloud.clock.now() - Math.min(...cloud.snapshots().map(createdAt))) / 86_400_000);
  const text = `Runs ${countOf(host.functions.length, "function")} on an embedded cloud on this machine: ${counts.join(", ")}, and ${countOf(findRequestedSnapshots(cloud).length, "snapshot")} of the last ${days} days.`;
  for (const part of wrapText(text, width)) line(style.bold(part));
  line();
}

function printStep(number: number, { sentence, details = [] }: StepResult, screen: Screen): void {
  printParagraph(number, screen.style.good("ok"), sentence, screen);
  const parts = details.flatMap((detail) => wrapText(detail, screen.width - INDENT.length));
  for (const part of parts) screen.line(INDENT + part);
}

function printProblem(number: number, title: string, { expected, got }: Problem, screen: Screen): void {
  printParagraph(number, screen.style.bad("FAILED"), title, screen);
  for (const text of [`expected: ${expected}`, `got:      ${got}`]) {
    for (const part of wrapText(text, screen.width - INDENT.length, " ".repeat(10))) screen.line(INDENT + part);
  }
}

/** Prints a step as a paragraph that begins with its number and its mark. */
function printParagraph(number: number, mark: string, text: string, { line, width }: Screen): void {
  const [first = "", ...rest] = wrapText(text, width - INDENT.length);
  line(`${String(number).padStart(2)}  ${mark}  ${first}`);
  for (const part of rest) line(INDENT + part);
}

function printProblems(problems: readonly string[], { line, style, width }: Screen): void {
  line(style.bad(`${countOf(problems.length, "check")} failed:`));
  for (const problem of problems) for (const part of wrapText(`- ${problem}`, width - 2, "  ")) line(`  ${part}`);
}
