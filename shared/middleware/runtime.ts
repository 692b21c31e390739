import { randomUUID } from "node:crypto";
import type { Time } from "../core/clock.ts";
import { instant } from "../core/instant.ts";
import { nodeTransport, type Transport } from "../huaweicloud/http/transport.ts";
import type { InFlight } from "../snapshots/create/in-flight.ts";

/** What a function uses of its process. A test passes another runtime. */
export interface Runtime {
  /** `anchored` returns a clock for one invocation, which ignores later changes of the machine's clock. */
  time: Time & { anchored?(): Time };
  transport: Transport;
  environment: Record<string, string | undefined>;
  /** Prints a result record on stdout. */
  print(line: string): void;
  /** Prints anything else on stderr. */
  warn(line: string): void;
  newId(): string;
  /** The creates that are in progress. Invocations in the same process share nothing else. */
  inFlight: InFlight;
}

/** The longest timer of Node.js: a longer one fires immediately, with a warning. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const wallTime: Time = {
  now: () => instant(Date.now()),
  sleep: (milliseconds, work) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(milliseconds, MAX_TIMER_MS));
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      work?.then(end, end);
    }),
  random: Math.random,
  elapsed: () => performance.now(),
};

/** Returns a clock that starts at the machine's time and then follows the monotonic clock. */
function anchoredTime(): Time {
  const offset = Date.now() - performance.now();
  return { ...wallTime, now: () => instant(offset + performance.now()) };
}

/** Returns the runtime of a deployed function. */
export const nodeRuntime = (): Runtime => ({
  time: { ...wallTime, anchored: anchoredTime },
  transport: nodeTransport(),
  environment: process.env,
  print: (line) => console.log(line),
  warn: (line) => console.warn(line),
  newId: randomUUID,
  inFlight: new Map(),
});
