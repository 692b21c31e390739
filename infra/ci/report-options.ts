import { parseArgs } from "node:util";
import { COVERAGE_STATES } from "../../shared/coverage/coverage.ts";
import type { Credentials } from "./call.ts";
import { BadInput, type Environment, readCredentials, readUrl } from "./connection.ts";

/** The formats in which report-coverage returns a report. */
const FORMATS = ["html", "json", "csv"] as const;
export type ReportFormat = (typeof FORMATS)[number];

/** What `--fail-on` can name: the states, and snapshots whose resource no longer exists. */
const FAILURES: readonly string[] = [...COVERAGE_STATES, "orphaned"];

export interface ReportOptions {
  url: URL;
  credentials: Credentials;
  /** The query parameters that select the resources, as the caller gave them. report-coverage validates them. */
  query: Record<string, string>;
  /** The files to write. */
  formats: ReportFormat[];
  folder: string;
  /** The states that make the client exit with 1. */
  failOn: string[];
}

export const REPORT_USAGE = `node snapshot-report.cjs --url <address> [options]

Prints which disks and clusters have no good and recent snapshot, and why.

  --url <address>           the address of report-coverage, such as https://gate.example.com/report-coverage
  --fail-on <states>        exit with 1 if a resource has one of these states, such as unprotected,failing; the states are
                            unprotected, failing, stale, unknown, protected, excluded and, for snapshots, orphaned
  --write <formats>         write the report to coverage.html, coverage.json or coverage.csv, such as html,csv
  --folder <path>           the folder for these files; default: the current folder
  --max-age-hours <n>       the maximum age of the newest good snapshot; default 26
  --kinds <kinds>           volume, cluster, or both
  --tags <tags>             only resources with all these tags: key=value or key=*, separated by commas
  --exclude-tags <tags>     resources with one of these tags are excluded
  --states <states>         only resources in these states; does not change what --fail-on finds
  --help                    print this text

Each option can also be set as an environment variable: SNAPSHOT_REPORT_URL, SNAPSHOT_REPORT_FAIL_ON, ...

The credentials are the same environment variables as those of snapshot-gate.cjs: SNAPSHOT_GATE_APP_CODE, or
HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (and HUAWEICLOUD_SDK_SECURITY_TOKEN).

Exit codes: 0: the report was read, and no state of --fail-on occurs. 1: a state of --fail-on occurs. 2: an option or a
credential is wrong. 3: the report could not be read or written, or --fail-on is set and the report is incomplete.`;

/** Maps each option that selects resources to its query parameter. */
const PARAMETERS = {
  "max-age-hours": "max_age_hours",
  kinds: "kinds",
  tags: "tags",
  "exclude-tags": "exclude_tags",
  states: "states",
} as const;

const NAMES = [
  "url",
  "fail-on",
  "write",
  "folder",
  ...(Object.keys(PARAMETERS) as (keyof typeof PARAMETERS)[]),
] as const;

/**
 * Reads the options from the command-line arguments and the environment variables. If both set an option, the argument
 * overrides the environment variable.
 *
 * @throws {BadInput} when an option is missing or invalid
 */
export function readReportOptions(argv: readonly string[], environment: Environment): ReportOptions {
  const values = parseArguments(argv);
  const find = (name: (typeof NAMES)[number]): string | undefined => {
    // An empty value probably comes from a pipeline variable that is not set.
    if (values[name] === "") throw new BadInput(`--${name}: expected a value, got an empty string.`);
    const value = values[name] ?? environment[`SNAPSHOT_REPORT_${name.toUpperCase().replaceAll("-", "_")}`];
    return value === "" ? undefined : value;
  };
  const url = find("url");
  if (url === undefined) throw new BadInput("Expected the option --url, but it is missing.");
  const query: Record<string, string> = {};
  for (const [option, parameter] of Object.entries(PARAMETERS)) {
    const value = find(option as keyof typeof PARAMETERS);
    if (value !== undefined) query[parameter] = value;
  }
  return {
    url: readUrl(url),
    credentials: readCredentials(environment),
    query,
    formats: readChoices("write", find("write"), FORMATS) as ReportFormat[],
    folder: find("folder") ?? ".",
    failOn: readChoices("fail-on", find("fail-on"), FAILURES),
  };
}

function parseArguments(argv: readonly string[]): Partial<Record<(typeof NAMES)[number], string>> {
  const options = Object.fromEntries(NAMES.map((name) => [name, { type: "string" as const }]));
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (thrown) {
    throw new BadInput((thrown as Error).message);
  }
}

function readChoices(name: string, text: string | undefined, allowed: readonly string[]): string[] {
  const choices = text === undefined ? [] : text.split(",").map((choice) => choice.trim());
  const wrong = choices.filter((choice) => !allowed.includes(choice));
  if (wrong.length === 0) return [...new Set(choices)];
  throw new BadInput(
    `--${name}: expected ${allowed.join(", ")}, got ${wrong.map((each) => JSON.stringify(each)).join(", ")}.`,
  );
}
