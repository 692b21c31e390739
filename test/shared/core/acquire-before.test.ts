import { describe, expect, test } from "vitest";
import { createSlots } from "../../../shared/core/concurrency.ts";
import { acquireBefore } from "../../../shared/core/retry.ts";
import { createVirtualClock, startPlus } from "../../support/domain.ts";

describe("acquireBefore", () => {
  const acquire = async (releaseMs: number | undefined) => {
    const time = createVirtualClock();
    const slots = createSlots(1);
    await slots.acquire();
    if (releaseMs !== undefined) void time.sleep(releaseMs).then(slots.release);
    return { isAcquired: await acquireBefore(slots, time, startPlus(5_000)), slots, time };
  };

  test("acquireBefore waits until a slot is released before the deadline", async () => {
    const { isAcquired, slots, time } = await acquire(4_999);
    expect([isAcquired, time.seconds(), slots.tryAcquire()]).toEqual([true, 4.999, false]);
  });

  test.each([5_000, 7_000])(
    "acquireBefore returns false at the deadline of 5 s, and leaves a slot that is released after %i ms to other callers",
    async (releaseMs) => {
      const { isAcquired, slots, time } = await acquire(releaseMs);
      expect([isAcquired, time.seconds()]).toEqual([false, 5]);
      await time.sleep(3_000);
      expect([slots.tryAcquire(), slots.tryAcquire()]).toEqual([true, false]);
    },
  );

  test("acquireBefore returns false after the deadline and leaves a free slot to other callers", async () => {
    const slots = createSlots(1);
    expect(await acquireBefore(slots, createVirtualClock(), startPlus(0))).toBe(false);
    expect(slots.tryAcquire()).toBe(true);
  });
});
