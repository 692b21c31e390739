/** Prints whether the guarantees held, a table of calls, and the command that repeats each case with a broken guarantee. */
import { formatTable } from "../../infra/local/terminal/table.ts";
import type { CaseResult } from "./case.ts";
import { MAX_PEAK_BYTES } from "./checks.ts";
import { type Finding, mib } from "./evidence.ts";

/** The maximum number of cases that the report describes for each broken guarantee of each call. */
const MAX_DESCRIBED = 3;

interface Row {
  cases: number;
  responses: number;
  outcomes: Map<string, number>;
  /** The invocation that used the largest share of the time until its deadline. */
  longest: { tookMs: number; remainingMs: number };
  peakBytes: number;
  broken: Map<string, number>;
}

export class Report {
  findings = 0;
  readonly #seed: string;
  readonly #rows = new Map<string, Row>();
  readonly #limits = new Set<string>();
  readonly #started = performance.now();

  constructor(seed: string) {
    this.#seed = seed;
    console.log(`The fuzz runs with --seed ${seed}.`);
  }

  add(result: CaseResult, responses: number): void {
    const { id, invoked, scenario, findings } = result;
    const row = this.#rows.get(id.operation) ?? emptyRow();
    this.#rows.set(id.operation, row);
    row.cases += 1;
    row.responses += responses;
    row.peakBytes = Math.max(row.peakBytes, invoked.peakBytes);
    const { tookMs } = invoked;
    const { remainingMs } = scenario;
    if (tookMs / remainingMs > row.longest.tookMs / row.longest.remainingMs) row.longest = { tookMs, remainingMs };
    for (const outcome of outcomesIn(invoked.stdout)) row.outcomes.set(outcome, (row.outcomes.get(outcome) ?? 0) + 1);
    this.#limits.add(result.limit);
    this.findings += findings.length;
    const described: Finding[] = [];
    for (const guarantee of new Set(findings.map((one) => one.guarantee))) {
      const count = row.broken.get(guarantee) ?? 0;
      row.broken.set(guarantee, count + 1);
      if (count < MAX_DESCRIBED) described.push(...findings.filter((one) => one.guarantee === guarantee));
    }
    if (described.length > 0) console.log(`\n${describeCase({ ...result, findings: described }, false)}`);
  }

  progress(operation: string): void {
    const row = this.#rows.get(operation) ?? emptyRow();
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    console.log(
      `${operation}: sent ${row.responses} random responses in ${row.cases} invocations, ${seconds} s after the start`,
    );
  }

  print(): void {
    const counted = (counts: Map<string, number>) =>
      [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`);
    const rows = [...this.#rows].map(([operation, row]) => [
      operation,
      String(row.responses),
      String(row.cases),
      `${(row.longest.tookMs / 1000).toFixed(1)} of ${row.longest.remainingMs / 1000} s`,
      mib(row.peakBytes),
      counted(row.broken).join(", ") || "none",
      counted(row.outcomes).slice(0, 6).join(", "),
    ]);
    const headings = [
      "call",
      "random responses",
      "invocations",
      "longest invocation",
      "peak MiB",
      "broken guarantees (cases)",
      "outcomes",
    ];
    const sum = [...this.#rows.values()].reduce((total, { responses }) => total + responses, 0);
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    const conclusion =
      this.findings === 0
        ? "Every guarantee held"
        : `The functions broke guarantees ${this.findings} times, as described above,`;
    console.log(
      `\n${conclusion} under ${sum} random responses (--seed ${this.#seed}, ${seconds} s).\nMemory limit of the processes: ${[...this.#limits].join("; ")}. Allowed peak: ${mib(MAX_PEAK_BYTES)} MiB.`,
    );
    console.log(`\n${formatTable(headings, rows).join("\n")}`);
  }
}

const emptyRow = (): Row => ({
  cases: 0,
  responses: 0,
  outcomes: new Map(),
  longest: { tookMs: 0, remainingMs: 1 },
  peakBytes: 0,
  broken: new Map(),
});

const outcomesIn = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => {
    const [, outcome] = /"action":"(?:create|verify|prune)".*?"outcome":"(\w+)"/.exec(line) ?? [];
    return outcome === undefined ? [] : [outcome];
  });

/**
 * Describes the broken guarantees of a case, its random responses, and the command that repeats the case. If `whole`, adds the
 * requests and the event, and shortens the output less.
 */
export function describeCase(result: CaseResult, whole: boolean): string {
  const { id, scenario, invoked, responses, findings, requests } = result;
  const maxLength = whole ? 4_000 : 700;
  const section = (name: string, lines: readonly string[]) =>
    lines.length === 0
      ? []
      : [`  ${name}:`, ...lines.slice(0, whole ? 60 : 4).map((line) => `    ${line.slice(0, maxLength)}`)];
  return [
    `${scenario.functionName} (${scenario.trigger}), ${id.operation}, case ${id.index}: ${findings.length === 0 ? "every guarantee held" : "broke a guarantee"}`,
    ...findings.map(({ guarantee, what }) => `  BROKEN ${guarantee}: ${what.slice(0, maxLength)}`),
    `  repeat this case: npm run fuzz -- --seed ${id.seed} --call ${id.operation} --case ${id.index}`,
    `  took ${Math.round(invoked.tookMs)} of ${scenario.remainingMs} ms, peak RSS ${mib(invoked.peakBytes)} MiB`,
    ...responses
      .slice(0, whole ? 60 : 3)
      .flatMap(({ operation, nth, how, body, handle }) => [
        `  ${operation}, response ${nth}${handle.hits > 1 ? `, sent ${handle.hits} times` : ""}: ${how.slice(0, maxLength)}`,
        ...(body === undefined ? [] : [`    ${JSON.stringify(body.slice(0, maxLength))}`]),
      ]),
    ...section("requests", whole ? requests : []),
    ...section("event", whole ? [JSON.stringify(scenario.event)] : []),
    ...section("stdout", invoked.stdout),
    ...section("stderr", invoked.stderr),
    ...section("result", [invoked.result ?? invoked.error?.printed ?? String(invoked.lost)]),
  ]
    .map(printable)
    .join("\n");
}

/** Escapes characters that could control a terminal. */
const printable = (line: string): string =>
  line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);
