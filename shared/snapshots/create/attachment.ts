import { SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { type RetryBudget, retryRead, startCutoff } from "../../core/retry.ts";
import type { Volume } from "../ports.ts";

/** Which of the two events of an attachment: the one about the request, or the one about the end of its job. */
export type Stage = "requested" | "completed";

/** That a disk is being, or was, attached to a server. */
export interface Attaching {
  serverId: string;
  /** Undefined where the event does not name the disk. */
  volumeId?: string;
  /** The time of the event. An unknown time is neither recent nor old. */
  time?: Instant;
  stage?: Stage;
}

/** A disk that is attached. */
export interface Attached {
  volumeId: string;
  /**
   * Identifies this attachment: the same for every event of it. Undefined if EVS returns neither an id nor a time for
   * the attachment.
   */
  attachmentId?: string;
  /** As EVS gives it. */
  attachedAt?: Instant;
}

/** Returns whether another event has created the snapshot of an attachment for which EVS returns no time. */
export type HasSnapshot = (attached: Attached) => Promise<boolean>;

/** Reading disks; rejects with a SnapshotError. */
export interface Disks {
  show(volumeId: string): Promise<Volume>;
  ofServer(serverId: string): Promise<Volume[]>;
}

const HOUR_MS = 3_600_000;
/** The largest difference between the time of an event and the time of its attachment. */
export const NEAR_MS = 10 * 60_000;
/** A disk is attached after the request; the clocks of two services differ by less than this. */
const SKEW_MS = 60_000;
/** The first wait for a disk to be attached, and the longest. */
const POLL_MS = { first: 1_000, most: 10_000 };

/**
 * Waits until the disk is attached to the server, because the first event of an attachment is sent before that. If the
 * event does not name the disk, returns every disk that was attached to the server within 10 minutes of the event, or
 * within the last hour if the event has no time or a time in the future. Returns the reason to skip the event if the disk
 * is attached elsewhere, or is not attached an hour after the event.
 *
 * If EVS returns no times, it returns the disks that were attached during the wait or that `hasSnapshot` selects.
 *
 * @throws DeadlineExceeded if the time runs out first, so the platform redelivers the event; NotFound if the disk does
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
  const ahead = attaching.time !== undefined && attaching.time - began > NEAR_MS;
  const eventTime = ahead ? undefined : attaching.time;
  const isOlderThan = (ms: number) => eventTime !== undefined && time.now() - eventTime > ms;
  let atFirst: Set<string> | undefined;
  const find = async (): Promise<Found> => {
    if (volumeId !== undefined) {
      return { volumes: [await retryRead(() => disks.show(volumeId), retryBudget)], sure: true };
    }
    const volumes = await retryRead(() => disks.ofServer(serverId), retryBudget);
    const before = atFirst ?? new Set(volumes.map(({ id }) => id));
    atFirst = before;
    const isMeant: HasSnapshot = async (attached) => !before.has(attached.volumeId) || hasSnapshot(attached);
    return findVolumes({ ...attaching, time: eventTime }, began, volumes, isMeant);
  };
  const guessFrom = startCutoff(retryBudget);
  for (let wait = POLL_MS.first; ; wait = Math.min(wait * 2, POLL_MS.most)) {
    const { volumes, sure } = await find();
    const attached = volumes.flatMap((volume) => attachmentTo(serverId, volume) ?? []);
    // The disk of a recent event may not be attached yet, so return other disks only when the time is
    // almost up.
    const tooEarly = !sure && !isOlderThan(NEAR_MS) && time.now() + wait < guessFrom;
    if (attached.length > 0 && !tooEarly) return attached;
    const [volume] = volumes;
    const id = volume?.id;
    if (volume && volume.attachments.length > 0 && !volume.shared && !volume.attachments.some(mayBeTo(serverId))) {
      return { volumeId: id, skipped: `The disk is attached to another server than ${serverId} by now.` };
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

/** An attachment that does not say its server may be to any. */
const mayBeTo =
  (serverId: string) =>
  (attachment: Volume["attachments"][number]): boolean =>
    attachment.serverId === undefined || attachment.serverId === serverId;

/** While a disk is `attaching` the list may name the server already: it is attached when it no longer is. */
function attachmentTo(serverId: string, { id, status, attachments }: Volume): Attached | undefined {
  const attachment = attachments.find(to(serverId));
  if (attachment === undefined || /^(attaching|reserved)$/i.test(status)) return undefined;
  const { attachedAt } = attachment;
  // Some clouds return the disk's id here, which is the same for every attachment of the disk.
  const own = attachment.id === id ? undefined : attachment.id;
  // Without an id of its own, an attachment is told by disk, server and time.
  const attachmentId = own ?? (attachedAt === undefined ? undefined : `${id} ${serverId} ${attachedAt}`);
  return { volumeId: id, attachmentId, attachedAt };
}

interface Found {
  volumes: Volume[];
  /** False if the disk of the event may not be attached yet. */
  sure: boolean;
}

/**
 * Finds the disks of an event that names none. In this order: the disks that were attached to the server near the time of
 * the event; the disks without a time that `isMeant` selects; the only disk of the server, as a guess.
 */
async function findVolumes(
  { serverId, time, stage }: Attaching,
  began: Instant,
  volumes: Volume[],
  isMeant: HasSnapshot,
): Promise<Found> {
  const attachedAt = ({ attachments }: Volume) => attachments.find(to(serverId))?.attachedAt ?? Number.NaN;
  const [from, until] =
    time === undefined ? [began - HOUR_MS, Number.POSITIVE_INFINITY] : [time - NEAR_MS, time + NEAR_MS];
  const near = volumes.filter((volume) => attachedAt(volume) >= from && attachedAt(volume) <= until);
  if (near.length > 0) {
    const done = near.every((volume) => attachmentTo(serverId, volume) !== undefined);
    const later = near.some((volume) => attachedAt(volume) >= (time ?? began) - SKEW_MS);
    return { volumes: near, sure: done && (stage !== "requested" || later) };
  }
  const meant: Volume[] = [];
  for (const volume of volumes) {
    const attached = attachmentTo(serverId, volume);
    if (attached && attached.attachedAt === undefined && (await isMeant(attached))) meant.push(volume);
  }
  if (meant.length > 0) return { volumes: meant, sure: true };
  return { volumes: volumes.length === 1 ? volumes : [], sure: false };
}

const notAttached = ({ serverId, volumeId }: Attaching, volume: Volume | undefined) =>
  new SnapshotError(
    "DeadlineExceeded",
    volume === undefined
      ? `Expected a disk to be attached to ${serverId}; there was none in time. The event will be delivered again.`
      : `Expected the disk ${volumeId ?? volume.id} to be attached to ${serverId}; it was "${volume.status}" until the time ran out. The event will be delivered again.`,
  );
