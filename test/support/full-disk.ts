import { before } from "../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../shared/snapshots/kinds/kind.ts";
import type { PrunePolicy } from "../../shared/snapshots/retention/prune.ts";
import { DAY_MS, START, snapshotOf } from "./domain.ts";

export const NIGHTLY: PrunePolicy = { policy: "nightly", retention: { keep_last: 5 } };
export const OPTIONS = { volume_id: "disk-1" };

/** Returns `count` snapshots of the disk, newest first. `changes` applies by index. */
export const found = (count: number, changes: Record<number, Partial<FoundSnapshot>> = {}) =>
  Array.from({ length: count }, (_, index) =>
    snapshotOf(`s-${index}`, "disk-1", { created: before(START, index * DAY_MS), ...changes[index] }),
  );

export const LIST = "listFor snapshot disk-1";
