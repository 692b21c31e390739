/** Creates a report in CSV (RFC 4180), which a spreadsheet opens without running a formula. */
import { formatInstant } from "../../shared/core/instant.ts";
import { escapeControls } from "../../shared/core/untrusted.ts";
import type { Coverage, ResourceCoverage } from "../../shared/coverage/coverage.ts";
import { restoreCallOf } from "../../shared/coverage/restore-call.ts";
import { ageHoursOf } from "../../shared/coverage/rules.ts";
import { boundFaults } from "./json.ts";
import type { CoverageQuery } from "./query.ts";
import { costOf, fitResources, type PagedBody, pageOf } from "./report-pages.ts";

const COLUMNS = [
  "type",
  "id",
  "name",
  "state",
  "reason",
  "size_gb",
  "server_ids",
  "tags",
  "good",
  "failed",
  "policies",
  "newest_kind",
  "newest_id",
  "newest_name",
  "newest_created_at",
  "newest_age_hours",
  "newest_policy",
  "newest_created_by",
  "restore",
  "requires",
  "truncated",
] as const;

type Row = Partial<Record<(typeof COLUMNS)[number], string | number>>;

const NEW_LINE = "\r\n";

/**
 * Returns one page of a report in CSV. Each fault is a row of the type `fault` in the state `unknown`, so a table without it
 * does not look complete. Each orphaned snapshot is a row of the type `orphan` on every page.
 */
export function toCsv(coverage: Coverage, query: CoverageQuery): PagedBody {
  const { page } = query;
  const { resources, pages } = pageOf(coverage, query);
  const faults = boundFaults(coverage).map((reason) => toLine({ type: "fault", state: "unknown", reason }));
  const head = [COLUMNS.join(","), ...faults].join(NEW_LINE) + NEW_LINE;
  const tail = orphanRows(coverage)
    .map((row) => toLine(row) + NEW_LINE)
    .join("");
  const rows = fitResources(resources, costOf(head) + costOf(tail), (resource, maxCost) => {
    const row = toRow(resource, coverage);
    return maxCost === undefined ? toLine(row) + NEW_LINE : shortLine(row, maxCost) + NEW_LINE;
  });
  return { body: head + rows.join("") + tail, page, pages };
}

/** Returns a row for each orphaned snapshot, with its kind and creation time in the columns of the newest snapshot. */
const orphanRows = ({ orphans, counts }: Coverage): Row[] =>
  orphans.map(({ kind, id, resourceId, created }) => ({
    type: "orphan",
    id,
    state: "orphaned",
    reason: `Snapshot of the deleted resource ${resourceId}. Delete it if you do not need it.`,
    newest_kind: kind,
    newest_created_at: created === undefined ? "" : formatInstant(created),
    truncated: counts.orphaned > orphans.length ? "true" : "",
  }));

/** Returns the line of a row without the longest of its columns. */
function shortLine(row: Row, maxCost: number): string {
  const short = { ...row, tags: "", truncated: "true" };
  const line = toLine(short);
  return costOf(line) <= maxCost ? line : toLine({ ...short, server_ids: "", policies: "" });
}

function toRow(resource: ResourceCoverage, { projectId, generatedAt, maxAgeHours }: Coverage): Row {
  const { type, id, name, state, reason, sizeGb, serverIds, tags, good, failed, policies, newest } = resource;
  const row: Row = {
    type,
    id,
    name,
    state,
    reason,
    ...(sizeGb === undefined ? {} : { size_gb: sizeGb }),
    server_ids: serverIds.join(" "),
    tags: Object.entries(tags)
      .map(([key, value]) => `${key}=${value}`)
      .join(", "),
    good,
    failed,
    policies: policies.join(" "),
  };
  if (newest === undefined) return row;
  const call = restoreCallOf(projectId, resource, newest);
  return {
    ...row,
    newest_kind: newest.kind,
    newest_id: newest.id,
    newest_name: newest.name,
    newest_created_at: formatInstant(newest.created),
    newest_age_hours: ageHoursOf(newest.created, generatedAt, maxAgeHours),
    newest_policy: newest.policy ?? "",
    newest_created_by: newest.createdBy,
    restore: call.toText(),
    requires: call.requires,
  };
}

const toLine = (row: Row): string => COLUMNS.map((column) => toCell(row[column] ?? "")).join(",");

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
function toCell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const oneLine = value.replace(/[\p{Cc}\u2028\u2029]/gu, " ");
  const text = escapeControls(oneLine).replace(FORMULA, "$1'");
  return `"${text.replaceAll('"', '""')}"`;
}
