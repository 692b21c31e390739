/**
 * What exists: servers, disks, clusters and their snapshots, and the states these go through. Statuses are computed from
 * the clock when asked for. Nothing here speaks HTTP or knows how a service spells a field.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { CloudClock } from "./clock.ts";
import { byAge, Groups, type Stored, TimeOrderedStore } from "./time-ordered-store.ts";

export type Kind = "snapshot" | "standard-snapshot" | "snapshot-group" | "cluster-snapshot";
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
  /** From then on it is attached; before, the disk is `attaching`. */
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
  /** Overrides what follows from the attachments. */
  status: string | undefined;
  attachments: AttachmentRecord[];
}

export interface ClusterRecord extends Stored {
  name: string;
  status: string;
  subStatus: string;
  /** Overrides what follows from the snapshots. */
  taskStatus: string | undefined;
  tags: Tags;
  enterpriseProjectId: string;
}

interface SnapshotBase extends Stored {
  kind: Kind;
  /** The disk, cluster or server that it is of; empty for a group of disks without a server. */
  resourceId: string;
  name: string;
  description: string | null;
  /** The text that responses show as the creation time. If `text` is undefined, they show no creation time. */
  createdText?: { text: string | undefined };
  /** 0 to 999, so that the times of two snapshots of one millisecond differ. */
  microseconds: number;
  /** Until then it is `creating`; `Infinity`: it is stuck. */
  readyAt: number;
  endStatus: string;
  /** Lists do not show it before. */
  visibleAt: number;
  updatedAt: number | undefined;
  /** Set once it is `deleting`: from then on it does not exist. */
  goneAt: number | undefined;
  size: number;
  enterpriseProjectId: string;
}

export interface LegacySnapshot extends SnapshotBase {
  kind: "snapshot";
  metadata: Tags;
}

export interface StandardSnapshot extends SnapshotBase {
  kind: "standard-snapshot";
  groupId: string | null;
  tags: Tags;
  incremental: boolean;
  instantAccess: boolean;
  snapshotType: string;
  availabilityZone: string;
}

export interface SnapshotGroup extends SnapshotBase {
  kind: "snapshot-group";
  volumeIds: string[];
  memberIds: string[];
  tags: Tags;
  incremental: boolean;
  instantAccess: boolean;
}

export interface ClusterSnapshot extends SnapshotBase {
  kind: "cluster-snapshot";
  clusterName: string;
  type: string;
}

export interface SnapshotOf {
  snapshot: LegacySnapshot;
  "standard-snapshot": StandardSnapshot;
  "snapshot-group": SnapshotGroup;
  "cluster-snapshot": ClusterSnapshot;
}

export type AnySnapshot = SnapshotOf[Kind];

export interface Job {
  id: string;
  type: string;
  beganAt: number;
  /** When it ended, if it did by `now`. */
  outcome(now: number): { status: "RUNNING" | "SUCCESS" | "FAIL"; endedAt: number | undefined; reason?: string };
}

interface Spelling {
  creating: string;
  available: string;
  error: string;
}

const EVS: Spelling = { creating: "creating", available: "available", error: "error" };

/** How the services spell the states that an estate has to tell apart (cloud-apis.md 1.3, 2.2, 3). */
const SPELLING: Record<Kind, Spelling> = {
  snapshot: EVS,
  "standard-snapshot": EVS,
  "snapshot-group": EVS,
  "cluster-snapshot": { creating: "CREATING", available: "AVAILABLE", error: "UNAVAILABLE" },
};

export interface Timing {
  creationMs: Record<Kind, number>;
  deletionMs: number;
  listLagMs: () => number;
}

/** The snapshots of one kind, also by what they are of. */
export class Collection<T extends SnapshotBase> extends TimeOrderedStore<T> {
  readonly #byResource = new Groups<T>();

  /** Oldest first. */
  of(resourceId: string): T[] {
    return this.#byResource.of(resourceId).sort(byAge);
  }

  override add(snapshot: T): void {
    super.add(snapshot);
    this.#byResource.add(snapshot.resourceId, snapshot);
  }

  override remove(id: string): T | undefined {
    const snapshot = super.remove(id);
    if (snapshot) this.#byResource.remove(snapshot.resourceId, snapshot);
    return snapshot;
  }
}

export class Inventory {
  readonly servers = new TimeOrderedStore<ServerRecord>();
  readonly volumes = new TimeOrderedStore<VolumeRecord>();
  readonly clusters = new TimeOrderedStore<ClusterRecord>();
  readonly snapshots: { [K in Kind]: Collection<SnapshotOf[K]> } = {
    snapshot: new Collection<LegacySnapshot>(),
    "standard-snapshot": new Collection<StandardSnapshot>(),
    "snapshot-group": new Collection<SnapshotGroup>(),
    "cluster-snapshot": new Collection<ClusterSnapshot>(),
  };
  readonly jobs = new Map<string, Job>();

  readonly #clock: CloudClock;
  readonly #timing: Timing;
  readonly #volumesOfServer = new Groups<VolumeRecord>();
  readonly #endings = new Map<string, string[]>();
  /** What is `deleting`, the soonest gone first. */
  readonly #leaving: AnySnapshot[] = [];
  /** By then, every snapshot that exists now is in the lists. */
  #allVisibleAt = 0;
  #sequence = 0;
  #discarding = false;
  #lastStamp = { ms: Number.NaN, microseconds: 0 };

  constructor(clock: CloudClock, timing: Timing) {
    this.#clock = clock;
    this.#timing = timing;
  }

  now(): number {
    return this.#clock.now();
  }

  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Runs `work`, and discards every snapshot, deletion and attachment that it would have made. */
  discard<T>(work: () => T): T {
    this.#discarding = true;
    try {
      return work();
    } finally {
      this.#discarding = false;
    }
  }

  /** Takes away what has been deleted by now. Called before anything is read. */
  settle(): void {
    const now = this.now();
    for (;;) {
      const [first] = this.#leaving;
      if (first?.goneAt === undefined || first.goneAt > now) return;
      this.#leaving.shift();
      this.snapshots[first.kind].remove(first.id);
    }
  }

  // ---- disks and servers

  volumeStatus(volume: VolumeRecord): string {
    if (volume.status !== undefined) return volume.status;
    if (volume.attachments.length === 0) return "available";
    return volume.attachments.some(({ attachedAt }) => attachedAt <= this.now()) ? "in-use" : "attaching";
  }

  /** Those that are in effect: an `attaching` disk shows none yet. */
  attachmentsOf(volume: VolumeRecord): AttachmentRecord[] {
    const now = this.now();
    return volume.attachments.filter(({ attachedAt }) => attachedAt <= now);
  }

  volumesOfServer(serverId: string): VolumeRecord[] {
    return this.#volumesOfServer
      .of(serverId)
      .filter((volume) => this.attachmentsOf(volume).some((attachment) => attachment.serverId === serverId));
  }

  attach(volume: VolumeRecord, serverId: string, attachedAt: number, device?: string): AttachmentRecord {
    const taken = new Set(
      this.#volumesOfServer
        .of(serverId)
        .flatMap(({ attachments }) => attachments.filter((other) => other.serverId === serverId))
        .map((other) => other.device),
    );
    const attachment = {
      id: randomUUID(),
      volumeId: volume.id,
      serverId,
      device: device ?? freeDevice(taken),
      attachedAt,
    };
    if (this.#discarding) return attachment;
    volume.attachments.push(attachment);
    this.#volumesOfServer.add(serverId, volume);
    return attachment;
  }

  detach(volume: VolumeRecord, serverId?: string): void {
    if (this.#discarding) return;
    const leaving = volume.attachments.filter(
      (attachment) => serverId === undefined || attachment.serverId === serverId,
    );
    volume.attachments = volume.attachments.filter((attachment) => !leaving.includes(attachment));
    for (const attachment of leaving) this.#volumesOfServer.remove(attachment.serverId, volume);
  }

  removeVolume(id: string): void {
    const volume = this.volumes.remove(id);
    if (volume) this.detach(volume);
  }

  removeServer(id: string): void {
    if (!this.servers.remove(id)) return;
    for (const volume of this.#volumesOfServer.of(id)) this.detach(volume, id);
  }

  // ---- snapshots

  /** The next snapshot of that resource ends so, `stuck`: never. */
  endWith(resourceId: string, ending: string): void {
    this.#endings.set(resourceId, [...(this.#endings.get(resourceId) ?? []), ending]);
  }

  /** What every snapshot has that is created now. */
  fresh(kind: Kind, resourceId: string) {
    const now = this.now();
    const spelling = SPELLING[kind];
    const ending = this.#takeEnding(resourceId);
    const endStatus = ending === "error" ? spelling.error : (ending ?? spelling.available);
    return {
      id: randomUUID() as string,
      ...this.#stamp(now),
      readyAt: ending === "stuck" ? Number.POSITIVE_INFINITY : now + this.#timing.creationMs[kind],
      endStatus,
      visibleAt: now + this.#timing.listLagMs(),
      updatedAt: undefined,
      goneAt: undefined,
    };
  }

  /** The age of something from the past. */
  aged(createdAt: number) {
    return {
      ...this.#stamp(createdAt),
      readyAt: createdAt,
      visibleAt: createdAt,
      updatedAt: undefined,
      goneAt: undefined,
    };
  }

  addSnapshot<K extends Kind>(snapshot: SnapshotOf[K] & { kind: K }): void {
    if (this.#discarding) return;
    this.#allVisibleAt = Math.max(this.#allVisibleAt, snapshot.visibleAt);
    this.snapshots[snapshot.kind].add(snapshot);
  }

  /** It is `deleting` from now on, and gone after a while. */
  deleteSnapshot(snapshot: AnySnapshot): void {
    if (this.#discarding) return;
    snapshot.goneAt = this.now() + this.#timing.deletionMs;
    const { goneAt } = snapshot;
    let index = this.#leaving.length;
    while (index > 0 && (this.#leaving[index - 1]?.goneAt ?? 0) > goneAt) index -= 1;
    this.#leaving.splice(index, 0, snapshot);
    this.settle();
  }

  /** Removes a snapshot at once, without the status `deleting`. */
  removeSnapshot(snapshot: AnySnapshot): void {
    if (!this.#discarding) this.snapshots[snapshot.kind].remove(snapshot.id);
  }

  statusOf(snapshot: AnySnapshot, now = this.now()): string {
    if (snapshot.goneAt !== undefined) return "deleting";
    return now < snapshot.readyAt ? SPELLING[snapshot.kind].creating : snapshot.endStatus;
  }

  /** Sets the status of a snapshot and cancels its pending change of status. `creating` then never ends. */
  setStatus(snapshot: AnySnapshot, status: string): void {
    const leaving = this.#leaving.indexOf(snapshot);
    if (leaving >= 0) this.#leaving.splice(leaving, 1);
    snapshot.goneAt = undefined;
    snapshot.updatedAt = this.now();
    if (status === SPELLING[snapshot.kind].creating) snapshot.readyAt = Number.POSITIVE_INFINITY;
    else {
      snapshot.readyAt = Math.min(snapshot.readyAt, this.now());
      snapshot.endStatus = status;
    }
  }

  isCreating(snapshot: AnySnapshot, now = this.now()): boolean {
    return snapshot.goneAt === undefined && now < snapshot.readyAt;
  }

  /** Whether a list may show it yet; `undefined`: all may be shown. */
  visibility(): ((snapshot: AnySnapshot) => boolean) | undefined {
    const now = this.now();
    return now >= this.#allVisibleAt ? undefined : (snapshot) => snapshot.visibleAt <= now;
  }

  /** Whatever the case of its letters (cloud-apis.md 3: names are case-insensitive). */
  hasClusterSnapshotNamed(name: string): boolean {
    const wanted = name.toLowerCase();
    return this.snapshots["cluster-snapshot"].oldestFirst.some((snapshot) => snapshot.name.toLowerCase() === wanted);
  }

  clusterTask(cluster: ClusterRecord): string | undefined {
    if (cluster.taskStatus !== undefined) return cluster.taskStatus;
    const busy = this.snapshots["cluster-snapshot"].of(cluster.id).some((snapshot) => this.isCreating(snapshot));
    return busy ? "SNAPSHOTTING" : undefined;
  }

  // ---- jobs

  startJob(type: string, outcome: Job["outcome"]): Job {
    const job = { id: randomBytes(16).toString("hex"), type, beganAt: this.now(), outcome };
    this.jobs.set(job.id, job);
    return job;
  }

  #takeEnding(resourceId: string): string | undefined {
    const endings = this.#endings.get(resourceId);
    const ending = endings?.shift();
    if (endings?.length === 0) this.#endings.delete(resourceId);
    return ending;
  }

  #stamp(createdAt: number): { createdAt: number; microseconds: number; sequence: number } {
    const ms = Math.floor(createdAt);
    const microseconds = ms === this.#lastStamp.ms ? Math.min(this.#lastStamp.microseconds + 1, 999) : 0;
    this.#lastStamp = { ms, microseconds };
    return { createdAt: ms, microseconds, sequence: this.nextSequence() };
  }
}

/** Returns the creation time that responses show: `usual`, unless a test has set another text. */
export function shownCreation({ createdText }: AnySnapshot, usual: string): string | undefined {
  return createdText ? createdText.text : usual;
}

function freeDevice(taken: Set<string>): string {
  for (let index = 0; ; index += 1) {
    const device = `/dev/vd${deviceLetters(index)}`;
    if (!taken.has(device)) return device;
  }
}

/** a ... z, aa, ab, ... */
function deviceLetters(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26));
  return index < 26 ? letter : deviceLetters(Math.floor(index / 26) - 1) + letter;
}
