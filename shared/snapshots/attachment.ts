import type { Instant } from "./instant.ts";
import type { Volume } from "./ports.ts";
import { SnapshotError } from "./reasons.ts";
import { lastBegin, type Patience, retryRead } from "./waiting.ts";

/** That a disk is being, or was, attached to a server. */
export interface Attaching {
  serverId: string;
  /** Undefined where the event does not name the disk. */
  volumeId?: string;
  /** The event's. */
  time: Instant;
}

/** A disk that is attached. */
export interface Attached {
  volumeId: string;
  /** What makes this attachment one; the same for every event that tells of it. */
  attachmentId: string;
  /** As EVS gives it. */
  attachedAt?: Instant;
}

/** Reading disks; rejects with a SnapshotError. */
export interface Disks {
  show(volumeId: string): Promise<Volume>;
  ofServer(serverId: string): Promise<Volume[]>;
}

const HOUR_MS = 3_600_000;
const NEAR_MS = 10 * 60_000;
/** The first wait for a disk to be attached, and the longest. */
const POLL_MS = { first: 1_000, most: 10_000 };

/**
 * Waits until the disk is attached to that server (DESIGN 4.3): the first event of an attachment comes before it. Returns
 * why there is nothing to do where the disk is attached elsewhere, or still not an hour after the event.
 *
 * Rejects with DeadlineExceeded where time runs out first, so that the platform delivers the event again; NotFound where
 * there is no such disk; InvalidRequest where the disk is not named and cannot be told from others.
 */
export async function untilAttached(
  attaching: Attaching,
  disks: Disks,
  patience: Patience,
): Promise<Attached | { skipped: string; volumeId?: string }> {
  const { time, until } = patience;
  const { serverId } = attaching;
  const guessFrom = lastBegin(patience);
  for (let wait = POLL_MS.first; ; wait = Math.min(wait * 2, POLL_MS.most)) {
    const { volume, guessed } = await findVolume(attaching, disks, patience);
    const attached = volume && attachmentTo(serverId, volume);
    // While the event is ahead of its disk, the server's only one is another: it counts when no other comes.
    const tooEarly = guessed && time.now() - attaching.time <= NEAR_MS && time.now() + wait < guessFrom;
    if (attached && !tooEarly) return attached;
    const volumeId = volume?.id;
    if (volume && volume.attachments.length > 0 && !volume.shared && !volume.attachments.some(mayBeTo(serverId))) {
      return { volumeId, skipped: `The disk is attached to another server than ${serverId} by now.` };
    }
    if (volume && time.now() - attaching.time > HOUR_MS) {
      return { volumeId, skipped: `The disk is not attached to ${serverId}, and the event is more than an hour old.` };
    }
    if (time.now() + wait >= until) throw notAttached(attaching, volume);
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
  // Without an id of its own, an attachment is told by disk, server and time.
  const attachmentId = attachment.id ?? `${id} ${serverId} ${attachedAt ?? ""}`;
  return { volumeId: id, attachmentId, attachedAt };
}

/**
 * The named disk, else the one of the server's disks that was attached within 10 minutes of the event, or its only one,
 * which is a guess.
 */
async function findVolume(
  { volumeId, serverId, time }: Attaching,
  disks: Disks,
  patience: Patience,
): Promise<{ volume?: Volume; guessed: boolean }> {
  if (volumeId !== undefined) {
    return { volume: await retryRead(() => disks.show(volumeId), patience), guessed: false };
  }
  const volumes = await retryRead(() => disks.ofServer(serverId), patience);
  const near = volumes.filter(({ attachments }) =>
    attachments.some((one) => to(serverId)(one) && Math.abs((one.attachedAt ?? 0) - time) <= NEAR_MS),
  );
  const candidates = near.length > 0 ? near : volumes.length === 1 ? volumes : [];
  if (candidates.length > 1) {
    const ids = candidates.map(({ id }) => id).join(", ");
    throw new SnapshotError(
      "InvalidRequest",
      `Expected the event to name the disk, or one disk that was attached to ${serverId} within 10 minutes of it; there are ${candidates.length}: ${ids}. Take their snapshots with a policy or by hand.`,
    );
  }
  return { volume: candidates[0], guessed: near.length === 0 };
}

const notAttached = ({ serverId, volumeId }: Attaching, volume: Volume | undefined) =>
  new SnapshotError(
    "DeadlineExceeded",
    volume === undefined
      ? `Expected a disk to be attached to ${serverId}; there was none in time. The event will be delivered again.`
      : `Expected the disk ${volumeId ?? volume.id} to be attached to ${serverId}; it was "${volume.status}" until the time ran out. The event will be delivered again.`,
  );
