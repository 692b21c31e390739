import type { StoppedClock } from "../../infra/local/cloud/index.ts";
import type { Time } from "../../shared/core/clock.ts";
import { instant } from "../../shared/core/instant.ts";

/**
 * Creates a time that moves only when nothing else can happen, which means that no request is in flight and at least one
 * function sleeps. The time then jumps to the moment at which the first sleeper wakes. A test over hours therefore takes
 * milliseconds and has the same order of events in every run.
 */
export function virtualTime(
  clock: StoppedClock,
  random: () => number,
): Time & { busy<T>(work: () => Promise<T>): Promise<T> } {
  const sleepers = new Set<{ wake: number; resolve: () => void }>();
  let inFlight = 0;
  let idleTurns = 0;
  let pumping = false;

  const pump = () => {
    if (sleepers.size === 0) {
      pumping = false;
      return;
    }
    idleTurns = inFlight === 0 ? idleTurns + 1 : 0;
    if (idleTurns >= 4) {
      idleTurns = 0;
      const first = [...sleepers].reduce((a, b) => (b.wake < a.wake ? b : a));
      if (first.wake > clock.now()) clock.set(first.wake);
      sleepers.delete(first);
      first.resolve();
    }
    setImmediate(pump);
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
        if (!pumping) {
          pumping = true;
          setImmediate(pump);
        }
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
