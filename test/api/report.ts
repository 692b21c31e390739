/** Formats the result of `npm run test:api`. */
import { createHash } from "node:crypto";
import type { OperationResult } from "./run-operation.ts";

/** The minimum number of cases of a full run. */
export const MIN_CASES = 5_000;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const casesOf = ({ operation, counts = {} }: OperationResult): number => sum(Object.values(counts[operation] ?? {}));

/** Returns the reason why a run failed, or undefined if it passed. */
export function failureOf(results: readonly OperationResult[], minCases: number): string | undefined {
  const failed = new Set(results.filter(({ passed }) => !passed).map(({ operation }) => operation));
  if (failed.size > 0) return `schemathesis reports failures of ${[...failed].join(", ")}`;
  const cases = sum(results.map(casesOf));
  return cases < minCases ? `expected at least ${minCases} cases, got ${cases}` : undefined;
}

/** Returns the lines of the report. The first line is the conclusion. */
export function reportLines(
  results: readonly OperationResult[],
  { seed, seconds, minCases }: { seed: number; seconds: number; minCases: number },
): string[] {
  const failure = failureOf(results, minCases);
  const cases = sum(results.map(casesOf));
  const [valid, invalid] = (["valid", "invalid"] as const).map((mode) =>
    sum(results.map(({ modes }) => modes?.[mode] ?? 0)),
  );
  const end = `${cases} cases in ${Math.round(seconds)} s, seed ${seed}`;
  const conclusion =
    failure === undefined
      ? `The functions conform to infra/openapi.json: 0 failures in ${end}.`
      : `The functions do not conform to infra/openapi.json: ${failure}. ${end}.`;
  const exclusions = results.find((result) => result.exclusions !== undefined)?.exclusions ?? [];
  const removed = exclusions.map((name) => `${name} ${sum(results.map(({ excluded }) => excluded?.[name] ?? 0))}`);
  const rows = [...new Set(results.map(({ operation }) => operation))].map((operation) => {
    const own = results.filter((result) => result.operation === operation);
    const statuses = [...new Set(own.flatMap(({ counts }) => Object.keys(counts?.[operation] ?? {})))].sort();
    const countOf = (status: string) => sum(own.map(({ counts }) => counts?.[operation]?.[status] ?? 0));
    return [
      operation,
      String(sum(own.map(casesOf))),
      statuses.map((status) => `${status}: ${countOf(status)}`).join(", "),
      String(Math.round(sum(own.map(({ seconds }) => seconds)))),
      own.every(({ passed }) => passed) ? "passed" : "FAILED",
    ];
  });
  const slow = results.flatMap((result) => result.slow ?? []);
  return [
    conclusion,
    "",
    ...table([["operation", "cases", "responses by status", "seconds", "result"], ...rows]),
    "",
    `Cases: ${valid} valid and ${invalid} invalid requests. Hash of all requests: ${hashOf(results)}`,
    `Responses that the exclusions in test/api/hooks.py allow: ${removed.join(", ")}`,
    `Responses that took more than 3 s: ${slow.length}`,
  ];
}

/** Returns a hash of the requests of all operations. Two runs with the same seed send the same requests. */
const hashOf = (results: readonly OperationResult[]): string =>
  createHash("sha256")
    .update(results.map(({ digest }) => digest).join())
    .digest("hex")
    .slice(0, 16);

function table(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** Returns what schemathesis printed about failures, without its progress and its summary. */
export function failuresIn(output: string): string {
  const [, failures] = /^=+ (?:FAILURES|ERRORS) =+$([\s\S]*?)(?:^=+ SUMMARY =+$|$(?![\s\S]))/m.exec(output) ?? [];
  return (failures ?? output).trim();
}
