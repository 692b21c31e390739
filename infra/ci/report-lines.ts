import { formatVerdict, STATES } from "../../functions/report-coverage/page/states.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import { isObject, readStringField } from "../../shared/core/json.ts";
import { formatTable } from "../local/terminal/table.ts";
import type { Report } from "./read-report.ts";

/** The maximum number of resources and of faults that the client prints. The files contain all of them. */
const MAX_PRINTED = 50;
const MAX_WIDTH = 160;
/** The states that the table omits, because nothing is wrong with a resource in them. */
const GOOD = ["protected", "excluded"];

const rankOf = ({ state }: JsonObject): number => STATES.findIndex((each) => each.state === state);

/**
 * Formats a report as lines: the verdict, the counts, the faults, and a table of the resources that are not protected, worst
 * first.
 *
 * @param sanitize makes a text of the response safe to print
 */
export function formatReport(report: Report, sanitize: (text: string) => string): string[] {
  const { counts, complete, faults, resources } = report;
  const numbers = [...STATES.map(({ state }) => state), "orphaned" as const].map(
    (state) => `${counts[state]} ${state}`,
  );
  const wrong = resources
    .filter(({ state }) => !GOOD.includes(String(state)))
    .sort((a, b) => rankOf(a) - rankOf(b) || ageOf(b) - ageOf(a));
  const rows = wrong.slice(0, MAX_PRINTED).map((resource) => {
    const age = isObject(resource.newest) ? String(resource.newest.age_hours) : "none";
    const [state = "", type = "", name = "", id = "", reason = ""] = ["state", "type", "name", "id", "reason"].map(
      (field) => sanitize(readStringField(resource, field) ?? ""),
    );
    return [state, type, name, id, sanitize(age), reason];
  });
  return [
    `snapshot-report: ${formatVerdict(report)}`,
    `  ${numbers.join(", ")}; at ${sanitize(String(report.generated_at))}`,
    ...(complete ? [] : ["  INCOMPLETE: a list could not be read, so some states are unknown."]),
    ...faults.slice(0, MAX_PRINTED).map((fault) => `  - ${sanitize(fault)}`),
    ...(rows.length === 0 ? [] : ["", ...indent(formatTable(HEADINGS, rows, MAX_WIDTH))]),
    ...(wrong.length > rows.length ? [`  and ${wrong.length - rows.length} more`] : []),
  ];
}

const HEADINGS = ["state", "type", "name", "id", "hours", "reason"];
// A line of the table never begins with text of the response, because GitHub executes a line that begins with `::`.
const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

const ageOf = ({ newest }: JsonObject): number =>
  isObject(newest) && typeof newest.age_hours === "number" ? newest.age_hours : Number.POSITIVE_INFINITY;
