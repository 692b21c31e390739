import type { Time } from "../../core/clock.ts";
import type { Instant } from "../../core/instant.ts";

/**
 * Limits the rate of the API requests of one invocation. Each API has its own rate limit. A limit is unknown until the gateway
 * reports it in a 429 response.
 */
export interface RateLimiter {
  /**
   * Sets the number of processes that share the rate limits, including this process.
   *
   * @param limits the rate limits that another process of the run has received in 429 responses, in requests per second by API
   */
  share(processes: number, limits?: Readonly<Record<string, number>>): void;
  /** Returns the rate limits that 429 responses contained, in requests per second by API. */
  limits(): Record<string, number>;
  /** Waits until the next request to an API may be sent, but not longer than `until`. */
  acquire(api: string, until: Instant): Promise<void>;
  /** Records that an API accepted a request. */
  onSuccess(api: string): void;
  /**
   * Records that an API rejected a request with the status 429.
   *
   * @param message the gateway's error message, which can contain the rate limit and its time window
   */
  onThrottled(api: string, message: string | undefined): void;
}

/** The current rate of the requests to one API. */
interface Pace {
  /** This process's share of the rate limit, in requests per second; undefined until the gateway reports the limit. */
  maxRate: number | undefined;
  /** The current rate in requests per second. It is lower than `maxRate` if other programs use the same limit. */
  rate: number;
  /** The earliest time at which the next request may be sent. */
  next: number;
  /**
   * The time at which a 429 response last lowered the rate. For the first 429 response in a group of processes, SETTLE_MS is
   * added.
   */
  slowedAt: number;
  /**
   * How many 429 responses lowered the rate. If this number changes while a request waits, the request waits again at the lower
   * rate.
   */
  slowdowns: number;
}

/**
 * Matches the rate limit in a gateway message such as `...over ratelimit,limit:50,time:1 second`
 * (SOURCES.md#gateway-throttling-message).
 */
const LIMIT_PATTERN = /limit:\s*(\d+)\s*,\s*time:\s*(\d+)\s*(second|minute)/i;
/** The rate in requests per second after a 429 response whose message contains no limit. */
const DEFAULT_RATE = 10;
const MIN_RATE = 0.01;
/** The share of a rate limit that this limiter uses. The rest remains for requests of other programs. */
const USED_SHARE = 0.99;
/** The used share in a group of processes, whose list requests together can need a tenth of the rate limit. */
const USED_SHARE_OF_GROUP = 0.9;
/**
 * Before the first 429 response, a group of at least 5 processes that start at the same time has this rate. `rate` is the number
 * of requests per second of the whole group. Each accepted request raises the rate of its process by `increase`. A smaller group
 * has no rate limit before the first 429 response.
 */
const GROUP = { processes: 5, rate: 40, increase: 1 };
/**
 * After its first 429 response, a process in a group ignores further 429 responses for this time and 1 s more. All processes
 * of the group receive their first 429 response, and lower their rates, at about the same time.
 */
const SETTLE_MS = 4_000;
/**
 * After the first 429 response, the rate matches the limit in this response. A further 429 response lowers the rate by this
 * factor, because other programs may use a part of the limit.
 */
const DECREASE = 0.75;
/**
 * The factor by which each accepted request raises the rate of all processes that share a limit. With this factor, fewer than 1 in 100
 * requests gets a 429 response. A process sees only its own accepted requests, so for each of them it applies this factor once per
 * process.
 */
const INCREASE = 1.001;
/**
 * The maximum delay that the limiter makes up for, in milliseconds. If a request is delayed, for example because the machine is
 * busy, the limiter sends the following requests faster than the rate.
 */
const CATCH_UP_MS = 500;

/**
 * Creates the rate limiter for one invocation. If fewer than 5 processes share a rate limit, they start without a limit. After
 * the first 429 response, the limiter spreads the requests evenly at the rate in the message of this response. The limiter avoids
 * bursts, because a rejected request counts towards the rate limit, too.
 */
export function createRateLimiter(time: Pick<Time, "now" | "sleep">): RateLimiter {
  const paces = new Map<string, Pace>();
  const known = new Map<string, number>();
  let processes = 1;
  const isGroup = () => processes >= GROUP.processes;
  const shareOf = (limit: number) =>
    Math.max(MIN_RATE, (limit * (isGroup() ? USED_SHARE_OF_GROUP : USED_SHARE)) / processes);
  const paceOf = (api: string): Pace | undefined => {
    if (isGroup() && !paces.has(api)) {
      paces.set(api, { maxRate: undefined, rate: GROUP.rate / processes, next: time.now(), slowedAt: 0, slowdowns: 0 });
    }
    return paces.get(api);
  };
  return {
    share(count, limits = {}) {
      processes = count;
      for (const [api, limit] of Object.entries(limits)) {
        known.set(api, limit);
        const rate = shareOf(limit);
        paces.set(api, { maxRate: rate, rate, next: time.now(), slowedAt: 0, slowdowns: 0 });
      }
    },
    limits: () => Object.fromEntries(known),
    async acquire(api, until) {
      for (;;) {
        const pace = paceOf(api);
        if (pace === undefined) return;
        const { slowdowns } = pace;
        const now = time.now();
        const sendAt = Math.max(pace.next, now - CATCH_UP_MS);
        pace.next = sendAt + 1000 / pace.rate;
        const wait = Math.min(sendAt, until) - now;
        if (wait <= 0) return;
        await time.sleep(wait);
        if (pace.slowdowns === slowdowns || time.now() >= until) return;
      }
    },
    onSuccess(api) {
      const pace = paces.get(api);
      if (pace === undefined) return;
      const { maxRate, rate } = pace;
      pace.rate = maxRate === undefined ? rate + GROUP.increase : Math.min(maxRate, rate * INCREASE ** processes);
    },
    onThrottled(api, message) {
      const now = time.now();
      const pace = paces.get(api) ?? { maxRate: undefined, rate: 0, next: 0, slowedAt: 0, slowdowns: 0 };
      const isFirst = pace.maxRate === undefined;
      if (isFirst) {
        const limit = parseRate(message);
        known.set(api, limit);
        pace.maxRate = pace.rate = shareOf(limit);
      } else {
        // Ignores this 429 response, because its request may have been sent before the rate was last lowered.
        if (now - pace.slowedAt < 1000) return;
        pace.rate = Math.max(MIN_RATE, pace.rate * DECREASE);
      }
      pace.next = now;
      pace.slowedAt = isFirst && isGroup() ? now + SETTLE_MS : now;
      pace.slowdowns += 1;
      paces.set(api, pace);
    },
  };
}

function parseRate(message: string | undefined): number {
  const found = LIMIT_PATTERN.exec(message ?? "");
  if (found === null) return DEFAULT_RATE;
  const seconds = Number(found[2]) * (found[3]?.toLowerCase() === "minute" ? 60 : 1);
  return Number(found[1]) / seconds;
}
