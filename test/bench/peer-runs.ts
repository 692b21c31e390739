/** Runs scheduled-snapshots and Cloud Custodian against the embedded cloud, each run in a new process. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { type EmbeddedCloud, startCloud } from "../../infra/local/cloud/index.ts";
import { custodianCommand } from "./custodian.ts";
import { variablesFor } from "./large-runs.ts";
import { SCENARIOS, type Scenario, type ToolResults, type ToolRun } from "./peer-report.ts";
import { DIST, type Measured, run, timerEvent } from "./process.ts";

/** The delay of each request in milliseconds. */
export const LATENCY_MS = 5;
/** The rate limit in the 429 responses for the throttled disk, in requests per second. */
const THROTTLED_LIMIT = 50;

/**
 * The timeout of an invocation in milliseconds. The function retries a throttled request until shortly before this timeout, so a
 * longer timeout makes only the scenario `throttled` longer.
 */
export const TIMEOUT_MS = 120_000;

/** The part of a run that the tool itself reports. `names` returns whether an error message or a failure record names a disk. */
type Reported = Pick<ToolRun, "failed" | "exit" | "seconds" | "cpuSeconds" | "rssPeak" | "unrecorded"> & {
  names(disk: string): boolean;
};

/** A tool that creates one snapshot of each disk of a cloud. `start` returns a function that runs the tool once. */
interface Tool {
  start(cloud: EmbeddedCloud, disks: readonly string[]): { run(): Promise<Reported>; remove(): void };
}

const PROJECT: Tool = {
  start(cloud, disks) {
    const bundle = join(DIST, "scheduled-snapshots", "index.js");
    // Every run gets the same event, as if the platform had delivered the event again.
    const event = timerEvent({ policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    const topic = { LTS_ENDPOINT: cloud.url, LTS_LOG_GROUP_ID: "group", LTS_LOG_STREAM_ID: "stream" };
    const variables = variablesFor(cloud, { SHARD_SIZE: "10000", TIMEOUT_MS: String(TIMEOUT_MS), ...topic });
    return {
      async run() {
        const linesBefore = cloud.logs.length;
        const began = performance.now();
        const measured: Measured = await run({ bundle, event, variables });
        const seconds = (performance.now() - began) / 1000;
        const records = cloud.logs.slice(linesBefore).map(({ line }) => line as LoggedRecord);
        const failed = measured.result.error !== undefined;
        const failures = new Set(records.filter(({ outcome }) => outcome === "failed").map((each) => each.resource_id));
        return {
          failed,
          exit: failed ? "failed" : "succeeded",
          seconds,
          cpuSeconds: measured.cpuTotal / 1000,
          rssPeak: measured.rssPeak,
          unrecorded: countUnrecorded(records, disks),
          names: (disk) => failures.has(disk),
        };
      },
      remove() {},
    };
  },
};

const CUSTODIAN: Tool = {
  start(cloud) {
    const { program, args, env, remove } = custodianCommand(cloud);
    return {
      async run() {
        const began = performance.now();
        const { stdout, stderr } = await runProcess(program, args, env);
        const seconds = (performance.now() - began) / 1000;
        const report = readCustodianReport(stdout, stderr);
        const errors = errorLines(stderr);
        return {
          failed: report.exit !== 0,
          exit: `exit code ${report.exit}`,
          seconds,
          cpuSeconds: report.cpuSeconds,
          rssPeak: report.rssPeak,
          names: (disk) => errors.includes(disk),
        };
      },
      remove,
    };
  },
};

/** The fields of a result record that this file reads. */
interface LoggedRecord {
  resource_id?: string;
  outcome?: string;
}

/** Returns how many disks do not have exactly one record. */
export function countUnrecorded(records: readonly LoggedRecord[], disks: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const { resource_id } of records)
    if (resource_id !== undefined) counts.set(resource_id, (counts.get(resource_id) ?? 0) + 1);
  return disks.filter((disk) => counts.get(disk) !== 1).length;
}

/** Parses the line of JSON that custodian.py prints. */
export function readCustodianReport(
  stdout: string,
  stderr: string,
): { exit: number; rssPeak: number; cpuSeconds: number } {
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  } catch {
    throw new Error(`Custodian did not run. The end of its error output is:\n${stderr.slice(-2_000)}`);
  }
}

/** Returns the lines of Custodian's log without those of the levels DEBUG and INFO, which name every disk. */
export function errorLines(log: string): string {
  return log
    .split("\n")
    .filter((line) => !/^[-\d]+ [\d:,]+: [\w.-]+:(?:DEBUG|INFO) /.test(line))
    .join("\n");
}

/** Runs both tools in every scenario, one tool after the other. */
export async function runScenarios(disks: number): Promise<{ project: ToolResults; custodian: ToolResults }> {
  // The first run of a program reads its files from the disk. This run is not measured.
  for (const tool of [PROJECT, CUSTODIAN]) await runScenario(tool, "repeated", 1);
  const none = (): ToolResults => ({ repeated: [], gatewayTimeout: [], reset: [], throttled: [] });
  const results = { project: none(), custodian: none() };
  for (const scenario of SCENARIOS) {
    console.error(`Scenario ${scenario}: running this project and Custodian.`);
    results.project[scenario] = await runScenario(PROJECT, scenario, disks);
    results.custodian[scenario] = await runScenario(CUSTODIAN, scenario, disks);
  }
  return results;
}

/** Runs a tool in one scenario on a new cloud. The faults apply only to the first run. */
async function runScenario(tool: Tool, scenario: Scenario, diskCount: number): Promise<ToolRun[]> {
  const cloud = await startCloud({ latencyMs: LATENCY_MS, keepRequests: false });
  let remove = () => {};
  try {
    const disks = Array.from({ length: diskCount }, () => cloud.addVolume({ tags: { backup: "daily" } }).id);
    const started = tool.start(cloud, disks);
    remove = started.remove;
    const fault = injectFault(cloud, scenario, disks);
    const runs: ToolRun[] = [];
    for (let index = 0; index < (scenario === "throttled" ? 1 : 2); index += 1) {
      const before = { requests: cloud.count(/./), snapshots: cloud.snapshots("snapshot").length };
      const { names, ...reported } = await started.run();
      cloud.clearFaults();
      const counts = new Map<string, number>();
      const snapshots = cloud.snapshots("snapshot");
      for (const { volume_id } of snapshots) counts.set(String(volume_id), (counts.get(String(volume_id)) ?? 0) + 1);
      const missing = disks.filter((disk) => !counts.has(disk));
      runs.push({
        ...reported,
        requests: cloud.count(/./) - before.requests,
        created: snapshots.length - before.snapshots,
        doubled: [...counts.values()].filter((count) => count > 1).length,
        missing: missing.length,
        unnamed: missing.filter((disk) => !names(disk)).length,
        ...(index === 0 && fault !== undefined ? { faultHits: fault.hits } : {}),
      });
    }
    return runs;
  } finally {
    // Otherwise the listening server would keep the command alive if a run fails.
    remove();
    await cloud.close();
  }
}

/** Injects the fault of a scenario. Returns its handle, or undefined if the scenario has no fault. */
function injectFault(cloud: EmbeddedCloud, scenario: Scenario, disks: readonly string[]) {
  const operation = "evs.createSnapshot";
  const middle = Math.ceil(disks.length / 2);
  if (scenario === "gatewayTimeout")
    return cloud.fault({ operation, nth: middle }, { type: "status", status: 504, after: true });
  if (scenario === "reset") return cloud.fault({ operation, nth: middle }, { type: "reset", after: true });
  if (scenario === "throttled")
    return cloud.fault({ operation, resource: disks[middle - 1] }, { type: "throttle", limit: THROTTLED_LIMIT });
  return undefined;
}

/** Runs a program and returns its output. */
function runProcess(program: string, args: readonly string[], env: Record<string, string>) {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  return new Promise<typeof output>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}
