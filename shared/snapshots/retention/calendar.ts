import { DAY_MS } from "../../core/time-zone.ts";

/** Returns the day number of a wall-clock time: the number of days since 1970-01-01. */
export const dayOf = (wallTime: number): number => Math.floor(wallTime / DAY_MS);

const monthOf = (day: number): number => {
  const date = new Date(day * DAY_MS);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
};

/**
 * The calendar rules of a retention. Each rule maps a day number to the number of its period. Consecutive periods have
 * consecutive numbers.
 */
export const PERIODS = {
  keep_daily: (day: number) => day,
  // ISO 8601 weeks begin on Monday, and 1970-01-01 was a Thursday.
  keep_weekly: (day: number) => Math.floor((day + 3) / 7),
  keep_monthly: monthOf,
  keep_yearly: (day: number) => new Date(day * DAY_MS).getUTCFullYear(),
} as const;
