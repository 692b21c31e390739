/** Judges the results of a conformance run, and formats them as a table. */
import { type Difference, ResponseComparison } from "./compare.ts";
import type { Omission } from "./omissions.ts";
import type { Description } from "./protocol.ts";
import { OPERATIONS, operationOf, type StepResult } from "./scenario.ts";

/** The results of all steps with one client. */
export interface ClientResults {
  client: string;
  description: Description;
  results: readonly StepResult[];
}

/** What a client found for one operation. */
export interface OperationResult {
  operation: string;
  calls: number;
  supported: boolean;
  /** The steps that failed, and the differences that are not in the list of omissions. */
  problems: string[];
  omitted: Difference[];
}

export function judge({ description, results }: ClientResults, omissions: readonly Omission[]): OperationResult[] {
  const comparison = new ResponseComparison(description);
  for (const { step, body, problem, unsupported } of results) {
    if (!unsupported && problem === undefined && body !== undefined) comparison.add(operationOf(step), body);
  }
  const differences = comparison.differences();
  return OPERATIONS.map((pair) => {
    const operation = pair.join(".");
    const own = results.filter(({ step }) => operationOf(step) === operation);
    const found = differences.filter((difference) => difference.operation === operation);
    const isListed = ({ field }: Difference) =>
      omissions.some((omission) => omission.operation === operation && omission.field === field);
    return {
      operation,
      calls: own.length,
      supported: own.every(({ unsupported }) => !unsupported),
      problems: [
        ...own.flatMap(({ problem, step }) => (problem ? [`${JSON.stringify(step.request)}: ${problem}`] : [])),
        ...found.filter((one) => !isListed(one)).map(({ field, difference }) => `${field}: ${difference}`),
      ],
      omitted: found.filter(isListed),
    };
  });
}

/** Returns the omissions that no client needs. */
export function unusedOmissions(judged: readonly OperationResult[][], omissions: readonly Omission[]): Omission[] {
  const used = judged.flat().flatMap(({ omitted }) => omitted);
  return omissions.filter(
    ({ operation, field }) => !used.some((one) => one.operation === operation && one.field === field),
  );
}

/** Returns the rows of the table: one row per operation, one column per client. */
export function tableRows(judged: ReadonlyMap<string, OperationResult[]>): string[][] {
  const header = ["operation", "test calls", ...[...judged.keys()].map((client) => `${client} client`)];
  const rows = OPERATIONS.map((pair, index) => {
    const [service = "", operation = ""] = pair;
    const results = [...judged.values()].map((each) => each[index]);
    return [`${service.toUpperCase()} ${operation}`, String(results[0]?.calls), ...results.map(cell)];
  });
  return [header, ...rows];
}

function cell(result: OperationResult | undefined): string {
  if (!result?.supported) return "has no such method";
  const { problems, omitted } = result;
  if (problems.length > 0) return `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`;
  if (omitted.length === 0) return "responses match its model";
  return `responses match its model except ${omitted.length} ${omitted.length === 1 ? "field" : "fields"}`;
}

/** Formats rows as a table in Markdown, with columns of equal width. */
export function formatTable([header = [], ...rows]: string[][]): string {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
