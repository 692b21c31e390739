/** The gateway's rate limit as token buckets on the states' clock (message: cloud-apis.md 4.3). */
import type { CloudClock } from "../clock.ts";

export type Window = "1 second" | "1 minute";

export interface Rate {
  perSecond?: number;
  perMinute?: number;
}

export interface Throttled {
  limit: number;
  window: Window;
}

interface Bucket extends Throttled {
  /** Tokens a millisecond. */
  refill: number;
  tokens: number;
  at: number;
}

/** Takes one token for a request, or says which limit is used up. A refused request takes nothing. */
export function createThrottle(rate: Rate | undefined, clock: CloudClock): () => Throttled | undefined {
  const buckets: Bucket[] = [];
  const add = (limit: number | undefined, window: Window, ms: number) => {
    if (limit !== undefined) buckets.push({ limit, window, refill: limit / ms, tokens: limit, at: clock.now() });
  };
  add(rate?.perSecond, "1 second", 1000);
  add(rate?.perMinute, "1 minute", 60_000);

  return () => {
    const now = clock.now();
    for (const bucket of buckets) {
      bucket.tokens = Math.min(bucket.limit, bucket.tokens + Math.max(0, now - bucket.at) * bucket.refill);
      bucket.at = now;
    }
    // A hair of tolerance: 10 refills of 0.1 token are one token, whatever the floating point says.
    const empty = buckets.find((bucket) => bucket.tokens < 1 - 1e-9);
    if (empty) return { limit: empty.limit, window: empty.window };
    for (const bucket of buckets) bucket.tokens -= 1;
    return undefined;
  };
}

export function throttleMessage({ limit, window }: Throttled): string {
  return `The throttling threshold has been reached: policy user over ratelimit,limit:${limit},time:${window}`;
}
