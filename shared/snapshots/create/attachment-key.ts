import { type Instant, instant } from "../../core/instant.ts";
import { deriveKey } from "../marker.ts";
import type { SnapshotService } from "../ports.ts";
import type { Attached, Stage } from "./attachment.ts";
import type { InFlight } from "./in-flight.ts";

/** The time and stage of an event of an attachment. */
export interface Moment {
  time: Instant;
  /** Undefined if it is unknown which of the two events of an attachment this one is. */
  stage?: Stage;
}

/** The idempotency key of an attachment. */
export interface AttachmentKey {
  key: string;
  /** `key`, and the keys with which other events of the attachment can have created the snapshot. */
  keys: ReadonlySet<string>;
}

/** Times are rounded down to 10 seconds, so there are few keys within 10 minutes. */
const TICK_MS = 10_000;
/** The completion of an attachment follows its request within 10 minutes. */
const NEAR_TICKS = 60;
/** The clocks of two services can differ by this many ticks. */
const SKEW_TICKS = 2;
const STAGES: readonly (Stage | undefined)[] = ["requested", "completed", undefined];
/** How long a process remembers a key. No invocation lasts longer. */
const REMEMBERED_MS = 3_600_000;

/**
 * Returns the key of an attachment, derived from its id. If EVS returns neither an id nor a time, the key is derived from
 * disk, server and the time of the event:
 *
 * - The request and the completion of one attachment, delivered any number of times and in any order, share a key if the
 *   completion's time is at most 10 minutes after the request's.
 * - Two attachments whose requests are more than 20 seconds apart have two keys, even within 10 minutes: a request never
 *   shares a key with another request. A completion that arrives before its own request can share the key of an earlier
 *   attachment; its own request then still creates the snapshot.
 * - An event of unknown stage shares a key with every event within 10 minutes of it. For an event of unknown time, the
 *   caller passes the time of arrival and no stage.
 *
 * The second event of an attachment finds the key of the first event in this process (`rememberKey`), or in the marker of
 * the snapshot (`underOneKey`).
 */
export function attachmentKey({ attachmentId, volumeId }: Attached, serverId: string, moment: Moment): AttachmentKey {
  if (attachmentId !== undefined) {
    const key = deriveKey("attachment", attachmentId);
    return { key, keys: new Set([key]) };
  }
  const attached = `${volumeId} ${serverId}`;
  return { key: keyAt(attached, moment), keys: new Set(momentsNear(moment).map((near) => keyAt(attached, near))) };
}

/** The keys that this process has used, oldest first. All invocations of a process share `inFlight`. */
const memory = new WeakMap<InFlight, { key: string; at: Instant }[]>();

/**
 * Replaces the key by the key that this process already uses for the attachment, because two events can be processed
 * concurrently, and because a list shows a new snapshot some seconds late. Synchronous, so no other event can intervene.
 */
export function rememberKey({ key, keys }: AttachmentKey, inFlight: InFlight, now: Instant): AttachmentKey {
  const remembered = (memory.get(inFlight) ?? []).filter(({ at }) => now - at <= REMEMBERED_MS);
  // The newest key, because a completion belongs to the most recent request.
  const used = remembered.findLast((one) => keys.has(one.key));
  memory.set(inFlight, used ? remembered : [...remembered, { key, at: now }]);
  return { key: used?.key ?? key, keys };
}

const tickOf = ({ time }: Moment): number => Math.floor(time / TICK_MS);

const keyAt = (attached: string, moment: Moment): string =>
  deriveKey("attachment", attached, moment.stage ?? "", String(tickOf(moment)));

/** Returns every time and stage that another event of the same attachment can have. */
function momentsNear({ time, stage }: Moment): Moment[] {
  return STAGES.flatMap((other) => {
    const [from, to] = ticksOf(stage, other);
    return Array.from({ length: to - from + 1 }, (_, index) => ({
      time: instant(time + (from + index) * TICK_MS),
      stage: other,
    }));
  });
}

/** Returns how many ticks later than an event another event of the same attachment can be. */
function ticksOf(stage: Stage | undefined, other: Stage | undefined): readonly [from: number, to: number] {
  if (stage === undefined || other === undefined) return [-NEAR_TICKS, NEAR_TICKS];
  if (stage === other) return [-1, 1];
  return stage === "requested" ? [-SKEW_TICKS, NEAR_TICKS] : [-NEAR_TICKS, SKEW_TICKS];
}

/** Wraps a service. Its lists show the snapshot of another event of the attachment under `key`. */
export const underOneKey = (service: SnapshotService, { key, keys }: AttachmentKey): SnapshotService => ({
  ...service,
  async listFor(options) {
    const listed = await service.listFor(options);
    return listed.map((one) =>
      one.marker && keys.has(one.marker.idempotencyKey)
        ? { ...one, marker: { ...one.marker, idempotencyKey: key } }
        : one,
    );
  },
});
