import { describe, expect, test } from "vitest";
import { nextRun } from "../../../shared/core/cron.ts";
import { instant } from "../../../shared/core/instant.ts";

/** Returns the first `count` runs of an expression after a time, in UTC. */
function runsOf(expression: string, from: string, count = 3, zone?: string): (string | undefined)[] {
  let moment = instant(Date.parse(from));
  return Array.from({ length: count }, () => {
    const run = nextRun(expression, moment, zone);
    if (run !== undefined) moment = run;
    return run === undefined ? undefined : new Date(run).toISOString().slice(0, 19);
  });
}

describe("nextRun", () => {
  // biome-ignore format: the cases are easier to compare in rows
  const CASES: [string, string, string, string[]][] = [
    ["every day at a time", "0 0 2 * * *", "2026-11-21T02:00:00Z", ["2026-11-22T02:00:00", "2026-11-23T02:00:00"]],
    ["every day, one second before the time", "0 0 2 * * *", "2026-11-21T01:59:59Z", ["2026-11-21T02:00:00"]],
    ["a list of hours", "0 30 1,13 * * *", "2026-11-21T01:30:00Z", ["2026-11-21T13:30:00", "2026-11-22T01:30:00"]],
    ["a range of weekdays by name in any case", "0 0 8 ? * mon-FRI", "2026-11-20T08:00:00Z", ["2026-11-23T08:00:00"]],
    ["Sunday as the number 0", "0 0 5 * * 0", "2026-11-21T00:00:00Z", ["2026-11-22T05:00:00", "2026-11-29T05:00:00"]],
    ["a step", "0 */20 * * * *", "2026-11-21T02:05:00Z", ["2026-11-21T02:20:00", "2026-11-21T02:40:00", "2026-11-21T03:00:00"]],
    ["a step from a number", "0 0 5/8 * * *", "2026-11-21T00:00:00Z", ["2026-11-21T05:00:00", "2026-11-21T13:00:00", "2026-11-21T21:00:00"]],
    ["months by name", "0 0 0 1 Jan,JUL ?", "2026-11-21T00:00:00Z", ["2027-01-01T00:00:00", "2027-07-01T00:00:00"]],
    ["a day that only leap years have", "0 0 0 29 2 *", "2026-11-21T00:00:00Z", ["2028-02-29T00:00:00", "2032-02-29T00:00:00"]],
    ["a day that the year 2100 does not have", "0 0 0 29 2 *", "2096-02-29T00:00:00Z", ["2104-02-29T00:00:00"]],
    ["a day of the month or a weekday", "0 0 0 1 * MON", "2026-11-24T00:00:00Z", ["2026-11-30T00:00:00", "2026-12-01T00:00:00"]],
    ["seconds", "30 0 0 * * *", "2026-11-21T00:00:29Z", ["2026-11-21T00:00:30"]],
    ["a time zone", "CRON_TZ=Asia/Kathmandu 0 0 2 * * *", "2026-11-21T00:00:00Z", ["2026-11-21T20:15:00"]],
    ["a time zone on the other side of the date line", "CRON_TZ=Pacific/Auckland 0 0 0 1 * *", "2026-11-21T00:00:00Z", ["2026-11-30T11:00:00"]],
  ];
  test.each(CASES)("nextRun finds the runs of %s", (_what, expression, from, expected) => {
    expect(runsOf(expression, from, expected.length)).toEqual(expected);
  });

  test("on the day when the clock is set forward, nextRun finds one run, an hour later if the scheduled time does not exist", () => {
    // In Berlin, 02:00 to 03:00 does not exist on 28 March 2027.
    expect(runsOf("CRON_TZ=Europe/Berlin 0 30 2 * * *", "2027-03-27T00:00:00Z")).toEqual([
      "2027-03-27T01:30:00",
      "2027-03-28T01:30:00",
      "2027-03-29T00:30:00",
    ]);
  });

  test("on the day when the clock is set back, nextRun finds only one run even if the scheduled time occurs twice", () => {
    // In Berlin, 02:00 to 03:00 occurs twice on 31 October 2027.
    expect(runsOf("CRON_TZ=Europe/Berlin 0 30 2 * * *", "2027-10-30T00:00:00Z", 4)).toEqual([
      "2027-10-30T00:30:00",
      "2027-10-31T00:30:00",
      "2027-11-01T01:30:00",
      "2027-11-02T01:30:00",
    ]);
    expect(runsOf("CRON_TZ=Europe/Berlin 0 45 2 * * *", "2027-10-31T01:15:00Z", 1)).toEqual(["2027-10-31T01:45:00"]);
  });

  test("nextRun uses the given zone only for an expression without CRON_TZ", () => {
    expect(runsOf("0 0 2 * * *", "2026-11-21T00:00:00Z", 1, "Europe/Berlin")).toEqual(["2026-11-21T01:00:00"]);
    expect(runsOf("CRON_TZ=UTC 0 0 2 * * *", "2026-11-21T00:00:00Z", 1, "Europe/Berlin")).toEqual([
      "2026-11-21T02:00:00",
    ]);
  });

  test.each([
    "",
    "0 2 * * *",
    "0 0 2 * * * *",
    "0  0 2 * * *",
    "0 0 24 * * *",
    "60 0 2 * * *",
    "0 0 2 0 * *",
    "0 0 2 * 13 *",
    "0 0 2 * * 7",
    "0 0 2 L * *",
    "0 0 2 * * MON#1",
    "0 0 2 * * FRI-MON",
    "0 */0 2 * * *",
    "0 0 2, * * *",
    "@every 1h",
    "CRON_TZ=Mars/Olympus 0 0 2 * * *",
    "0 0 0 31 2 *",
  ])('nextRun returns undefined for the expression "%s"', (expression) => {
    expect(nextRun(expression, instant(Date.parse("2026-11-21T00:00:00Z")))).toBeUndefined();
  });
});
