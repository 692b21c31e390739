import type { Instant } from "./instant.ts";

/** The milliseconds of a day. */
export const DAY_MS = 86_400_000;

/** Converts an instant into the wall-clock time of a zone: milliseconds from 1970-01-01 00:00 on the zone's clock. */
export type WallClock = (moment: Instant) => number;

/**
 * Returns the wall clock of a zone. It calls `Intl` once per day, and once per instant only on days on which the offset
 * changes, because 100,000 snapshots share few days and a call is slow.
 *
 * @param zone an IANA name such as `Europe/Berlin`
 * @throws RangeError if the zone is unknown
 */
export function wallClockOf(zone: string): WallClock {
  // Loading the time zone data takes 20 ms, and UTC does not need it.
  // Stryker disable next-line ConditionalExpression,StringLiteral: only saves time
  if (zone === "UTC") return (moment) => moment;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const offsetAt = (moment: number): number => {
    const parts = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
  };
  const atMidnight = new Map<number, number>();
  const offsetOfDay = (day: number): number => {
    const cached = atMidnight.get(day);
    // Stryker disable next-line ConditionalExpression: a cache, whose speed a test of its own measures
    if (cached !== undefined) return cached;
    const offset = offsetAt(day * DAY_MS);
    atMidnight.set(day, offset);
    return offset;
  };
  // Callers pass snapshots in order of age, so most have the same day as the previous one.
  let last: { day: number; offset: number } | undefined;
  return (moment) => {
    const day = Math.floor(moment / DAY_MS);
    // Stryker disable next-line ConditionalExpression: a cache
    if (day === last?.day) return moment + last.offset;
    const offset = offsetOfDay(day);
    // Stryker disable next-line ConditionalExpression: a call per instant is always right, but slow
    if (offset !== offsetOfDay(day + 1)) return moment + offsetAt(moment);
    // Stryker disable next-line ObjectLiteral: a cache
    last = { day, offset };
    return moment + offset;
  };
}
