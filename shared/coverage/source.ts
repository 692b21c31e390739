import type { FoundSnapshot } from "../snapshots/kinds/kind.ts";
import type { ResourceType } from "./coverage.ts";

/** The kinds of snapshots that protect disks and clusters. */
export type CoveredKind = "snapshot" | "standard-snapshot" | "snapshot-group" | "cluster-snapshot";

/** A disk or cluster in a list response. */
export interface ListedResource {
  id: string;
  name: string;
  sizeGb?: number;
  /** The ids of the servers that a disk is attached to. */
  serverIds: readonly string[];
  tags: Readonly<Record<string, string>>;
  /** True if the row contains no tags, or tags in an unknown format, so the resource can have other tags than `tags`. */
  hasOtherTags?: boolean;
}

/**
 * The lists that a coverage report needs. The list functions reject with a SnapshotError. If reading a list fails or the list is
 * incomplete, the promise rejects although some rows were already visited. A row with an id can be visited several times.
 */
export interface CoverageSource {
  projectId: string;
  /**
   * Visits every disk or cluster of the project.
   *
   * @returns the number of rows without a valid id, which were not visited
   */
  listResources(type: ResourceType, visit: (resource: ListedResource) => void): Promise<number>;
  /**
   * Visits every snapshot of one kind. Visits snapshot groups without their members: the members are in the list of standard
   * snapshots. Rows without an id or a status are visited as snapshots in the state `unknown`. The field `resource` is a valid id
   * or undefined.
   */
  listSnapshots(kind: CoveredKind, visit: (found: FoundSnapshot) => void): Promise<void>;
  /** Returns whether it is known that nothing in the deployment uses this kind, so the endpoint does not have to offer it. */
  isUnused(kind: CoveredKind): boolean;
}
