import { OUTCOME_DESCRIPTIONS } from "../../../shared/snapshots/reporting.ts";
import type { Screen } from "../terminal/screen.ts";
import { formatTable, wrapText } from "../terminal/table.ts";
import { formatCounts } from "./checks.ts";
import type { ScenarioEnvironment } from "./environment.ts";
import type { Observation, Scenario, Verdict } from "./scenario.ts";

/** The result of a scenario: what happened, and whether the guarantee holds in this run. */
export interface ScenarioResult {
  scenario: Scenario;
  passed: boolean;
  /** What the scenario proved, or which checks failed. */
  conclusion: string;
  seconds: number;
  /** Undefined if the scenario could not be run. */
  details?: Pick<Observation, "faults" | "actions" | "advice"> & Pick<Verdict, "checks">;
}

/** Prints the result of one scenario. The first line is the conclusion. */
export function printResult({ scenario, passed, conclusion, details }: ScenarioResult, screen: Screen): void {
  const { style, width } = screen;
  const headline = `${passed ? "PASS" : "FAIL"}  ${scenario.name}: ${conclusion}`;
  for (const line of wrapText(headline, width, "      ").map(replaceNoBreakSpaces))
    screen.line(style.bold(passed ? style.good(line) : style.bad(line)));
  if (details === undefined) return;
  const print = (texts: readonly string[]) => {
    for (const text of texts) for (const line of wrap(text, width)) screen.line(line);
  };
  screen.line(style.bold("What was done to the cloud"));
  print(details.faults);
  screen.line(style.bold("What the function did"));
  print(details.actions);
  if (details.advice !== undefined) print([`The record says, with names in place of ids: ${details.advice}`]);
  screen.line(style.bold(passed ? "What it proves" : "What was not proven in this run"));
  print([scenario.guarantee]);
  for (const { text, expected, actual, holds } of details.checks) {
    const mark = holds ? "ok    " : "FAILED";
    // Add the color after the wrapping, because its characters have no width.
    const [first = "", ...others] = wrap(
      `${mark}  ${text}: ${holds ? "" : `expected ${expected}, got `}${actual}`,
      width,
    );
    screen.line(first.replace(mark, holds ? style.good : style.bad));
    for (const line of others) screen.line(line);
  }
  const explained = (["accepted", "existing"] as const)
    .filter((outcome) => details.checks.some(({ actual }) => actual.includes(` ${outcome}`)))
    .map((outcome) => `${outcome}: ${OUTCOME_DESCRIPTIONS[outcome]}`);
  if (explained.length > 0) print([`(${explained.join("; ")})`]);
}

/** Indents a text and breaks it into lines. Does not break a line at a no-break space, but prints a space. */
const wrap = (text: string, width: number): string[] =>
  wrapText(text, width - 2, "  ").map((line) => `  ${replaceNoBreakSpaces(line)}`);

const replaceNoBreakSpaces = (text: string): string => text.replaceAll("\u00a0", " ");

/** Prints one row for each scenario, and then how many scenarios passed. */
export function printTable(results: readonly ScenarioResult[], seconds: number, { line, style, width }: Screen): void {
  const rows = results.map(({ scenario, passed, conclusion, seconds: took }) => [
    passed ? "PASS" : "FAIL",
    scenario.name,
    took.toFixed(1),
    replaceNoBreakSpaces(conclusion),
  ]);
  const [head = "", ...body] = formatTable(["result", "scenario", "seconds", "conclusion"], rows, width);
  line(style.bold(head));
  for (const row of body) line(row);
  const passed = results.filter((result) => result.passed).length;
  const summary = `${passed} of ${results.length} scenarios passed in ${seconds.toFixed(0)} s`;
  line(style.bold(passed === results.length ? style.good(`PASS  ${summary}`) : style.bad(`FAIL  ${summary}`)));
}

/** Returns the number of requests that the functions sent, such as `Requests to the cloud: 4 create, 8 list, 1 delivery of records.` */
export function describeRequests({ site }: ScenarioEnvironment): string {
  const kinds = site.cloud.requests.map(
    ({ operation = "" }) => /\.(create|list|show|delete|report)/.exec(operation)?.[1] ?? "other",
  );
  const deliveries = kinds.filter((kind) => kind === "report").length;
  const others = formatCounts(kinds.filter((kind) => kind !== "report"));
  return `Requests to the cloud: ${others}, ${deliveries} ${deliveries === 1 ? "delivery" : "deliveries"} of records.`;
}
