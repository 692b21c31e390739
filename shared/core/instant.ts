/**
 * An instant in UTC, in whole milliseconds since 1970. The only type for a moment in this project: zones exist at the
 * edges (a policy's retention buckets), never in between.
 */
export type Instant = number & { readonly __brand: "Instant" };

export const instant = (milliseconds: number): Instant => Math.trunc(milliseconds) as Instant;

export const after = (moment: Instant, milliseconds: number): Instant => instant(moment + milliseconds);

/** EVS and DWS did not exist before. An earlier time, such as 0001-01-01 or 1970-01-01, means that there is no time. */
const EARLIEST = Date.UTC(2015, 0);
/** The services refuse a signature whose time is 15 minutes off their own: their clocks are no further ahead. */
const AHEAD_MS = 15 * 60_000;

/** Returns a time that the cloud gave; undefined where there is none, or where it cannot be the time of something past. */
export const credibleTime = (moment: Instant | undefined, now: Instant): Instant | undefined =>
  moment !== undefined && moment >= EARLIEST && moment <= now + AHEAD_MS ? moment : undefined;

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * Reads a timestamp as the cloud writes them: `2013-02-25T03:56:53.081642` (EVS v2: no zone, and UTC by the seed's
 * words, where `Date.parse` would take it as local time), `...Z` (DWS), `2023-06-01T08:30:00+08:00` (TIMER).
 * Returns undefined for anything else, so that a caller has to decide.
 */
export function parseInstant(text: unknown): Instant | undefined {
  if (typeof text !== "string") return undefined;
  const parts = TIMESTAMP.exec(text.trim());
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second = "00", fraction = "", zone = "Z"] = parts;
  // Stryker disable next-line MethodExpression: V8 reads more than the three digits that ECMAScript has.
  const milliseconds = `${fraction}000`.slice(0, 3);
  const offset = zone.toUpperCase() === "Z" ? "+00:00" : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  const parsed = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${offset}`);
  if (Number.isNaN(parsed)) return undefined;
  // `Date` takes 30 February for 2 March, and 24:00 for the next day.
  const shown = new Date(parsed + offsetMs(offset)).toISOString();
  return shown.startsWith(`${year}-${month}-${day}T${hour}:${minute}`) ? instant(parsed) : undefined;
}

const offsetMs = (offset: string): number => {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4));
  return (offset.startsWith("-") ? -1 : 1) * minutes * 60_000;
};

/** `2026-11-21T02:00:00.000Z`, as result records carry it. */
export const formatInstant = (moment: Instant): string => new Date(moment).toISOString();

/** `20261121T020000Z`, as snapshot names carry it (whole seconds). */
export const compactInstant = (moment: Instant): string =>
  `${new Date(moment).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
