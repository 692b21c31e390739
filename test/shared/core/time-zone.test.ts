import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../../shared/core/instant.ts";
import { createWallTimeConverter } from "../../../shared/core/time-zone.ts";

const RUNS = Number(process.env.RUNS ?? 1_000);
const MINUTE_MS = 60_000;

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

/** Returns a function that formats a time as the wall-clock time of the zone, with Intl. */
function referenceClock(zone: string): (time: number) => string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  return (time) => format.format(time);
}
const formatWallTime = (wallTime: number) => new Date(wallTime).toISOString().slice(0, 19).replace("T", " ");

test(`createWallTimeConverter returns the same wall-clock time as Intl for random times and zones (${RUNS} runs)`, {
  timeout: 120_000,
}, () => {
  const clocks = new Map(
    ZONES.map((zone) => [zone, { clock: createWallTimeConverter(zone), formatReference: referenceClock(zone) }]),
  );
  const between = { min: Date.UTC(1975, 0), max: Date.UTC(2060, 0) };
  fc.assert(
    fc.property(fc.constantFrom(...clocks), fc.integer(between), ([, { clock, formatReference }], time) => {
      expect(formatWallTime(clock(instant(time)))).toBe(formatReference(time));
    }),
    { numRuns: RUNS },
  );
});

describe("createWallTimeConverter around a clock change", () => {
  test.each([
    ["Europe/Berlin", "2026-03-29T01:00:00Z"],
    ["Europe/Berlin", "2026-10-25T01:00:00Z"],
    ["America/Santiago", "2026-04-05T03:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-04T15:00:00Z"],
    ["America/St_Johns", "2006-10-29T02:31:00Z"],
    ["Pacific/Apia", "2011-12-30T10:00:00Z"],
    ["Africa/Casablanca", "2026-02-15T02:00:00Z"],
  ])(
    "createWallTimeConverter returns the same time as Intl for every minute around the clock change in %s at %s",
    (zone, change) => {
      const [clock, formatReference, around] = [
        createWallTimeConverter(zone),
        referenceClock(zone),
        Date.parse(change),
      ];
      // Checks the row: the wall clock jumps at the time of the clock change.
      expect(clock(instant(around)) - clock(instant(around - MINUTE_MS))).not.toBe(MINUTE_MS);
      const minutes = Array.from({ length: 52 * 60 }, (_, minute) => around - 26 * 60 * MINUTE_MS + minute * MINUTE_MS);
      expect(minutes.map((time) => formatWallTime(clock(instant(time))))).toEqual(minutes.map(formatReference));
    },
  );
});

test("createWallTimeConverter returns the same wall-clock times in whichever order it is called", () => {
  const times = Array.from({ length: 500 }, (_, index) => instant(Date.UTC(2026, 2, 27) + index * 15 * MINUTE_MS));
  const [forward, mixed] = [createWallTimeConverter("Europe/Berlin"), createWallTimeConverter("Europe/Berlin")];
  const expected = new Map(times.map((time) => [time, forward(time)]));
  const shuffled = [...times].sort((a, b) => ((a / MINUTE_MS) % 1009) - ((b / MINUTE_MS) % 1009));
  expect(new Map(shuffled.map((time) => [time, mixed(time)]))).toEqual(expected);
});
