import type { Time } from "./clock.ts";
import type { Slots } from "./concurrency.ts";
import { asSnapshotError, REASONS, type SnapshotError } from "./errors.ts";
import { type Instant, instant } from "./instant.ts";

/** Limits how long an invocation works and how often it retries failed calls. */
export interface RetryBudget {
  time: Time;
  /** The time after which no operation may start. */
  deadline: Instant;
  /**
   * The time after which no retry of a throttled or busy call may start. If a caller waits for the response, this time is
   * usually earlier than the deadline. Default: the deadline.
   */
  maxWait?: Instant;
  /** The remaining tokens for retries after transient errors; see `TOKENS`. Undefined until a transient error occurs. */
  tokens?: { tokens: number };
}

/** The maximum delay before the first retry, in milliseconds, for each retry class. */
const BASE_MS = { transient: 50, throttled: 1_000, busy: 10_000 } as const;
/** The maximum random delay before any retry, in milliseconds. */
const MAX_DELAY_MS = 60_000;
/** The maximum number of tries of a call that fails with transient errors, including the first try. */
const MAX_TRANSIENT_TRIES = 4;
/**
 * The retry tokens of an invocation, which limit retries while a service is down. An invocation starts with 250 tokens. A
 * retry takes 5 tokens, and a successful call returns 1 token. If every call fails, no call is retried after the 50th
 * retry. If fewer than one sixth of the calls fail, the tokens never run out.
 */
const TOKENS = { max: 250, perRetry: 5, perSuccess: 1 } as const;

/**
 * How old a snapshot must be to be certain to appear in list responses, in milliseconds. A list response can omit snapshots
 * that were created less than 5 s ago. The sixth second is a safety margin.
 */
export const LISTED_AFTER_MS = 6_000;

/**
 * Returns how long to wait before the next try of a failed call.
 *
 * - The delay is random, between 0 and base * 2^(tries-1), so callers that failed at the same time retry at different
 *   times.
 * - If the cloud asks for a delay, that delay is added. The cloud asks for a delay with the header `Retry-After`, or with
 *   an error message that names the time window of a rate limit.
 * - If the resource is busy, the delay is at least 6 s. The resource may be busy because a second delivery of the same
 *   request creates the snapshot. After 6 s, the snapshot is certain to appear in list responses.
 *
 * @param tries the number of tries so far
 * @param random returns a number from 0 (included) to 1 (excluded)
 * @returns milliseconds, or undefined if the call must not be retried
 */
export function delayBefore(error: SnapshotError, tries: number, random: () => number): number | undefined {
  const { retryClass } = REASONS[error.reason];
  if (retryClass === "never" || (retryClass === "transient" && tries >= MAX_TRANSIENT_TRIES)) return undefined;
  const max = Math.min(MAX_DELAY_MS, BASE_MS[retryClass] * 2 ** (tries - 1));
  const min = retryClass === "busy" ? LISTED_AFTER_MS : 0;
  return (error.retryAfterMs ?? 0) + min + random() * (max - min);
}

/**
 * Waits before the next try of a call that failed with `error`.
 *
 * @param tries the number of tries so far
 * @returns false if the call must not be retried or the retry would start too late
 */
export async function backoff(error: SnapshotError, tries: number, retryBudget: RetryBudget): Promise<boolean> {
  const { time, deadline, maxWait = deadline } = retryBudget;
  const delay = delayBefore(error, tries, () => time.random());
  const isTransient = REASONS[error.reason].retryClass === "transient";
  const limit = isTransient ? deadline : Math.min(deadline, maxWait);
  if (delay === undefined || time.now() + delay >= limit) return false;
  if (isTransient && !takeRetryToken(retryBudget)) return false;
  await time.sleep(delay);
  // After the delay, `time.sleep` can also wait until the work queue of `createAll` has a free slot for the target.
  return time.now() < limit;
}

/** Returns a copy of a budget with another `Time`. The copy shares the retry tokens with the original. */
export function withTime(retryBudget: RetryBudget, time: Time): RetryBudget {
  retryBudget.tokens ??= { tokens: TOKENS.max };
  return { ...retryBudget, time };
}

/** Takes the tokens for one retry from the budget. If too few tokens are left, takes none and returns false. */
export function takeRetryToken(retryBudget: RetryBudget): boolean {
  retryBudget.tokens ??= { tokens: TOKENS.max };
  if (retryBudget.tokens.tokens < TOKENS.perRetry) return false;
  retryBudget.tokens.tokens -= TOKENS.perRetry;
  return true;
}

/** Adds one retry token to the budget after a successful call. */
export function refundRetryToken({ tokens: budget }: RetryBudget): void {
  if (budget !== undefined) budget.tokens = Math.min(TOKENS.max, budget.tokens + TOKENS.perSuccess);
}

/**
 * How long the work on one target takes at most, in milliseconds. In the worst case, one request times out, and the
 * function then sends a list request or starts another invocation.
 */
const LAST_OPERATION_MS = 12_000;

/**
 * Returns the time after which work on a further target must not start, so the work that is already in progress can finish
 * before the deadline. The returned time is 12 s before the deadline. If the deadline is less than 24 s away, half of the
 * remaining time is left for finishing.
 */
export const startCutoff = ({ time, deadline }: RetryBudget): Instant =>
  instant(deadline - Math.min(LAST_OPERATION_MS, (deadline - time.now()) / 2));

/**
 * Waits for `work` until a deadline. After the deadline, the work continues, but its result is ignored.
 *
 * @param until the deadline
 * @param error creates the error to throw if the work is not finished at the deadline
 * @returns the result of the work
 */
export async function raceDeadline<T>(
  work: Promise<T>,
  time: Pick<Time, "now" | "sleep">,
  until: Instant,
  error: () => SnapshotError,
): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  const settled = work.then(settle, settle);
  await time.sleep(Math.max(0, until - time.now()), settled);
  if (!isSettled) throw error();
  return work;
}

/**
 * Waits for a free slot until a deadline.
 *
 * @param until the deadline
 * @returns false if no slot was free before the deadline. The caller then has no slot
 */
export async function acquireBefore(slots: Slots, time: Pick<Time, "now" | "sleep">, until: Instant): Promise<boolean> {
  if (time.now() >= until) return false;
  if (slots.tryAcquire()) return true;
  let isAcquired = false;
  let isLate = false;
  const acquired = slots.acquire().then(() => {
    isAcquired = true;
    if (isLate) slots.release();
  });
  await time.sleep(until - time.now(), acquired);
  if (isAcquired && time.now() < until) return true;
  if (isAcquired) slots.release();
  isLate = true;
  return false;
}

/**
 * The number of items that a loop processes between two pauses. Writing 100 records takes about 30 ms on a full core and
 * 300 ms on a tenth of a core.
 */
const ITEMS_PER_PAUSE = 100;

/**
 * Returns a function that a long synchronous loop must await once per item. Every 100th call lets pending timers and
 * network events run, such as the timer of the invocation's deadline and the requests that deliver records.
 */
export function createPause(time: Pick<Time, "sleep">): () => Promise<void> {
  let count = 0;
  return async () => {
    count += 1;
    if (count % ITEMS_PER_PAUSE === 0) await time.sleep(0);
  };
}

/**
 * Repeats a read request until it succeeds.
 *
 * @param read sends a request that changes nothing in the cloud
 * @throws SnapshotError the error of the last try, if the request must not be retried or the retry would start too late
 */
export async function retryRead<T>(read: () => Promise<T>, retryBudget: RetryBudget): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      const value = await read();
      refundRetryToken(retryBudget);
      return value;
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      if (!(await backoff(error, tries, retryBudget))) throw error;
    }
  }
}
