// Made from the files of this folder by `npm run generate`. Do not edit.
import { snapshotKind } from "./snapshot.ts";
import { standardSnapshotKind } from "./standard-snapshot.ts";
import { snapshotGroupKind } from "./snapshot-group.ts";
import { clusterSnapshotKind } from "./cluster-snapshot.ts";
import type { Kind } from "./kind.ts";

/** All kinds of snapshots, by name. */
export const KINDS = {
  "snapshot": snapshotKind,
  "standard-snapshot": standardSnapshotKind,
  "snapshot-group": snapshotGroupKind,
  "cluster-snapshot": clusterSnapshotKind,
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

/** The names of all kinds. A bundle that needs only the names does not contain the kinds. */
export const KIND_NAMES: readonly string[] = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];
