import type { Instant } from "./instant.ts";

/** Time and chance, which come in from outside so that a test can stop the one and choose the other. */
export interface Time {
  now(): Instant;
  /**
   * Milliseconds since some moment of this process, the same one for all of its invocations, whose times of day can differ
   * because the machine's clock was set in between. Default: `now`.
   */
  elapsed?(): number;
  /** Resolves after `milliseconds`, or as soon as `work` is settled. */
  sleep(milliseconds: number, work?: Promise<unknown>): Promise<void>;
  /** A number from 0 (included) to 1 (excluded). */
  random(): number;
}
