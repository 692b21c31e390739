import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  after,
  compactInstant,
  credibleTime,
  formatInstant,
  instant,
  parseInstant,
} from "../../../shared/core/instant.ts";

const parsedTime = (text: unknown) => {
  const parsed = parseInstant(text);
  return parsed === undefined ? undefined : formatInstant(parsed);
};

describe("parseInstant", () => {
  test.each([
    [
      "a time without a zone as UTC, because EVS v2 returns such times",
      "2013-02-25T03:56:53.081642",
      "2013-02-25T03:56:53.081Z",
    ],
    ["a time with whole seconds and the zone Z, as DWS returns it", "2016-08-23T03:59:23Z", "2016-08-23T03:59:23.000Z"],
    [
      "a time with the offset +08:00, as timer events contain it",
      "2023-06-01T08:30:00+08:00",
      "2023-06-01T00:30:00.000Z",
    ],
    ["a time with the offset +0800, which has no colon", "2023-06-01T08:30:00+0800", "2023-06-01T00:30:00.000Z"],
    ["a time with the offset +05:45, which contains minutes", "2023-06-01T08:30:00+05:45", "2023-06-01T02:45:00.000Z"],
    ["a time with a negative offset that changes the day", "2023-06-01T22:30:00-03:30", "2023-06-02T02:00:00.000Z"],
    ["a time with a space instead of the T", "2026-11-21 02:00:00", "2026-11-21T02:00:00.000Z"],
    ["a time with a space before the offset", "2026-11-21 02:00:00 +01:00", "2026-11-21T01:00:00.000Z"],
    ["a time with a lower-case t and z", "2026-11-21t02:00:00z", "2026-11-21T02:00:00.000Z"],
    ["a time without seconds", "2026-11-21T02:00Z", "2026-11-21T02:00:00.000Z"],
    ["a time with one decimal of a second", "2026-11-21T02:00:00.5Z", "2026-11-21T02:00:00.500Z"],
    [
      "a time with nine decimals of a second, without rounding up",
      "2026-11-21T02:00:00.999999999Z",
      "2026-11-21T02:00:00.999Z",
    ],
    ["a time with blanks around it", "  2026-11-21T02:00:00Z\n", "2026-11-21T02:00:00.000Z"],
    ["a leap day", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
    [
      "a local time on 1 January that is on 31 December in UTC",
      "2027-01-01T00:30:00+01:00",
      "2026-12-31T23:30:00.000Z",
    ],
  ])("parseInstant reads %s", (_what, text, moment) => {
    expect(parsedTime(text)).toBe(moment);
  });

  test.each([
    ["undefined", undefined],
    ["null", null],
    ["a number", 1_700_000_000_000],
    ["an empty string", ""],
    ["a day without a time", "2026-11-21"],
    ["a day that does not exist", "2026-02-30T00:00:00Z"],
    ["29 February of a year that is not a leap year", "2026-02-29T00:00:00Z"],
    ["a month that does not exist", "2026-13-01T00:00:00Z"],
    ["an hour that does not exist", "2026-11-21T24:00:00Z"],
    ["a minute that does not exist", "2026-11-21T23:60:00Z"],
    ["a second that does not exist", "2026-11-21T23:59:61Z"],
    ["a time with ten decimals of a second", "2026-11-21T02:00:00.1234567890Z"],
    ["a time that follows the word at", "at 2026-11-21T02:00:00Z"],
    ["a time that precedes the word sharp", "2026-11-21T02:00:00Z sharp"],
    ["a time with the zone name CET", "2026-11-21T02:00:00 CET"],
    ["a time with the offset +01, which has no minutes", "2026-11-21T02:00:00+01"],
    ["a time with a year of two digits", "26-11-21T02:00:00Z"],
    ["a time with a month of one digit", "2026-1-21T02:00:00Z"],
  ])("parseInstant rejects %s", (_what, text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  test("parseInstant reads any time from 1970 to 2099 that is written with any offset", () => {
    const moments = fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(2099, 11) });
    fc.assert(
      fc.property(moments, fc.integer({ min: -12 * 60, max: 14 * 60 }), (moment, minutes) => {
        const localTime = new Date(moment + minutes * 60_000).toISOString().slice(0, -1);
        const offset = [Math.abs(minutes) / 60, Math.abs(minutes) % 60].map((n) =>
          String(Math.trunc(n)).padStart(2, "0"),
        );
        expect(parseInstant(`${localTime}${minutes < 0 ? "-" : "+"}${offset.join(":")}`)).toBe(moment);
        expect(parseInstant(formatInstant(instant(moment)))).toBe(moment);
      }),
    );
  });
});

test("credibleTime accepts times from 2015 to 15 minutes after the current time", () => {
  const now = instant(Date.parse("2026-11-21T02:00:00Z"));
  const credible = (text: string) => credibleTime(parseInstant(text), now) !== undefined;
  for (const text of ["2015-01-01T00:00:00Z", "2026-11-21T02:00:00Z", "2026-11-21T02:15:00Z"]) {
    expect(credible(text), text).toBe(true);
  }
  const others = [
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "2014-12-31T23:59:59.999Z",
    "2026-11-21T02:15:00.001Z",
  ];
  for (const text of [...others, "", "recently"]) expect(credible(text), text).toBe(false);
});

test("the functions instant() and after() round down to whole milliseconds", () => {
  expect(instant(1.9)).toBe(1);
  expect(after(instant(1_000), 500.5)).toBe(1_500);
});

test("compactInstant returns a time such as 20261121T020000Z, in whole seconds and without separators", () => {
  expect(compactInstant(instant(Date.parse("2026-11-21T02:00:00.999Z")))).toBe("20261121T020000Z");
});
