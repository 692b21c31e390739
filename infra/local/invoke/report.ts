/** Prints what an invocation did: a conclusion, a table of records, and the complete text of each problem. */

import type { Invocation, OutputLine } from "../host/index.ts";
import type { ResultRecord } from "../site/records.ts";
import type { Screen } from "../terminal/screen.ts";
import { shorten, wrapText } from "../terminal/table.ts";
import { describeInvocation, describeWait, isDryRun, readHttpResult } from "./conclusion.ts";
import { describeDetails } from "./details.ts";
import { namesOf, printRecords } from "./record-table.ts";
import type { WaitResult } from "./wait.ts";

/** Everything that is known about a finished invocation. */
export interface InvokeReport {
  invocation: Invocation;
  /** The result records of the invocation and of the invocations that it started. */
  records: readonly ResultRecord[];
  /** The printed lines that are not result records. */
  otherLines: readonly OutputLine[];
  /** Undefined without `--wait`, and if the invocation created no snapshot. */
  wait?: WaitResult;
  /** Where the function ran, such as `on the embedded cloud`. */
  place: string;
  /** The number of create and delete requests that the embedded cloud received. Undefined with `--real`. */
  changes?: number;
  /** The policy or the time window in the event, in a sentence. */
  settings?: string;
  /** How the event was created, if the file contains no event. */
  note?: string;
  /** Returns the name of a resource, or its id if the name is unknown. */
  nameOf(id: string): string;
}

/** The maximum number of texts below the table of records. */
const MAX_DETAILS = 10;
/** The maximum number of lines of a response body. The body of pre-deploy is longer, but it repeats the records. */
const MAX_BODY_LINES = 20;

/** Returns the exit code: 1 if the invocation or a snapshot failed, if the HTTP status is 400 or more, or if a dry run changed the cloud. */
export function exitCodeOf({
  invocation,
  records,
  wait,
  changes = 0,
}: Pick<InvokeReport, "invocation" | "records" | "wait" | "changes">): number {
  const status = readHttpResult(invocation.result)?.statusCode ?? 200;
  const isWaitFailed = wait !== undefined && !isWaitSuccessful(wait);
  return invocation.error !== undefined ||
    status >= 400 ||
    isWaitFailed ||
    hasFailedRun(records) ||
    (isDryRun(records) && changes > 0)
    ? 1
    : 0;
}

/** Returns whether the last attempt of the invocation, or of an invocation that it started, failed. */
function hasFailedRun(records: readonly ResultRecord[]): boolean {
  const runs = records.filter(({ action }) => action === "run");
  const lastOutcomes = new Map(runs.map(({ request_id, outcome }) => [request_id, outcome]));
  return [...lastOutcomes.values()].includes("failed");
}

const isWaitSuccessful = ({ snapshots, problem }: WaitResult): boolean =>
  problem === undefined && snapshots.every(({ state }) => state === "available");

export function printReport(report: InvokeReport, screen: Screen): void {
  const { invocation, records, wait, place, note, settings } = report;
  const { style } = screen;
  const print = (text: string, indent = "") => {
    for (const line of wrapText(text, screen.width, indent)) screen.line(line);
  };
  const conclusion = [describeInvocation(invocation, records), ...(wait ? [describeWait(wait)] : [])].join(" ");
  const paint = exitCodeOf(report) === 0 ? style.bold : style.bad;
  for (const line of wrapText(conclusion, screen.width)) screen.line(paint(line));
  const took = `Took ${(invocation.durationMs / 1000).toFixed(1)} s ${place}.`;
  const facts = [describeDryRun(report), took, settings, note].filter((fact) => fact !== undefined);
  for (const line of wrapText(facts.join(" "), screen.width)) screen.line(style.dim(line));

  const targets = records.filter(({ action }) => action !== "run");
  if (targets.length > 0) {
    screen.line();
    printRecords({ ...report, records: targets }, screen);
  }
  const details = describeDetails({ ...report, namesOf: (ids) => namesOf(ids, report.nameOf) });
  if (details.length > 0) screen.line();
  for (const detail of details.slice(0, MAX_DETAILS)) print(detail, "  ");
  if (details.length > MAX_DETAILS) print(`${details.length - MAX_DETAILS} more details: --json prints all records.`);
  printResponse(invocation, screen);
  printOtherLines(report, screen);
}

/** Returns whether a dry run changed the embedded cloud. Undefined if the invocation was no dry run, or with `--real`. */
function describeDryRun({ records, changes }: InvokeReport): string | undefined {
  if (!isDryRun(records) || changes === undefined) return undefined;
  if (changes === 0) return "Nothing was created or deleted: the cloud received no such request.";
  return `This was no dry run: the cloud received ${changes} create or delete request${changes === 1 ? "" : "s"}.`;
}

/** Prints the response of an HTTP function, or the result of a direct invocation. A summary repeats the records, so it is omitted. */
function printResponse({ result, error }: Invocation, { line, width, style }: Screen): void {
  if (error !== undefined || "outcomes" in Object(result)) return;
  const response = readHttpResult(result);
  const { "content-type": _, ...headers } = response?.headers ?? {};
  const title = response
    ? [`HTTP ${response.statusCode}`, ...Object.entries(headers).map((pair) => pair.join(": "))]
    : [];
  const value = response === undefined ? result : (response.json ?? response.body);
  const lines = (typeof value === "string" ? value : JSON.stringify(value, null, 2)).split("\n");
  line();
  for (const text of wrapText(`Response${response ? `: ${title.join(", ")}` : ""}`, width, "  ")) line(style.dim(text));
  if (lines.length > MAX_BODY_LINES) line(`  A body of ${lines.length} lines: --json prints it.`);
  else for (const text of lines) line(shorten(`  ${text}`, width));
}

function printOtherLines({ otherLines }: InvokeReport, { line, width, style }: Screen): void {
  if (otherLines.length > 0) line();
  for (const { text, stream } of otherLines) line(style.dim(shorten(`${stream}: ${text}`, width)));
}
