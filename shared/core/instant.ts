/**
 * A point in time, in whole milliseconds since 1970-01-01 00:00 UTC. All code uses this type for times. Time zones matter
 * only for retention, which needs the calendar day on which a snapshot was created.
 */
export type Instant = number & { readonly brand: "Instant" };

/** Converts milliseconds since 1970-01-01 00:00 UTC into an instant. Drops fractions of a millisecond. */
export const instant = (milliseconds: number): Instant => Math.trunc(milliseconds) as Instant;

/** Returns the instant that is `milliseconds` later than `moment`. */
export const after = (moment: Instant, milliseconds: number): Instant => instant(moment + milliseconds);

/** Returns the instant that is `milliseconds` earlier than `moment`. */
export const before = (moment: Instant, milliseconds: number): Instant => instant(moment - milliseconds);

/**
 * The earliest credible time. EVS and DWS did not exist before 2015, so an earlier time, such as 0001-01-01 or 1970-01-01,
 * means that the cloud did not set the time.
 */
const EARLIEST_MS = Date.UTC(2015, 0);
/**
 * How far in the future a credible time can be, in milliseconds. The services reject every request that was signed more than
 * 15 minutes before or after their own time, so their clocks differ from this machine's clock by at most 15 minutes
 * (SOURCES.md#gateway-clock-skew).
 */
const MAX_AHEAD_MS = 15 * 60_000;
/**
 * The furthest in the future that retention and verify accept a creation time, in milliseconds. The limit is higher than
 * `MAX_AHEAD_MS`, because a snapshot with a time beyond this limit is held forever.
 */
export const MAX_CREATED_AHEAD_MS = 3_600_000;

/**
 * Returns a time from a cloud response if the time is credible.
 *
 * @param maxAheadMs how far after `now` the time can be, in milliseconds. Default: 15 minutes
 * @returns undefined if the time is absent, before 2015, or too far after `now`
 */
export const credibleTime = (
  moment: Instant | undefined,
  now: Instant,
  maxAheadMs = MAX_AHEAD_MS,
): Instant | undefined =>
  moment !== undefined && moment >= EARLIEST_MS && moment <= now + maxAheadMs ? moment : undefined;

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * Parses a timestamp in a cloud response or an event. A timestamp without a time zone, as EVS v2 returns it, is read as UTC
 * (SOURCES.md#evs-times-without-zone). `Date.parse` would read it as local time.
 *
 * @returns undefined if the value is not a valid timestamp
 * @example parseInstant("2013-02-25T03:56:53.081642") // EVS v2, UTC
 * @example parseInstant("2023-06-01T08:30:00+08:00") // timer event
 */
export function parseInstant(text: unknown): Instant | undefined {
  if (typeof text !== "string") return undefined;
  const parts = TIMESTAMP.exec(text.trim());
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second = "00", fraction = "", zone = "Z"] = parts;
  // Stryker disable next-line MethodExpression: V8 also parses longer fractions, but ECMAScript defines only three digits
  const milliseconds = `${fraction}000`.slice(0, 3);
  const offset = zone.toUpperCase() === "Z" ? "+00:00" : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  const parsed = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${offset}`);
  if (Number.isNaN(parsed)) return undefined;
  // Reject a date or hour that does not exist: `Date.parse` converts 30 February to 2 March, and 24:00 to the next day.
  const normalized = new Date(parsed + offsetMs(offset)).toISOString();
  return normalized.startsWith(`${year}-${month}-${day}T${hour}:${minute}`) ? instant(parsed) : undefined;
}

const offsetMs = (offset: string): number => {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4));
  return (offset.startsWith("-") ? -1 : 1) * minutes * 60_000;
};

/** Formats an instant for result records, such as `2026-11-21T02:00:00.000Z`. */
export const formatInstant = (moment: Instant): string => new Date(moment).toISOString();

/** Formats an instant in whole seconds for snapshot names, such as `20261121T020000Z`. */
export const compactInstant = (moment: Instant): string =>
  `${new Date(moment).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
