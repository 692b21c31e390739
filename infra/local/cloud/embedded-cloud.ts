/** Defines the options of the embedded cloud, and the methods that tests and local commands use to control it. */
import type { CloudClock } from "./clock.ts";
import type { CloudBehavior } from "./cloud-behavior.ts";
import type { Invocation, LogEntry } from "./cloud-state.ts";
import type { Credentials } from "./gateway/authentication.ts";
import type { Fault as AnyFault, FaultHandle, FaultMatch } from "./gateway/faults.ts";
import type { RequestView } from "./gateway/requests.ts";
import type { RateLimit } from "./gateway/throttle.ts";
import type { Kind, Tags } from "./records.ts";
import type { clusterView, NewCluster } from "./services/dws-clusters.ts";
import type { volumeView } from "./services/evs-volume-view.ts";
import type { SeededSnapshot, SnapshotView } from "./snapshot-kind.ts";

export type Fault = AnyFault<EmbeddedCloud>;

/** The options of `startCloud`. */
export interface CloudOptions extends Partial<CloudBehavior> {
  /** The port of the HTTP server. Default 0: any free port. */
  port?: number;
  projectId?: string;
  region?: string;
  credentials?: Credentials;
  /** The clock of the embedded cloud. Default: the wall clock. Signatures are always checked on the wall clock. */
  clock?: CloudClock;
  /** The delay of every request, in real milliseconds. Default 0. */
  latencyMs?: number | (() => number);
  /** How long a snapshot is `creating`, in milliseconds of `clock`. Default: 6000 for DWS, otherwise 3000. */
  creationMs?: number | Partial<Record<Kind, number>>;
  /** How long an EVS snapshot is `deleting`, in milliseconds of `clock`. Default 1000. DWS deletes a snapshot immediately. */
  deletionMs?: number;
  /**
   * The rate limit of the API gateway, which refills with the time of `clock`. Default: no limit. The limit does not apply to
   * LTS, because callers do not reach LTS through the gateway.
   */
  rate?: RateLimit;
  /**
   * Whether `EmbeddedCloud.requests` contains every request. If false, it stays empty, which saves memory in long test runs.
   * Default true.
   */
  keepRequests?: boolean;
  /** Called after the embedded FunctionGraph has accepted an asynchronous invocation. */
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
  /** The time of the attachment in EVS's format: UTC without a time zone. */
  attached_at: string;
}

/** A disk as EVS responses describe it. */
export type Volume = ReturnType<typeof volumeView>;
/** A cluster as DWS responses describe it. */
export type Cluster = ReturnType<typeof clusterView>;

/** A time as epoch milliseconds, as an ISO 8601 string or as a `Date`. */
export type TimeInput = number | string | Date;

/** Adds, changes and removes servers, disks and clusters without API requests. */
export interface ResourceMethods {
  addServer(server?: {
    id?: string;
    name?: string;
    tags?: Tags;
    status?: string;
    enterpriseProjectId?: string;
    createdAt?: TimeInput;
  }): Server;
  /**
   * Adds a disk. If `serverId` is given, also attaches the disk to that server. `attachedAt` is the time of the attachment
   * (default: now).
   */
  addVolume(volume?: {
    id?: string;
    name?: string;
    size?: number;
    tags?: Tags;
    metadata?: Tags;
    /** The status of the disk. Default: `available` if the disk has no attachment, otherwise `attaching` or `in-use`. */
    status?: string;
    serverId?: string;
    attachedAt?: TimeInput;
    device?: string;
    enterpriseProjectId?: string;
    volumeType?: string;
    availabilityZone?: string;
    multiattach?: boolean;
    createdAt?: TimeInput;
  }): Volume;
  /** Attaches a disk. If `after` is given, the disk is `attaching` for this many milliseconds of the embedded cloud's clock. */
  attach(volumeId: string, serverId: string, options?: { after?: number; device?: string }): Attachment;
  /** Detaches a disk from a server. If `serverId` is absent, detaches the disk from every server. */
  detach(volumeId: string, serverId?: string): void;
  /** Sets the status of a disk. If `status` is undefined, the attachments of the disk determine its status. */
  setVolumeStatus(volumeId: string, status: string | undefined): void;
  removeVolume(volumeId: string): void;
  removeServer(serverId: string): void;
  addCluster(cluster?: NewCluster): Cluster;
  /** Adds a resource that is neither a server nor a disk. `type` must be one of the types in `otherResources`. */
  addOther(type: string, resource: { id: string; name: string; tags: Tags }): void;
  setCluster(clusterId: string, state: { status?: string; taskStatus?: string | undefined }): void;
  removeCluster(clusterId: string): void;
  volume(id: string): Volume | undefined;
  cluster(id: string): Cluster | undefined;
}

export interface EmbeddedCloud extends ResourceMethods {
  readonly url: string;
  /** The names of the services, such as `evs`. All services have the same address. */
  readonly services: readonly string[];
  /**
   * The resource types other than servers and disks, such as `cluster`. `idField` is the field of a create request that
   * contains the id of such a resource, such as `cluster_id`.
   */
  readonly otherResources: readonly { type: string; idField: string }[];
  readonly projectId: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly clock: CloudClock;

  /** Makes the embedded cloud accept these credentials in addition to the credentials that it already accepts. */
  addCredentials(credentials: Credentials): void;
  /** Makes every request with this access key or token fail with 401 APIGW.0301. */
  expireCredentials(akOrToken: string): void;

  /** Adds a snapshot without an API request and without checks. For a snapshot group, also adds its members. */
  addSnapshot(snapshot: SeededSnapshot): SnapshotView;
  /** Removes a snapshot immediately, as if another user had deleted it. */
  removeSnapshot(snapshotId: string): void;
  /**
   * Sets the status of a snapshot, as its service spells the status. A status that a test sets, even `creating` or `deleting`,
   * does not change by itself.
   */
  setSnapshotStatus(snapshotId: string, status: string): void;
  /** Replaces the labels of a snapshot: the metadata of a legacy snapshot, or the tags of a standard snapshot or a group. */
  setSnapshotLabels(snapshotId: string, labels: Tags): void;
  /**
   * Makes responses contain exactly this string as the creation time of a snapshot. If `text` is undefined, the responses
   * contain no creation time.
   */
  setSnapshotCreatedAt(snapshotId: string, text: string | undefined): void;
  /**
   * Adds a snapshot of the disk to the snapshot group. The snapshot is `available` and has the same creation time as the group.
   */
  addMember(groupId: string, volumeId: string): SnapshotView;
  /** Removes the snapshot of the disk from the snapshot group. */
  removeMember(groupId: string, volumeId: string): void;

  /**
   * Returns copies of all snapshots, or of all snapshots of one kind. The snapshots of each kind are sorted, oldest first.
   * Includes the snapshots that list responses still omit because of `listLagMs`.
   */
  snapshots(kind?: Kind): SnapshotView[];
  /** The log lines that LTS has stored. */
  readonly logs: LogEntry[];
  /** The log lines that LTS accepted but discarded, because their time differed by more than two days from the current time. */
  readonly lostLogs: LogEntry[];
  readonly invocations: Invocation[];
  readonly requests: RequestView[];
  /**
   * Counts the requests of an operation such as `evs.createSnapshot`. If `status` is given, counts only requests whose response
   * has this status.
   */
  count(operation: string | RegExp, status?: number): number;
  /** The reasons why requests failed authentication. Omits failures that a test caused with `expireCredentials` or a fault. */
  readonly refusedSignatures: string[];

  /**
   * Injects a fault into the requests that match the given conditions. Returns an object that counts these requests and can
   * remove the fault.
   */
  fault(match: FaultMatch, fault: Fault): FaultHandle;
  clearFaults(): void;
  /**
   * Sets the final status of the next snapshot that is created of a disk, server or cluster. If `ending` is `stuck`, the snapshot
   * stays `creating` forever. If a test calls this method twice, the second call applies to the second snapshot.
   */
  endWith(resourceId: string, ending: "error" | "stuck" | (string & {})): void;
  /**
   * How long list responses omit a new snapshot, in milliseconds of `clock`. If a test changes this value, the new value applies
   * only to snapshots that are created after the change.
   */
  listLagMs: number;

  /** Waits until no `onInvokeAsync` call is running. Throws the first error that an `onInvokeAsync` call threw. */
  idle(): Promise<void>;
  close(): Promise<void>;
}
