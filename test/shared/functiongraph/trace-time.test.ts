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
  ["2028/02/29 23:59:59 GMT+14", "2028-02-29T09:59:59.000Z"],
  ["1-Mar-2026 1:35 GMT+0", "2026-03-01T01:35:00.000Z"],
  ["2026/03/01 01:35:51 GMT+08:00", "2026-02-28T17:35:51.000Z"],
  ["2015-01-01T00:00:00Z", "2015-01-01T00:00:00.000Z"],
  [Date.UTC(2100) - 1, "2099-12-31T23:59:59.999Z"],
])("readTraceTime reads %j as %s", (value, expected) => {
  expect(iso(value)).toBe(expected);
});

test.each([
  ..."yesterday|late 7|28/11/2026 01:35:51|13/28/2026 01:35:51|Foo 28, 2026 01:35:51|Nov 28, 2026 25:35:51".split("|"),
  ..."2026/02/30 01:35:51|2026/02/29 01:35:51 GMT+08:00|2026-02-30 01:35:51|2026-04-31T01:35:51Z".split("|"),
  ..."02/30/2026 01:35:51|Feb 30, 2026 01:35:51|Tue, 31 Nov 2026 01:35:51 GMT|2026/11/00 01:35:51".split("|"),
  ..."2026/11/27 24:00:00|2026-11-27 24:00|2026/11/27 23:60|2026/11/28 01:35:51 GMT+24:00".split("|"),
  ..."2026-11-28 01:35:51+99:00|2026/11/28|2026/11/28 01:35:51 EST|2026/11/28 01:35:51 GMT+08:00 or so".split("|"),
  ..."-1795800951|1e9".split("|"),
])("readTraceTime returns undefined for the string %j, which is no valid date and time in a known format", (text) => {
  expect(readTraceTime(text)).toBeUndefined();
});

test.each<[what: string, value: unknown]>([
  ["undefined", undefined],
  ["null", null],
  ["the boolean true", true],
  ["an empty object", {}],
  ["an array that contains a time in seconds", [1795800951]],
  ["an empty string", ""],
  ["the number 0", 0],
  ["a negative number", -5],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["the number 1e300", 1e300],
  ["a string with a time in the year 1", "0001-01-01T00:00:00Z"],
  ["a string with the last second of 2014", "2014/12/31 23:59:59"],
  ["the last millisecond of 2014, in milliseconds", Date.UTC(2015) - 1],
  ["the last second of 2014, in seconds", Date.UTC(2015) / 1000 - 1],
  ["the first millisecond of 2100, in milliseconds", Date.UTC(2100)],
  ["a time in microseconds", 1795800951123000],
  ["a time after 100 spaces", `${" ".repeat(100)}2026/11/28 01:35:51`],
])("readTraceTime returns undefined for %s", (_what, value) => {
  expect(readTraceTime(value)).toBeUndefined();
});

test("readTraceTime reads a time without a zone as UTC, even if the process runs in another time zone", () => {
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
