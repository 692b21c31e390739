import type { Time } from "../../core/clock.ts";
import type { Instant } from "../../core/instant.ts";

/** Paces the calls of one invocation, each API by itself, once the cloud has said how many it takes. */
export interface RateLimiter {
  /** So many processes began at the same moment as this one and share the limit with it, this one included. */
  share(processes: number): void;
  /** Takes the next turn of an API, and waits for it, no longer than `until`. */
  acquire(api: string, until: Instant): Promise<void>;
  /** A call was taken. */
  onSuccess(api: string): void;
  /** A call was refused with 429; `message` says the limit and its window. */
  onThrottled(api: string, message: string | undefined): void;
}

interface Pace {
  /** Calls a second that are this process's share of the limit; undefined until the cloud has said it. */
  most: number | undefined;
  /** Calls a second that are made: fewer where others use the limit too. */
  rate: number;
  next: number;
  slowedAt: number;
  /** How often it was slowed down: the turns that were given out before stand no more. */
  slowed: number;
}

/** `...over ratelimit,limit:50,time:1 second` (cloud-apis.md 4.3). */
const LIMIT = /limit:\s*(\d+)\s*,\s*time:\s*(\d+)\s*(second|minute)/i;
/** Where a 429 does not say its limit. */
const RATE_BY_DEFAULT = 10;
const LEAST_RATE = 0.01;
/** A little is left for calls that are not counted here: other APIs, other programs. */
const SHARE_USED = 0.98;
/** So many processes at once begin slowly: calls a second of all together; and how many more after each that was taken. */
const BEGIN = { processes: 5, rate: 40, faster: 1 };
/** They are refused together: what comes for so long after the first refusal is of the same moment. */
const SETTLE_MS = 4_000;
/**
 * Others use the limit too, whose number nobody knows: a further 429 slows down, every call that is taken speeds up a
 * little. Between two refusals there are hundreds of calls, so that fewer than 1 in 100 is refused.
 */
const SLOWER = 0.75;
const FASTER = 1.001;
/** What was missed while the process was late, for so long, is caught up: the cloud has kept it. */
const CATCH_UP_MS = 500;

/**
 * Until the first 429 a process that is alone, or one of a few, holds nothing back; from then on calls go out evenly at
 * the rate that its text allows, instead of in bursts of which most are refused: a refused call counts as well.
 */
export function createRateLimiter(time: Pick<Time, "now" | "sleep">): RateLimiter {
  const paces = new Map<string, Pace>();
  let processes = 1;
  const paceOf = (api: string): Pace | undefined => {
    if (processes >= BEGIN.processes && !paces.has(api)) {
      paces.set(api, { most: undefined, rate: BEGIN.rate / processes, next: time.now(), slowedAt: 0, slowed: 0 });
    }
    return paces.get(api);
  };
  return {
    share(by) {
      processes = by;
    },
    async acquire(api, until) {
      for (;;) {
        const pace = paceOf(api);
        if (pace === undefined) return;
        const { slowed } = pace;
        const moment = time.now();
        const at = Math.max(pace.next, moment - CATCH_UP_MS);
        pace.next = at + 1000 / pace.rate;
        const wait = Math.min(at, until) - moment;
        if (wait <= 0) return;
        await time.sleep(wait);
        if (pace.slowed === slowed || time.now() >= until) return;
      }
    },
    onSuccess(api) {
      const pace = paces.get(api);
      if (pace === undefined) return;
      pace.rate = pace.most === undefined ? pace.rate + BEGIN.faster : Math.min(pace.most, pace.rate * FASTER);
    },
    onThrottled(api, message) {
      const moment = time.now();
      const pace = paces.get(api) ?? { most: undefined, rate: 0, next: 0, slowedAt: 0, slowed: 0 };
      const first = pace.most === undefined;
      if (first) {
        pace.most = pace.rate = Math.max(LEAST_RATE, (rateIn(message) * SHARE_USED) / processes);
      } else {
        // Calls that went out before the last slowing down say nothing new.
        if (moment - pace.slowedAt < 1000) return;
        pace.rate = Math.max(LEAST_RATE, pace.rate * SLOWER);
      }
      const settled = first && processes >= BEGIN.processes ? moment + SETTLE_MS : moment;
      Object.assign(pace, { next: moment, slowedAt: settled, slowed: pace.slowed + 1 });
      paces.set(api, pace);
    },
  };
}

function rateIn(message: string | undefined): number {
  const found = LIMIT.exec(message ?? "");
  if (found === null) return RATE_BY_DEFAULT;
  const seconds = Number(found[2]) * (found[3]?.toLowerCase() === "minute" ? 60 : 1);
  return Number(found[1]) / seconds;
}
