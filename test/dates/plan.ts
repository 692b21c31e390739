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
  /** The only time zone in which the slow tests run at this date. */
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

/** Returns a run for each date in each time zone. If `part`, returns two runs: one on a leap day and one at the end of a year. */
export const runs = (part: boolean): Run[] =>
  DATES.flatMap((date) => ZONES.map((zone) => ({ date, zone }))).filter(
    ({ date, zone }) => !part || (zone === date.slowIn && [DATES[1], DATES.at(-1)].includes(date)),
  );

/**
 * Matches test files that `npm run test:dates` never runs, because they are slow and check documents, settings, sizes or speed,
 * which do not depend on the date. The model has a virtual clock, and the platform tests and the additions run real processes.
 */
export const WITHOUT_DATE = [
  /^fuzz\//,
  /^model\//,
  /^infra\/terraform\//,
  /^infra\/openapi/,
  /^infra\/(documents|runnable-commands)/,
  /^bench\//,
  /^(bundles|internal-properties)\.test/,
  /\/speed\.slow/,
  /^platform\//,
  /^additions\.slow/,
];
/** Matches slow test files, which start many processes or check many random cases. At each date, they run in only one time zone. */
export const SLOW = [
  /^faults\/limits\.test/,
  /^infra\/ci\/gate\.test/,
  /^infra\/ci\/gate-connection\.test/,
  /^infra\/ci\/snippets\.test/,
  /^infra\/ci\/odd-answers\.slow/,
  /^infra\/ci\/report\.test/,
  /^infra\/ci\/report-faults\.test/,
  /^infra\/local\/invoke\/invoke\.test/,
  /^infra\/local\/invoke\/real-cloud\.test/,
  /^infra\/local\/scenarios\/scenarios\.slow/,
  /^infra\/local\/simulate\/agreement\.slow/,
  /^infra\/local\/simulate\/picture\.test/,
  /^infra\/local\/tour\/start\.test/,
  /^infra\/local\/tour\/tour\.test/,
  /^retention-model\/retention-model\.test/,
  /^retention-model\/over-http\.test/,
  /^shared\/huaweicloud\/sdk-flaws\/requests\.test/,
];

export const testFiles = (): string[] =>
  readdirSync(`${ROOT}test`, { recursive: true, encoding: "utf8" }).filter((path) => /\.(test|slow)\.ts$/.test(path));

/**
 * Returns whether a test file freezes `Date`. If it does, its results may depend on the time zone, but not on the date of a run.
 */
export const stopsDate = (path: string): boolean =>
  /^useFixedDate\(\);$/m.test(readFileSync(`${ROOT}test/${path}`, "utf8"));

/**
 * Returns the test files of a run. Files that freeze `Date` run only at the first date, because every date gives the same result.
 */
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
