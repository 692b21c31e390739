/**
 * The embedded cloud: EVS, DWS, ECS, LTS ingestion and FunctionGraph's asynchronous invocation, in memory, on loopback,
 * over real HTTP. It judges the functions, so it shares no code with them. What it does and from where it is known:
 * ../README.md.
 */
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { bareTime, type CloudClock, epoch, wallClock } from "./clock.ts";
import type { CloudBehavior, CloudState, Invocation, LogEntry } from "./cloud-state.ts";
import { type Credentials, Keyring } from "./gateway/authentication.ts";
import { type Fault as AnyFault, type FaultHandle, type FaultMatch, Faults } from "./gateway/faults.ts";
import { createCloudServer, RequestCounter, type RequestView } from "./gateway/server.ts";
import { createThrottle, type Rate } from "./gateway/throttle.ts";
import { Inventory, type Kind, type Tags } from "./inventory.ts";
import { clusterView, dws } from "./services/dws.ts";
import { ecs } from "./services/ecs.ts";
import { evs } from "./services/evs.ts";
import { volumeView } from "./services/evs-volumes.ts";
import { functiongraph } from "./services/functiongraph.ts";
import { lts } from "./services/lts.ts";
import {
  addMember,
  removeMember,
  type SeededSnapshot,
  type SnapshotView,
  seedSnapshot,
  setSnapshotCreatedAt,
  setSnapshotLabels,
  setSnapshotStatus,
  viewsOf,
} from "./services/snapshots.ts";

export { type CloudClock, ScaledClock, StoppedClock, wallClock } from "./clock.ts";
export type { CloudBehavior as Choices, Invocation, LogEntry } from "./cloud-state.ts";
export type { Credentials } from "./gateway/authentication.ts";
export type { FaultHandle, FaultMatch } from "./gateway/faults.ts";
export type { RequestView } from "./gateway/server.ts";
export type { Rate } from "./gateway/throttle.ts";
export type { Kind } from "./inventory.ts";
export type { SeededSnapshot, SnapshotView } from "./services/snapshots.ts";
export type Fault = AnyFault<EmbeddedCloud>;

export interface CloudOptions extends Partial<CloudBehavior> {
  /** Default 0: any free port. */
  port?: number;
  projectId?: string;
  region?: string;
  credentials?: Credentials;
  /** The states' clock; default the wall clock. Signatures are always checked on the wall clock. */
  clock?: CloudClock;
  /** Of every request, in real milliseconds. */
  latencyMs?: number | (() => number);
  /** How long a snapshot is `creating`, on the states' clock; default 3000, DWS 6000. */
  creationMs?: number | Partial<Record<Kind, number>>;
  /** How long an EVS snapshot is `deleting`; default 1000. DWS ones are gone at once. */
  deletionMs?: number;
  /** Token buckets on the states' clock; LTS is not counted, as it has its own address. */
  rate?: Rate;
  /** Default true. Without: `requests` stays empty, for long runs. */
  keepRequests?: boolean;
  /** Called after FunctionGraph has acknowledged. */
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
  /** As EVS gives it: UTC without a zone. */
  attached_at: string;
}

/** As EVS shows it. */
export type Volume = ReturnType<typeof volumeView>;
/** As DWS shows it. */
export type Cluster = ReturnType<typeof clusterView>;

export interface EmbeddedCloud {
  readonly url: string;
  readonly projectId: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly clock: CloudClock;

  /** A second caller, or new keys of the same one. */
  addCredentials(credentials: Credentials): void;
  /** The key or the token is answered 401 APIGW.0301 from now on. */
  expireCredentials(akOrToken: string): void;

  addServer(server?: {
    id?: string;
    name?: string;
    tags?: Tags;
    status?: string;
    enterpriseProjectId?: string;
    createdAt?: number | string | Date;
  }): Server;
  /** With `serverId` it is attached to that server, since `attachedAt` (default now). */
  addVolume(volume?: {
    id?: string;
    name?: string;
    size?: number;
    tags?: Tags;
    metadata?: Tags;
    /** Overrides what follows from the attachments. */
    status?: string;
    serverId?: string;
    attachedAt?: number | string | Date;
    device?: string;
    enterpriseProjectId?: string;
    volumeType?: string;
    availabilityZone?: string;
    multiattach?: boolean;
    createdAt?: number | string | Date;
  }): Volume;
  /** With `after` the disk is `attaching` for so many milliseconds of the states' clock. */
  attach(volumeId: string, serverId: string, options?: { after?: number; device?: string }): Attachment;
  /** From one server, or from all. */
  detach(volumeId: string, serverId?: string): void;
  /** `undefined`: again what follows from the attachments. */
  setVolumeStatus(volumeId: string, status: string | undefined): void;
  removeVolume(volumeId: string): void;
  removeServer(serverId: string): void;
  addCluster(cluster?: {
    id?: string;
    name?: string;
    tags?: Tags;
    status?: string;
    subStatus?: string;
    taskStatus?: string;
    enterpriseProjectId?: string;
    createdAt?: number | string | Date;
  }): Cluster;
  setCluster(clusterId: string, state: { status?: string; taskStatus?: string | undefined }): void;
  removeCluster(clusterId: string): void;
  /** One that is there already, with no request and no check; a group comes with its members. */
  addSnapshot(snapshot: SeededSnapshot): SnapshotView;
  /** Gone at once, as if somebody else had deleted it. */
  removeSnapshot(snapshotId: string): void;
  /** Sets the status, in the service's spelling, and cancels pending changes. `creating` and `deleting` never end. */
  setSnapshotStatus(snapshotId: string, status: string): void;
  /** Replaces the metadata of a legacy snapshot, the tags of a standard snapshot or of a group. */
  setSnapshotLabels(snapshotId: string, labels: Tags): void;
  /** Makes responses show exactly this text as the creation time, or no creation time if it is undefined. */
  setSnapshotCreatedAt(snapshotId: string, text: string | undefined): void;
  /** Adds a snapshot of the disk to the group. It is `available` and as old as the group. */
  addMember(groupId: string, volumeId: string): SnapshotView;
  /** Deletes the group's snapshot of the disk. */
  removeMember(groupId: string, volumeId: string): void;

  /** Deep copies, oldest first, with what the lists would not show yet; deleted ones are not there. */
  snapshots(kind?: Kind): SnapshotView[];
  volume(id: string): Volume | undefined;
  cluster(id: string): Cluster | undefined;
  /** Every line that LTS kept. */
  readonly logs: LogEntry[];
  /** Lines that LTS took with success and threw away, as their time was more than two days off. */
  readonly lostLogs: LogEntry[];
  readonly invocations: Invocation[];
  readonly requests: RequestView[];
  /** How many requests there were of an operation, e.g. `evs.createSnapshot`, or how many were answered so. */
  count(operation: string | RegExp, status?: number): number;
  /** Why requests were answered 401, except where the test arranged it. */
  readonly refusedSignatures: string[];

  fault(match: FaultMatch, fault: Fault): FaultHandle;
  clearFaults(): void;
  /** The next snapshot of that disk, server or cluster ends so; `stuck`: never. Several calls: one after the other. */
  endWith(resourceId: string, ending: "error" | "stuck" | (string & {})): void;
  /** A list shows a new snapshot only so much later, on the states' clock; counts for snapshots made from now on. */
  listLagMs: number;

  /** Until no `onInvokeAsync` is under way; what one threw is thrown here. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const DEFAULT_CREDENTIALS: Credentials = {
  ak: "EMBEDDEDCLOUDACCESS1",
  sk: "embedded-cloud-secret-key-not-a-real-one",
  securityToken: "embedded-cloud-security-token",
  token: "embedded-cloud-user-token",
};

const DEFAULT_CHOICES: CloudBehavior = {
  evsLimits: "current",
  legacyPerVolume: 7,
  standardPerVolume: 256,
  snapshotQuota: undefined,
  withoutStandardSnapshots: false,
  groupDeleteCascades: true,
  groupAvailable: "avaialble",
  groupFailsWithMember: false,
  groupTagsOnMembers: false,
  wrongVolumeStatus: { status: 400, code: "EVS.5400" },
  v5Times: "bare",
  counts: "all",
  pageCap: undefined,
  attachmentIds: true,
  v5ListCount: false,
  nameFilter: "fuzzy",
  enterpriseProjectsByDefault: "0",
  unknownQuery: "refuse",
  duplicateClusterSnapshot: { status: 400, code: "DWS.5150" },
  describeClusterSnapshots: "as given",
  topics: undefined,
  logBodyLimit: 12 * 1024 * 1024,
  functions: undefined,
};

export async function startCloud(options: CloudOptions = {}): Promise<EmbeddedCloud> {
  const {
    port = 0,
    projectId = "0123456789abcdef0123456789abcdef",
    region = "eu-west-101",
    credentials = DEFAULT_CREDENTIALS,
    clock = wallClock,
    latencyMs = 0,
    creationMs = {},
    deletionMs = 1000,
    rate,
    keepRequests = true,
    onInvokeAsync,
  } = options;

  const lag = { ms: 0 };
  const estate = new Inventory(clock, { creationMs: creationTimes(creationMs), deletionMs, listLagMs: () => lag.ms });
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const inside: CloudState = {
    projectId,
    region,
    clock,
    estate,
    choices: chosen(options),
    logs: [],
    lostLogs: [],
    invocations: [],
    invoke(invocation) {
      const run = (async () => onInvokeAsync?.(structuredClone(invocation)))()
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(run));
      running.add(run);
    },
  };
  const keyring = new Keyring(projectId);
  keyring.add(credentials);
  const faults = new Faults<EmbeddedCloud>();
  const requests: RequestView[] = [];
  const refusedSignatures: string[] = [];
  const tally = new RequestCounter();
  const server = createCloudServer<EmbeddedCloud>({
    services: [evs, dws, ecs, lts, functiongraph],
    inside,
    keyring,
    faults,
    throttle: createThrottle(rate, clock),
    latencyMs: typeof latencyMs === "function" ? latencyMs : () => latencyMs,
    requests,
    keepRequests,
    tally,
    refusedSignatures,
    facade: () => cloud,
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });

  const volumeOf = (id: string) => estate.volumes.get(id) ?? missing("volume", id);
  const clusterOf = (id: string) => estate.clusters.get(id) ?? missing("cluster", id);
  const age = (createdAt: number | string | Date | undefined) => ({
    createdAt: createdAt === undefined ? clock.now() : epoch(createdAt),
    sequence: estate.nextSequence(),
  });

  const cloud: EmbeddedCloud = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    projectId,
    region,
    credentials,
    clock,
    addCredentials: (added) => keyring.add(added),
    expireCredentials: (akOrToken) => keyring.expire(akOrToken),

    addServer({ id = randomUUID(), name, tags = {}, status = "ACTIVE", enterpriseProjectId = "0", createdAt } = {}) {
      const record = { id, name: name ?? `server-${id.slice(0, 8)}`, tags: { ...tags }, status, enterpriseProjectId };
      estate.servers.add({ ...record, ...age(createdAt) });
      return { id, name: record.name, status, tags: { ...tags } };
    },
    addVolume({ id = randomUUID(), serverId, attachedAt, device, ...volume } = {}) {
      if (serverId !== undefined && !estate.servers.get(serverId)) missing("server", serverId);
      const record = {
        id,
        name: volume.name ?? `volume-${id.slice(0, 8)}`,
        description: null,
        size: volume.size ?? 10,
        volumeType: volume.volumeType ?? "SSD",
        availabilityZone: volume.availabilityZone ?? `${region}a`,
        tags: { ...volume.tags },
        metadata: { ...volume.metadata },
        enterpriseProjectId: volume.enterpriseProjectId ?? "0",
        multiattach: volume.multiattach ?? false,
        status: volume.status,
        attachments: [],
        ...age(volume.createdAt),
      };
      estate.volumes.add(record);
      const since = attachedAt === undefined ? clock.now() : epoch(attachedAt);
      if (serverId !== undefined) estate.attach(record, serverId, since, device);
      return structuredClone(volumeView(record, inside));
    },
    attach(volumeId, serverId, { after = 0, device } = {}) {
      const volume = volumeOf(volumeId);
      if (!estate.servers.get(serverId)) missing("server", serverId);
      if (volume.attachments.length > 0 && !volume.multiattach)
        throw new Error(`Volume ${volumeId} is attached already.`);
      const attachment = estate.attach(volume, serverId, clock.now() + after, device);
      return {
        attachment_id: attachment.id,
        volume_id: volumeId,
        server_id: serverId,
        device: attachment.device,
        attached_at: bareTime(attachment.attachedAt),
      };
    },
    detach: (volumeId, serverId) => estate.detach(volumeOf(volumeId), serverId),
    setVolumeStatus(volumeId, status) {
      volumeOf(volumeId).status = status;
    },
    removeVolume: (volumeId) => estate.removeVolume(volumeId),
    removeServer: (serverId) => estate.removeServer(serverId),
    addCluster({ id = randomUUID(), ...cluster } = {}) {
      const record = {
        id,
        name: cluster.name ?? `cluster-${id.slice(0, 8)}`,
        status: cluster.status ?? "AVAILABLE",
        subStatus: cluster.subStatus ?? "NORMAL",
        taskStatus: cluster.taskStatus,
        tags: { ...cluster.tags },
        enterpriseProjectId: cluster.enterpriseProjectId ?? "0",
        ...age(cluster.createdAt),
      };
      estate.clusters.add(record);
      return structuredClone(clusterView(record, inside));
    },
    setCluster(clusterId, state) {
      const cluster = clusterOf(clusterId);
      if (state.status !== undefined) cluster.status = state.status;
      if ("taskStatus" in state) cluster.taskStatus = state.taskStatus;
    },
    removeCluster: (clusterId) => void estate.clusters.remove(clusterId),
    addSnapshot: (seeded) => seedSnapshot(seeded, inside),
    removeSnapshot(snapshotId) {
      for (const collection of Object.values(estate.snapshots)) collection.remove(snapshotId);
    },
    setSnapshotStatus: (snapshotId, status) => setSnapshotStatus(snapshotId, status, inside),
    setSnapshotLabels: (snapshotId, labels) => setSnapshotLabels(snapshotId, labels, inside),
    setSnapshotCreatedAt: (snapshotId, text) => setSnapshotCreatedAt(snapshotId, text, inside),
    addMember: (groupId, volumeId) => addMember(groupId, volumeId, inside),
    removeMember: (groupId, volumeId) => removeMember(groupId, volumeId, inside),

    snapshots(kind) {
      estate.settle();
      return viewsOf(kind, inside);
    },
    volume(id) {
      const volume = estate.volumes.get(id);
      return volume && structuredClone(volumeView(volume, inside));
    },
    cluster(id) {
      const cluster = estate.clusters.get(id);
      return cluster && structuredClone(clusterView(cluster, inside));
    },
    logs: inside.logs,
    lostLogs: inside.lostLogs,
    invocations: inside.invocations,
    requests,
    count: (operation, status) => tally.count(operation, status),
    refusedSignatures,

    fault: (match, fault) => faults.arm(match, fault),
    clearFaults: () => faults.clear(),
    endWith: (resourceId, ending) => estate.endWith(resourceId, ending),
    get listLagMs() {
      return lag.ms;
    },
    set listLagMs(ms) {
      lag.ms = ms;
    },
    async idle() {
      // Answers are sent before invocations start: let those that are on their way begin.
      do {
        await new Promise((resolve) => setImmediate(resolve));
        await Promise.all(running);
      } while (running.size > 0);
      if (failures.length > 0) throw failures.shift();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return cloud;
}

function creationTimes(creationMs: number | Partial<Record<Kind, number>>): Record<Kind, number> {
  const times = { snapshot: 3000, "standard-snapshot": 3000, "snapshot-group": 3000, "cluster-snapshot": 6000 };
  if (typeof creationMs === "object") return { ...times, ...creationMs };
  return Object.fromEntries(Object.keys(times).map((kind) => [kind, creationMs])) as Record<Kind, number>;
}

/** The options that are choices, where they were given. */
function chosen(options: CloudOptions): CloudBehavior {
  const given = Object.entries(options).filter(([key, value]) => key in DEFAULT_CHOICES && value !== undefined);
  return { ...DEFAULT_CHOICES, ...Object.fromEntries(given) };
}

function missing(what: string, id: string): never {
  throw new Error(`There is no ${what} ${id}.`);
}
