import { randomUUID } from "node:crypto";
import type { Time } from "../core/clock.ts";
import { instant } from "../core/instant.ts";
import { nodeTransport, type Transport } from "../huaweicloud/http/transport.ts";
import type { InFlight } from "../snapshots/create/in-flight.ts";

/** What a function has from its process, so that a test can give it another one. */
export interface Runtime {
  /** `anchored` returns a clock for one invocation that ignores later changes of the machine's clock. */
  time: Time & { anchored?(): Time };
  transport: Transport;
  environment: Record<string, string | undefined>;
  /** A line on stdout: a result record. */
  print(line: string): void;
  /** A line on stderr: what is no result. */
  warn(line: string): void;
  newId(): string;
  /** The only thing that invocations of one instance share: what is being created at this moment. */
  inFlight: InFlight;
}

/** Node.js ends a longer wait at once, with a warning. */
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

export const nodeRuntime = (): Runtime => ({
  time: { ...wallTime, anchored: anchoredTime },
  transport: nodeTransport(),
  environment: process.env,
  print: (line) => console.log(line),
  warn: (line) => console.warn(line),
  newId: randomUUID,
  inFlight: new Map(),
});
