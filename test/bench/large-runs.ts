/** Runs over an estate, each function in a process of its own, on the embedded cloud. */
import { join } from "node:path";
import { type EmbeddedCloud, ScaledClock, startCloud } from "../../infra/local/cloud/index.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import { DIST, type Measured, run } from "./process.ts";

const PER_SECOND = 50;
const LATENCY_MS = 30;
/** How many times faster the clocks go; the work of the processes does not, and so counts for more. */
const FACTOR = 5;

/** Near to what Node.js does in a memory cgroup of 128 MB, where one cannot be made; in one the peak was 83 MiB. */
export const IN_128_MB = ["--max-old-space-size=64", "--max-semi-space-size=1"] as const;

const timer = (body: unknown) => ({
  version: "v1.0",
  time: new Date().toISOString(),
  trigger_type: "TIMER",
  trigger_name: "bench",
  user_event: JSON.stringify(body),
});

function variablesFor(cloud: EmbeddedCloud, more: Record<string, string> = {}): Record<string, string> {
  const endpoints = ["EVS", "DWS", "ECS", "FUNCTIONGRAPH"].map((name) => [`${name}_ENDPOINT`, cloud.url]);
  return { REGION: cloud.region, PROJECT_ID: cloud.projectId, ...Object.fromEntries(endpoints), ...more };
}

/** `scheduled-snapshots` over so many disks, `shardSize` an invocation. */
export async function scheduled(disks: number, shardSize: number, options: readonly string[] = []) {
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
  const begun = cloud.clock.now();
  const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];
  const first = await invoke(timer({ policy: "nightly", targets }));
  await cloud.idle();
  const runs = [first, ...(await Promise.all(invocations))];
  const seconds = (cloud.clock.now() - begun) / 1000;
  const throttled = cloud.count(/./, 429);
  const requests = cloud.count(/^(evs|functiongraph)\./);
  const snapshots = cloud.snapshots("snapshot");
  await cloud.close();
  return {
    disks,
    invocations: runs.length,
    snapshots: snapshots.length,
    doubled: snapshots.length - new Set(snapshots.map(({ volume_id }) => volume_id)).size,
    requests,
    throttled,
    seconds,
    // The limit's bucket is full at the beginning.
    least: Math.max(0, (requests - throttled - PER_SECOND) / PER_SECOND),
    rssPeak: Math.max(...runs.map((one) => one.rssPeak)),
    cpu: runs.reduce((sum, one) => sum + one.cpu, 0),
  };
}

/** `prune-snapshots` over so many snapshots that all stay: what it costs to read and to judge them. */
export async function prune(snapshots: number, options: readonly string[] = []) {
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
  const event = timer({ policy: "nightly", retention: { keep_last: snapshots } });
  const { cpu, rssPeak, answer } = await run({ bundle, event, variables: variablesFor(cloud), options });
  await cloud.close();
  return { snapshots, cpu, rssPeak, outcomes: answer.outcomes };
}
