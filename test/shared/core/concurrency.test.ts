import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSlots, forEachConcurrent, type Slots } from "../../../shared/core/concurrency.ts";

test("forEachConcurrent starts each item once and in order, and never works on more items at a time than the limit", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 40 }),
      async (turns, limit) => {
        const started: number[] = [];
        let inProgress = 0;
        let maxInProgress = 0;
        await forEachConcurrent([...turns.keys()], limit, async (index) => {
          started.push(index);
          inProgress += 1;
          maxInProgress = Math.max(maxInProgress, inProgress);
          for (let turn = 0; turn < (turns[index] ?? 0); turn += 1) await Promise.resolve();
          inProgress -= 1;
        });
        expect(started).toEqual([...turns.keys()]);
        expect(inProgress).toBe(0);
        expect(maxInProgress).toBe(Math.min(limit, turns.length));
      },
    ),
  );
});

test("forEachConcurrent with a limit of 2 completes all other items while one item is slow", async () => {
  let finish = () => {};
  const done: string[] = [];
  const completed = forEachConcurrent(["slow", "a", "b", "c"], 2, async (item) => {
    if (item === "slow") {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    }
    done.push(item);
  });
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  expect(done).toEqual(["a", "b", "c"]);
  finish();
  await completed;
  expect(done).toEqual(["a", "b", "c", "slow"]);
});

describe("createSlots", () => {
  /** Starts a call of `acquire` that adds `name` to `acquired` when the caller gets a slot. */
  const acquireAs = (slots: Slots, acquired: string[], name: string) => slots.acquire().then(() => acquired.push(name));

  test("createSlots gives slots to two callers at once if the count is 2, and to the others in the order of their calls", async () => {
    const slots = createSlots(2);
    const acquired: string[] = [];
    const all = ["a", "b", "c", "d"].map((name) => acquireAs(slots, acquired, name));
    await Promise.all(all.slice(0, 2));
    expect(acquired).toEqual(["a", "b"]);
    slots.release();
    await all[2];
    expect(acquired).toEqual(["a", "b", "c"]);
    slots.release();
    await all[3];
    expect(acquired).toEqual(["a", "b", "c", "d"]);
  });

  test("createSlots gives a released slot to the caller that has waited longest, and not to a caller that comes after the release", async () => {
    const slots = createSlots(1);
    const acquired: string[] = [];
    await acquireAs(slots, acquired, "a");
    const waiting = acquireAs(slots, acquired, "b");
    slots.release();
    const late = acquireAs(slots, acquired, "late");
    await waiting;
    await Promise.resolve();
    expect(acquired).toEqual(["a", "b"]);
    slots.release();
    await late;
    expect(acquired).toEqual(["a", "b", "late"]);
  });

  test("tryAcquire acquires a free slot, and returns false if no slot is free", async () => {
    const slots = createSlots(2);
    await slots.acquire();
    expect([slots.tryAcquire(), slots.tryAcquire()]).toEqual([true, false]);
    slots.release();
    expect([slots.tryAcquire(), slots.tryAcquire()]).toEqual([true, false]);
  });

  test("createSlots keeps a released slot free if no caller waits", async () => {
    const slots = createSlots(1);
    const acquired: string[] = [];
    for (const name of ["a", "b"]) {
      await acquireAs(slots, acquired, name);
      slots.release();
    }
    expect(acquired).toEqual(["a", "b"]);
  });
});
