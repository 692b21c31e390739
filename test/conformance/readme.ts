/** Inserts the table of the conformance run into `test/infra/local/README.md`. */
import { formatTable } from "./report.ts";

export const README_FILE = new URL("../infra/local/README.md", import.meta.url);

const BEGIN = "<!-- Written by `npm run conformance`. -->\n\n";
const END = "\n\n<!-- End of the written part. -->";

/** Returns the text of the README with the given table between the two markers. */
export function withTable(readme: string, rows: string[][]): string {
  const [before, rest] = readme.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error("test/infra/local/README.md: no place for the table");
  return before + BEGIN + formatTable(rows) + END + after;
}

/** Returns the rows of the table in the README, without its header. */
export function tableIn(readme: string): string[][] {
  const table = readme.split(BEGIN)[1]?.split(END)[0] ?? "";
  const rows = table.split("\n").map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
  return rows.slice(2);
}
