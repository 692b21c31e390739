import type { Instant } from "./instant.ts";

export const DAY_MS = 86_400_000;

/** An instant -> milliseconds since 1970 as a zone's calendar and clock show them. */
export type WallClock = (moment: Instant) => number;

/**
 * The wall clock of a zone. `Intl` is asked once for each day, and once more for each instant of a day on which the
 * offset changes, so that a hundred thousand snapshots cost as little as their days.
 */
export function wallClockOf(zone: string): WallClock {
  // Loading the world's zones costs 20 ms, and none is needed.
  // Stryker disable next-line ConditionalExpression,StringLiteral: only saves work
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
    const known = atMidnight.get(day);
    // Stryker disable next-line ConditionalExpression: remembered for its speed, which a test of its own measures
    if (known !== undefined) return known;
    const offset = offsetAt(day * DAY_MS);
    atMidnight.set(day, offset);
    return offset;
  };
  // Snapshots come in order of their age: most are of the same day as the one before.
  let last: { day: number; offset: number } | undefined;
  return (moment) => {
    const day = Math.floor(moment / DAY_MS);
    // Stryker disable next-line ConditionalExpression: remembered for its speed
    if (day === last?.day) return moment + last.offset;
    const offset = offsetOfDay(day);
    // Stryker disable next-line ConditionalExpression: asking for each instant is right on every day, and slow
    if (offset !== offsetOfDay(day + 1)) return moment + offsetAt(moment);
    // Stryker disable next-line ObjectLiteral: remembered for its speed
    last = { day, offset };
    return moment + offset;
  };
}

/** The day of a wall-clock time; days are counted from 1970 on. */
export const dayOf = (wall: number): number => Math.floor(wall / DAY_MS);

// The week, month and year of a day, each as a number that grows by one with every period.

/** ISO 8601 weeks begin on Monday; 1970 began on a Thursday. */
export const weekOf = (day: number): number => Math.floor((day + 3) / 7);
export const yearOf = (day: number): number => new Date(day * DAY_MS).getUTCFullYear();
export const monthOf = (day: number): number => {
  const date = new Date(day * DAY_MS);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
};
