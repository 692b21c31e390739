import type { Time } from "./clock.ts";
import { asSnapshotError, REASONS, type SnapshotError } from "./errors.ts";
import { type Instant, instant } from "./instant.ts";

/** Until when something may be waited for. */
export interface RetryBudget {
  time: Time;
  /** The last moment at which work may still begin. */
  deadline: Instant;
  /** How long a busy or throttled resource is waited for, where that is shorter: a caller over HTTP waits along. */
  maxWait?: Instant;
  /** What is left of the repeats after transient faults; made at the first of them. */
  tokens?: { tokens: number };
}

/** The first delay's upper bound, by what is waited for (DESIGN 5.5; peers-and-models.md 4). */
const BASE_MS = { transient: 50, throttled: 1_000, busy: 10_000 } as const;
const CAP_MS = 60_000;
/** A service's own faults are not waited out: after this many tries the fault is the answer. */
const TRANSIENT_TRIES = 4;
/**
 * The budget of an invocation: 50 repeats, and one more for every 5 calls that succeed. A cloud that is down is left
 * alone soon; one that fails less than every sixth call never uses it up.
 */
const BUDGET = { tokens: 250, repeat: 5, success: 1 } as const;

/** After so long a list shows what was made: it may be 5 s late (DESIGN 4.4, 6). */
export const LISTED_AFTER_MS = 6_000;

/**
 * How long to wait before try number `tries + 1`; undefined where trying again changes nothing. Full jitter between 0
 * and base * 2^(tries-1), so that callers which failed together do not come back together; what the cloud asks for
 * (`Retry-After`, the window in the gateway's message) comes before it. A busy resource may be so by another delivery of
 * the same request: a list must show by then what that one makes.
 */
export function delayBefore(error: SnapshotError, tries: number, random: () => number): number | undefined {
  const { wait } = REASONS[error.reason];
  if (wait === "never" || (wait === "transient" && tries >= TRANSIENT_TRIES)) return undefined;
  const most = Math.min(CAP_MS, BASE_MS[wait] * 2 ** (tries - 1));
  const least = wait === "busy" ? LISTED_AFTER_MS : 0;
  return (error.retryAfterMs ?? 0) + least + random() * (most - least);
}

/**
 * Waits before another try of what failed with `error`. Returns false, without waiting, where another try is pointless
 * or would begin after `until`: then the error is the answer.
 */
export async function backoff(error: SnapshotError, tries: number, retryBudget: RetryBudget): Promise<boolean> {
  const { time, deadline, maxWait = deadline } = retryBudget;
  const delay = delayBefore(error, tries, () => time.random());
  const transient = REASONS[error.reason].wait === "transient";
  const limit = transient ? deadline : Math.min(deadline, maxWait);
  if (delay === undefined || time.now() + delay >= limit) return false;
  if (transient && !takeRetryToken(retryBudget)) return false;
  await time.sleep(delay);
  return true;
}

/** Takes one repeat out of the invocation's budget; false where there is none left. */
export function takeRetryToken(retryBudget: RetryBudget): boolean {
  retryBudget.tokens ??= { tokens: BUDGET.tokens };
  if (retryBudget.tokens.tokens < BUDGET.repeat) return false;
  retryBudget.tokens.tokens -= BUDGET.repeat;
  return true;
}

/** A call that succeeded puts a little back. */
export function refundRetryToken({ tokens: budget }: RetryBudget): void {
  if (budget !== undefined) budget.tokens = Math.min(BUDGET.tokens, budget.tokens + BUDGET.success);
}

/** For what was begun last to end in: an attempt that hangs, and a look or a hand-over after it. */
const LAST_MS = 12_000;

/** The last moment at which work on a target begins, so that it can end in order; half of the time where it is short. */
export const startCutoff = ({ time, deadline }: RetryBudget): Instant =>
  instant(deadline - Math.min(LAST_MS, (deadline - time.now()) / 2));

/**
 * Waits for work until a deadline, then rejects with `error`. The work continues, but its result is ignored.
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

/** So many items are worked on at a stretch: about 30 ms of writing records, or 300 ms on a tenth of a core. */
const STRETCH = 100;

/**
 * Returns a function to await for each item of work that waits for nothing else. Now and then it lets timers and sockets have
 * their turn: the invocation's deadline, and the delivery of records.
 */
export function pauses(time: Pick<Time, "sleep">): () => Promise<void> {
  let count = 0;
  return async () => {
    count += 1;
    if (count % STRETCH === 0) await time.sleep(0);
  };
}

/** Repeats a read until it succeeds or waiting is pointless. For idempotent calls only. */
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
