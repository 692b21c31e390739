import { SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { type RetryBudget, retryRead, startCutoff } from "../../core/retry.ts";
import type { Volume } from "../ports.ts";

/** The two events of an attachment: `requested` when its job starts, `completed` when its job ends. */
export type Stage = "requested" | "completed";

/** An event about the attachment of a disk to a server. */
export interface Attaching {
  serverId: string;
  /** Undefined if the event does not name the disk. */
  volumeId?: string;
  /** The time of the event. An event without a time counts neither as recent nor as old. */
  time?: Instant;
  stage?: Stage;
}

/** An attached disk. */
export interface Attached {
  volumeId: string;
  /**
   * Identifies this attachment: the same for every event of it. Undefined if EVS returns neither an id nor a time for
   * the attachment.
   */
  attachmentId?: string;
  /** The time of the attachment, if EVS returns it. */
  attachedAt?: Instant;
}

/** Returns whether another event has created the snapshot of an attachment for which EVS returns no time. */
export type HasSnapshot = (attached: Attached) => Promise<boolean>;

/** Reads disks. Rejects with a SnapshotError. */
export interface Disks {
  show(volumeId: string): Promise<Volume>;
  /** Lists the disks that are attached or being attached to a server. */
  ofServer(serverId: string): Promise<Volume[]>;
}

const HOUR_MS = 3_600_000;
/** The largest difference between the time of an event and the time of its attachment. */
export const NEAR_MS = 10 * 60_000;
/** The clocks of two services differ by less than this. */
const SKEW_MS = 60_000;
/** The first and the longest wait between two reads of a disk. */
const POLL_MS = { first: 1_000, max: 10_000 };

/**
 * Waits until the disk of an event is attached to the server, because the first event of an attachment arrives earlier.
 *
 * If the event does not name the disk, returns every disk that was attached to the server within 10 minutes of the event. If
 * the event has no time, or a time in the future, returns every disk that was attached within the last hour. If EVS returns no
 * times, returns the disks that were attached during the wait and the disks that `hasSnapshot` selects.
 *
 * @returns the attached disks, or the reason to skip the event: the disk is attached to another server, or it is not attached
 *   an hour after the event
 * @throws SnapshotError DeadlineExceeded if the time runs out, so the platform redelivers the event; NotFound if the disk does
 *   not exist
 */
export async function untilAttached(
  attaching: Attaching,
  disks: Disks,
  retryBudget: RetryBudget,
  hasSnapshot: HasSnapshot,
): Promise<Attached[] | { skipped: string; volumeId?: string }> {
  const { time, deadline } = retryBudget;
  const { serverId, volumeId } = attaching;
  const began = time.now();
  const isInFuture = attaching.time !== undefined && attaching.time - began > NEAR_MS;
  const eventTime = isInFuture ? undefined : attaching.time;
  const isOlderThan = (ms: number) => eventTime !== undefined && time.now() - eventTime > ms;
  let initialIds: Set<string> | undefined;
  const find = async (): Promise<Found> => {
    if (volumeId !== undefined) {
      return { volumes: [await retryRead(() => disks.show(volumeId), retryBudget)], sure: true };
    }
    const volumes = await retryRead(() => disks.ofServer(serverId), retryBudget);
    const initial = initialIds ?? new Set(volumes.map(({ id }) => id));
    initialIds = initial;
    const isOfEvent: HasSnapshot = async (attached) => !initial.has(attached.volumeId) || hasSnapshot(attached);
    return findVolumes({ ...attaching, time: eventTime }, began, volumes, isOfEvent);
  };
  const guessFrom = startCutoff(retryBudget);
  for (let wait = POLL_MS.first; ; wait = Math.min(wait * 2, POLL_MS.max)) {
    const { volumes, sure } = await find();
    const attached = volumes.flatMap((volume) => attachmentTo(serverId, volume) ?? []);
    // The disk of a recent event may not be attached yet, so return other disks only shortly before the deadline.
    const tooEarly = !sure && !isOlderThan(NEAR_MS) && time.now() + wait < guessFrom;
    if (attached.length > 0 && !tooEarly) return attached;
    const [volume] = volumes;
    const id = volume?.id;
    if (volume && volume.attachments.length > 0 && !volume.shared && !volume.attachments.some(mayBeTo(serverId))) {
      return { volumeId: id, skipped: `The disk is attached to another server than ${serverId}.` };
    }
    if (volume && isOlderThan(HOUR_MS)) {
      return {
        volumeId: id,
        skipped: `The disk is not attached to ${serverId}, and the event is more than an hour old.`,
      };
    }
    if (time.now() + wait >= deadline) throw notAttached(attaching, volume);
    await time.sleep(wait);
  }
}

const to =
  (serverId: string) =>
  (attachment: Volume["attachments"][number]): boolean =>
    attachment.serverId === serverId;

/** Returns whether an attachment may be to the server. An attachment without a server may be to any server. */
const mayBeTo =
  (serverId: string) =>
  (attachment: Volume["attachments"][number]): boolean =>
    attachment.serverId === undefined || attachment.serverId === serverId;

/** Returns the attachment of a disk to the server, or undefined. EVS may name the server while the disk is still `attaching`. */
function attachmentTo(serverId: string, { id, status, attachments }: Volume): Attached | undefined {
  const attachment = attachments.find(to(serverId));
  if (attachment === undefined || /^(attaching|reserved)$/i.test(status)) return undefined;
  const { attachedAt } = attachment;
  // Some clouds return the id of the disk here, which is the same for every attachment of the disk.
  const ownId = attachment.id === id ? undefined : attachment.id;
  // Without an id, the disk, the server and the time identify the attachment.
  const attachmentId = ownId ?? (attachedAt === undefined ? undefined : `${id} ${serverId} ${attachedAt}`);
  return { volumeId: id, attachmentId, attachedAt };
}

interface Found {
  volumes: Volume[];
  /** False if the disk of the event may not be attached yet. */
  sure: boolean;
}

/**
 * Finds the disks of an event that names no disk. Returns the first non-empty of: the disks that were attached to the server
 * within 10 minutes of the event; the disks without a time that `isOfEvent` selects; the only disk of the server, as a guess.
 */
async function findVolumes(
  { serverId, time, stage }: Attaching,
  began: Instant,
  volumes: Volume[],
  isOfEvent: HasSnapshot,
): Promise<Found> {
  const attachedAt = ({ attachments }: Volume) => attachments.find(to(serverId))?.attachedAt ?? Number.NaN;
  const [from, until] =
    time === undefined ? [began - HOUR_MS, Number.POSITIVE_INFINITY] : [time - NEAR_MS, time + NEAR_MS];
  const near = volumes.filter((volume) => attachedAt(volume) >= from && attachedAt(volume) <= until);
  if (near.length > 0) {
    const areAttached = near.every((volume) => attachmentTo(serverId, volume) !== undefined);
    const isAfterEvent = near.some((volume) => attachedAt(volume) >= (time ?? began) - SKEW_MS);
    return { volumes: near, sure: areAttached && (stage !== "requested" || isAfterEvent) };
  }
  const selected: Volume[] = [];
  for (const volume of volumes) {
    const attached = attachmentTo(serverId, volume);
    if (attached && attached.attachedAt === undefined && (await isOfEvent(attached))) selected.push(volume);
  }
  if (selected.length > 0) return { volumes: selected, sure: true };
  return { volumes: volumes.length === 1 ? volumes : [], sure: false };
}

const notAttached = ({ serverId, volumeId }: Attaching, volume: Volume | undefined) =>
  new SnapshotError(
    "DeadlineExceeded",
    volume === undefined
      ? `Expected a disk to be attached to ${serverId}; none was attached in time. The platform delivers the event again.`
      : `Expected the disk ${volumeId ?? volume.id} to be attached to ${serverId}; it was "${volume.status}" until the time ran out. The platform delivers the event again.`,
  );
