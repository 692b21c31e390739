import type { Instant } from "../core/instant.ts";
import type { JsonObject } from "../core/json.ts";
import type { FoundSnapshot, Kind, State } from "./kinds/kind.ts";

/** The response to a successful create. */
export interface Created {
  snapshotId: string;
  jobId?: string;
  /** The HTTP status and the unchanged body of the API's response. */
  status: number;
  body: string;
  /** The state of the new snapshot, if the response names it. */
  state?: State;
}

/**
 * The operations on snapshots of one kind that a create needs. They reject with a SnapshotError. Implemented in
 * shared/huaweicloud, one client per service.
 */
export interface Creation {
  /** Sends one create request. Never repeats it, because `createOnce` must list the snapshots before a retry. */
  create(options: JsonObject): Promise<Created>;
  /** Lists every snapshot that a create with these options can have created or can conflict with. */
  listFor(options: JsonObject): Promise<FoundSnapshot[]>;
}

/** The operations on snapshots of one kind. They reject with a SnapshotError. */
export interface SnapshotService extends Creation {
  /**
   * Calls `visit` once for each snapshot of this kind in the project. It does not return an array, because a project can have
   * more snapshots than the function has memory for. The state of a group includes the states of its members. If the list
   * cannot be read to its end, the function rejects after it has visited some snapshots.
   */
  listAll(visit: (found: FoundSnapshot) => void): Promise<void>;
  /** Deletes a snapshot. Rejects with NotFound if the snapshot does not exist. */
  remove(id: string): Promise<void>;
  /**
   * Lists every disk, server or cluster of the project of which a snapshot of this kind can be created.
   *
   * @throws SnapshotError BadResponse if there are more than `max`
   */
  resources(max: number): Promise<Resource[]>;
  /** Lists the disks of a server that its snapshot must contain. Only kinds with members have this function. */
  disksOf?(serverId: string): Promise<AttachedDisk[]>;
}

/** A disk, server or cluster. */
export interface Resource {
  id: string;
  tags: Record<string, string>;
}

/** A disk of a server. The time of its attachment is missing if EVS omits it, or if the request names the disk. */
export interface AttachedDisk {
  id: string;
  attachedAt?: Instant;
}

/** The fields of a disk that a snapshot on attachment needs. */
export interface Volume {
  id: string;
  status: string;
  /** Whether the disk can be attached to several servers at the same time. */
  shared: boolean;
  attachments: { id?: string; serverId?: string; attachedAt?: Instant }[];
}

/** Returns the operations on snapshots of a kind. */
export type Cloud = (kind: Kind) => SnapshotService;
