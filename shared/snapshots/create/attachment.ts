import { SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { type RetryBudget, retryRead, startCutoff } from "../../core/retry.ts";
import type { Volume } from "../ports.ts";

/**
 * The stage of an attachment that a CTS event reports: `requested` when the attachment job starts, `completed` when the job is
 * finished.
 */
export type AttachmentStage = "requested" | "completed";

/** A CTS event that reports the attachment of a disk to a server. */
export interface AttachmentEvent {
  serverId: string;
  /** The disk id; undefined if the event contains no disk id. */
  volumeId?: string;
  /** The time of the event. Undefined if the event contains no valid time. */
  time?: Instant;
  stage?: AttachmentStage;
}

/** A disk that is attached to the server of an event. */
export interface DiskAttachment {
  volumeId: string;
  /**
   * Identifies an attachment. All events about the attachment have this id. Undefined if EVS returns neither an attachment id
   * nor an attachment time.
   */
  attachmentId?: string;
  /** The attachment time, if EVS returns it. */
  attachedAt?: Instant;
}

/**
 * Returns whether another event about the same attachment has already created the snapshot of the disk. `waitUntilAttached`
 * calls this function only if EVS returns no attachment time.
 */
export type HasSnapshot = (attached: DiskAttachment) => Promise<boolean>;

/** Reads disks from EVS. The functions reject with a SnapshotError. */
export interface DiskReader {
  show(volumeId: string): Promise<Volume>;
  /** Lists the disks that are attached to a server or are being attached to it. */
  ofServer(serverId: string): Promise<Volume[]>;
}

const HOUR_MS = 3_600_000;
/** The maximum difference in milliseconds between the time of a CTS event and the attachment time that EVS returns. */
export const MAX_EVENT_DISTANCE_MS = 10 * 60_000;
/** The maximum difference between the clocks of two services, in milliseconds. */
const SKEW_MS = 60_000;
/**
 * The wait between two checks whether the disk is attached, in milliseconds. The wait starts at `first` and doubles up to
 * `max`.
 */
const POLL_MS = { first: 1_000, max: 10_000 };

/**
 * Waits until the disk of a CTS event is attached to the server, because the first event about an attachment arrives before EVS
 * shows the attachment.
 *
 * If the event contains no disk id, the function selects disks of the server:
 *
 * - the disks that were attached within 10 minutes of the event;
 * - if the event has no time, or a time in the future: the disks that were attached within the last hour;
 * - if EVS returns no attachment times: the disks that were attached during the wait, and the disks for which `hasSnapshot`
 *   returns true;
 * - shortly before the deadline: the only disk of the server.
 *
 * @returns the attached disks, or `skipped` with the reason to ignore the event: the disk is attached to another server, or it
 *   is still not attached an hour after the event
 * @throws SnapshotError DeadlineExceeded if the disk is not attached before the deadline, so the platform redelivers the event;
 *   NotFound if the disk does not exist
 */
export async function waitUntilAttached(
  attaching: AttachmentEvent,
  disks: DiskReader,
  retryBudget: RetryBudget,
  hasSnapshot: HasSnapshot,
): Promise<DiskAttachment[] | { skipped: string; volumeId?: string }> {
  const { time, deadline } = retryBudget;
  const { serverId, volumeId } = attaching;
  const startedAt = time.now();
  const isInFuture = attaching.time !== undefined && attaching.time - startedAt > MAX_EVENT_DISTANCE_MS;
  const eventTime = isInFuture ? undefined : attaching.time;
  const isEventOlderThan = (ms: number) => eventTime !== undefined && time.now() - eventTime > ms;
  let initialIds: Set<string> | undefined;
  const find = async (): Promise<DiskSearchResult> => {
    if (volumeId !== undefined) {
      return { volumes: [await retryRead(() => disks.show(volumeId), retryBudget)], isCertain: true };
    }
    const volumes = await retryRead(() => disks.ofServer(serverId), retryBudget);
    const initial = initialIds ?? new Set(volumes.map(({ id }) => id));
    initialIds = initial;
    const isOfEvent: HasSnapshot = async (attached) => !initial.has(attached.volumeId) || hasSnapshot(attached);
    return findVolumes({ ...attaching, time: eventTime }, startedAt, volumes, isOfEvent);
  };
  const acceptGuessFrom = startCutoff(retryBudget);
  for (let wait = POLL_MS.first; ; wait = Math.min(wait * 2, POLL_MS.max)) {
    const { volumes, isCertain } = await find();
    const attached = volumes.flatMap((volume) => attachmentTo(serverId, volume) ?? []);
    // If the result is not certain, the disk of the event may still be attached during the wait. Return an uncertain result
    // only shortly before the deadline, or if the event is more than 10 minutes old.
    const isTooEarly = !isCertain && !isEventOlderThan(MAX_EVENT_DISTANCE_MS) && time.now() + wait < acceptGuessFrom;
    if (attached.length > 0 && !isTooEarly) return attached;
    const [volume] = volumes;
    const id = volume?.id;
    if (
      volume &&
      volume.attachments.length > 0 &&
      !volume.shared &&
      !volume.attachments.some(mayBeToServer(serverId))
    ) {
      return { volumeId: id, skipped: `The disk is attached to another server, not to ${serverId}.` };
    }
    if (volume && isEventOlderThan(HOUR_MS)) {
      return {
        volumeId: id,
        skipped: `The disk is not attached to ${serverId}, and the event is more than an hour old.`,
      };
    }
    if (time.now() + wait >= deadline) throw notAttachedError(attaching, volume);
    await time.sleep(wait);
  }
}

const isToServer =
  (serverId: string) =>
  (attachment: Volume["attachments"][number]): boolean =>
    attachment.serverId === serverId;

/**
 * Returns whether an attachment may connect a disk to the given server. Returns true if EVS returns no server id for the
 * attachment.
 */
const mayBeToServer =
  (serverId: string) =>
  (attachment: Volume["attachments"][number]): boolean =>
    attachment.serverId === undefined || attachment.serverId === serverId;

/**
 * Returns the attachment of a disk to the server. Returns undefined if the disk is still `attaching`, although EVS may already
 * return the server id.
 */
function attachmentTo(serverId: string, { id, status, attachments }: Volume): DiskAttachment | undefined {
  const attachment = attachments.find(isToServer(serverId));
  if (attachment === undefined || /^(attaching|reserved)$/i.test(status)) return undefined;
  const { attachedAt } = attachment;
  // Some regions return the disk id as the attachment id. Ignore such an id, because it is the same for every attachment of the
  // disk.
  const ownId = attachment.id === id ? undefined : attachment.id;
  // Without an attachment id, the disk, the server and the attachment time identify the attachment.
  const attachmentId = ownId ?? (attachedAt === undefined ? undefined : `${id} ${serverId} ${attachedAt}`);
  return { volumeId: id, attachmentId, attachedAt };
}

/** The disks that may be the disk of an event. */
interface DiskSearchResult {
  volumes: Volume[];
  /** False if `volumes` may be wrong, because the disk of the event may not be attached yet. */
  isCertain: boolean;
}

/**
 * Selects the disks of a server that may be the disk of an event without a disk id. Returns the first selection that is not
 * empty:
 *
 * - the disks that were attached to the server within 10 minutes of the event;
 * - the disks without an attachment time for which `isOfEvent` returns true;
 * - the only disk of the server, with `isCertain: false`.
 */
async function findVolumes(
  { serverId, time, stage }: AttachmentEvent,
  startedAt: Instant,
  volumes: Volume[],
  isOfEvent: HasSnapshot,
): Promise<DiskSearchResult> {
  const attachedAt = ({ attachments }: Volume) => attachments.find(isToServer(serverId))?.attachedAt ?? Number.NaN;
  const [from, until] =
    time === undefined
      ? [startedAt - HOUR_MS, Number.POSITIVE_INFINITY]
      : [time - MAX_EVENT_DISTANCE_MS, time + MAX_EVENT_DISTANCE_MS];
  const near = volumes.filter((volume) => attachedAt(volume) >= from && attachedAt(volume) <= until);
  if (near.length > 0) {
    const areAttached = near.every((volume) => attachmentTo(serverId, volume) !== undefined);
    const isAfterEvent = near.some((volume) => attachedAt(volume) >= (time ?? startedAt) - SKEW_MS);
    return { volumes: near, isCertain: areAttached && (stage !== "requested" || isAfterEvent) };
  }
  const selected: Volume[] = [];
  for (const volume of volumes) {
    const attached = attachmentTo(serverId, volume);
    if (attached && attached.attachedAt === undefined && (await isOfEvent(attached))) selected.push(volume);
  }
  if (selected.length > 0) return { volumes: selected, isCertain: true };
  return { volumes: volumes.length === 1 ? volumes : [], isCertain: false };
}

const notAttachedError = ({ serverId, volumeId }: AttachmentEvent, volume: Volume | undefined) =>
  new SnapshotError(
    "DeadlineExceeded",
    volume === undefined
      ? `Expected a disk to be attached to ${serverId}; no disk was attached in time. The platform delivers the event again.`
      : `Expected the disk ${volumeId ?? volume.id} to be attached to ${serverId}; its status is still "${volume.status}". The platform delivers the event again.`,
  );
