import type { Time } from "./clock.ts";
import { asSnapshotError, REASONS, type SnapshotError } from "./errors.ts";
import { type Instant, instant } from "./instant.ts";

/** Limits how long and how often an invocation retries. */
export interface RetryBudget {
  time: Time;
  /** The last moment at which an operation may start. */
  deadline: Instant;
  /**
   * The last moment at which a retry after a throttled or busy response may start. Set it if it is before the deadline,
   * because a caller over HTTP is waiting. Default: the deadline.
   */
  maxWait?: Instant;
  /** The remaining retries after transient errors. Created at the first such retry. */
  tokens?: { tokens: number };
}

/** The maximum delay before the first retry, by retry class. */
const BASE_MS = { transient: 50, throttled: 1_000, busy: 10_000 } as const;
const CAP_MS = 60_000;
/** How often a call with a transient error is tried, in total. */
const MAX_TRANSIENT_TRIES = 4;
/**
 * The tokens of an invocation. A retry costs 5 of 250, and a successful call adds 1. If the cloud is down, the retries end
 * after 50. If less than one sixth of the calls fails, the tokens never run out.
 */
const TOKENS = { max: 250, perRetry: 5, perSuccess: 1 } as const;

/** The time after which a list shows a new snapshot. A list can be 5 s late; the sixth second is a margin. */
export const LISTED_AFTER_MS = 6_000;

/**
 * Returns the delay before the next try. The delay is random, between 0 and base * 2^(tries-1), so callers that failed
 * together do not retry together. If the cloud asks for a delay (`Retry-After`, or the window in the gateway's message), the
 * random delay is added to it. A resource can be busy because of another delivery of the same request, so the delay of a
 * busy resource is long enough for a list to show the snapshot of that delivery.
 *
 * @param tries how often the call was tried
 * @param random returns a number from 0 (included) to 1 (excluded)
 * @returns milliseconds, or undefined if another try is pointless
 */
export function delayBefore(error: SnapshotError, tries: number, random: () => number): number | undefined {
  const { retryClass } = REASONS[error.reason];
  if (retryClass === "never" || (retryClass === "transient" && tries >= MAX_TRANSIENT_TRIES)) return undefined;
  const max = Math.min(CAP_MS, BASE_MS[retryClass] * 2 ** (tries - 1));
  const min = retryClass === "busy" ? LISTED_AFTER_MS : 0;
  return (error.retryAfterMs ?? 0) + min + random() * (max - min);
}

/**
 * Waits before the next try of a call that failed with `error`.
 *
 * @param tries how often the call was tried
 * @returns false, without waiting, if another try is pointless or would start too late
 */
export async function backoff(error: SnapshotError, tries: number, retryBudget: RetryBudget): Promise<boolean> {
  const { time, deadline, maxWait = deadline } = retryBudget;
  const delay = delayBefore(error, tries, () => time.random());
  const isTransient = REASONS[error.reason].retryClass === "transient";
  const limit = isTransient ? deadline : Math.min(deadline, maxWait);
  if (delay === undefined || time.now() + delay >= limit) return false;
  if (isTransient && !takeRetryToken(retryBudget)) return false;
  await time.sleep(delay);
  return true;
}

/** Takes the tokens of one retry from the budget. Returns false if there are too few. */
export function takeRetryToken(retryBudget: RetryBudget): boolean {
  retryBudget.tokens ??= { tokens: TOKENS.max };
  if (retryBudget.tokens.tokens < TOKENS.perRetry) return false;
  retryBudget.tokens.tokens -= TOKENS.perRetry;
  return true;
}

/** Adds the token of a successful call to the budget. */
export function refundRetryToken({ tokens: budget }: RetryBudget): void {
  if (budget !== undefined) budget.tokens = Math.min(TOKENS.max, budget.tokens + TOKENS.perSuccess);
}

/** The time that the last operation needs: a call that hangs, then a list or the start of another invocation. */
const LAST_OPERATION_MS = 12_000;

/**
 * Returns the last moment at which work on a target may start, so it can finish before the deadline. The moment is 12 s
 * before the deadline, or after half of the remaining time if less than 24 s remain.
 */
export const startCutoff = ({ time, deadline }: RetryBudget): Instant =>
  instant(deadline - Math.min(LAST_OPERATION_MS, (deadline - time.now()) / 2));

/**
 * Waits for work until a deadline. After the deadline, the work continues but its result is ignored.
 *
 * @param until the deadline
 * @param error creates the error for work that is not finished at the deadline
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

/** Writing 100 records takes about 30 ms on a full core and 300 ms on a tenth of a core. */
const ITEMS_PER_PAUSE = 100;

/**
 * Returns a function to await for each item of synchronous work. Every 100th call lets pending timers and sockets run, such
 * as the invocation's deadline and the delivery of records.
 */
export function pauses(time: Pick<Time, "sleep">): () => Promise<void> {
  let count = 0;
  return async () => {
    count += 1;
    if (count % ITEMS_PER_PAUSE === 0) await time.sleep(0);
  };
}

/**
 * Repeats a read until it succeeds.
 *
 * @param read an idempotent call
 * @throws SnapshotError of the last try, if another try is pointless or would start too late
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
