/** Defines the records of servers, disks, clusters, snapshots and jobs in the inventory. */
import type { Stored } from "./time-ordered-store.ts";

export type Kind = "snapshot" | "standard-snapshot" | "snapshot-group" | "cluster-snapshot";
export type Tags = Record<string, string>;

export interface ServerRecord extends Stored {
  name: string;
  status: string;
  tags: Tags;
  enterpriseProjectId: string;
}

export interface AttachmentRecord {
  id: string;
  volumeId: string;
  serverId: string;
  device: string;
  /** Before this time, in epoch milliseconds, the disk is `attaching`. */
  attachedAt: number;
}

export interface VolumeRecord extends Stored {
  name: string;
  description: string | null;
  size: number;
  volumeType: string;
  availabilityZone: string;
  tags: Tags;
  metadata: Tags;
  enterpriseProjectId: string;
  multiattach: boolean;
  /** Overrides the status that follows from the attachments. */
  status: string | undefined;
  attachments: AttachmentRecord[];
}

export interface ClusterRecord extends Stored {
  name: string;
  status: string;
  subStatus: string;
  /** Overrides the task that follows from the snapshots. */
  taskStatus: string | undefined;
  tags: Tags;
  enterpriseProjectId: string;
}

interface SnapshotBase extends Stored {
  kind: Kind;
  /** The id of the disk, cluster or server. Empty for a group of disks without a server. */
  resourceId: string;
  name: string;
  description: string | null;
  /** The string that responses show as the creation time. If `text` is undefined, they show no creation time. */
  createdText?: { text: string | undefined };
  /** 0 to 999. Makes the times of snapshots differ that are created in the same millisecond. */
  microseconds: number;
  /** Until this time the snapshot is `creating`. `Infinity` means that it is stuck. */
  readyAt: number;
  /** The status after `readyAt`. */
  endStatus: string;
  /** Lists omit the snapshot until this time. */
  visibleAt: number;
  updatedAt: number | undefined;
  /** When the deletion ends. Undefined unless the snapshot is `deleting`. */
  goneAt: number | undefined;
  size: number;
  enterpriseProjectId: string;
}

export interface LegacySnapshot extends SnapshotBase {
  kind: "snapshot";
  metadata: Tags;
}

export interface StandardSnapshot extends SnapshotBase {
  kind: "standard-snapshot";
  groupId: string | null;
  tags: Tags;
  incremental: boolean;
  instantAccess: boolean;
  snapshotType: string;
  availabilityZone: string;
}

export interface SnapshotGroup extends SnapshotBase {
  kind: "snapshot-group";
  volumeIds: string[];
  memberIds: string[];
  tags: Tags;
  incremental: boolean;
  instantAccess: boolean;
}

export interface ClusterSnapshot extends SnapshotBase {
  kind: "cluster-snapshot";
  clusterName: string;
  type: string;
}

export interface SnapshotOf {
  snapshot: LegacySnapshot;
  "standard-snapshot": StandardSnapshot;
  "snapshot-group": SnapshotGroup;
  "cluster-snapshot": ClusterSnapshot;
}

export type AnySnapshot = SnapshotOf[Kind];

export interface Job {
  id: string;
  type: string;
  beganAt: number;
  /** Returns the status at the time `now`, and when the job ended. */
  outcome(now: number): { status: "RUNNING" | "SUCCESS" | "FAIL"; endedAt: number | undefined; reason?: string };
}

/** Returns the creation time that responses show: `usual`, unless a test has set another text. */
export function shownCreation({ createdText }: AnySnapshot, usual: string): string | undefined {
  return createdText ? createdText.text : usual;
}
