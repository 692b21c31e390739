/** Implements the rate limit of the API gateway with token buckets on the embedded cloud's clock. */
import type { CloudClock } from "../clock.ts";

/** The period in which a rate limit counts requests. */
export type RateWindow = "1 second" | "1 minute";

/** The maximum number of requests per second and per minute. An absent field means no limit. */
export interface RateLimit {
  perSecond?: number;
  perMinute?: number;
}

/** The limit that a request exceeded. */
export interface ExceededLimit {
  limit: number;
  window: RateWindow;
}

interface Bucket extends ExceededLimit {
  /** How many tokens the bucket gains per millisecond. */
  refill: number;
  tokens: number;
  updatedAt: number;
}

/**
 * Returns a function that the server calls for each request. The function takes one token from each bucket. If a bucket is empty,
 * the function takes no token and returns the limit that the request exceeds.
 */
export function createThrottle(rate: RateLimit | undefined, clock: CloudClock): () => ExceededLimit | undefined {
  const buckets: Bucket[] = [];
  const add = (limit: number | undefined, window: RateWindow, ms: number) => {
    if (limit !== undefined) buckets.push({ limit, window, refill: limit / ms, tokens: limit, updatedAt: clock.now() });
  };
  add(rate?.perSecond, "1 second", 1000);
  add(rate?.perMinute, "1 minute", 60_000);

  return () => {
    const now = clock.now();
    for (const bucket of buckets) {
      bucket.tokens = Math.min(bucket.limit, bucket.tokens + Math.max(0, now - bucket.updatedAt) * bucket.refill);
      bucket.updatedAt = now;
    }
    // Tolerate floating-point errors, because 10 refills of 0.1 tokens must add up to one token.
    const empty = buckets.find((bucket) => bucket.tokens < 1 - 1e-9);
    if (empty) return { limit: empty.limit, window: empty.window };
    for (const bucket of buckets) bucket.tokens -= 1;
    return undefined;
  };
}

/** Returns the error message for a request that exceeds a rate limit (SOURCES.md#gateway-throttling-message). */
export function throttleMessage({ limit, window }: ExceededLimit): string {
  return `The throttling threshold has been reached: policy user over ratelimit,limit:${limit},time:${window}`;
}
