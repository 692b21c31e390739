/** Runs the report client: fetches the coverage report, prints what is not protected, and writes files. See infra/README.md. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeTransport } from "../../shared/huaweicloud/http/transport.ts";
import { BadInput } from "./connection.ts";
import {
  createPageReader,
  joinCsv,
  type PageReader,
  ReadFailure,
  type Report,
  readPages,
  readReport,
} from "./read-report.ts";
import { formatReport } from "./report-lines.ts";
import { REPORT_USAGE, type ReportOptions, readReportOptions } from "./report-options.ts";
import { createSanitizer } from "./sanitize.ts";

const EXIT_CODES = { passed: 0, found: 1, badInput: 2, failed: 3 } as const;

/** The states that the table shows. The client reads only these if it does not write the JSON report. */
const PRINTED_STATES = "unprotected,failing,stale,unknown";

const sanitize = createSanitizer(process.env);
const print = (line: string) => console.log(line);

// A pipeline reads 0 as success, so the process must exit with another code if it stops unexpectedly.
process.exitCode = EXIT_CODES.failed;
process.on("uncaughtException", (thrown: unknown) => {
  console.error(sanitize(`snapshot-report: unexpected error: ${(thrown as Error)?.message}`));
  process.exit(EXIT_CODES.failed);
});

void main(process.argv.slice(2)).then((code) => process.exit(code));

async function main(argv: readonly string[]): Promise<number> {
  // Accept `--help` only if it is the sole argument, because its exit code is 0.
  if (argv.length === 1 && argv[0] === "--help") {
    print(REPORT_USAGE);
    return EXIT_CODES.passed;
  }
  try {
    return await report(readReportOptions(argv, process.env));
  } catch (thrown) {
    if (thrown instanceof BadInput) {
      console.error(`${sanitize(`snapshot-report: ${thrown.message}`)}\n\n${REPORT_USAGE}`);
      return EXIT_CODES.badInput;
    }
    if (!(thrown instanceof ReadFailure)) throw thrown;
    print(sanitize(`snapshot-report: the report could not be read: ${thrown.message}`));
    return thrown.isWrongOption ? EXIT_CODES.badInput : EXIT_CODES.failed;
  }
}

async function report(options: ReportOptions): Promise<number> {
  const { query, formats, failOn } = options;
  const read = createPageReader(nodeTransport(), options);
  const narrowed: Record<string, string> = formats.includes("json") ? {} : { states: PRINTED_STATES };
  const result = await readReport(read, { ...narrowed, ...query });
  for (const line of formatReport(result, sanitize)) print(line);
  const files = await writeFiles(read, options, result);
  if (files.length > 0) print(sanitize(`  wrote ${files.join(", ")}`));

  const found = failOn.filter((state) => result.counts[state as keyof Report["counts"]] > 0);
  if (found.length > 0) {
    print(`failed: --fail-on ${failOn.join(",")} found ${found.join(", ")}`);
    return EXIT_CODES.found;
  }
  if (failOn.length > 0 && !result.complete) {
    print(`failed: the report is incomplete, so it cannot rule out ${failOn.join(", ")}`);
    return EXIT_CODES.failed;
  }
  return EXIT_CODES.passed;
}

/** Writes the report in each format that the caller wants. Returns the paths of the files. */
async function writeFiles(
  read: PageReader,
  { formats, folder, query }: ReportOptions,
  result: Report,
): Promise<string[]> {
  const texts = new Map<string, string>();
  for (const format of formats) {
    if (format === "json") texts.set("coverage.json", `${JSON.stringify(result, undefined, 2)}\n`);
    else {
      const pages = await readPages(read, format, query);
      if (format === "csv") texts.set("coverage.csv", joinCsv(pages));
      else
        for (const [index, page] of pages.entries())
          texts.set(`coverage${index === 0 ? "" : `-${index + 1}`}.html`, page);
    }
  }
  try {
    if (texts.size > 0) mkdirSync(folder, { recursive: true });
    for (const [name, text] of texts) writeFileSync(join(folder, name), text);
  } catch (thrown) {
    throw new ReadFailure(`The files could not be written: ${(thrown as Error).message}`);
  }
  return [...texts.keys()].map((name) => join(folder, name));
}
