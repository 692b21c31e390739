import fc from "fast-check";
import { expect, test } from "vitest";
import { forEachConcurrent } from "../../../shared/core/concurrency.ts";

test("forEachConcurrent processes each item once, in order, and never more at a time than the limit", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 40 }),
      async (turns, limit) => {
        const begun: number[] = [];
        let atWork = 0;
        let most = 0;
        await forEachConcurrent([...turns.keys()], limit, async (index) => {
          begun.push(index);
          atWork += 1;
          most = Math.max(most, atWork);
          for (let turn = 0; turn < (turns[index] ?? 0); turn += 1) await Promise.resolve();
          atWork -= 1;
        });
        expect(begun).toEqual([...turns.keys()]);
        expect(atWork).toBe(0);
        expect(most).toBe(Math.min(limit, turns.length));
      },
    ),
  );
});

test("forEachConcurrent continues with the other items while one item is slow", async () => {
  let finish = () => {};
  const done: string[] = [];
  const whole = forEachConcurrent(["slow", "a", "b", "c"], 2, async (item) => {
    if (item === "slow")
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    done.push(item);
  });
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  expect(done).toEqual(["a", "b", "c"]);
  finish();
  await whole;
  expect(done).toEqual(["a", "b", "c", "slow"]);
});
