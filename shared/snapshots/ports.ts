import type { Instant } from "../core/instant.ts";
import type { JsonObject } from "../core/json.ts";
import type { FoundSnapshot, Kind, State } from "./kinds/kind.ts";

/** What the cloud answered to a create that it took. */
export interface Created {
  snapshotId: string;
  jobId?: string;
  /** The API's own status and body, as text, to the byte. */
  status: number;
  body: string;
  /** The state of the new snapshot, if the response names it. */
  state?: State;
}

/**
 * The snapshots of one kind in the cloud, as far as it takes to make one. All of it rejects with a SnapshotError.
 * Implemented in shared/huaweicloud, one client per service.
 */
export interface Creation {
  /** Sends one create. Never repeats it: that is for `ensure` to decide, after looking. */
  create(options: JsonObject): Promise<Created>;
  /** Every snapshot that a create with these options could have made or could collide with. */
  listFor(options: JsonObject): Promise<FoundSnapshot[]>;
}

/** The snapshots of one kind in the cloud. */
export interface SnapshotService extends Creation {
  /**
   * Shows every snapshot of this kind in the project to `visit`, once, while the list is read: a project may have more than
   * a function has room for. The state of a group is what it and all its members are. Where it rejects, some were not shown.
   */
  listAll(visit: (found: FoundSnapshot) => void): Promise<void>;
  /** Deletes one. Rejects with NotFound where it is gone already. */
  remove(id: string): Promise<void>;
  /**
   * Lists every disk, server or cluster of the project of which a snapshot of this kind can be created.
   *
   * @throws SnapshotError BadResponse if there are more than `max`
   */
  resources(max: number): Promise<Resource[]>;
  /** Lists the disks that a snapshot of a server must have members for. Only kinds with members have this function. */
  disksOf?(serverId: string): Promise<AttachedDisk[]>;
}

/** A disk, server or cluster. */
export interface Resource {
  id: string;
  tags: Record<string, string>;
}

/** A disk of a server and when it was attached. The time is absent if EVS omits it, or if the request names the disk. */
export interface AttachedDisk {
  id: string;
  attachedAt?: Instant;
}

/** A disk, as far as taking a snapshot of it on attachment goes. */
export interface Volume {
  id: string;
  status: string;
  /** It can be attached to several servers at a time. */
  shared: boolean;
  attachments: { id?: string; serverId?: string; attachedAt?: Instant }[];
}

/** The snapshots of every kind. */
export type Cloud = (kind: Kind) => SnapshotService;
