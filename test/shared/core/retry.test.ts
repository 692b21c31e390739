import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REASONS, type Reason, SnapshotError } from "../../../shared/core/errors.ts";
import { after, type Instant } from "../../../shared/core/instant.ts";
import {
  backoff,
  delayBefore,
  type RetryBudget,
  refundRetryToken,
  retryRead,
  startCutoff,
  takeRetryToken,
} from "../../../shared/core/retry.ts";
import { cloudError, createVirtualClock, START } from "../../support/domain.ts";

const REASONS_THAT = (wait: string) =>
  (Object.keys(REASONS) as Reason[]).filter((name) => REASONS[name].retryClass === wait);
const reason = fc.constantFrom(...(Object.keys(REASONS) as Reason[]));
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** Returns a budget that ends after `seconds`, and whose caller waits for `waitSeconds`. */
const patienceOf = (
  seconds: number,
  waitSeconds?: number,
  random = () => 0,
): RetryBudget & { time: ReturnType<typeof createVirtualClock> } => {
  const waitUntil = waitSeconds === undefined ? {} : { maxWait: after(START, waitSeconds * 1000) };
  return { time: createVirtualClock(random), deadline: after(START, seconds * 1000), ...waitUntil };
};

describe("delayBefore", () => {
  /** Returns the minimum and the maximum delay before each try, in milliseconds. */
  const bounds = (name: Reason, tries: number, details = {}) =>
    [0, 1].map((random) => delayBefore(cloudError(name, details), tries, () => random));

  test("delayBefore doubles the delay after a transient error from 50 ms on, up to a minute, for four tries", () => {
    expect([1, 2, 3].map((tries) => bounds("CloudError", tries))).toEqual([
      [0, 50],
      [0, 100],
      [0, 200],
    ]);
    expect(delayBefore(cloudError("CloudError"), 4, () => 0)).toBeUndefined();
    expect(delayBefore(cloudError("CloudError"), 5, () => 0)).toBeUndefined();
  });

  test("delayBefore doubles the delay of a throttled call from 1 s on, for any number of tries", () => {
    expect([1, 2, 6, 7, 20].map((tries) => bounds("Throttled", tries))).toEqual([
      [0, 1_000],
      [0, 2_000],
      [0, 32_000],
      [0, 60_000],
      [0, 60_000],
    ]);
  });

  test("delayBefore delays a busy resource from 10 s on, and at least until a list shows the snapshot of another delivery", () => {
    expect([1, 2, 4].map((tries) => bounds("Busy", tries))).toEqual([
      [6_000, 10_000],
      [6_000, 20_000],
      [6_000, 60_000],
    ]);
  });

  test("delayBefore adds the delay that the cloud asks for", () => {
    expect(bounds("Throttled", 1, { retryAfterMs: 3_000 })).toEqual([3_000, 4_000]);
    expect(bounds("Busy", 1, { retryAfterMs: 3_000 })).toEqual([9_000, 13_000]);
    expect(bounds("CloudError", 1, { retryAfterMs: 3_000 })).toEqual([3_000, 3_050]);
  });

  test("delayBefore returns undefined if a retry cannot succeed", () => {
    for (const name of REASONS_THAT("never"))
      expect(
        delayBefore(cloudError(name), 1, () => 0),
        name,
      ).toBeUndefined();
  });

  test("delayBefore returns a random delay within its limits", () => {
    fc.assert(
      fc.property(reason, fc.integer({ min: 1, max: 30 }), chance, fc.nat(100_000), (name, tries, random, asked) => {
        const delay = delayBefore(cloudError(name, { retryAfterMs: asked }), tries, () => random);
        fc.pre(delay !== undefined);
        const [least, most] = bounds(name, tries, { retryAfterMs: asked }) as [number, number];
        expect(delay).toBeGreaterThanOrEqual(least);
        expect(delay).toBeLessThanOrEqual(most);
        expect(most).toBeLessThanOrEqual(asked + 60_000);
        expect(delay).toBeCloseTo(least + random * (most - least), 3);
      }),
    );
  });
});

describe("backoff", () => {
  test("backoff waits only if the delay ends before the deadline, and before maxWait unless the error is transient", async () => {
    await fc.assert(
      fc.asyncProperty(
        reason,
        fc.integer({ min: 1, max: 10 }),
        chance,
        fc.option(fc.nat(90_000), { nil: undefined }),
        fc.nat(120),
        fc.option(fc.nat(120), { nil: undefined }),
        async (name, tries, random, retryAfterMs, seconds, waitSeconds) => {
          const retryBudget = patienceOf(seconds, waitSeconds, () => random);
          const error = cloudError(name, { retryAfterMs });
          const delay = delayBefore(error, tries, () => random);
          const limit = REASONS[name].retryClass === "transient" ? seconds : Math.min(seconds, waitSeconds ?? seconds);
          const again = await backoff(error, tries, retryBudget);
          expect(again).toBe(delay !== undefined && START + delay < START + limit * 1000);
          expect(retryBudget.time.slept).toEqual(again ? [delay] : []);
          if (again) expect(retryBudget.time.now()).toBeLessThan(START + seconds * 1000);
        },
      ),
    );
  });

  test("backoff does not wait if the delay would end exactly at the deadline", async () => {
    const asks = (ms: number) => cloudError("Throttled", { retryAfterMs: ms });
    expect(await backoff(asks(10_000), 1, patienceOf(10))).toBe(false);
    expect(await backoff(asks(9_999), 1, patienceOf(10))).toBe(true);
    expect(await backoff(asks(5_000), 1, patienceOf(10, 5))).toBe(false);
    expect(await backoff(asks(4_999), 1, patienceOf(10, 5))).toBe(true);
  });
});

describe("the retry tokens of an invocation", () => {
  const spend = async (retryBudget: RetryBudget) => {
    let repeats = 0;
    while (await backoff(cloudError("CloudError"), 1, retryBudget)) repeats += 1;
    return repeats;
  };

  test("backoff permits 50 retries of transient errors in an invocation", async () => {
    const retryBudget = patienceOf(60);
    expect(await spend(retryBudget)).toBe(50);
    expect(takeRetryToken(retryBudget)).toBe(false);
  });

  test("backoff takes no retry tokens for throttled or busy calls", async () => {
    const retryBudget = patienceOf(60_000);
    for (let count = 0; count < 60; count += 1) await backoff(cloudError("Throttled"), 1, retryBudget);
    expect(await spend(retryBudget)).toBe(50);
    expect(await backoff(cloudError("Throttled"), 1, retryBudget)).toBe(true);
    expect(await backoff(cloudError("Busy"), 1, retryBudget)).toBe(true);
  });

  test("backoff takes no retry token if the deadline is too near for a retry", async () => {
    const retryBudget = patienceOf(60);
    for (let count = 0; count < 60; count += 1) {
      expect(await backoff(cloudError("CloudError", { retryAfterMs: 60_000 }), 1, retryBudget)).toBe(false);
    }
    expect(await spend(retryBudget)).toBe(50);
  });

  test("refundRetryToken permits one more retry per five successful calls, up to the initial number", async () => {
    const retryBudget = patienceOf(60);
    await spend(retryBudget);
    for (let count = 0; count < 4; count += 1) refundRetryToken(retryBudget);
    expect(takeRetryToken(retryBudget)).toBe(false);
    refundRetryToken(retryBudget);
    expect(takeRetryToken(retryBudget)).toBe(true);
    expect(takeRetryToken(retryBudget)).toBe(false);
    for (let count = 0; count < 1_000; count += 1) refundRetryToken(retryBudget);
    expect(await spend(retryBudget)).toBe(50);
  });

  test("refundRetryToken does not create the tokens before the first retry", () => {
    const retryBudget = patienceOf(60);
    for (let count = 0; count < 1_000; count += 1) refundRetryToken(retryBudget);
    expect(retryBudget.tokens).toBeUndefined();
  });
});

describe("retryRead", () => {
  /** Returns a read that fails with the given errors and then succeeds. */
  const read = async (errors: (Error | undefined)[], retryBudget = patienceOf(60)) => {
    let tries = 0;
    const work = async () => {
      const error = errors[tries++];
      if (error !== undefined) throw error;
      return "read";
    };
    return { result: await retryRead(work, retryBudget).catch((error) => error), tries, patience: retryBudget };
  };

  test("retryRead repeats a read until it succeeds", async () => {
    const { result, tries } = await read([
      cloudError("CloudError"),
      cloudError("Unreachable"),
      cloudError("Throttled"),
    ]);
    expect(result).toBe("read");
    expect(tries).toBe(4);
  });

  test("retryRead fails after four transient errors", async () => {
    const errors = [1, 2, 3, 4, 5].map(() => cloudError("CloudError"));
    const { result, tries } = await read(errors);
    expect(result).toBe(errors[3]);
    expect(tries).toBe(4);
  });

  test("retryRead does not repeat a read that was rejected", async () => {
    const { result, tries } = await read([cloudError("NotFound")]);
    expect(result).toMatchObject({ reason: "NotFound" });
    expect(tries).toBe(1);
  });

  test("retryRead repeats a read that throws an unexpected error, and reports it as a fault of the function", async () => {
    expect((await read([new TypeError("x is not a function")])).result).toBe("read");
    const faults = Array.from({ length: 4 }, () => new TypeError("x is not a function"));
    const { result } = await read(faults);
    expect(result).toBeInstanceOf(SnapshotError);
    expect(result.message).toContain("TypeError: x is not a function");
  });

  test("retryRead refunds a retry token after a successful read", async () => {
    const { patience: retryBudget } = await read([cloudError("CloudError"), cloudError("CloudError")]);
    expect(retryBudget.tokens).toEqual({ tokens: 241 });
  });

  test("retryRead waits longer before each try", async () => {
    const { patience: retryBudget } = await read(
      [cloudError("Throttled"), cloudError("Throttled")],
      patienceOf(60, undefined, () => 0.5),
    );
    expect(retryBudget.time.slept).toEqual([500, 1_000]);
  });
});

test("startCutoff is 12 s before the deadline, or after half of the remaining time if less than 24 s remain", () => {
  const begin = (seconds: number) => (startCutoff(patienceOf(seconds)) - START) / 1000;
  expect([60, 24, 20, 1].map(begin)).toEqual([48, 12, 10, 0.5]);
  expect(startCutoff({ ...patienceOf(1), deadline: (START + 1) as Instant })).toBe(START);
});
