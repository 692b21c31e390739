// Made from the files of this folder by `npm run generate`. Do not edit.
import { snapshot } from "./snapshot.ts";
import { standardSnapshot } from "./standard-snapshot.ts";
import { snapshotGroup } from "./snapshot-group.ts";
import { clusterSnapshot } from "./cluster-snapshot.ts";
import type { Kind } from "./kind.ts";

/** All kinds of snapshots, by name. */
export const KINDS = {
  "snapshot": snapshot,
  "standard-snapshot": standardSnapshot,
  "snapshot-group": snapshotGroup,
  "cluster-snapshot": clusterSnapshot,
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
