import { type Instant, instant } from "./instant.ts";
import { createWallTimeConverter, DAY_MS, type WallTimeConverter } from "./time-zone.ts";

const HOUR_MS = 3_600_000;
/** The longest time between two runs: from 29 February 2096 to 29 February 2104. */
const MAX_DAYS = 8 * 366;

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
/** The fields of a cron expression in their order, each with its minimum, its maximum and the names that replace numbers. */
const FIELDS: [number, number, string[]?][] = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12, MONTHS],
  [0, 6, WEEKDAYS],
];

/**
 * Returns the first run of a cron expression after a moment. The expression has the format of FunctionGraph
 * (SOURCES.md#functiongraph-cron): six fields with the seconds first, and optionally `CRON_TZ=<zone>` before them.
 *
 * - If the clock is set forward, a run in the skipped hour takes place an hour later. If the clock is set back, a run in the
 *   repeated hour takes place once.
 * - If both the day of the month and the day of the week are restricted, one of them is enough.
 *
 * @param zone the time zone of an expression without `CRON_TZ`
 * @returns undefined if the expression is invalid or has no run within 8 years
 * @example nextRun("CRON_TZ=Europe/Berlin 0 0 2 * * *", now)
 */
export function nextRun(expression: string, moment: Instant, zone = "UTC"): Instant | undefined {
  const [, givenZone = zone, cron = ""] = /^(?:CRON_TZ=(\S+) )?(.*)$/.exec(expression.trim()) ?? [];
  const texts = cron.split(" ");
  const fields = FIELDS.map(([min, max, names], index) => valuesOf(texts[index] ?? "", min, max, names));
  if (texts.length !== FIELDS.length || fields.includes(undefined)) return undefined;
  const [seconds = [], minutes = [], hours = [], daysOfMonth = [], months = [], weekdays = []] = fields as number[][];
  let toWallTime: WallTimeConverter;
  try {
    toWallTime = createWallTimeConverter(givenZone);
  } catch {
    return undefined;
  }
  const isAny = (text: string | undefined) => text === "*" || text === "?";
  const isRunDay = (day: Date) => {
    const [isDayOfMonth, isWeekday] = [daysOfMonth.includes(day.getUTCDate()), weekdays.includes(day.getUTCDay())];
    const matches = isAny(texts[3]) || isAny(texts[5]) ? isDayOfMonth && isWeekday : isDayOfMonth || isWeekday;
    return matches && months.includes(day.getUTCMonth() + 1);
  };
  const wallTime = toWallTime(moment);
  const firstDay = Math.floor(wallTime / DAY_MS) * DAY_MS;
  for (let day = firstDay; day <= firstDay + MAX_DAYS * DAY_MS; day += DAY_MS) {
    if (!isRunDay(new Date(day))) continue;
    for (const hour of hours) {
      if (day + (hour + 1) * HOUR_MS <= wallTime) continue;
      for (const minute of minutes) {
        for (const second of seconds) {
          const run = day + hour * HOUR_MS + minute * 60_000 + second * 1_000;
          if (run > wallTime) return toInstant(run, moment, toWallTime);
        }
      }
    }
  }
  return undefined;
}

/** Returns the sorted values that a field of a cron expression selects, or undefined if the field is invalid. */
function valuesOf(text: string, min: number, max: number, names: string[] = []): number[] | undefined {
  const values = new Set<number>();
  const toNumber = (value: string) => {
    const index = names.indexOf(value.toUpperCase());
    return index < 0 ? Number(value) : index + min;
  };
  for (const part of text.split(",")) {
    const match = /^(?:[*?]|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const [
      ,
      first = String(min),
      last = match[1] === undefined || match[3] !== undefined ? String(max) : first,
      step = "1",
    ] = match;
    const [from, to, by] = [toNumber(first), toNumber(last), Number(step)];
    if (!(from >= min && to <= max && from <= to && by >= 1)) return undefined;
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

/** Converts a local time to an instant after `moment`. A local time that the clock skips becomes an hour later. */
function toInstant(wallTime: number, moment: Instant, toWallTime: WallTimeConverter): Instant {
  const offsetAt = (time: number) => toWallTime(instant(time)) - Math.trunc(time);
  const candidates = [-DAY_MS, DAY_MS].map((distance) => instant(wallTime - offsetAt(wallTime + distance)));
  const found = candidates.sort((a, b) => a - b).find((time) => time > moment && toWallTime(time) === wallTime);
  return found ?? (candidates[1] as Instant);
}
