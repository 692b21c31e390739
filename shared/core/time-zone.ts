import type { Instant } from "./instant.ts";

export const DAY_MS = 86_400_000;

/** Converts an instant into the local time of a time zone, in milliseconds since 1970-01-01 00:00 in that zone. */
export type WallTimeConverter = (moment: Instant) => number;

/**
 * Returns a function that converts instants into the local time of a time zone. Calls to `Intl` are slow, and 100,000
 * snapshots may have been created on only a few days. The returned function therefore calls `Intl` once per day. If the
 * offset from UTC changes on a day, the function calls `Intl` for each instant on that day.
 *
 * @param zone an IANA name such as `Europe/Berlin`
 * @throws RangeError if the zone is unknown
 */
export function createWallTimeConverter(zone: string): WallTimeConverter {
  // Loading the time zone data takes 20 ms, and UTC does not need it.
  // Stryker disable next-line ConditionalExpression,StringLiteral: this line only saves time
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
    // Stryker disable next-line ConditionalExpression: the cache only saves time; another test measures its speed
    if (cached !== undefined) return cached;
    const offset = offsetAt(day * DAY_MS);
    atMidnight.set(day, offset);
    return offset;
  };
  // Callers pass snapshots in order of age, so most snapshots were created on the same day as the snapshot before.
  let previous: { day: number; offset: number } | undefined;
  return (moment) => {
    const day = Math.floor(moment / DAY_MS);
    // Stryker disable next-line ConditionalExpression: the cache only saves time
    if (day === previous?.day) return moment + previous.offset;
    const offset = offsetOfDay(day);
    // Stryker disable next-line ConditionalExpression: calling `Intl` for each instant has the same result, but is slow
    if (offset !== offsetOfDay(day + 1)) return moment + offsetAt(moment);
    // Stryker disable next-line ObjectLiteral: the cache only saves time
    previous = { day, offset };
    return moment + offset;
  };
}
