/** Scales, which convert values into pixels, and the ticks of axes. */

export type Scale = (value: number) => number;
type Range = readonly [first: number, last: number];

/** Returns a scale on which equal differences have equal distances. */
export function linearScale([first, last]: Range, [start, end]: Range): Scale {
  const span = last - first || 1;
  return (value) => start + ((value - first) / span) * (end - start);
}

/** Returns a scale on which equal factors have equal distances. All values must be above 0. */
export function logScale([first, last]: Range, range: Range): Scale {
  const linear = linearScale([Math.log(first), Math.log(last)], range);
  return (value) => linear(Math.log(value));
}

export interface Tick {
  value: number;
  label: string;
}

/** Returns about four ticks from 0 to `max`: integers at equal distances of 1, 2 or 5, or a power of ten times one of these. */
export function countTicks(max: number): Tick[] {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, max / 4)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => max / one <= 5) ?? max;
  return Array.from({ length: Math.floor(max / step) + 1 }, (_, index) => ({
    value: index * step,
    label: String(index * step),
  }));
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_DAYS = 365.25;

/** The possible distances of dates on an axis, as days or months. */
const DATE_STEPS: { days?: number; months?: number }[] = [
  ...[1, 2, 7, 14].map((days) => ({ days })),
  ...[1, 2, 3, 6, 12, 24, 60, 120, 240].map((months) => ({ months })),
];

/**
 * Returns ticks at UTC dates from `from` to `to`, both in epoch milliseconds. Chooses the shortest distance with at most `maxCount`
 * ticks. A tick at a day has a label such as `2026-11-21`, a tick at a month `2026-11`, and a tick at a year `2026`.
 */
export function dateTicks(from: number, to: number, maxCount: number): Tick[] {
  for (const { days, months = 0 } of DATE_STEPS) {
    const stepMs = (days ?? months * (YEAR_DAYS / 12)) * DAY_MS;
    if ((to - from) / stepMs > maxCount) continue;
    const dates = days === undefined ? monthsBetween(from, to, months) : daysBetween(from, to, days);
    const characters = days === undefined ? (months % 12 === 0 ? 4 : 7) : 10;
    return dates.map((value) => ({ value, label: new Date(value).toISOString().slice(0, characters) }));
  }
  return [];
}

const daysBetween = (from: number, to: number, days: number): number[] => {
  const first = Math.ceil(from / DAY_MS) * DAY_MS;
  return Array.from(
    { length: Math.max(0, Math.floor((to - first) / (days * DAY_MS)) + 1) },
    (_, index) => first + index * days * DAY_MS,
  );
};

function monthsBetween(from: number, to: number, months: number): number[] {
  const dates: number[] = [];
  const start = new Date(from);
  for (let month = start.getUTCFullYear() * 12; ; month += months) {
    const date = Date.UTC(Math.floor(month / 12), month % 12);
    if (date > to) return dates;
    if (date >= from) dates.push(date);
  }
}

/** The ticks of an axis of ages, in the order in which an axis with little room prefers them. */
const AGES: Tick[] = (
  [
    ["1 hour", 1 / 24],
    ["1 day", 1],
    ["1 week", 7],
    ["1 month", YEAR_DAYS / 12],
    ["1 year", YEAR_DAYS],
    ["10 years", 10 * YEAR_DAYS],
    ["6 hours", 0.25],
    ["6 months", YEAR_DAYS / 2],
    ["3 years", 3 * YEAR_DAYS],
    ["30 years", 30 * YEAR_DAYS],
    ["12 hours", 0.5],
    ["2 days", 2],
    ["3 days", 3],
    ["2 weeks", 14],
    ["2 months", YEAR_DAYS / 6],
    ["3 months", YEAR_DAYS / 4],
    ["2 years", 2 * YEAR_DAYS],
    ["5 years", 5 * YEAR_DAYS],
    ["20 years", 20 * YEAR_DAYS],
    ["3 hours", 0.125],
    ["2 hours", 1 / 12],
    ["36 hours", 1.5],
    ["4 days", 4],
    ["5 days", 5],
    ["10 days", 10],
    ["3 weeks", 21],
  ] as const
).map(([label, days]) => ({ label, value: days * DAY_MS }));

/**
 * Returns ticks for ages in milliseconds, on an axis from `youngest` to `oldest`. Omits a tick that is closer than `minDistance`
 * pixels to a tick that the axis needs more.
 */
export function ageTicks([youngest, oldest]: Range, scale: Scale, minDistance: number): Tick[] {
  const ticks: Tick[] = [];
  for (const tick of AGES) {
    if (tick.value < youngest || tick.value > oldest) continue;
    if (ticks.every(({ value }) => Math.abs(scale(value) - scale(tick.value)) >= minDistance)) ticks.push(tick);
  }
  return ticks.sort((a, b) => a.value - b.value);
}
