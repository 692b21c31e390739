import type { Instant } from "./instant.ts";

/** Provides the clock and random numbers. Callers pass it in, so a test can replace both. */
export interface Time {
  /** Returns the current time of day. */
  now(): Instant;
  /**
   * Returns the milliseconds since a fixed moment of this process. All invocations of the process share that moment, while
   * their times of day can differ because the machine's clock can be set in between. Default: `now`.
   */
  elapsed?(): number;
  /** Resolves after `milliseconds`, or earlier, as soon as `work` is settled. */
  sleep(milliseconds: number, work?: Promise<unknown>): Promise<void>;
  /** Returns a random number from 0 (included) to 1 (excluded). */
  random(): number;
}
