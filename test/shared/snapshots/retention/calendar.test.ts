import { expect, test } from "vitest";
import { DAY_MS } from "../../../../shared/core/time-zone.ts";
import { dayOf, PERIODS } from "../../../../shared/snapshots/retention/calendar.ts";

test("PERIODS numbers weeks, months and years from 1800 to 2300 consecutively", () => {
  const { keep_weekly: weekOf, keep_monthly: monthOf, keep_yearly: yearOf } = PERIODS;
  const first = dayOf(Date.UTC(1800, 0, 1));
  let expected = [weekOf(first), monthOf(first), yearOf(first)] as const;
  const wrong: string[] = [];
  for (let day = first + 1; day < dayOf(Date.UTC(2300, 0, 1)); day += 1) {
    const date = new Date(day * DAY_MS);
    const [week, month, year] = expected;
    const newMonth = date.getUTCDate() === 1 ? 1 : 0;
    const newYear = newMonth && date.getUTCMonth() === 0 ? 1 : 0;
    expected = [week + (date.getUTCDay() === 1 ? 1 : 0), month + newMonth, year + newYear];
    if ([weekOf(day), monthOf(day), yearOf(day)].join() !== expected.join()) wrong.push(date.toISOString());
  }
  expect(wrong).toEqual([]);
});
