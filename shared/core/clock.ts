import type { Instant } from "./instant.ts";

/**
 * Provides the current time, delays and random numbers. Code receives a `Time` as an argument, so a test can replace all
 * three.
 */
export interface Time {
  /** Returns the current date and time. */
  now(): Instant;
  /**
   * Returns the milliseconds since a fixed moment in the lifetime of this process. The value does not jump when the
   * machine's clock is set. Two values from the same process can therefore be compared, even if different invocations read
   * the values. If this function is absent, callers use `now`.
   */
  elapsed?(): number;
  /** Waits for `milliseconds`. Resolves earlier if `work` settles. */
  sleep(milliseconds: number, work?: Promise<unknown>): Promise<void>;
  /** Returns a random number from 0 (included) to 1 (excluded). */
  random(): number;
}
