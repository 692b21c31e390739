import type { Instant } from "./instant.ts";

/**
 * Provides the current time, delays and random numbers. Code receives a `Time` as an argument, so a test can replace all
 * three.
 */
export interface Time {
  /** Returns the current date and time. */
  now(): Instant;
  /**
   * Returns the milliseconds since a fixed moment after this process started. Setting the machine's clock does not change
   * the value, so two invocations in one process can compare their values. If this function is absent, callers use `now`.
   */
  elapsed?(): number;
  /** Waits for `milliseconds`. Resolves earlier if `work` settles. */
  sleep(milliseconds: number, work?: Promise<unknown>): Promise<void>;
  /** Returns a random number from 0 (included) to 1 (excluded). */
  random(): number;
}
