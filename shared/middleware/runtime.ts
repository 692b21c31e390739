import { randomUUID } from "node:crypto";
import type { Time } from "../core/clock.ts";
import { instant } from "../core/instant.ts";
import { nodeTransport, type Transport } from "../huaweicloud/http/transport.ts";
import type { InFlight } from "../snapshots/create/in-flight.ts";

/** What a function needs from its process: clock, network, environment and output. Tests pass another runtime. */
export interface Runtime {
  /**
   * The clock of the process. `anchored` returns a separate clock for one invocation. The separate clock does not jump when
   * the machine's clock is set.
   */
  time: Time & { anchored?(): Time };
  transport: Transport;
  environment: Record<string, string | undefined>;
  /** Prints a result record on stdout. */
  print(line: string): void;
  /** Prints any line other than a result record on stderr. */
  warn(line: string): void;
  newId(): string;
  /**
   * The create requests that are in progress or recently finished. The invocations of a process share this map, but no
   * other state.
   */
  inFlight: InFlight;
}

/** The longest delay of a Node.js timer, in milliseconds. With a longer delay, a timer fires immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const systemTime: Time = {
  now: () => instant(Date.now()),
  sleep: (milliseconds, work) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(milliseconds, MAX_TIMER_MS));
      const finish = () => {
        clearTimeout(timer);
        resolve();
      };
      work?.then(finish, finish);
    }),
  random: Math.random,
  elapsed: () => performance.now(),
};

/** Returns a clock that starts at the machine's current time and does not jump when the machine's clock is set later. */
function anchoredTime(): Time {
  const offset = Date.now() - performance.now();
  return { ...systemTime, now: () => instant(offset + performance.now()) };
}

/** Returns the runtime of a deployed function. */
export const nodeRuntime = (): Runtime => ({
  time: { ...systemTime, anchored: anchoredTime },
  transport: nodeTransport(),
  environment: process.env,
  print: (line) => console.log(line),
  warn: (line) => console.warn(line),
  newId: randomUUID,
  inFlight: new Map(),
});
