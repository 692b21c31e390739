/** Runs prune-snapshots for 100,000 snapshots in 128 MB of memory. */
import { join } from "node:path";
import { startCloud } from "../../infra/local/cloud/index.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import { IN_128_MB, variablesFor } from "./large-runs.ts";
import { DIST, MB, run, timerEvent } from "./process.ts";

const DISKS = 5_000;
const PER_DISK = 20;
const DAY_MS = 86_400_000;
export const MAX_PRUNE_RSS = 110 * MB;
/** One pass over all list pages to plan, one to confirm, and one to spare. */
export const MAX_PRUNE_PASSES = 3;
/** The number of rows of a list page. */
export const PAGE_ROWS = 1_000;

export interface PruneRun {
  /** The number of snapshots before and after the run. */
  snapshots: number;
  left: number;
  /** CPU time in milliseconds. */
  cpu: number;
  /** The peak RSS in bytes. */
  rssPeak: number;
  /** The number of requests for list pages. */
  pages: number;
}

/** Runs prune-snapshots once. Its policy keeps all but the oldest of the 20 snapshots of each of 5,000 disks. */
export async function runPrune(): Promise<PruneRun> {
  const cloud = await startCloud({ keepRequests: false });
  const disks = Array.from({ length: DISKS }, () => cloud.addVolume().id);
  const now = Date.now();
  for (let day = 0; day < PER_DISK; day += 1) {
    const key = deriveKey("schedule", "nightly", String(day));
    for (const [index, volumeId] of disks.entries()) {
      // The hash of the create options is the same every day.
      const content = index.toString(16).padStart(8, "0");
      const hash = (index * PER_DISK + day).toString(16).padStart(8, "0");
      cloud.addSnapshot({
        kind: "snapshot",
        volumeId,
        name: `nightly-20261121T020000Z-${hash}`,
        createdAt: now - 3_600_000 - day * DAY_MS,
        status: "available",
        metadata: { "managed-by": "snapshot-functions", policy: "nightly", key, content },
      });
    }
  }
  const bundle = join(DIST, "prune-snapshots", "index.js");
  const event = timerEvent({ policy: "nightly", retention: { keep_last: PER_DISK - 1 } });
  const variables = variablesFor(cloud, { MEMORY_MB: "128" });
  const { cpu, rssPeak } = await run({ bundle, event, variables, options: IN_128_MB });
  const pages = cloud.count("evs.listSnapshots");
  const left = cloud.snapshots("snapshot").length;
  await cloud.close();
  return { snapshots: DISKS * PER_DISK, left, cpu, rssPeak, pages };
}

/** Returns what is wrong with the snapshots after a run, or an empty array. */
export function findPruneProblems({ snapshots, left }: PruneRun): string[] {
  const expected = snapshots - DISKS;
  return left === expected ? [] : [`prune-snapshots left ${left} instead of ${expected} snapshots`];
}
