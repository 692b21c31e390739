/** Checks the printed lines, the result records and the response of an invocation. */
import { resultFaults } from "../../infra/local/host/apig-result.ts";
import { type Evidence, isFailure, type LooseRecord, preview, type ReportBroken } from "./evidence.ts";

const MAX_LINE_BYTES = 64 * 1024;
/** Matches characters that control a terminal or end a line. JSON output must escape them. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u;

export function parseLines({ invoked: { stdout } }: Evidence, report: ReportBroken): LooseRecord[] {
  return stdout.flatMap((line) => {
    const bytes = Buffer.byteLength(line);
    if (bytes > MAX_LINE_BYTES)
      report(
        "short clean lines",
        `a printed line has ${bytes} bytes, at most ${MAX_LINE_BYTES} allowed; longest fields: ${longestFields(line)}`,
      );
    const unsafe = UNSAFE.exec(line);
    if (unsafe !== null) {
      const code = unsafe[0].codePointAt(0)?.toString(16);
      report(
        "short clean lines",
        `a printed line contains U+${code} at character ${unsafe.index}, after: ${line.slice(Math.max(0, unsafe.index - 80), unsafe.index)}`,
      );
    }
    try {
      return [JSON.parse(line)];
    } catch {
      report("short clean lines", `a printed line is not JSON: ${line.slice(0, 300)}`);
      return [];
    }
  });
}

/** Returns the names and lengths of the three longest fields of a printed line. */
function longestFields(line: string): string {
  try {
    const sizes = Object.entries(JSON.parse(line)).map(([name, value]) => [name, jsonLength(value)] as const);
    return sizes
      .sort((a, b) => b[1] - a[1])
      .slice(0, 3)
      .map(([name, size]) => `${name} ${size}`)
      .join(", ");
  } catch {
    return line.slice(0, 100);
  }
}

const jsonLength = (value: unknown): number => JSON.stringify(value)?.length ?? 0;

/** Checks that each target has one result record, and that the last record is a run record with correct counts. */
export function checkRecords(
  { scenario, requestId, isUnfuzzed }: Evidence,
  records: LooseRecord[],
  report: ReportBroken,
): void {
  const others = records.slice(0, -1);
  const run = records.at(-1);
  const wrong = (what: string) => report("one record each", what);
  if (run?.action !== "run" || others.some(({ action }) => action === "run")) {
    wrong(
      `expected one run record, as the last record, got ${preview(records.map(({ action, outcome }) => `${action} ${outcome}`))}`,
    );
    return;
  }
  const counts: Record<string, number> = {};
  for (const { outcome } of others) counts[outcome] = (counts[outcome] ?? 0) + 1;
  // report-coverage also counts resources that need no record, and counts snapshots of deleted resources instead of their records.
  const counted =
    scenario.functionName === "report-coverage"
      ? ["failing", "stale", "unknown", "unprotected"]
      : Object.keys({ ...counts, ...run.outcomes });
  const same = counted.every((name) => (counts[name] ?? 0) === (run.outcomes?.[name] ?? 0));
  if (!same) wrong(`the run record counts ${preview(run.outcomes)}, but the other records have ${preview(counts)}`);
  const failed = run.error !== undefined || others.some(isFailure);
  if ((run.outcome === "failed") !== failed)
    wrong(
      `the run record has the outcome ${run.outcome} and the error ${preview(run.error)}, but the other records have ${preview(counts)}`,
    );
  for (const record of records) {
    const { version, function: name, request_id, trigger } = record;
    if (version !== 1 || name !== scenario.functionName || request_id !== requestId || trigger !== scenario.trigger) {
      wrong(`a record has the wrong version, function, request id or trigger: ${preview(record)}`);
    }
  }
  const byTarget = new Map<string, number>();
  for (const { action, kind, resource_id, snapshot_id } of others) {
    const what = action === "create" ? resource_id : snapshot_id;
    if (what === undefined) continue;
    const name = `${action} ${kind} ${what}`;
    byTarget.set(name, (byTarget.get(name) ?? 0) + 1);
  }
  for (const [name, count] of byTarget) if (count > 1) wrong(`${name} has ${count} records, expected 1`);
  // The targets are unknown if the list response that selects them was random or if the list request failed. Such a
  // failure has a single record without a resource.
  const unknown = others.some(({ action, resource_id }) => action === "create" && resource_id === undefined);
  const known = scenario.selectedBy === undefined || isUnfuzzed(scenario.selectedBy);
  if (!known || unknown || (scenario.trigger === "http" && others.length === 0 && run.error)) return;
  for (const { kind, resource } of scenario.targets) {
    if (!byTarget.has(`create ${kind} ${resource}`)) wrong(`${kind} ${resource} has no record`);
  }
}

/** Checks that the HTTP response, the result or the error is well formed and agrees with the result records. */
export function checkResponse(evidence: Evidence, records: LooseRecord[], report: ReportBroken): void {
  const wrong = (what: string) => report("well-formed response", what);
  const { result = "null", error } = evidence.invoked;
  // The status of an HTTP response depends only on the created snapshots, not on failed deletions.
  const relevant = records.filter(({ action }) => evidence.scenario.trigger !== "http" || action === "create");
  const failed = relevant.some(isFailure) || records.at(-1)?.error !== undefined;
  if (evidence.scenario.trigger === "http") {
    if (error === undefined) checkHttpResponse(JSON.parse(result), records, failed, wrong);
    else wrong(`the function threw ${preview(error.message)}`);
    return;
  }
  if ((error !== undefined) !== failed) {
    wrong(
      `the function ${error === undefined ? "returned" : `threw ${preview(error.message)}`} although its records have ${formatOutcomes(records)}`,
    );
  }
  if (error === undefined) return;
  if (!error.isError) wrong(`the function threw a value that is not an Error: ${preview(error.message)}`);
  if (UNSAFE.test(error.message)) wrong(`the error message has control characters: ${preview(error.message)}`);
  if (error.message.length > MAX_LINE_BYTES)
    wrong(`the error message has ${error.message.length} characters, at most ${MAX_LINE_BYTES} allowed`);
}

function checkHttpResponse(
  response: LooseRecord,
  records: LooseRecord[],
  failed: boolean,
  wrong: (what: string) => void,
): void {
  const faults = resultFaults(response);
  if (faults.length > 0) return void wrong(`${faults.join("; ")}: ${preview(response)}`);
  for (const [name, value] of Object.entries<string>(response.headers)) {
    if (/[^\x20-\x7e]/.test(value)) wrong(`the header ${name} is ${preview(value)}`);
  }
  const retryAfter = response.headers["retry-after"];
  if (retryAfter !== undefined && !/^\d{1,9}$/.test(retryAfter))
    wrong(`the header retry-after is ${preview(retryAfter)}`);
  if (response.statusCode < 300 === failed)
    wrong(`the status is ${response.statusCode} although the records have ${formatOutcomes(records)}`);
  if (!isJson(response.body)) wrong(`the body is not JSON: ${preview(response.body)}`);
}

const formatOutcomes = (records: LooseRecord[]): string =>
  preview(records.map(({ action, outcome }) => `${action} ${outcome}`));

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
