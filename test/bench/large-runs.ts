/** Runs functions on an embedded cloud with many disks and snapshots. Each invocation has its own process. */
import { join } from "node:path";
import { type EmbeddedCloud, ScaledClock, startCloud } from "../../infra/local/cloud/index.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import { endpointsAt } from "../support/user-data.ts";
import { DIST, type Measured, run, timerEvent } from "./process.ts";

const PER_SECOND = 50;
const LATENCY_MS = 30;
/**
 * How many times faster than real time the clocks run. CPU work is not faster, so it takes a larger share of a run than in
 * reality.
 */
const FACTOR = Number(process.env.FACTOR ?? 5);

/** Node.js options that limit memory about as much as a cgroup of 128 MB does. In such a cgroup, the measured peak was 83 MiB. */
export const IN_128_MB = ["--max-old-space-size=64", "--max-semi-space-size=1"] as const;

function variablesFor(cloud: EmbeddedCloud, more: Record<string, string> = {}): Record<string, string> {
  const endpoints = endpointsAt(cloud.url, ["EVS", "DWS", "ECS", "FUNCTIONGRAPH"]);
  return { REGION: cloud.region, PROJECT_ID: cloud.projectId, ...endpoints, ...more };
}

/** Runs scheduled-snapshots for disks that its policy selects. One invocation processes at most `shardSize` disks. */
export async function runScheduled(disks: number, shardSize: number, options: readonly string[] = []) {
  const bundle = join(DIST, "scheduled-snapshots", "index.js");
  const invocations: Promise<Measured>[] = [];
  const invoke = (event: unknown) => run({ bundle, event, variables, factor: FACTOR, options });
  const cloud: EmbeddedCloud = await startCloud({
    clock: new ScaledClock(FACTOR),
    rate: { perSecond: PER_SECOND },
    latencyMs: LATENCY_MS / FACTOR,
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
  await cloud.close();
  return {
    disks,
    invocations: runs.length,
    snapshots: snapshots.length,
    duplicates: snapshots.length - new Set(snapshots.map(({ volume_id }) => volume_id)).size,
    requests,
    throttled,
    seconds,
    // The embedded cloud accepts a first burst of PER_SECOND requests. The rate limit delays only the requests after the burst.
    minSeconds: Math.max(0, (requests - throttled - PER_SECOND) / PER_SECOND),
    rssPeak: Math.max(...runs.map((one) => one.rssPeak)),
    cpu: runs.reduce((sum, one) => sum + one.cpu, 0),
  };
}

/** Measures the CPU time and memory of a prune-snapshots run. The policy keeps every snapshot, so the run deletes none. */
export async function runPrune(snapshots: number, options: readonly string[] = []) {
  const cloud = await startCloud({ keepRequests: false });
  const disks = Array.from({ length: snapshots / 400 }, () => cloud.addVolume().id);
  for (let index = 0; index < snapshots; index += 1) {
    const key = deriveKey("schedule", "nightly", String(index));
    cloud.addSnapshot({
      kind: "snapshot",
      volumeId: disks[index % disks.length] as string,
      createdAt: Date.now() - index * 60_000,
      status: "available",
      metadata: { "managed-by": "snapshot-functions", policy: "nightly", key, content: "00000000" },
    });
  }
  const bundle = join(DIST, "prune-snapshots", "index.js");
  const event = timerEvent({ policy: "nightly", retention: { keep_last: snapshots } });
  const { cpu, rssPeak, result } = await run({ bundle, event, variables: variablesFor(cloud), options });
  await cloud.close();
  return { snapshots, cpu, rssPeak, outcomes: result.outcomes };
}
