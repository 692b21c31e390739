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
  /** The disk status that a test has set. If undefined, the attachments of the disk determine its status. */
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
  /** The creation time that a test has set for responses. If `text` is undefined, responses contain no creation time. */
  creationTimeOverride?: { text: string | undefined };
  /**
   * The microseconds after the millisecond `createdAt`, from 0 to 999. Snapshots of the same millisecond have different
   * microseconds.
   */
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
 * Maps the name of each kind of snapshot to the type of its stored record. Each file in `services/` that implements a kind adds
 * its entry by declaration merging, so nobody must edit this file for a new kind.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the files of the services add the properties
export interface SnapshotRecordByKind {}

/**
 * Maps the name of each kind of snapshot to the options that `addSnapshot` accepts only for this kind. Each file in `services/`
 * that implements a kind adds its entry by declaration merging.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the files of the services add the properties
export interface SeedOptionsByKind {}

export type Kind = keyof SnapshotRecordByKind;
export type AnySnapshotRecord = SnapshotRecordByKind[Kind];

/**
 * How a service spells three statuses of a snapshot: during its creation, after its creation has succeeded, and after its
 * creation has failed.
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
  /** What the job works on, such as a disk, in the form of the service's job responses. */
  entities: Record<string, unknown>;
  /** The jobs that this job consists of. */
  parts: Job[];
  /** Returns the status of the job at the time `now`, and when the job finished. */
  statusAt(now: number): { status: "RUNNING" | "SUCCESS" | "FAIL"; endedAt: number | undefined; reason?: string };
}

/** Returns the creation time for responses: the string that a test has set, or `usual` if no test has set a string. */
export function creationTimeInResponse({ creationTimeOverride }: AnySnapshotRecord, usual: string): string | undefined {
  return creationTimeOverride ? creationTimeOverride.text : usual;
}
