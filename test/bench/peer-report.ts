/** Judges the runs of the comparison with Cloud Custodian, and formats them. */
import { MB } from "./process.ts";

/** One run of one tool: an invocation of scheduled-snapshots, or a run of the policy of Custodian. */
export interface ToolRun {
  /** Whether the tool reported a failure: the function threw an error, or the command had an exit code other than 0. */
  failed: boolean;
  /** The exit code, or the result of the invocation. */
  exit: string;
  /** The duration of the whole process in seconds. */
  seconds: number;
  /** CPU time of the whole process in seconds. */
  cpuSeconds: number;
  /** The peak RSS of the process in bytes. */
  rssPeak: number;
  /** The number of requests that the cloud received from this run. */
  requests: number;
  /** The number of snapshots that the cloud created in this run. */
  created: number;
  /** The number of disks with two or more snapshots after this run. */
  doubled: number;
  /** The number of disks without a snapshot after this run. */
  missing: number;
  /** The number of the `missing` disks that no error message and no record of a failure names. */
  unnamed: number;
  /** The number of requests to which the cloud applied the fault of the scenario. Undefined without a fault. */
  faultHits?: number;
  /** The number of disks that do not have exactly one record of this run. Only this project writes records. */
  unrecorded?: number;
}

/** The scenarios. Each begins with a new cloud. */
export const SCENARIOS = ["repeated", "gatewayTimeout", "reset", "throttled"] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** The runs of one tool in each scenario, in their order. */
export type ToolResults = Record<Scenario, ToolRun[]>;

export interface Comparison {
  disks: number;
  project: ToolResults;
  custodian: ToolResults;
}

/** Returns the runs of a tool in which the fault of the scenario did not apply as expected, so the run compares nothing. */
function findFaultsWithoutEffect(tool: string, results: ToolResults): string[] {
  return SCENARIOS.filter((scenario) => scenario !== "repeated").flatMap((scenario) => {
    const hits = results[scenario][0]?.faultHits ?? 0;
    // Only the throttled disk gets the fault in every request.
    const isExpected = scenario === "throttled" ? hits > 0 : hits === 1;
    const expected = scenario === "throttled" ? "at least 1 request" : "1 request";
    return isExpected ? [] : [`scenario ${scenario}, ${tool}: the fault applied to ${hits} instead of ${expected}`];
  });
}

/** Returns the promises that this project broke, or an empty array. */
export function findBrokenPromises(results: ToolResults): string[] {
  return SCENARIOS.flatMap((scenario) =>
    results[scenario].flatMap((run, index, runs) => {
      const where = `scenario ${scenario}, run ${index + 1}`;
      const isLast = index === runs.length - 1;
      // The platform delivers the event of a failed invocation again, so only the last run must have created every snapshot.
      const allowed = scenario === "throttled" ? 1 : run.failed && !isLast ? run.missing : 0;
      return [
        ...(run.doubled > 0 ? [`${where}: ${count(run.doubled, "disk")} with two snapshots`] : []),
        ...(scenario === "throttled" && run.missing === 0 ? [`${where}: the throttled disk has a snapshot`] : []),
        ...(run.missing > allowed ? [`${where}: ${count(run.missing, "disk")} without a snapshot`] : []),
        ...(run.unnamed > 0
          ? [`${where}: ${count(run.unnamed, "disk")} without a snapshot and without a message`]
          : []),
        ...(run.missing > 0 && !run.failed
          ? [`${where}: the invocation succeeded without a snapshot of each disk`]
          : []),
        ...(run.unrecorded === 0 ? [] : [`${where}: ${count(run.unrecorded ?? 0, "disk")} without exactly one record`]),
      ];
    }),
  );
}

/**
 * Returns why the comparison failed, or an empty array: this project broke a promise, a fault did not apply, or Custodian did not
 * work even without faults, so its runs measure nothing.
 */
export function findProblems({ disks, project, custodian }: Comparison): string[] {
  const [first] = custodian.repeated;
  const works = first !== undefined && !first.failed && first.created === disks;
  return [
    ...findBrokenPromises(project),
    ...findFaultsWithoutEffect("this project", project),
    ...findFaultsWithoutEffect("Custodian", custodian),
    ...(works
      ? []
      : [`Custodian created ${first?.created ?? 0} instead of ${disks} snapshots in a run without faults`]),
  ];
}

/** Returns one sentence about this project, and one about Custodian. */
export function conclusionOf(comparison: Comparison): string {
  const { disks, custodian } = comparison;
  const problems = findProblems(comparison);
  if (problems.length > 0) return `The comparison failed: ${problems.join("; ")}.`;
  const { repeated, gatewayTimeout, throttled } = custodian;
  return [
    `This project created exactly one snapshot of each of ${count(disks, "disk")} in every scenario, except of the disk that is always throttled, which a record names.`,
    `Custodian: ${count(repeated[1]?.doubled ?? 0, "disk")} with two snapshots after a second run, ${count(gatewayTimeout[0]?.missing ?? 0, "disk")} without a snapshot after one lost response, ${count(throttled[0]?.missing ?? 0, "disk")} without a snapshot if one disk is throttled.`,
  ].join(" ");
}

/** Returns the rows of the table, with the header first: the scenario, the measured value, this project, Custodian. */
export function tableRows({ project, custodian }: Comparison): string[][] {
  const row = (scenario: string, value: string, name: Scenario, index: number, format: (run: ToolRun) => string) => {
    const cells = [project, custodian].map((results) => results[name][index]);
    return [scenario, value, ...cells.map((run) => (run === undefined ? "" : format(run)))];
  };
  const doubled = ({ doubled }: ToolRun) => String(doubled);
  const missing = ({ missing }: ToolRun) => String(missing);
  const seconds = (run: ToolRun) => run.seconds.toFixed(1);
  const exit = (run: ToolRun) => run.exit;
  const lostResponse = (scenario: string, name: Scenario) => [
    row(scenario, "disks without a snapshot", name, 0, missing),
    row("", "disks with two snapshots", name, 0, doubled),
    row("", "result", name, 0, exit),
    row("", "disks without a snapshot after one more run", name, 1, missing),
    row("", "disks with two snapshots after one more run", name, 1, doubled),
  ];
  return [
    ["scenario", "measured value", "this project", "Custodian"],
    row("first run", "snapshots created", "repeated", 0, (run) => String(run.created)),
    row("", "seconds, whole process", "repeated", 0, seconds),
    row("", "CPU seconds, whole process", "repeated", 0, (run) => run.cpuSeconds.toFixed(1)),
    row("", "peak RSS MiB", "repeated", 0, (run) => (run.rssPeak / MB).toFixed(0)),
    row("", "requests", "repeated", 0, (run) => String(run.requests)),
    row("", "result", "repeated", 0, exit),
    row("second run", "disks with two snapshots", "repeated", 1, doubled),
    row("", "snapshots created", "repeated", 1, (run) => String(run.created)),
    row("", "seconds, whole process", "repeated", 1, seconds),
    row("", "result", "repeated", 1, exit),
    ...lostResponse("one response is a 504, although the snapshot was created", "gatewayTimeout"),
    ...lostResponse("one connection breaks after the snapshot was created", "reset"),
    row("one disk is always throttled (429)", "disks without a snapshot", "throttled", 0, missing),
    row("", "of these, not named in an error", "throttled", 0, (run) => String(run.unnamed)),
    row("", "seconds, whole process", "throttled", 0, seconds),
    row("", "result", "throttled", 0, exit),
  ];
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
