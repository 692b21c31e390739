import type { Instant } from "../snapshots/instant.ts";

/** Paces the calls of one invocation, each API by itself, once the cloud has said how many it takes. */
export interface Limiter {
  /** Takes the next turn of an API; how many milliseconds it is away. */
  turn(api: string): number;
  /** A call was taken. */
  taken(api: string): void;
  /** A call was refused with 429; `message` says the limit and its window. */
  refused(api: string, message: string | undefined): void;
}

interface Pace {
  /** Calls a second that the cloud's message allows, and those that are made: fewer where others share the limit. */
  most: number;
  rate: number;
  next: number;
  slowedAt: number;
}

/** `...over ratelimit,limit:50,time:1 second` (cloud-apis.md 4.3). */
const LIMIT = /limit:\s*(\d+)\s*,\s*time:\s*(\d+)\s*(second|minute)/i;
/** Where a 429 does not say its limit. */
const RATE_BY_DEFAULT = 10;
const LEAST_RATE = 0.1;
/** Others share the limit: their calls count against it too, so a further 429 slows down and every call taken speeds up. */
const SLOWER = 0.7;
const FASTER = 1.005;

/**
 * Until the first 429 nothing is held back. From then on calls go out evenly at the rate that its text allows, instead of
 * in bursts of which most are refused: a refused call counts against the limit as well.
 */
export function makeLimiter(now: () => Instant): Limiter {
  const paces = new Map<string, Pace>();
  return {
    turn(api) {
      const pace = paces.get(api);
      if (pace === undefined) return 0;
      const at = Math.max(pace.next, now());
      pace.next = at + 1000 / pace.rate;
      return at - now();
    },
    taken(api) {
      const pace = paces.get(api);
      if (pace !== undefined) pace.rate = Math.min(pace.most, pace.rate * FASTER);
    },
    refused(api, message) {
      const moment: Instant = now();
      const pace = paces.get(api);
      if (pace === undefined) {
        const most = rateIn(message);
        paces.set(api, { most, rate: most, next: moment, slowedAt: moment });
      } else if (moment - pace.slowedAt >= 1000) {
        // Calls that went out before the last slowing down say nothing new.
        pace.rate = Math.max(LEAST_RATE, pace.rate * SLOWER);
        pace.slowedAt = moment;
      }
    },
  };
}

function rateIn(message: string | undefined): number {
  const found = LIMIT.exec(message ?? "");
  if (found === null) return RATE_BY_DEFAULT;
  const seconds = Number(found[2]) * (found[3]?.toLowerCase() === "minute" ? 60 : 1);
  return Math.max(LEAST_RATE, Number(found[1]) / seconds);
}
