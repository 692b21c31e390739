import { DAY_MS } from "../../core/time-zone.ts";

/** Returns the day number of a wall-clock time: the number of days since 1970-01-01. */
export const dayOf = (wallTime: number): number => Math.floor(wallTime / DAY_MS);

const monthOf = (day: number): number => {
  const date = new Date(day * DAY_MS);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
};

/**
 * The calendar rules of a retention. Each function maps a day to the number of the period that contains the day, such as the
 * number of the week. Consecutive periods have consecutive numbers.
 */
export const PERIODS = {
  keep_daily: (day: number) => day,
  // Add 3 days, because 1970-01-01 was a Thursday, and weeks begin on Monday (ISO 8601).
  keep_weekly: (day: number) => Math.floor((day + 3) / 7),
  keep_monthly: monthOf,
  keep_yearly: (day: number) => new Date(day * DAY_MS).getUTCFullYear(),
} as const;
