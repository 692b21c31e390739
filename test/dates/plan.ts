/** Selects the dates and the time zones of `npm run test:dates`, and the test files of each run. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export const ZONES = ["UTC", "Asia/Shanghai", "America/New_York"] as const;
type Zone = (typeof ZONES)[number];

interface TestDate {
  name: string;
  /** The moment at which a run starts. A change to summer time, or a new year, follows 15 s later, during the tests. */
  at: (zone: Zone) => string;
  /** The time zone in which the slow tests run at this date. They run in no other time zone, because they take long. */
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

/** Returns a run for each date in each time zone. With `part`, returns only a leap day and the end of a year, each in one zone. */
export const runs = (part: boolean): Run[] =>
  DATES.flatMap((date) => ZONES.map((zone) => ({ date, zone }))).filter(
    ({ date, zone }) => !part || (zone === date.slowIn && [DATES[1], DATES.at(-1)].includes(date)),
  );

/** Slow files whose tests do not depend on the date, because they check documents, settings, sizes or speed. */
export const WITHOUT_DATE = [/^fuzz\//, /^infra\/terraform\//, /^infra\/openapi/, /^bench\//, /-speed\.test/];
/** Slow files that wait for many processes in real time. At each date they run in one time zone only. */
export const SLOW = [
  /^infra\/ci\/gate\.test/,
  /^infra\/ci\/gate-connection\.test/,
  /^infra\/ci\/snippets\.test/,
  /^infra\/local\/tour\/tour\.test/,
];

export const testFiles = (): string[] =>
  readdirSync(`${ROOT}test`, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".test.ts"));

/** Returns whether a test file freezes `Date`. Only the time zone can change the results of a file with a fixed date. */
export const stopsDate = (path: string): boolean =>
  /^useFixedDate\(\);$/m.test(readFileSync(`${ROOT}test/${path}`, "utf8"));

/** Returns the test files of a run. Files with a fixed date run at the first date only, because only the time zone affects them. */
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
