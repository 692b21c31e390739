import type { StoppedClock } from "../../infra/local/cloud/index.ts";
import type { Time } from "../../shared/core/clock.ts";
import { instant } from "../../shared/core/instant.ts";

/**
 * Creates a virtual time for functions that call the embedded cloud. The time stands still while a request is in flight. If no
 * request is in flight and a function sleeps, the time jumps to the end of the earliest sleep. A test that covers hours
 * therefore takes milliseconds, and its events have the same order in every run.
 */
export function createVirtualTime(
  clock: StoppedClock,
  random: () => number,
): Time & { busy<T>(work: () => Promise<T>): Promise<T> } {
  const sleepers = new Set<{ wake: number; resolve: () => void }>();
  let inFlight = 0;
  let idleTurns = 0;
  let isAdvancing = false;

  const advance = () => {
    isAdvancing = sleepers.size > 0;
    if (!isAdvancing) return;
    idleTurns = inFlight === 0 ? idleTurns + 1 : 0;
    if (idleTurns >= 4) {
      idleTurns = 0;
      const first = [...sleepers].reduce((a, b) => (b.wake < a.wake ? b : a));
      if (first.wake > clock.now()) clock.set(first.wake);
      sleepers.delete(first);
      first.resolve();
    }
    setImmediate(advance);
  };

  return {
    now: () => instant(clock.now()),
    random,
    sleep: (milliseconds, work) =>
      new Promise((resolve) => {
        const sleeper = { wake: clock.now() + milliseconds, resolve };
        sleepers.add(sleeper);
        const wake = () => {
          sleepers.delete(sleeper);
          resolve();
        };
        work?.then(wake, wake);
        if (!isAdvancing) setImmediate(advance);
        isAdvancing = true;
      }),
    async busy(work) {
      inFlight += 1;
      try {
        return await work();
      } finally {
        inFlight -= 1;
      }
    },
  };
}
