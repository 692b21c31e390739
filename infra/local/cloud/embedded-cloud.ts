/** Defines the interface between a test and the embedded cloud. */
import type { CloudClock } from "./clock.ts";
import type { CloudBehavior } from "./cloud-behavior.ts";
import type { Invocation, LogEntry } from "./cloud-state.ts";
import type { Credentials } from "./gateway/authentication.ts";
import type { Fault as AnyFault, FaultHandle, FaultMatch } from "./gateway/faults.ts";
import type { RequestView } from "./gateway/requests.ts";
import type { Rate } from "./gateway/throttle.ts";
import type { Kind, Tags } from "./records.ts";
import type { clusterView, NewCluster } from "./services/dws-clusters.ts";
import type { volumeView } from "./services/evs-volumes.ts";
import type { SeededSnapshot, SnapshotView } from "./snapshot-kind.ts";

export type Fault = AnyFault<EmbeddedCloud>;

export interface CloudOptions extends Partial<CloudBehavior> {
  /** Default 0: any free port. */
  port?: number;
  projectId?: string;
  region?: string;
  credentials?: Credentials;
  /** The clock of the cloud. Default: the wall clock. Signatures are always checked on the wall clock. */
  clock?: CloudClock;
  /** The delay of every request, in real milliseconds. Default 0. */
  latencyMs?: number | (() => number);
  /** How long a snapshot is `creating`, in milliseconds of the cloud's clock. Default: 6000 for DWS, otherwise 3000. */
  creationMs?: number | Partial<Record<Kind, number>>;
  /** How long an EVS snapshot is `deleting`, in milliseconds. Default 1000. DWS deletes a snapshot at once. */
  deletionMs?: number;
  /** The rate limit, on the cloud's clock. It does not apply to LTS, because LTS has its own address. */
  rate?: Rate;
  /** Whether `requests` records every request. Default true. Long runs use false to save memory. */
  keepRequests?: boolean;
  /** Called after FunctionGraph has acknowledged an asynchronous invocation. */
  onInvokeAsync?: (call: Invocation) => void | Promise<void>;
}

export interface Server {
  id: string;
  name: string;
  status: string;
  tags: Tags;
}

export interface Attachment {
  attachment_id: string;
  volume_id: string;
  server_id: string;
  device: string;
  /** The time in the format of EVS: UTC without a zone. */
  attached_at: string;
}

/** A disk in the format of EVS. */
export type Volume = ReturnType<typeof volumeView>;
/** A cluster in the format of DWS. */
export type Cluster = ReturnType<typeof clusterView>;

/** A time: epoch milliseconds, an ISO 8601 string, or a date. */
export type Time = number | string | Date;

/** The servers, disks and clusters of the cloud. */
export interface Resources {
  addServer(server?: {
    id?: string;
    name?: string;
    tags?: Tags;
    status?: string;
    enterpriseProjectId?: string;
    createdAt?: Time;
  }): Server;
  /** Adds a disk. With `serverId` the disk is attached to that server since `attachedAt` (default: now). */
  addVolume(volume?: {
    id?: string;
    name?: string;
    size?: number;
    tags?: Tags;
    metadata?: Tags;
    /** Overrides the status that follows from the attachments. */
    status?: string;
    serverId?: string;
    attachedAt?: Time;
    device?: string;
    enterpriseProjectId?: string;
    volumeType?: string;
    availabilityZone?: string;
    multiattach?: boolean;
    createdAt?: Time;
  }): Volume;
  /** Attaches a disk. With `after` the disk is `attaching` for that many milliseconds of the cloud's clock. */
  attach(volumeId: string, serverId: string, options?: { after?: number; device?: string }): Attachment;
  /** Detaches a disk from one server. Without `serverId`, detaches it from all servers. */
  detach(volumeId: string, serverId?: string): void;
  /** Overrides the status of a disk. `undefined` restores the status that follows from the attachments. */
  setVolumeStatus(volumeId: string, status: string | undefined): void;
  removeVolume(volumeId: string): void;
  removeServer(serverId: string): void;
  addCluster(cluster?: NewCluster): Cluster;
  /** Adds a resource of a type in `otherResources`. */
  addOther(type: string, resource: { id: string; name: string; tags: Tags }): void;
  setCluster(clusterId: string, state: { status?: string; taskStatus?: string | undefined }): void;
  removeCluster(clusterId: string): void;
  volume(id: string): Volume | undefined;
  cluster(id: string): Cluster | undefined;
}

export interface EmbeddedCloud extends Resources {
  readonly url: string;
  /** The names of the services, such as `evs`. All of them have the same address. */
  readonly services: readonly string[];
  /** The types of the resources that are neither servers nor disks, each with the field of a create request that names it. */
  readonly otherResources: readonly { type: string; idField: string }[];
  readonly projectId: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly clock: CloudClock;

  /** Adds the credentials of another caller, or new keys of the same caller. */
  addCredentials(credentials: Credentials): void;
  /** Makes requests with this access key or token fail with 401 APIGW.0301. */
  expireCredentials(akOrToken: string): void;

  /** Adds a snapshot without a request and without any check. A group is added with its members. */
  addSnapshot(snapshot: SeededSnapshot): SnapshotView;
  /** Removes a snapshot at once, as if another user had deleted it. */
  removeSnapshot(snapshotId: string): void;
  /** Sets the status, in the service's spelling, and cancels pending changes. `creating` and `deleting` never end. */
  setSnapshotStatus(snapshotId: string, status: string): void;
  /** Replaces the metadata of a legacy snapshot, the tags of a standard snapshot or of a group. */
  setSnapshotLabels(snapshotId: string, labels: Tags): void;
  /** Makes responses show exactly this string as the creation time, or no creation time if it is undefined. */
  setSnapshotCreatedAt(snapshotId: string, text: string | undefined): void;
  /** Adds a snapshot of the disk to the group. The snapshot is `available` and as old as the group. */
  addMember(groupId: string, volumeId: string): SnapshotView;
  /** Deletes the group's snapshot of the disk. */
  removeMember(groupId: string, volumeId: string): void;

  /** Returns copies of all snapshots, oldest first, including those that lists do not show yet. */
  snapshots(kind?: Kind): SnapshotView[];
  /** The lines that LTS has stored. */
  readonly logs: LogEntry[];
  /** The lines that LTS accepted and then discarded, because their time was more than two days off. */
  readonly lostLogs: LogEntry[];
  readonly invocations: Invocation[];
  readonly requests: RequestView[];
  /** Counts the requests of an operation, such as `evs.createSnapshot`. With `status`, counts the responses with that status. */
  count(operation: string | RegExp, status?: number): number;
  /** The reasons of all 401 responses, except those that the test caused on purpose. */
  readonly refusedSignatures: string[];

  fault(match: FaultMatch, fault: Fault): FaultHandle;
  clearFaults(): void;
  /**
   * Sets the final status of the next snapshot of a disk, server or cluster. `stuck` means that the snapshot is `creating`
   * forever. Several calls apply to successive snapshots.
   */
  endWith(resourceId: string, ending: "error" | "stuck" | (string & {})): void;
  /** How long lists omit a new snapshot, in milliseconds of the cloud's clock. Applies to snapshots that are created later. */
  listLagMs: number;

  /** Waits until no `onInvokeAsync` call is running. Throws the first error that such a call threw. */
  idle(): Promise<void>;
  close(): Promise<void>;
}
