import fc from "fast-check";
import { expect, test } from "vitest";
import { forEachConcurrent } from "../../../shared/core/concurrency.ts";

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
