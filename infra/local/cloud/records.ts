/** Defines how the embedded cloud stores servers, disks, clusters, snapshots and jobs. */
import type { StoredItem } from "./time-ordered-store.ts";

export type Tags = Record<string, string>;

export interface ServerRecord extends StoredItem {
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
  /** When the attachment is complete, in epoch milliseconds. Until then the disk has the status `attaching`. */
  attachedAt: number;
}

export interface VolumeRecord extends StoredItem {
  name: string;
  description: string | null;
  size: number;
  volumeType: string;
  availabilityZone: string;
  tags: Tags;
  metadata: Tags;
  enterpriseProjectId: string;
  multiattach: boolean;
  /** The disk status that a test has set. If undefined, the status depends on the attachments. */
  status: string | undefined;
  attachments: AttachmentRecord[];
}

export interface ClusterRecord extends StoredItem {
  name: string;
  status: string;
  subStatus: string;
  /**
   * The running task of the cluster, if a test has set it. If undefined, the task is `SNAPSHOTTING` while a snapshot of the
   * cluster is being created.
   */
  taskStatus: string | undefined;
  tags: Tags;
  enterpriseProjectId: string;
}

/** The stored data of a snapshot, without the fields that only some kinds of snapshots have. */
export interface SnapshotRecord extends StoredItem {
  kind: Kind;
  /**
   * The id of the disk, cluster or server that the snapshot was created of. Empty for a snapshot group that was created without
   * a server id.
   */
  resourceId: string;
  name: string;
  description: string | null;
  /** A test has set `text` as the creation time in responses. If `text` is undefined, responses contain no creation time. */
  creationTimeOverride?: { text: string | undefined };
  /** The last three digits of the creation time, from 0 to 999. Snapshots of the same millisecond differ in these digits. */
  microseconds: number;
  /**
   * When the creation of the snapshot finishes, in epoch milliseconds. Until then the snapshot is `creating`. `Infinity` means
   * that the creation never finishes.
   */
  readyAt: number;
  /** The status that the snapshot has after `readyAt`, such as `available`. */
  finalStatus: string;
  /** When list responses begin to contain the snapshot, in epoch milliseconds. */
  visibleAt: number;
  updatedAt: number | undefined;
  /** When the deletion of the snapshot finishes, in epoch milliseconds. Undefined unless the snapshot is `deleting`. */
  deletedAt: number | undefined;
  size: number;
  enterpriseProjectId: string;
}

/**
 * Maps the name of each kind of snapshot to the type of its stored record. The file in `services/` that implements a kind adds
 * it here by declaration merging, so a new kind changes no other file.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the files of the services add the properties
export interface SnapshotRecordByKind {}

/**
 * Maps the name of each kind of snapshot to the options that `addSnapshot` accepts only for this kind. The file in `services/`
 * that implements the kind adds it here by declaration merging.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the files of the services add the properties
export interface SeedOptionsByKind {}

export type Kind = keyof SnapshotRecordByKind;
export type AnySnapshotRecord = SnapshotRecordByKind[Kind];

/**
 * The statuses of a snapshot during its creation, after a successful creation and after a failed creation, as its service
 * spells them.
 */
export interface CreationStatuses {
  creating: string;
  available: string;
  error: string;
}

export interface Job {
  id: string;
  type: string;
  beganAt: number;
  /** Returns the status of the job at the time `now`, and when the job finished. */
  statusAt(now: number): { status: "RUNNING" | "SUCCESS" | "FAIL"; endedAt: number | undefined; reason?: string };
}

/** Returns the creation time for responses: the string that a test has set, or `usual` if no test has set a string. */
export function creationTimeInResponse({ creationTimeOverride }: AnySnapshotRecord, usual: string): string | undefined {
  return creationTimeOverride ? creationTimeOverride.text : usual;
}
