/** A virtual clock for unit tests. */
import type { Time } from "../../shared/core/clock.ts";
import { after, type Instant, instant } from "../../shared/core/instant.ts";

export const START = instant(Date.parse("2026-11-21T02:00:00Z"));
/** Returns the start of the test plus `milliseconds`, which can be negative. */
export const startPlus = (milliseconds: number): Instant => after(START, milliseconds);
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The maximum number of sleeps in a test. A test that needs more is in an endless loop. */
const MAX_SLEEPS = 20_000;

/** A virtual clock. When all code is asleep, the clock jumps to the end of the earliest sleep. */
export interface VirtualTime extends Time {
  /** The requested duration of each sleep in milliseconds, in the order of the calls. */
  slept: number[];
  /** Returns the number of pending sleeps. */
  pendingSleeps(): number;
  /** Returns the virtual seconds since the start of the test. */
  seconds(): number;
}

/** Creates a virtual clock that starts at `START`. `random` returns the random numbers of the code under test. */
export function createVirtualClock(random: () => number = () => 0): VirtualTime {
  let now = START;
  let isAdvancing = false;
  const sleepers: { wakeAt: number; wake: () => void }[] = [];
  const slept: number[] = [];
  // Runs in `setImmediate`, so that all code that does not wait for the clock has run before.
  const advance = () => {
    sleepers.sort((a, b) => a.wakeAt - b.wakeAt);
    const first = sleepers.shift();
    isAdvancing = first !== undefined;
    if (first === undefined) return;
    now = instant(Math.max(now, first.wakeAt));
    first.wake();
    setImmediate(advance);
  };
  return {
    slept,
    pendingSleeps: () => sleepers.length,
    now: () => now,
    seconds: () => (now - START) / 1000,
    random,
    sleep: (milliseconds, work) =>
      new Promise((resolve, reject) => {
        slept.push(milliseconds);
        if (!(milliseconds >= 0) || slept.length > MAX_SLEEPS) {
          reject(
            new Error(
              `Expected at most ${MAX_SLEEPS} sleeps of 0 ms or more, got sleep ${slept.length} of ${milliseconds} ms.`,
            ),
          );
          return;
        }
        const sleeper = { wakeAt: now + milliseconds, wake: resolve };
        sleepers.push(sleeper);
        const wake = () => {
          sleepers.splice(0, sleepers.length, ...sleepers.filter((other) => other !== sleeper));
          resolve();
        };
        work?.then(wake, wake);
        if (!isAdvancing) setImmediate(advance);
        isAdvancing = true;
      }),
  };
}
