import type { Instant } from "./instant.ts";

/**
 * Provides the current time, delays and random numbers. Code receives a `Time` as an argument, so a test can replace all
 * three.
 */
export interface Time {
  /** Returns the current date and time. */
  now(): Instant;
  /**
   * Returns the milliseconds since a fixed moment in the life of this process. The value does not change when the machine's
   * clock is set, so two invocations in one process can compare their values. Default: `now`.
   */
  elapsed?(): number;
  /** Waits for `milliseconds`. Resolves earlier if `work` settles. */
  sleep(milliseconds: number, work?: Promise<unknown>): Promise<void>;
  /** Returns a random number from 0 (included) to 1 (excluded). */
  random(): number;
}
