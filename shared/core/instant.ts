/**
 * A moment in whole milliseconds since 1970 in UTC. The project has no other type for a moment. Only retention uses time
 * zones, to find the day of a snapshot.
 */
export type Instant = number & { readonly brand: "Instant" };

/** Converts milliseconds since 1970 into an instant. Drops fractions of a millisecond. */
export const instant = (milliseconds: number): Instant => Math.trunc(milliseconds) as Instant;

/** Returns the instant that is `milliseconds` later than `moment`. */
export const after = (moment: Instant, milliseconds: number): Instant => instant(moment + milliseconds);

/** Returns the instant that is `milliseconds` earlier than `moment`. */
export const before = (moment: Instant, milliseconds: number): Instant => instant(moment - milliseconds);

/** EVS and DWS did not exist before 2015. An earlier time, such as 0001-01-01 or 1970-01-01, means that the time is not set. */
const EARLIEST = Date.UTC(2015, 0);
/** The services reject a signature that is more than 15 minutes off, so their clocks differ less (SOURCES.md#gateway-clock-skew). */
const AHEAD_MS = 15 * 60_000;

/**
 * Checks a time that the cloud returned.
 *
 * @returns the time, or undefined if it is absent, before 2015, or more than 15 minutes after `now`
 */
export const credibleTime = (moment: Instant | undefined, now: Instant): Instant | undefined =>
  moment !== undefined && moment >= EARLIEST && moment <= now + AHEAD_MS ? moment : undefined;

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * Parses a timestamp of the cloud. A timestamp without a zone, as EVS v2 returns it, is in UTC
 * (SOURCES.md#evs-times-without-zone). `Date.parse` would interpret it as local time.
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
  // Stryker disable next-line MethodExpression: V8 accepts more than the three digits that ECMAScript defines.
  const milliseconds = `${fraction}000`.slice(0, 3);
  const offset = zone.toUpperCase() === "Z" ? "+00:00" : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  const parsed = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${offset}`);
  if (Number.isNaN(parsed)) return undefined;
  // `Date` reads 30 February as 2 March, and 24:00 as the next day.
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
