import { clusterSnapshot } from "./cluster-snapshot.ts";
import type { Kind } from "./kind.ts";
import { snapshot } from "./snapshot.ts";
import { snapshotGroup } from "./snapshot-group.ts";
import { standardSnapshot } from "./standard-snapshot.ts";

/** Lists all kinds by name. Everything else derives its list of kinds from this one. */
export const KINDS = {
  [snapshot.name]: snapshot,
  [standardSnapshot.name]: standardSnapshot,
  [snapshotGroup.name]: snapshotGroup,
  [clusterSnapshot.name]: clusterSnapshot,
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
