import type { ResultRecord } from "../site/records.ts";
import type { Screen } from "../terminal/screen.ts";
import { formatTable } from "../terminal/table.ts";
import { outcomeOf, rankOf } from "./conclusion.ts";
import { isLongDetail } from "./details.ts";
import type { WaitResult } from "./wait.ts";

/** The maximum number of rows in the table of records. */
const MAX_ROWS = 40;
/** The number of similar rows that are merged into one row. */
const MIN_MERGED = 4;

const COLUMNS = ["action", "outcome", "kind", "resource", "snapshot", "state", "why"] as const;
type Row = Record<(typeof COLUMNS)[number], string> & { isError: boolean };

interface TableSource {
  /** The records of targets. */
  records: readonly ResultRecord[];
  wait?: WaitResult;
  nameOf(id: string): string;
}

/**
 * Prints a table of records: errors first, then warnings, then changes. Omits columns without values, and the column `action` if
 * all records have the same action. If more than three snapshots of a resource have the same outcome for similar reasons, they
 * share a row.
 */
export function printRecords({ records, wait, nameOf }: TableSource, { line, width, style }: Screen): void {
  const states = new Map(wait?.snapshots.map(({ id, state }) => [id, state]));
  const toRow = (record: ResultRecord): Row => ({
    isError: record.level === "error",
    action: record.action,
    outcome: outcomeOf(record),
    kind: record.kind ?? "",
    resource: namesOf(record.resource_id ?? "", nameOf),
    // In a record about coverage, the name is that of the resource.
    snapshot: record.action === "coverage" ? "" : record.name || (record.snapshot_id ?? ""),
    state: states.get(record.snapshot_id ?? "") ?? "",
    why: whyOf(record),
  });
  const sorted = records.toSorted((a, b) => severityOf(a) - severityOf(b) || rankOf(a) - rankOf(b));
  const rows = mergeSimilarRows(sorted.map(toRow));
  const [heading = "", ...lines] = formatRows(rows.slice(0, MAX_ROWS), width);
  line(style.dim(heading));
  lines.forEach((text, index) => {
    line(rows[index]?.isError ? style.bad(text) : text);
  });
  if (rows.length > MAX_ROWS) line(`${rows.length - MAX_ROWS} more rows: --json prints every record.`);
  else if (rows.length < records.length) line("--json prints the complete record of each snapshot.");
}

/** The number of characters of a snapshot name that show its policy and its date, such as `nightly-20261121`, with an ellipsis. */
const MIN_SNAPSHOT_WIDTH = 17;

/** Formats the rows as a table. Shortens the snapshot names first. Omits the kind, which the resource often shows, if the rest has no room. */
function formatRows(rows: readonly Row[], width: number): string[] {
  const shown = COLUMNS.filter((column) => isShown(column, rows));
  const widthOf = (column: (typeof COLUMNS)[number]) =>
    Math.max(column.length, ...rows.map((row) => row[column].length));
  const needed = shown.map((column) =>
    column === "snapshot" ? Math.min(MIN_SNAPSHOT_WIDTH, widthOf(column)) : widthOf(column),
  );
  const fits = needed.reduce((sum, one) => sum + one + 2, -2) <= width;
  const columns = fits ? shown : shown.filter((column) => column !== "kind");
  return formatTable(
    columns,
    rows.map((row) => columns.map((column) => row[column])),
    width,
    { column: columns.indexOf("snapshot"), minWidth: MIN_SNAPSHOT_WIDTH },
  );
}

/** Returns whether the table needs a column. If all records have the same action, the line above the table contains the action. */
function isShown(column: (typeof COLUMNS)[number], rows: readonly Row[]): boolean {
  const values = new Set(rows.map((row) => row[column]));
  return column === "action" ? values.size > 1 : values.size > 1 || !values.has("");
}

/** Returns the names of resources. Several ids are separated by commas. */
export const namesOf = (ids: string, nameOf: (id: string) => string): string =>
  ids
    .split(",")
    .map((id) => nameOf(id))
    .join(", ");

const severityOf = ({ level }: ResultRecord): number => ({ error: 0, warn: 1, info: 2 })[level ?? "info"];

/** Returns why a record has its outcome, in a few words: the reason of the error, the rule, or a short detail. */
function whyOf(record: ResultRecord): string {
  const { error, rule, detail = "", outcome, level } = record;
  if (error?.reason) return error.reason;
  // The id of the original would fill the line. 8 characters are enough to find it in the records.
  if (rule) return rule.replace(/^twin of ([0-9a-f]{8})-\S+$/, "duplicate (twin of $1…)");
  if (outcome === "planned" || (outcome === "available" && level === "info")) return "";
  return isLongDetail(record) ? "see below" : detail;
}

/** Matches the rules of a retention by which a snapshot is kept, such as `keep_last, oldest keep_weekly`. */
const KEEP_RULES = /^(oldest )?keep_/;

/** Merges rows that differ only in the snapshot or in the rules that keep it. */
function mergeSimilarRows(rows: readonly Row[]): Row[] {
  const similar = new Map<string, Row[]>();
  for (const row of rows) {
    const why = KEEP_RULES.test(row.why) ? "kept" : row.why;
    const key = JSON.stringify({ ...row, snapshot: "", why });
    similar.set(key, [...(similar.get(key) ?? []), row]);
  }
  return [...similar.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined || group.length < MIN_MERGED) return group;
    const rules = new Set(group.flatMap(({ why }) => (KEEP_RULES.test(why) ? why.split(", ") : [why])));
    return [{ ...first, snapshot: `${group.length} snapshots`, why: [...rules].join(", ") }];
  });
}
