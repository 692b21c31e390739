import type { Time } from "../../core/clock.ts";
import type { Instant } from "../../core/instant.ts";

/** Limits the rate of the calls of one invocation. Each API has its own limit, which is unknown until the cloud reports it. */
export interface RateLimiter {
  /** Sets the number of processes that started at the same time and share the cloud's limit, including this process. */
  share(processes: number): void;
  /** Waits until the next call of an API may be sent, but not beyond `until`. */
  acquire(api: string, until: Instant): Promise<void>;
  /** Records that the cloud accepted a call. */
  onSuccess(api: string): void;
  /** Records that the cloud rejected a call with 429. The message contains the limit and its window. */
  onThrottled(api: string, message: string | undefined): void;
}

interface Pace {
  /** The share of this process in the limit, in calls per second; undefined until the cloud reports the limit. */
  maxRate: number | undefined;
  /** The current rate in calls per second. It is lower than `maxRate` if others use the same limit. */
  rate: number;
  /** The time of the next call. */
  next: number;
  /** The time of the last slowdown. */
  slowedAt: number;
  /** The number of slowdowns. A call that waits during a slowdown has to acquire its time again. */
  slowdowns: number;
}

/** Matches the message of SOURCES.md#gateway-throttling-message: `...over ratelimit,limit:50,time:1 second`. */
const LIMIT = /limit:\s*(\d+)\s*,\s*time:\s*(\d+)\s*(second|minute)/i;
/** The rate in calls per second after a 429 that does not contain its limit. */
const DEFAULT_RATE = 10;
const MIN_RATE = 0.01;
/** The part of the limit that is used. The rest is for calls that are not counted here: other APIs and other programs. */
const USED_SHARE = 0.98;
/**
 * How a group of processes that start at the same time begins: `rate` is the number of calls per second of all of them
 * together, and each accepted call raises the rate of its process by `increase`. Smaller groups start without a limit.
 */
const GROUP = { processes: 5, rate: 40, increase: 1 };
/** All processes of a group meet their first 429 at about the same time, so 429s in this time cause only one slowdown. */
const SETTLE_MS = 4_000;
/**
 * The number of other programs that use the limit is unknown. Each further 429 therefore lowers the rate, and each accepted
 * call raises it slightly. Hundreds of calls are sent between two 429s, so fewer than 1 in 100 is rejected.
 */
const DECREASE = 0.75;
const INCREASE = 1.001;
/** How much lost time a late process catches up, because the cloud has not counted any calls in this time. */
const CATCH_UP_MS = 500;

/**
 * Creates the rate limiter of one invocation. A single process, or one of a few, starts without a limit. After the first 429
 * the limiter spreads the calls evenly at the rate in the message. Bursts would waste calls, because a rejected call counts
 * towards the limit too.
 */
export function createRateLimiter(time: Pick<Time, "now" | "sleep">): RateLimiter {
  const paces = new Map<string, Pace>();
  let processes = 1;
  const paceOf = (api: string): Pace | undefined => {
    if (processes >= GROUP.processes && !paces.has(api)) {
      paces.set(api, { maxRate: undefined, rate: GROUP.rate / processes, next: time.now(), slowedAt: 0, slowdowns: 0 });
    }
    return paces.get(api);
  };
  return {
    share(count) {
      processes = count;
    },
    async acquire(api, until) {
      for (;;) {
        const pace = paceOf(api);
        if (pace === undefined) return;
        const { slowdowns } = pace;
        const now = time.now();
        const at = Math.max(pace.next, now - CATCH_UP_MS);
        pace.next = at + 1000 / pace.rate;
        const wait = Math.min(at, until) - now;
        if (wait <= 0) return;
        await time.sleep(wait);
        if (pace.slowdowns === slowdowns || time.now() >= until) return;
      }
    },
    onSuccess(api) {
      const pace = paces.get(api);
      if (pace === undefined) return;
      const { maxRate, rate } = pace;
      pace.rate = maxRate === undefined ? rate + GROUP.increase : Math.min(maxRate, rate * INCREASE);
    },
    onThrottled(api, message) {
      const now = time.now();
      const pace = paces.get(api) ?? { maxRate: undefined, rate: 0, next: 0, slowedAt: 0, slowdowns: 0 };
      const isFirst = pace.maxRate === undefined;
      if (isFirst) {
        pace.maxRate = pace.rate = Math.max(MIN_RATE, (rateIn(message) * USED_SHARE) / processes);
      } else {
        // Calls that were sent before the last slowdown carry no new information.
        if (now - pace.slowedAt < 1000) return;
        pace.rate = Math.max(MIN_RATE, pace.rate * DECREASE);
      }
      pace.next = now;
      pace.slowedAt = isFirst && processes >= GROUP.processes ? now + SETTLE_MS : now;
      pace.slowdowns += 1;
      paces.set(api, pace);
    },
  };
}

function rateIn(message: string | undefined): number {
  const found = LIMIT.exec(message ?? "");
  if (found === null) return DEFAULT_RATE;
  const seconds = Number(found[2]) * (found[3]?.toLowerCase() === "minute" ? 60 : 1);
  return Number(found[1]) / seconds;
}
