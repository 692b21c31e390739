import { expect, test } from "vitest";
import { readTraceTime } from "../../../shared/functiongraph/trace-time.ts";

const iso = (value: unknown) => {
  const time = readTraceTime(value);
  return time === undefined ? undefined : new Date(time).toISOString();
};

test.each<[value: unknown, expected: string]>([
  [1795800951, "2026-11-27T17:35:51.000Z"],
  [1795800951.25, "2026-11-27T17:35:51.250Z"],
  [1795800951123, "2026-11-27T17:35:51.123Z"],
  ["1795800951", "2026-11-27T17:35:51.000Z"],
  [" 1795800951123 ", "2026-11-27T17:35:51.123Z"],
  ["2026-11-28T01:35:51+08:00", "2026-11-27T17:35:51.000Z"],
  ["2026-11-27T17:35:51.123Z", "2026-11-27T17:35:51.123Z"],
  ["2026-11-27 17:35:51", "2026-11-27T17:35:51.000Z"],
  ["2026/11/28 01:35:51 GMT+08:00", "2026-11-27T17:35:51.000Z"],
  ["2026/11/28 01:35:51 UTC+8", "2026-11-27T17:35:51.000Z"],
  ["2026/11/28 01:35:51 +0800", "2026-11-27T17:35:51.000Z"],
  ["2026-11-28 01:35:51 GMT+08:00", "2026-11-27T17:35:51.000Z"],
  ["2026/11/27 12:05:51.500 GMT-05:30", "2026-11-27T17:35:51.500Z"],
  ["2026/11/27 17:35", "2026-11-27T17:35:00.000Z"],
  ["11/28/2026 01:35:51 GMT+08:00", "2026-11-27T17:35:51.000Z"],
  ["11/28/2026 01:35:51", "2026-11-28T01:35:51.000Z"],
  ["1/2/2026, 1:35:51 PM", "2026-01-02T13:35:51.000Z"],
  ["Nov 28, 2026 01:35:51 GMT+08:00", "2026-11-27T17:35:51.000Z"],
  ["November 28, 2026 01:35:51", "2026-11-28T01:35:51.000Z"],
  ["Sat, 28 Nov 2026 01:35:51 GMT", "2026-11-28T01:35:51.000Z"],
  ["Sat Nov 28 2026 01:35:51 GMT+0800 (CST)", "2026-11-27T17:35:51.000Z"],
  ["2015-01-01T00:00:00Z", "2015-01-01T00:00:00.000Z"],
  [Date.UTC(2100) - 1, "2099-12-31T23:59:59.999Z"],
])("a trace's time %j is %s", (value, expected) => {
  expect(iso(value)).toBe(expected);
});

test.each<[value: unknown]>([
  [undefined],
  [null],
  [true],
  [{}],
  [[1795800951]],
  [""],
  ["yesterday"],
  ["late 7"],
  ["28/11/2026 01:35:51"],
  ["13/28/2026 01:35:51"],
  ["Foo 28, 2026 01:35:51"],
  ["Nov 28, 2026 25:35:51"],
  ["2026/11/28"],
  ["2026/11/28 01:35:51 EST"],
  ["2026/11/28 01:35:51 GMT+08:00 or so"],
  ["-1795800951"],
  ["1e9"],
  [0],
  [-5],
  [Number.NaN],
  [Number.POSITIVE_INFINITY],
  [1e300],
  [Date.UTC(2015) - 1],
  [Date.UTC(2015) / 1000 - 1],
  [Date.UTC(2100)],
  [1795800951123000],
  ["0001-01-01T00:00:00Z"],
  ["2014/12/31 23:59:59"],
  [`${" ".repeat(100)}2026/11/28 01:35:51`],
])("a trace's time %j cannot be read", (value) => {
  expect(readTraceTime(value)).toBeUndefined();
});

test("a trace's time without a zone is in UTC, in whichever zone the function runs", () => {
  const zone = process.env.TZ;
  try {
    process.env.TZ = "America/Los_Angeles";
    expect(iso("2026/11/27 17:35:51")).toBe("2026-11-27T17:35:51.000Z");
    expect(iso("Nov 27, 2026 17:35:51")).toBe("2026-11-27T17:35:51.000Z");
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});
