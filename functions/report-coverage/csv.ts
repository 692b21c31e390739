/** Creates a report in CSV (RFC 4180), which a spreadsheet opens without running a formula. */
import { formatInstant } from "../../shared/core/instant.ts";
import { isObject, type JsonObject } from "../../shared/core/json.ts";
import { escapeControls } from "../../shared/core/untrusted.ts";
import type { Coverage } from "../../shared/coverage/coverage.ts";
import { boundFaults, resourceText } from "./json.ts";
import type { CoverageQuery } from "./query.ts";
import { costOf, fitResources, type PagedBody, pageOf } from "./report-pages.ts";

const COLUMNS =
  "type,id,name,state,reason,size_gb,server_ids,tags,good,failed,policies,newest_kind,newest_id,newest_name,newest_created_at,newest_age_hours,newest_policy,newest_created_by,restore,requires,truncated";

const NEW_LINE = "\r\n";

/**
 * Returns one page of a report in CSV. Each fault is a row of the type `fault` in the state `unknown`, so a table without it
 * does not look complete. Each orphaned snapshot is a row of the type `orphan` on every page.
 */
export function toCsv(coverage: Coverage, query: CoverageQuery): PagedBody {
  const { page } = query;
  const { resources, pages } = pageOf(coverage, query);
  const faults = boundFaults(coverage).map((reason) => toLine({ type: "fault", state: "unknown", reason }));
  const head = COLUMNS + NEW_LINE + faults.join("");
  const tail = orphanLines(coverage).join("");
  const rows = fitResources(resources, costOf(head) + costOf(tail), (resource, maxCost) =>
    resourceText(resource, coverage, (fields) => toLine({ ...fields.restore_points[0], ...fields }), maxCost),
  );
  return { body: head + rows.join("") + tail, page, pages };
}

/** Returns a line for each orphaned snapshot, with its kind and creation time in the columns of the newest snapshot. */
const orphanLines = ({ orphans, counts }: Coverage): string[] =>
  orphans.map(({ kind, id, resourceId, created }) =>
    toLine({
      type: "orphan",
      id,
      state: "orphaned",
      reason: `The resource ${resourceId} was deleted. Delete this snapshot if you do not need it.`,
      newest: { kind, ...(created === undefined ? {} : { created_at: formatInstant(created) }) },
      ...(counts.orphaned > orphans.length ? { truncated: true } : {}),
    }),
  );

/** Returns a line with a cell for each column. A column such as `newest_id` contains a field of the object `newest`. */
function toLine(fields: JsonObject): string {
  const newest = isObject(fields.newest) ? fields.newest : {};
  const values = COLUMNS.split(",").map((column) =>
    column.startsWith("newest_") ? newest[column.slice(7)] : fields[column],
  );
  return values.map(toCell).join(",") + NEW_LINE;
}

/**
 * A pattern for the start of a formula. Spreadsheets also accept the full-width forms of these characters. They remove quotation
 * marks and spaces in front of a formula if they divide the line at another character than the comma.
 */
const FORMULA = /(^|[;|,])(?=["\s]*[=+\-@\uff0b\uff0d\uff1d\uff20])/g;

/**
 * Returns a cell in quotation marks. A text that a spreadsheet could take for a formula gets an apostrophe in front. A
 * spreadsheet may divide a line at semicolons instead of commas, so this also applies to the text after a semicolon. A control
 * character, such as a line break or a tab, becomes a space, and an invisible character becomes its escape.
 */
function toCell(value: unknown): string {
  if (typeof value === "number") return String(value);
  const all = Array.isArray(value)
    ? value.join(" ")
    : isObject(value)
      ? Object.entries(value)
          .map(([key, tag]) => `${key}=${tag}`)
          .join(", ")
      : String(value ?? "");
  const oneLine = all.replace(/[\p{Cc}\u2028\u2029]/gu, " ");
  const text = escapeControls(oneLine).replace(FORMULA, "$1'");
  return `"${text.replaceAll('"', '""')}"`;
}
