/** Simulates several processes in virtual time. Each process has its own clock. A simulated hour takes milliseconds. */
import type { Time } from "../../shared/core/clock.ts";
import { instant } from "../../shared/core/instant.ts";

/** A process of the simulation. */
export interface SimulatedProcess {
  /** The clock of the process, which can differ from the clock of the cloud. */
  time: Time;
  isKilled(): boolean;
  /** Stops the process: none of its sleeps and calls ends any more. */
  kill(): void;
}

export interface Simulation {
  /** Returns the time of the cloud, in milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Creates a process whose clock is ahead of the cloud's clock by `skewMs`. */
  startProcess(skewMs: number, random: () => number): SimulatedProcess;
  /** Runs until no process sleeps any more. */
  run(): Promise<void>;
}

/** A promise that never settles, for the calls of a killed process. */
export const NEVER = new Promise<never>(() => {});

/** Creates a simulation that starts at the given time. */
export function createSimulation(start: number): Simulation {
  let now = start;
  const queue = createQueue();
  const sleepUntil = (at: number) => new Promise<void>((resolve) => queue.add(at, resolve));
  return {
    now: () => now,
    sleep: (milliseconds) => sleepUntil(now + milliseconds),
    startProcess(skewMs, random) {
      let isKilled = false;
      return {
        isKilled: () => isKilled,
        kill: () => {
          isKilled = true;
        },
        time: {
          now: () => instant(now + skewMs),
          random,
          async sleep(milliseconds, work) {
            if (!(milliseconds >= 0)) throw new Error(`Expected a sleep of 0 ms or more, got ${milliseconds} ms.`);
            const slept = sleepUntil(now + milliseconds);
            await (work === undefined ? slept : Promise.race([slept, work.catch(() => {})]));
            if (isKilled) await NEVER;
          },
        },
      };
    },
    async run() {
      for (;;) {
        // `nextTick` runs after all promise callbacks that can run now, and is much faster than `setImmediate`.
        await new Promise<void>((resolve) => process.nextTick(resolve));
        const next = queue.takeFirst();
        if (next === undefined) return;
        now = Math.max(now, next.at);
        next.wake();
      }
    },
  };
}

interface Sleeper {
  at: number;
  order: number;
  wake: () => void;
}

/** Creates a binary heap of sleepers. Sleepers of the same time wake in the order in which they were added. */
function createQueue() {
  const heap: Sleeper[] = [];
  let count = 0;
  const isBefore = (a: Sleeper, b: Sleeper) => a.at < b.at || (a.at === b.at && a.order < b.order);
  const swap = (i: number, j: number) => {
    const item = heap[i] as Sleeper;
    heap[i] = heap[j] as Sleeper;
    heap[j] = item;
  };
  return {
    add(at: number, wake: () => void) {
      count += 1;
      heap.push({ at, order: count, wake });
      for (let child = heap.length - 1; child > 0; ) {
        const parent = (child - 1) >> 1;
        if (!isBefore(heap[child] as Sleeper, heap[parent] as Sleeper)) break;
        swap(child, parent);
        child = parent;
      }
    },
    takeFirst(): Sleeper | undefined {
      if (heap.length === 0) return undefined;
      swap(0, heap.length - 1);
      const first = heap.pop();
      for (let parent = 0; ; ) {
        const [left, right] = [2 * parent + 1, 2 * parent + 2];
        let least = parent;
        if (left < heap.length && isBefore(heap[left] as Sleeper, heap[least] as Sleeper)) least = left;
        if (right < heap.length && isBefore(heap[right] as Sleeper, heap[least] as Sleeper)) least = right;
        if (least === parent) return first;
        swap(parent, least);
        parent = least;
      }
    },
  };
}
