/** Defines which tests run at which dates and in which time zones. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export const ZONES = ["UTC", "Asia/Shanghai", "America/New_York"] as const;
type Zone = (typeof ZONES)[number];

interface TestDate {
  name: string;
  /** When a run starts. A switch of the clocks or a new year follows 15 s later, in the middle of the tests. */
  at: (zone: Zone) => string;
  /** The only time zone in which the slow tests run on this date. */
  slowIn: Zone;
}

export interface Run {
  date: TestDate;
  zone: Zone;
}

const END_OF_YEAR: Record<Zone, string> = {
  UTC: "2026-12-31T23:59:45Z",
  "Asia/Shanghai": "2026-12-31T23:59:45+08:00",
  "America/New_York": "2026-12-31T23:59:45-05:00",
};
const ONE_YEAR_MS = 365 * 24 * 3_600_000;

export const DATES: TestDate[] = [
  {
    name: "one year from now",
    at: () => new Date(Date.now() + ONE_YEAR_MS).toISOString(),
    slowIn: "Asia/Shanghai",
  },
  { name: "29 February 2028", at: () => "2028-02-29T12:00:00Z", slowIn: "UTC" },
  { name: "summer time begins in New York", at: () => "2027-03-14T06:59:45Z", slowIn: "America/New_York" },
  { name: "summer time ends in New York", at: () => "2027-11-07T05:59:45Z", slowIn: "America/New_York" },
  { name: "summer time begins in Berlin", at: () => "2027-03-28T00:59:45Z", slowIn: "UTC" },
  { name: "summer time ends in Berlin", at: () => "2027-10-31T00:59:45Z", slowIn: "Asia/Shanghai" },
  { name: "31 December 2026, 23:59", at: (zone) => END_OF_YEAR[zone], slowIn: "America/New_York" },
];

/** Returns all dates in all time zones, or for `part` a leap day and the end of a year in the zone of their slow tests. */
export const runs = (part: boolean): Run[] =>
  DATES.flatMap((date) => ZONES.map((zone) => ({ date, zone }))).filter(
    ({ date, zone }) => !part || (zone === date.slowIn && [DATES[1], DATES.at(-1)].includes(date)),
  );

/** Files that take long and whose tests contain no date, because they check documents, settings, sizes or speed. */
export const WITHOUT_DATE = [/^fuzz\//, /^infra\/terraform\//, /^infra\/openapi/, /^bench\//, /-speed\.test/];
/** Files that start many processes and wait for them in real time. They run in one time zone at each date. */
export const SLOW = [
  /^infra\/ci\/gate\.test/,
  /^infra\/ci\/gate-connection\.test/,
  /^infra\/ci\/snippets\.test/,
  /^infra\/local\/tour\/tour\.test/,
];

export const testFiles = (): string[] =>
  readdirSync(`${ROOT}test`, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".test.ts"));

/** Returns whether a test file stops `Date` at a fixed moment. Only the time zone can change the results of such a file. */
export const stopsDate = (path: string): boolean =>
  /^useFixedDate\(\);$/m.test(readFileSync(`${ROOT}test/${path}`, "utf8"));

/** Returns the test files that can depend on the date. The first date includes those that depend only on the time zone. */
export function filesOf({ date, zone }: Run): string[] {
  const excluded = zone === date.slowIn ? WITHOUT_DATE : [...WITHOUT_DATE, ...SLOW];
  return testFiles().filter(
    (path) => !excluded.some((pattern) => pattern.test(path)) && (date === DATES[0] || !stopsDate(path)),
  );
}

/** Returns the environment variables that set the clock and the time zone of a process and its child processes. */
export const environmentOf = ({ date, zone }: Run) => ({
  TEST_CLOCK: date.at(zone),
  TEST_TZ: zone,
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --require "${ROOT}test/dates/clock.cjs"`.trimStart(),
});
