import type { Instant } from "./instant.ts";

export const DAY_MS = 86_400_000;

/** An instant -> milliseconds since 1970 as a zone's calendar and clock show them. */
export type WallClock = (moment: Instant) => number;

/**
 * The wall clock of a zone. `Intl` is
 * asked once for each day and once more for instants of a day on which the offset changes, so that a hundred thousand
 * snapshots cost as little as their days.
 */
export function wallClockOf(zone: string): WallClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
    era: "short",
  });
  const offsetAt = (moment: number): number => {
    const parts = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
  };
  const atMidnight = new Map<number, number>();
  const offsetOfDay = (day: number): number => {
    const known = atMidnight.get(day);
    if (known !== undefined) return known;
    const offset = offsetAt(day * DAY_MS);
    atMidnight.set(day, offset);
    return offset;
  };
  return (moment) => {
    const day = Math.floor(moment / DAY_MS);
    const offset = offsetOfDay(day);
    return moment + (offset === offsetOfDay(day + 1) ? offset : offsetAt(moment));
  };
}

/** Days, weeks, months and years of a wall-clock time, each as a number that grows by one with every period. */
export const dayOf = (wall: number): number => Math.floor(wall / DAY_MS);
/** ISO 8601 weeks begin on Monday; 1970 began on a Thursday. */
export const weekOf = (wall: number): number => Math.floor((dayOf(wall) + 3) / 7);
export const monthOf = (wall: number): number => yearOf(wall) * 12 + new Date(wall).getUTCMonth();
export const yearOf = (wall: number): number => new Date(wall).getUTCFullYear();
