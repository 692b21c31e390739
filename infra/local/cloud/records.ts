/** Defines the records of servers, disks, clusters, snapshots and jobs in the inventory. */
import type { Stored } from "./time-ordered-store.ts";

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

/** The fields that the records of all kinds of snapshots have. */
export interface SnapshotRecord extends Stored {
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

/**
 * Maps the name of each kind of snapshot to the type of its record. The file of the service that implements a kind adds the kind
 * by declaration merging, so a new kind changes no other file.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the files of the services add the properties
export interface SnapshotOf {}

/** Maps the name of each kind of snapshot to the fields with which a test adds such a snapshot. Extended like `SnapshotOf`. */
// biome-ignore lint/suspicious/noEmptyInterface: the files of the services add the properties
export interface SeedOf {}

export type Kind = keyof SnapshotOf;
export type AnySnapshot = SnapshotOf[Kind];

/** The status of a snapshot in each phase, in the spelling of the service. */
export interface Statuses {
  creating: string;
  available: string;
  error: string;
}

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
