/** Generates the tables of README.md that repeat the definitions of the functions. `npm run generate` writes them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FunctionDefinition, FunctionTrigger } from "../../shared/middleware/definition.ts";
import { loadDefinitions } from "../definitions.ts";

export const README = join(import.meta.dirname, "..", "..", "README.md");

const BEGIN = "<!-- `npm run generate` writes this table from functions/*/function.ts -->";
const END = "<!-- end of the generated table -->";

/** Returns the text of README.md with an updated table of functions. */
export async function readmeText(): Promise<string> {
  const text = readFileSync(README, "utf8");
  const [before, rest] = text.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (after === undefined) throw new Error(`README.md: expected the lines ${BEGIN} and ${END}.`);
  return `${before}${BEGIN}\n\n${functionTable(await loadDefinitions())}\n${END}${after}`;
}

function functionTable(definitions: readonly FunctionDefinition[]): string {
  const rows = definitions.map(({ name, trigger, summary }) => [`\`${name}\``, describeTrigger(trigger), summary]);
  return formatTable([["function", "trigger", "what it does"], ...rows]);
}

function describeTrigger(trigger: FunctionTrigger): string {
  if (trigger.type === "timer") return "timer";
  if (trigger.type === "cts") return "audit event (CTS)";
  if (trigger.method === "GET") return trigger.hasTimer ? "HTTP GET or timer" : "HTTP GET";
  return trigger.acceptsDirectCalls ? "HTTP POST or invoke" : "HTTP POST";
}

/** Returns a Markdown table with aligned columns. The first row is the table header. */
function formatTable([head = [], ...rows]: string[][]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("");
}
