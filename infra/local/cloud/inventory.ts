/**
 * Stores the servers, disks, clusters and snapshots of the embedded cloud, and computes their statuses from the clock. This
 * file depends neither on HTTP nor on the field names of a service.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { CloudClock } from "./clock.ts";
import type {
  AnySnapshotRecord,
  AttachmentRecord,
  ClusterRecord,
  CreationStatuses,
  Job,
  Kind,
  ServerRecord,
  SnapshotRecordByKind,
  VolumeRecord,
} from "./records.ts";
import { MultiMap, SnapshotStore, TimeOrderedStore } from "./time-ordered-store.ts";

export interface SnapshotTiming {
  creationMs: Record<Kind, number>;
  deletionMs: number;
  listLagMs: () => number;
}

export class Inventory {
  readonly servers = new TimeOrderedStore<ServerRecord>();
  readonly volumes = new TimeOrderedStore<VolumeRecord>();
  readonly clusters = new TimeOrderedStore<ClusterRecord>();
  readonly snapshots: { [K in Kind]: SnapshotStore<SnapshotRecordByKind[K]> };
  readonly jobs = new Map<string, Job>();

  readonly #clock: CloudClock;
  readonly #timing: SnapshotTiming;
  readonly #statuses: Record<Kind, CreationStatuses>;
  readonly #volumesOfServer = new MultiMap<VolumeRecord>();
  readonly #finalStatuses = new Map<string, string[]>();
  /** The snapshots in the status `deleting`, sorted by the time at which their deletion finishes. */
  readonly #deleting: AnySnapshotRecord[] = [];
  /**
   * The maximum `visibleAt` of all snapshots, in epoch milliseconds. From this time on, list responses contain every snapshot.
   */
  #allVisibleAt = 0;
  #sequence = 0;
  #isDiscarding = false;
  #lastStamp = { ms: Number.NaN, microseconds: 0 };

  constructor(clock: CloudClock, timing: SnapshotTiming, statuses: Record<Kind, CreationStatuses>) {
    this.#clock = clock;
    this.#timing = timing;
    this.#statuses = statuses;
    const stores = Object.keys(statuses).map((kind) => [kind, new SnapshotStore()]);
    this.snapshots = Object.fromEntries(stores);
  }

  now(): number {
    return this.#clock.now();
  }

  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Runs `work`, but stores none of the snapshots, deletions and attachments that `work` makes. */
  discardChanges<T>(work: () => T): T {
    this.#isDiscarding = true;
    try {
      return work();
    } finally {
      this.#isDiscarding = false;
    }
  }

  /** Removes every snapshot whose deletion has finished. Callers must call this method before they read snapshots. */
  removeDeleted(): void {
    const now = this.now();
    for (;;) {
      const [first] = this.#deleting;
      if (first?.deletedAt === undefined || first.deletedAt > now) return;
      this.#deleting.shift();
      this.snapshots[first.kind].remove(first.id);
    }
  }

  volumeStatus(volume: VolumeRecord): string {
    if (volume.status !== undefined) return volume.status;
    if (volume.attachments.length === 0) return "available";
    return volume.attachments.some(({ attachedAt }) => attachedAt <= this.now()) ? "in-use" : "attaching";
  }

  /** Returns the completed attachments of a disk. Omits attachments that are still `attaching`. */
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
    const usedDevices = new Set(
      this.#volumesOfServer
        .of(serverId)
        .flatMap(({ attachments }) => attachments.filter((other) => other.serverId === serverId))
        .map((other) => other.device),
    );
    const attachment = {
      id: randomUUID(),
      volumeId: volume.id,
      serverId,
      device: device ?? freeDevice(usedDevices),
      attachedAt,
    };
    if (this.#isDiscarding) return attachment;
    volume.attachments.push(attachment);
    this.#volumesOfServer.add(serverId, volume);
    return attachment;
  }

  detach(volume: VolumeRecord, serverId?: string): void {
    if (this.#isDiscarding) return;
    const removed = volume.attachments.filter(
      (attachment) => serverId === undefined || attachment.serverId === serverId,
    );
    volume.attachments = volume.attachments.filter((attachment) => !removed.includes(attachment));
    for (const attachment of removed) this.#volumesOfServer.remove(attachment.serverId, volume);
  }

  removeVolume(id: string): void {
    const volume = this.volumes.remove(id);
    if (volume) this.detach(volume);
  }

  removeServer(id: string): void {
    if (!this.servers.remove(id)) return;
    for (const volume of this.#volumesOfServer.of(id)) this.detach(volume, id);
  }

  /**
   * Sets the final status of the next snapshot that is created of a disk, server or cluster. If `ending` is `stuck`, the snapshot
   * stays `creating` forever.
   */
  endWith(resourceId: string, ending: string): void {
    this.#finalStatuses.set(resourceId, [...(this.#finalStatuses.get(resourceId) ?? []), ending]);
  }

  /**
   * Returns the record of a snapshot whose creation starts now. The record has only the fields that all kinds of snapshots
   * have.
   */
  newSnapshotFields(kind: Kind, resourceId: string) {
    const now = this.now();
    const statuses = this.#statuses[kind];
    const ending = this.#takeFinalStatus(resourceId);
    const finalStatus = ending === "error" ? statuses.error : (ending ?? statuses.available);
    return {
      id: randomUUID() as string,
      ...this.#stamp(now),
      readyAt: ending === "stuck" ? Number.POSITIVE_INFINITY : now + this.#timing.creationMs[kind],
      finalStatus,
      visibleAt: now + this.#timing.listLagMs(),
      updatedAt: undefined,
      deletedAt: undefined,
    };
  }

  /** Returns the time fields for a snapshot whose creation finished at `createdAt`. */
  pastTimeFields(createdAt: number) {
    return {
      ...this.#stamp(createdAt),
      readyAt: createdAt,
      visibleAt: createdAt,
      updatedAt: undefined,
      deletedAt: undefined,
    };
  }

  addSnapshot<K extends Kind>(snapshot: SnapshotRecordByKind[K] & { kind: K }): void {
    if (this.#isDiscarding) return;
    this.#allVisibleAt = Math.max(this.#allVisibleAt, snapshot.visibleAt);
    this.snapshots[snapshot.kind].add(snapshot);
  }

  /** Sets the status of a snapshot to `deleting`. The snapshot disappears when its deletion finishes. */
  deleteSnapshot(snapshot: AnySnapshotRecord): void {
    if (this.#isDiscarding) return;
    snapshot.deletedAt = this.now() + this.#timing.deletionMs;
    const { deletedAt } = snapshot;
    let index = this.#deleting.length;
    while (index > 0 && (this.#deleting[index - 1]?.deletedAt ?? 0) > deletedAt) index -= 1;
    this.#deleting.splice(index, 0, snapshot);
    this.removeDeleted();
  }

  /** Removes a snapshot immediately, without the status `deleting`. */
  removeSnapshot(snapshot: AnySnapshotRecord): void {
    if (!this.#isDiscarding) this.snapshots[snapshot.kind].remove(snapshot.id);
  }

  statusOf(snapshot: AnySnapshotRecord, now = this.now()): string {
    if (snapshot.deletedAt !== undefined) return "deleting";
    return now < snapshot.readyAt ? this.#statuses[snapshot.kind].creating : snapshot.finalStatus;
  }

  /**
   * Sets the status of a snapshot, and cancels any status change that would follow. A snapshot that is set to `creating` stays
   * `creating`.
   */
  setStatus(snapshot: AnySnapshotRecord, status: string): void {
    const index = this.#deleting.indexOf(snapshot);
    if (index >= 0) this.#deleting.splice(index, 1);
    snapshot.deletedAt = undefined;
    snapshot.updatedAt = this.now();
    if (status === this.#statuses[snapshot.kind].creating) snapshot.readyAt = Number.POSITIVE_INFINITY;
    else {
      snapshot.readyAt = Math.min(snapshot.readyAt, this.now());
      snapshot.finalStatus = status;
    }
  }

  isCreating(snapshot: AnySnapshotRecord, now = this.now()): boolean {
    return snapshot.deletedAt === undefined && now < snapshot.readyAt;
  }

  /**
   * Returns a condition that is true for every snapshot that list responses contain now. Returns `undefined` if list responses
   * contain every snapshot.
   */
  visibility(): ((snapshot: AnySnapshotRecord) => boolean) | undefined {
    const now = this.now();
    return now >= this.#allVisibleAt ? undefined : (snapshot) => snapshot.visibleAt <= now;
  }

  /** Starts a job. Each request that reads the job calls `statusAt` to compute the current status of the job. */
  startJob(type: string, { entities = {}, parts = [] }: Partial<Job>, statusAt: Job["statusAt"]): Job {
    const job = { id: randomBytes(16).toString("hex"), type, beganAt: this.now(), entities, parts, statusAt };
    this.jobs.set(job.id, job);
    return job;
  }

  #takeFinalStatus(resourceId: string): string | undefined {
    const finalStatuses = this.#finalStatuses.get(resourceId);
    const ending = finalStatuses?.shift();
    if (finalStatuses?.length === 0) this.#finalStatuses.delete(resourceId);
    return ending;
  }

  #stamp(createdAt: number): { createdAt: number; microseconds: number; sequence: number } {
    const ms = Math.floor(createdAt);
    const microseconds = ms === this.#lastStamp.ms ? Math.min(this.#lastStamp.microseconds + 1, 999) : 0;
    this.#lastStamp = { ms, microseconds };
    return { createdAt: ms, microseconds, sequence: this.nextSequence() };
  }
}

function freeDevice(used: Set<string>): string {
  for (let index = 0; ; index += 1) {
    const device = `/dev/vd${deviceLetters(index)}`;
    if (!used.has(device)) return device;
  }
}

/** Converts the index of a device to the letters at the end of its name: 0 to `a`, 25 to `z`, 26 to `aa`. */
function deviceLetters(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26));
  return index < 26 ? letter : deviceLetters(Math.floor(index / 26) - 1) + letter;
}
