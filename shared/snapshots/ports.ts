import type { Instant } from "../core/instant.ts";
import type { JsonObject } from "../core/json.ts";
import type { FoundSnapshot, Kind, State } from "./kinds/kind.ts";

/** The result of a successful create request. */
export interface CreatedSnapshot {
  snapshotId: string;
  jobId?: string;
  /** The HTTP status of the API's response. */
  status: number;
  /** The unchanged body of the API's response. */
  body: string;
  /** The state of the new snapshot, if the response contains a status. */
  state?: State;
}

/**
 * The operations that `createOnce` needs for one snapshot kind. They reject with a SnapshotError. The clients in
 * shared/huaweicloud implement this interface.
 */
export interface SnapshotCreator {
  /**
   * Sends one create request. Never retries the request, because `createOnce` must list the snapshots before a retry.
   *
   * @param beforeSend is called after the rate limiter, immediately before the request is sent. If it rejects, the request is not
   *   sent, and `create` rejects with the same error.
   */
  create(options: JsonObject, beforeSend?: () => Promise<void>): Promise<CreatedSnapshot>;
  /**
   * Lists every snapshot that a create request with these options may have created. Also lists every snapshot that can make this
   * create request fail, such as a DWS snapshot with the same name.
   */
  listFor(options: JsonObject): Promise<FoundSnapshot[]>;
}

/** All operations on the snapshots of one kind. They reject with a SnapshotError. */
export interface SnapshotService extends SnapshotCreator {
  /**
   * Calls `visit` once for each snapshot of this kind in the project. The function returns no array, because a project can have
   * more snapshots than fit into memory. The state of a snapshot group is derived from the states of its members. If reading
   * the list fails, the promise rejects although some snapshots were already visited.
   *
   * @param isTolerant true to visit rows without an id or a status as snapshots for which `isUnreadable` returns true. Default: such a
   *   row makes the promise reject
   */
  listAll(visit: (found: FoundSnapshot) => void, isTolerant?: boolean): Promise<void>;
  /**
   * Calls `visit` for the newest snapshots of this kind, page after page, until `visit` has returned true in a page. Works only if
   * the service lists the newest snapshots first. The function does not list the members of snapshot
   * groups, so the groups that `visit` receives have no members. Undefined if the service has no pages.
   *
   * @param visit returns true for a snapshot that an earlier list response contained
   * @returns whether `visit` returned true for a snapshot. If not, snapshots may be missing.
   */
  listNewest?(visit: (found: FoundSnapshot) => boolean): Promise<boolean>;
  /** Lists the members of a snapshot group. Only clients for snapshot groups have this function. */
  membersOf?(id: string): Promise<FoundSnapshot[]>;
  /** Deletes a snapshot. Rejects with NotFound if the snapshot does not exist. */
  remove(id: string): Promise<void>;
  /**
   * Lists every disk, server or cluster of the project that can have a snapshot of this kind.
   *
   * @param max the maximum number of resources that fit into memory
   * @throws SnapshotError BadResponse if the project has more than `max` resources
   */
  resources(max: number): Promise<Resource[]>;
  /** Lists the disks of a server that its snapshot group must contain. Only clients for snapshot groups have this function. */
  disksOf?(serverId: string): Promise<AttachedDisk[]>;
}

/** A disk, server or cluster with its tags. */
export interface Resource {
  id: string;
  tags: Record<string, string>;
}

/**
 * A disk that a snapshot group must contain. `attachedAt` is missing if EVS returns no attachment time, or if the create
 * request contains the disk id.
 */
export interface AttachedDisk {
  id: string;
  attachedAt?: Instant;
}

/** The fields of a disk that the function `disk-attached` needs. */
export interface Volume {
  id: string;
  status: string;
  /** True if the disk can be attached to several servers at the same time. */
  shared: boolean;
  attachments: { id?: string; serverId?: string; attachedAt?: Instant }[];
}

/** Returns the client of the API that creates snapshots of the given kind. */
export type Cloud = (kind: Kind) => SnapshotService;
