/** Declares the coverage report: which disks and clusters have a good and recent snapshot, and why the others have none. */
import type { SnapshotError } from "../core/errors.ts";
import type { Instant } from "../core/instant.ts";

/** The types of resources in a coverage report. */
export const RESOURCE_TYPES = ["volume", "cluster"] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

/**
 * The states of a resource. A resource has the first state in this order that applies to it:
 *
 * - `excluded`: the resource has one of the excluded tags.
 * - `protected`: its newest good snapshot is recent enough.
 * - `unknown`: a list that could contain a good snapshot could not be read, or the status or the creation time of the newest
 *   snapshot is unknown.
 * - `failing`: every attempt since the newest good snapshot failed, or all attempts failed if there is no good snapshot.
 * - `stale`: the newest good snapshot is too old.
 * - `unprotected`: no good snapshot exists.
 */
export const COVERAGE_STATES = ["excluded", "protected", "unknown", "failing", "stale", "unprotected"] as const;
export type CoverageState = (typeof COVERAGE_STATES)[number];

/** A good snapshot from which a resource can be restored. */
export interface RestorePoint {
  /** The kind of the snapshot. A member of a snapshot group has the kind `snapshot-group`. */
  kind: string;
  /** The id of the snapshot. For a member of a snapshot group, the id of the member. */
  id: string;
  /** The id of the group, if the snapshot is a member of a group. */
  groupId?: string;
  name: string;
  created: Instant;
  /** The policy that created the snapshot. Undefined if this project did not create it. */
  policy?: string;
  /** Who created the snapshot, in words, such as `the policy nightly` or `a user`. */
  createdBy: string;
}

/** The coverage of one disk or cluster. */
export interface ResourceCoverage {
  type: ResourceType;
  id: string;
  name: string;
  state: CoverageState;
  /** Why the resource has this state, as a sentence that also says what to do. */
  reason: string;
  sizeGb?: number;
  /** The ids of the servers that a disk is attached to. */
  serverIds: readonly string[];
  tags: Readonly<Record<string, string>>;
  /** The number of good snapshots. */
  good: number;
  /** The number of failed snapshots. */
  failed: number;
  /** The policies of snapshot-functions that created snapshots of the resource, in alphabetical order. */
  policies: readonly string[];
  /** The newest good snapshot. */
  newest?: RestorePoint;
  /** The newest good snapshots, newest first, at most `MAX_RESTORE_POINTS`. */
  restorePoints: readonly RestorePoint[];
  /** What happened on each of the last `TIMELINE_DAYS` days, oldest first. Each element is a sum of `TIMELINE` values. */
  timeline: Uint8Array;
}

/** A snapshot of a disk or cluster that is not in the list of disks or clusters. */
export interface Orphan {
  kind: string;
  id: string;
  resourceId: string;
  created?: Instant;
}

/** The coverage of all resources, before any selection by state or page. */
export interface Coverage {
  generatedAt: Instant;
  maxAgeHours: number;
  /** The id of the project, for the restore calls. */
  projectId: string;
  /** False if a list could not be read completely. */
  complete: boolean;
  /** What could not be read, one sentence each. */
  faults: readonly string[];
  /** The error behind each fault, in the same order. An entry is undefined if no error caused the fault. */
  errors: readonly (SnapshotError | undefined)[];
  /** What was read, but looks wrong, one sentence each. */
  notices: readonly string[];
  /** Sorted by type and id. Contains only resources that the tags select. */
  resources: readonly ResourceCoverage[];
  /** The orphaned snapshots, oldest first, at most `MAX_ORPHANS`. Empty if a list that matters could not be read completely. */
  orphans: readonly Orphan[];
  /** The number of resources in each state, and the number of orphaned snapshots, including those beyond `MAX_ORPHANS`. */
  counts: Readonly<Record<CoverageState | "orphaned", number>>;
}

export const MAX_RESTORE_POINTS = 10;
export const MAX_ORPHANS = 200;
export const TIMELINE_DAYS = 30;
/** The values in a timeline. A day with a good and a failed snapshot has the value `good + failed`. */
export const TIMELINE = { good: 1, failed: 2, creating: 4 } as const;
