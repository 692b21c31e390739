import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REASONS, type Reason, SnapshotError } from "../../../shared/core/errors.ts";
import type { Instant } from "../../../shared/core/instant.ts";
import {
  backoff,
  delayBefore,
  type RetryBudget,
  refundRetryToken,
  retryRead,
  startCutoff,
  takeRetryToken,
  withTime,
} from "../../../shared/core/retry.ts";
import { cloudError, createVirtualClock, START, startPlus } from "../../support/domain.ts";

const ALL_REASONS = Object.keys(REASONS) as Reason[];
const randomReason = fc.constantFrom(...ALL_REASONS);
const randomNumber = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** Returns a retry budget whose deadline is `seconds` after START and whose `maxWait` is `waitSeconds` after START. */
const budgetOf = (
  seconds: number,
  waitSeconds?: number,
  random = () => 0,
): RetryBudget & { time: ReturnType<typeof createVirtualClock> } => {
  const maxWait = waitSeconds === undefined ? {} : { maxWait: startPlus(waitSeconds * 1000) };
  return { time: createVirtualClock(random), deadline: startPlus(seconds * 1000), ...maxWait };
};

describe("delayBefore", () => {
  /** Returns the minimum and the maximum of `delayBefore` in milliseconds after the given number of tries. */
  const bounds = (name: Reason, tries: number, details = {}) =>
    [0, 1].map((random) => delayBefore(cloudError(name, details), tries, () => random));

  test("delayBefore returns at most 50 ms, then 100 ms, then 200 ms for transient errors, and undefined after four tries", () => {
    expect([1, 2, 3].map((tries) => bounds("CloudError", tries))).toEqual([
      [0, 50],
      [0, 100],
      [0, 200],
    ]);
    expect(delayBefore(cloudError("CloudError"), 4, () => 0)).toBeUndefined();
    expect(delayBefore(cloudError("CloudError"), 5, () => 0)).toBeUndefined();
  });

  test("delayBefore doubles the maximum delay after each Throttled, from 1 s up to 60 s", () => {
    expect([1, 2, 6, 7, 20].map((tries) => bounds("Throttled", tries))).toEqual([
      [0, 1_000],
      [0, 2_000],
      [0, 32_000],
      [0, 60_000],
      [0, 60_000],
    ]);
  });

  test("delayBefore returns at least 6 s after Busy, because a list response can omit a new snapshot for 6 s", () => {
    expect([1, 2, 4].map((tries) => bounds("Busy", tries))).toEqual([
      [6_000, 10_000],
      [6_000, 20_000],
      [6_000, 60_000],
    ]);
  });

  test("delayBefore adds the delay that the service asks for in retryAfterMs", () => {
    expect(bounds("Throttled", 1, { retryAfterMs: 3_000 })).toEqual([3_000, 4_000]);
    expect(bounds("Busy", 1, { retryAfterMs: 3_000 })).toEqual([9_000, 13_000]);
    expect(bounds("CloudError", 1, { retryAfterMs: 3_000 })).toEqual([3_000, 3_050]);
  });

  test("delayBefore returns undefined for reasons after which a retry cannot succeed", () => {
    for (const name of ALL_REASONS.filter((reason) => REASONS[reason].retryClass === "never"))
      expect(
        delayBefore(cloudError(name), 1, () => 0),
        name,
      ).toBeUndefined();
  });

  test("delayBefore returns a delay between the minimum and the maximum, in proportion to the random number", () => {
    fc.assert(
      fc.property(
        randomReason,
        fc.integer({ min: 1, max: 30 }),
        randomNumber,
        fc.nat(100_000),
        (name, tries, random, asked) => {
          const delay = delayBefore(cloudError(name, { retryAfterMs: asked }), tries, () => random);
          fc.pre(delay !== undefined);
          const [minDelay, maxDelay] = bounds(name, tries, { retryAfterMs: asked }) as [number, number];
          expect(delay).toBeGreaterThanOrEqual(minDelay);
          expect(delay).toBeLessThanOrEqual(maxDelay);
          expect(maxDelay).toBeLessThanOrEqual(asked + 60_000);
          expect(delay).toBeCloseTo(minDelay + random * (maxDelay - minDelay), 3);
        },
      ),
    );
  });
});

describe("backoff", () => {
  test("backoff waits only if the delay ends in time: before the deadline, and for a non-transient error also before maxWait", async () => {
    await fc.assert(
      fc.asyncProperty(
        randomReason,
        fc.integer({ min: 1, max: 10 }),
        randomNumber,
        fc.option(fc.nat(90_000), { nil: undefined }),
        fc.nat(120),
        fc.option(fc.nat(120), { nil: undefined }),
        async (name, tries, random, retryAfterMs, seconds, waitSeconds) => {
          const retryBudget = budgetOf(seconds, waitSeconds, () => random);
          const error = cloudError(name, { retryAfterMs });
          const delay = delayBefore(error, tries, () => random);
          const limit = REASONS[name].retryClass === "transient" ? seconds : Math.min(seconds, waitSeconds ?? seconds);
          const hasWaited = await backoff(error, tries, retryBudget);
          expect(hasWaited).toBe(delay !== undefined && START + delay < START + limit * 1000);
          expect(retryBudget.time.slept).toEqual(hasWaited ? [delay] : []);
          if (hasWaited) expect(retryBudget.time.now()).toBeLessThan(START + seconds * 1000);
        },
      ),
    );
  });

  test("backoff does not wait if the delay would end exactly at the deadline or at maxWait", async () => {
    const throttled = (ms: number) => cloudError("Throttled", { retryAfterMs: ms });
    expect(await backoff(throttled(10_000), 1, budgetOf(10))).toBe(false);
    expect(await backoff(throttled(9_999), 1, budgetOf(10))).toBe(true);
    expect(await backoff(throttled(5_000), 1, budgetOf(10, 5))).toBe(false);
    expect(await backoff(throttled(4_999), 1, budgetOf(10, 5))).toBe(true);
  });
});

describe("backoff with a wait that takes longer than requested", () => {
  test.each([
    ["allows", "Throttled", 1_999, true],
    ["refuses", "Throttled", 2_000, false],
    ["allows", "CloudError", 2_000, true],
    ["refuses", "CloudError", 3_000, false],
  ] as const)(
    "backoff %s a retry after %s if the wait takes %i ms, maxWait is 2 s and the deadline is 3 s",
    async (_verb, reason, waitMs, isLeft) => {
      const retryBudget = budgetOf(3, 2);
      const time = { ...retryBudget.time, sleep: () => retryBudget.time.sleep(waitMs) };
      expect(await backoff(cloudError(reason), 1, { ...retryBudget, time })).toBe(isLeft);
    },
  );
});

describe("the retry tokens of an invocation", () => {
  /** Takes all retry tokens and returns their number. */
  const takeAllTokens = async (retryBudget: RetryBudget) => {
    let taken = 0;
    while (await backoff(cloudError("CloudError"), 1, retryBudget)) taken += 1;
    return taken;
  };

  test("backoff allows 50 retries after transient errors in one invocation", async () => {
    const retryBudget = budgetOf(60);
    expect(await takeAllTokens(retryBudget)).toBe(50);
    expect(takeRetryToken(retryBudget)).toBe(false);
  });

  test("backoff takes no retry tokens after Throttled or Busy", async () => {
    const retryBudget = budgetOf(60_000);
    for (let count = 0; count < 60; count += 1) await backoff(cloudError("Throttled"), 1, retryBudget);
    expect(await takeAllTokens(retryBudget)).toBe(50);
    expect(await backoff(cloudError("Throttled"), 1, retryBudget)).toBe(true);
    expect(await backoff(cloudError("Busy"), 1, retryBudget)).toBe(true);
  });

  test("backoff takes no retry token if the deadline is too near for a retry", async () => {
    const retryBudget = budgetOf(60);
    for (let count = 0; count < 60; count += 1) {
      expect(await backoff(cloudError("CloudError", { retryAfterMs: 60_000 }), 1, retryBudget)).toBe(false);
    }
    expect(await takeAllTokens(retryBudget)).toBe(50);
  });

  test("refundRetryToken allows one more retry per five successful calls, up to the initial 50 retries", async () => {
    const retryBudget = budgetOf(60);
    await takeAllTokens(retryBudget);
    for (let count = 0; count < 4; count += 1) refundRetryToken(retryBudget);
    expect(takeRetryToken(retryBudget)).toBe(false);
    refundRetryToken(retryBudget);
    expect(takeRetryToken(retryBudget)).toBe(true);
    expect(takeRetryToken(retryBudget)).toBe(false);
    for (let count = 0; count < 1_000; count += 1) refundRetryToken(retryBudget);
    expect(await takeAllTokens(retryBudget)).toBe(50);
  });

  test("refundRetryToken does nothing before the first retry", () => {
    const retryBudget = budgetOf(60);
    for (let count = 0; count < 1_000; count += 1) refundRetryToken(retryBudget);
    expect(retryBudget.tokens).toBeUndefined();
  });
});

describe("withTime", () => {
  test("withTime returns a budget that waits with the given clock, and has the deadline and maxWait of the original budget", async () => {
    const retryBudget = budgetOf(60, 30);
    const time = createVirtualClock();
    expect(withTime(retryBudget, time)).toMatchObject({ deadline: startPlus(60_000), maxWait: startPlus(30_000) });
    await backoff(cloudError("Busy"), 1, withTime(retryBudget, time));
    expect([time.slept, retryBudget.time.slept]).toEqual([[6_000], []]);
  });

  test("withTime shares the retry tokens with the original budget, even before the first retry", () => {
    const retryBudget = budgetOf(60);
    const copy = withTime(retryBudget, createVirtualClock());
    for (let count = 0; count < 25; count += 1) expect(takeRetryToken(copy)).toBe(true);
    for (let count = 0; count < 25; count += 1) expect(takeRetryToken(retryBudget)).toBe(true);
    expect([takeRetryToken(copy), takeRetryToken(retryBudget)]).toEqual([false, false]);
    for (let count = 0; count < 5; count += 1) refundRetryToken(retryBudget);
    expect(takeRetryToken(withTime(copy, createVirtualClock()))).toBe(true);
  });
});

describe("retryRead", () => {
  /** Calls `retryRead` with a read that fails with the given errors and then succeeds. */
  const retryFailingRead = async (errors: (Error | undefined)[], retryBudget = budgetOf(60)) => {
    let tries = 0;
    const work = async () => {
      const error = errors[tries++];
      if (error !== undefined) throw error;
      return "read";
    };
    return { result: await retryRead(work, retryBudget).catch((error) => error), tries, retryBudget };
  };

  test("retryRead repeats a read until the read succeeds", async () => {
    const { result, tries } = await retryFailingRead([
      cloudError("CloudError"),
      cloudError("Unreachable"),
      cloudError("Throttled"),
    ]);
    expect(result).toBe("read");
    expect(tries).toBe(4);
  });

  test("retryRead fails with the fourth transient error", async () => {
    const errors = [1, 2, 3, 4, 5].map(() => cloudError("CloudError"));
    const { result, tries } = await retryFailingRead(errors);
    expect(result).toBe(errors[3]);
    expect(tries).toBe(4);
  });

  test("retryRead does not repeat a read after NotFound", async () => {
    const { result, tries } = await retryFailingRead([cloudError("NotFound")]);
    expect(result).toMatchObject({ reason: "NotFound" });
    expect(tries).toBe(1);
  });

  test("retryRead repeats a read after a TypeError and fails after four tries with a SnapshotError that contains the message of the TypeError", async () => {
    expect((await retryFailingRead([new TypeError("x is not a function")])).result).toBe("read");
    const faults = Array.from({ length: 4 }, () => new TypeError("x is not a function"));
    const { result } = await retryFailingRead(faults);
    expect(result).toBeInstanceOf(SnapshotError);
    expect(result.message).toContain("TypeError: x is not a function");
  });

  test("retryRead refunds part of a retry token after a successful read", async () => {
    const { retryBudget } = await retryFailingRead([cloudError("CloudError"), cloudError("CloudError")]);
    expect(retryBudget.tokens).toEqual({ tokens: 241 });
  });

  test("retryRead doubles the delay after each Throttled", async () => {
    const { retryBudget } = await retryFailingRead(
      [cloudError("Throttled"), cloudError("Throttled")],
      budgetOf(60, undefined, () => 0.5),
    );
    expect(retryBudget.time.slept).toEqual([500, 1_000]);
  });
});

test("startCutoff returns the time 12 s before the deadline, or the middle of the remaining time if less than 24 s remain", () => {
  const cutoff = (seconds: number) => (startCutoff(budgetOf(seconds)) - START) / 1000;
  expect([60, 24, 20, 1].map(cutoff)).toEqual([48, 12, 10, 0.5]);
  expect(startCutoff({ ...budgetOf(1), deadline: (START + 1) as Instant })).toBe(START);
});
