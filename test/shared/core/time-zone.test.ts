import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../../shared/core/instant.ts";
import { dayOf, monthOf, wallClockOf, weekOf, yearOf } from "../../../shared/core/time-zone.ts";

const RUNS = Number(process.env.RUNS ?? 1_000);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "America/Santiago",
  "Africa/Casablanca",
  "Asia/Kathmandu",
  "Asia/Shanghai",
  "Australia/Lord_Howe",
  "Antarctica/Troll",
  "Pacific/Apia",
  "Pacific/Kiritimati",
];

/** What calendar and clock of a zone show, asked of Intl each time. */
function shownIn(zone: string): (time: number) => string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  return (time) => format.format(time);
}
const written = (wall: number) => new Date(wall).toISOString().slice(0, 19).replace("T", " ");

test(`a wall clock shows what Intl shows, at any moment of any zone (${RUNS} runs)`, { timeout: 120_000 }, () => {
  const clocks = new Map(ZONES.map((zone) => [zone, { clock: wallClockOf(zone), shown: shownIn(zone) }]));
  const between = { min: Date.UTC(1975, 0), max: Date.UTC(2060, 0) };
  fc.assert(
    fc.property(fc.constantFrom(...clocks), fc.integer(between), ([, { clock, shown }], time) => {
      expect(written(clock(instant(time)))).toBe(shown(time));
    }),
    { numRuns: RUNS },
  );
});

describe("the hours around a change of the clocks", () => {
  test.each([
    ["Europe/Berlin", "2026-03-29T01:00:00Z"],
    ["Europe/Berlin", "2026-10-25T01:00:00Z"],
    ["America/Santiago", "2026-04-05T03:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-04T15:00:00Z"],
    ["America/St_Johns", "2006-10-29T02:31:00Z"],
    ["Pacific/Apia", "2011-12-30T10:00:00Z"],
    ["Africa/Casablanca", "2026-02-15T02:00:00Z"],
  ])("%s at %s: every minute is shown as it is", (zone, change) => {
    const [clock, shown, around] = [wallClockOf(zone), shownIn(zone), Date.parse(change)];
    // There the clock jumps.
    expect(clock(instant(around)) - clock(instant(around - MINUTE_MS))).not.toBe(MINUTE_MS);
    const minutes = Array.from({ length: 52 * 60 }, (_, minute) => around - 26 * 60 * MINUTE_MS + minute * MINUTE_MS);
    expect(minutes.map((time) => written(clock(instant(time))))).toEqual(minutes.map(shown));
  });
});

test("asked in any order, a wall clock answers the same", () => {
  const times = Array.from({ length: 500 }, (_, index) => instant(Date.UTC(2026, 2, 27) + index * 15 * MINUTE_MS));
  const [forward, mixed] = [wallClockOf("Europe/Berlin"), wallClockOf("Europe/Berlin")];
  const expected = new Map(times.map((time) => [time, forward(time)]));
  const shuffled = [...times].sort((a, b) => ((a / MINUTE_MS) % 1009) - ((b / MINUTE_MS) % 1009));
  expect(new Map(shuffled.map((time) => [time, mixed(time)]))).toEqual(expected);
});

test("weeks, months and years are counted on, one by one, for 500 years", () => {
  const first = dayOf(Date.UTC(1800, 0, 1));
  let counted = [weekOf(first), monthOf(first), yearOf(first)] as const;
  const wrong: string[] = [];
  for (let day = first + 1; day < dayOf(Date.UTC(2300, 0, 1)); day += 1) {
    const date = new Date(day * DAY_MS);
    const [week, month, year] = counted;
    const ofMonth = date.getUTCDate() === 1 ? 1 : 0;
    const ofYear = ofMonth && date.getUTCMonth() === 0 ? 1 : 0;
    counted = [week + (date.getUTCDay() === 1 ? 1 : 0), month + ofMonth, year + ofYear];
    if ([weekOf(day), monthOf(day), yearOf(day)].join() !== counted.join()) wrong.push(date.toISOString());
  }
  expect(wrong).toEqual([]);
});
