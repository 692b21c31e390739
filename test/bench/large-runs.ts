/** Runs functions on an embedded cloud with many disks and snapshots. Each invocation has its own process. */
import { join } from "node:path";
import { type EmbeddedCloud, ScaledClock, startCloud } from "../../infra/local/cloud/index.ts";
import { endpointsAt } from "../support/user-data.ts";
import { DIST, type Measured, run, timerEvent } from "./process.ts";

const PER_SECOND = 50;
const LATENCY_MS = 30;
/**
 * How many times faster than real time the clocks run. CPU work is not faster, so it takes a larger share of a run than in
 * reality: twice the share in a normal run, and five times the share in a slow run.
 */
const FACTOR = { normal: 2, slow: 5 };

/** Node.js options that limit memory about as much as a cgroup of 128 MB does. In such a cgroup, the measured peak was 83 MiB. */
export const IN_128_MB = ["--max-old-space-size=64", "--max-semi-space-size=1"] as const;

export function variablesFor(cloud: EmbeddedCloud, more: Record<string, string> = {}): Record<string, string> {
  const endpoints = endpointsAt(cloud.url, ["EVS", "DWS", "ECS", "FUNCTIONGRAPH"]);
  return { REGION: cloud.region, PROJECT_ID: cloud.projectId, ...endpoints, ...more };
}

/** What a run of scheduled-snapshots for many disks shall be like. */
interface RunOptions {
  disks: number;
  /** The maximum number of disks that one invocation processes. */
  shardSize: number;
  /** Whether the memory of each process is limited as in 128 MB. */
  in128Mb: boolean;
  /** Whether CPU work takes five times as long. */
  isSlow: boolean;
}

export interface ScheduledRun extends RunOptions {
  invocations: number;
  snapshots: number;
  duplicates: number;
  /** The number of duplicates that no record of a run names. */
  unnamed: number;
  /** The number of disks without exactly one record of their result. */
  unrecorded: number;
  requests: number;
  throttled: number;
  seconds: number;
  /** The time in seconds that the rate limit needs for the accepted requests. */
  minSeconds: number;
  /** The largest peak RSS of a process in bytes. */
  rssPeak: number;
  /** CPU time of all processes in milliseconds. */
  cpu: number;
}

/** Runs scheduled-snapshots for disks that its policy selects. */
export async function runScheduled(runOptions: RunOptions): Promise<ScheduledRun> {
  const { disks, shardSize, in128Mb, isSlow } = runOptions;
  const options = in128Mb ? IN_128_MB : [];
  const factor = isSlow ? FACTOR.slow : FACTOR.normal;
  const bundle = join(DIST, "scheduled-snapshots", "index.js");
  const invocations: Promise<Measured>[] = [];
  const invoke = (event: unknown) => run({ bundle, event, variables, factor, options });
  const cloud: EmbeddedCloud = await startCloud({
    clock: new ScaledClock(factor),
    rate: { perSecond: PER_SECOND },
    latencyMs: LATENCY_MS / factor,
    keepRequests: false,
    onInvokeAsync: ({ payload }) => void invocations.push(invoke(payload)),
  });
  const variables = variablesFor(cloud, {
    SHARD_SIZE: String(shardSize),
    LTS_ENDPOINT: cloud.url,
    LTS_LOG_GROUP_ID: "group",
    LTS_LOG_STREAM_ID: "stream",
  });
  for (let index = 0; index < disks; index += 1) cloud.addVolume({ tags: { backup: "daily" } });
  const started = cloud.clock.now();
  const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];
  const first = await invoke(timerEvent({ policy: "nightly", targets }));
  await cloud.idle();
  const runs = [first, ...(await Promise.all(invocations))];
  const seconds = (cloud.clock.now() - started) / 1000;
  const throttled = cloud.count(/./, 429);
  const requests = cloud.count(/^(evs|functiongraph)\./);
  const snapshots = cloud.snapshots("snapshot");
  const { duplicates, unnamed } = findDuplicates(cloud);
  const unrecorded = countUnrecorded(cloud, disks);
  await cloud.close();
  return {
    ...runOptions,
    invocations: runs.length,
    snapshots: snapshots.length,
    duplicates,
    unnamed,
    unrecorded,
    requests,
    throttled,
    seconds,
    // The embedded cloud accepts a first burst of PER_SECOND requests. The rate limit delays only the requests after the burst.
    minSeconds: Math.max(0, (requests - throttled - PER_SECOND) / PER_SECOND),
    rssPeak: Math.max(...runs.map((one) => one.rssPeak)),
    cpu: runs.reduce((sum, one) => sum + one.cpu, 0),
  };
}

/** The fields of a result record that the checks of a run read. */
interface LoggedRecord {
  action?: string;
  resource_id?: string;
  outcome?: string;
  detail?: string;
  request_id?: string;
}

const recordsOf = (cloud: EmbeddedCloud): LoggedRecord[] => cloud.logs.map(({ line }) => line as LoggedRecord);

/** Returns how many snapshots are duplicates, and how many of these no record of a run names. */
function findDuplicates(cloud: EmbeddedCloud): { duplicates: number; unnamed: number } {
  const seen = new Set<string>();
  const duplicates = cloud.snapshots("snapshot").filter(({ volume_id }) => {
    const isKnown = seen.has(String(volume_id));
    seen.add(String(volume_id));
    return isKnown;
  });
  const details = recordsOf(cloud)
    .filter(({ action }) => action === "run")
    .map(({ detail = "" }) => detail)
    .join(" ");
  return {
    duplicates: duplicates.length,
    unnamed: duplicates.filter(({ volume_id }) => !details.includes(String(volume_id))).length,
  };
}

/** Returns how many disks do not have exactly one record that is not `deferred`. */
function countUnrecorded(cloud: EmbeddedCloud, disks: number): number {
  const counts = new Map<string, number>();
  for (const { resource_id, outcome } of recordsOf(cloud))
    if (resource_id !== undefined && outcome !== "deferred")
      counts.set(resource_id, (counts.get(resource_id) ?? 0) + 1);
  return disks - [...counts.values()].filter((count) => count === 1).length;
}

/**
 * Returns the maximum share by which a run of 10,000 disks may exceed the minimum time of the rate limit.
 */
export const maxExcessOf = ({ invocations }: ScheduledRun): number => (invocations === 1 ? 0.05 : 0.15);

/** Returns what is wrong with the snapshots, the records and the requests of a run, or an empty array. */
export function findProblems(run: ScheduledRun): string[] {
  const { disks, snapshots, duplicates, unnamed, unrecorded, invocations, requests, throttled, seconds, isSlow } = run;
  const maxRequests = disks + throttled + invocations * (seconds + 20 + disks / 1_000);
  const problems = [
    ...(snapshots - duplicates === disks ? [] : [`${disks - snapshots + duplicates} disks have no snapshot`]),
    ...(unrecorded === 0 ? [] : [`${unrecorded} disks do not have exactly one record`]),
    ...(unnamed === 0 ? [] : [`${unnamed} duplicates are named in no record`]),
    ...(isSlow || duplicates === 0 ? [] : [`${duplicates} duplicates`]),
    ...(requests <= maxRequests ? [] : [`${requests} requests instead of at most ${maxRequests.toFixed(0)}`]),
  ];
  return problems.map((problem) => `${disks} disks in ${invocations} invocations: ${problem}`);
}
