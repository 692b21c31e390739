import { clusterSnapshot } from "./cluster-snapshot.ts";
import type { Kind } from "./kind.ts";
import { snapshot } from "./snapshot.ts";
import { snapshotGroup } from "./snapshot-group.ts";
import { standardSnapshot } from "./standard-snapshot.ts";

/** The registry of kinds: one line each. Nothing else in the project lists them. */
export const KINDS = {
  [snapshot.name]: snapshot,
  [standardSnapshot.name]: standardSnapshot,
  [snapshotGroup.name]: snapshotGroup,
  [clusterSnapshot.name]: clusterSnapshot,
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
