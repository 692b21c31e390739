import { type Instant, instant } from "../../core/instant.ts";
import { deriveKey } from "../marker.ts";
import type { SnapshotService } from "../ports.ts";
import type { AttachmentStage, DiskAttachment } from "./attachment.ts";
import type { InFlight } from "./in-flight.ts";

/** The time of a CTS attachment event, and whether the event reports the request or the completion of the attachment. */
export interface EventMoment {
  time: Instant;
  /** Undefined if the event does not show whether it reports the request or the completion of the attachment. */
  stage?: AttachmentStage;
}

/** The idempotency key for the snapshot of an attached disk. */
export interface AttachmentKey {
  key: string;
  /** All idempotency keys that any event of the attachment may have used for the snapshot, including `key`. */
  keys: ReadonlySet<string>;
}

/**
 * The length of a tick, in milliseconds. A key is derived from the event time, rounded down to a multiple of this length. Because
 * all event times in a tick lead to the same key, `momentsNear` needs only one moment per tick and stage to cover the keys of all
 * other events that the same attachment can have.
 */
const TICK_MS = 10_000;
/** The completion event of an attachment follows the request event within this number of 10-second ticks (10 minutes). */
const NEAR_TICKS = 60;
/** The maximum difference between the clocks of two services, as a number of 10-second ticks. */
const SKEW_TICKS = 2;
const STAGES: readonly (AttachmentStage | undefined)[] = ["requested", "completed", undefined];
/** How long a process remembers the idempotency key of an attachment, in milliseconds. Every invocation is shorter. */
const REMEMBERED_MS = 3_600_000;

/**
 * Returns the idempotency key for the snapshot of an attached disk. The key is derived from the attachment id. If EVS returns
 * neither an attachment id nor an attachment time, the key is derived from the disk id, the server id, the time of the event,
 * and its stage (the request or the completion of the attachment).
 *
 * CTS sends two events for one attachment: a request event and a completion event. For keys that are derived from times, these
 * rules apply:
 *
 * - The request event and the completion event of an attachment share a key if the completion event is at most 10 minutes
 *   later. A redelivered event has the same key as its first delivery.
 * - The request events of two attachments never share a key if they are more than 20 seconds apart.
 * - A completion event may be delivered before the request event of its attachment. If it then gets the key of an earlier
 *   attachment, it creates no snapshot. The request event gets a new key and creates the snapshot.
 * - If an event does not show its stage, it shares a key with every event within 10 minutes. If an event has no time, the caller
 *   passes the arrival time without a stage.
 *
 * The second event of an attachment finds the key of the first event in the memory of this process (`rememberKey`) or in the
 * labels that identify the existing snapshot as created by this project (`unifyAttachmentKeys`).
 */
export function attachmentKey(
  { attachmentId, volumeId }: DiskAttachment,
  serverId: string,
  moment: EventMoment,
): AttachmentKey {
  if (attachmentId !== undefined) {
    const key = deriveKey("attachment", attachmentId);
    return { key, keys: new Set([key]) };
  }
  const diskAndServer = `${volumeId} ${serverId}`;
  const keys = momentsNear(moment).map((near) => keyAt(diskAndServer, near));
  return { key: keyAt(diskAndServer, moment), keys: new Set(keys) };
}

/** The attachment keys that this process has used, oldest first. All invocations of a process share `inFlight`. */
const memory = new WeakMap<InFlight, { key: string; at: Instant }[]>();

/**
 * Returns the key that this process already uses for the same attachment, or the given key if the attachment is new. The memory
 * is necessary because two events of an attachment can be processed at the same time, and because list responses can omit a new
 * snapshot for several seconds. The function is synchronous, so two events cannot both add a key for the same attachment.
 */
export function rememberKey({ key, keys }: AttachmentKey, inFlight: InFlight, now: Instant): AttachmentKey {
  const remembered = (memory.get(inFlight) ?? []).filter(({ at }) => now - at <= REMEMBERED_MS);
  // Prefer the newest key, because a completion event belongs to the most recent request event.
  const keyInUse = remembered.findLast((entry) => keys.has(entry.key));
  memory.set(inFlight, keyInUse ? remembered : [...remembered, { key, at: now }]);
  return { key: keyInUse?.key ?? key, keys };
}

const tickOf = ({ time }: EventMoment): number => Math.floor(time / TICK_MS);

const keyAt = (diskAndServer: string, moment: EventMoment): string =>
  deriveKey("attachment", diskAndServer, moment.stage ?? "", String(tickOf(moment)));

/**
 * Returns every event time that another event of the same attachment can have, with each stage: the request of the attachment,
 * its completion, or unknown.
 */
function momentsNear({ time, stage }: EventMoment): EventMoment[] {
  return STAGES.flatMap((other) => {
    const [from, to] = ticksOf(stage, other);
    return Array.from({ length: to - from + 1 }, (_, index) => ({
      time: instant(time + (from + index) * TICK_MS),
      stage: other,
    }));
  });
}

/**
 * Returns the time range of another event of the same attachment, in 10-second ticks relative to the first event. A negative
 * number means that the other event is earlier.
 *
 * @param stage the stage of the first event
 * @param other the stage of the other event
 */
function ticksOf(
  stage: AttachmentStage | undefined,
  other: AttachmentStage | undefined,
): readonly [from: number, to: number] {
  if (stage === undefined || other === undefined) return [-NEAR_TICKS, NEAR_TICKS];
  if (stage === other) return [-1, 1];
  return stage === "requested" ? [-SKEW_TICKS, NEAR_TICKS] : [-NEAR_TICKS, SKEW_TICKS];
}

/**
 * Wraps a client so all events about an attachment find the same snapshot. If `listFor` of the client returns a snapshot with
 * an idempotency key in `keys`, the wrapped client replaces this key with `key`.
 */
export const unifyAttachmentKeys = (service: SnapshotService, { key, keys }: AttachmentKey): SnapshotService => ({
  ...service,
  async listFor(options) {
    const listed = await service.listFor(options);
    return listed.map((found) =>
      found.marker && keys.has(found.marker.idempotencyKey)
        ? { ...found, marker: { ...found.marker, idempotencyKey: key } }
        : found,
    );
  },
});
