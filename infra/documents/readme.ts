/** Generates the list of functions in README.md from their definitions. `npm run generate` writes the list. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FunctionDefinition, FunctionTrigger } from "../../shared/middleware/definition.ts";
import { loadDefinitions } from "../definitions.ts";

export const README = join(import.meta.dirname, "..", "..", "README.md");

const BEGIN = "<!-- `npm run generate` writes this list from functions/*/function.ts -->";
const END = "<!-- end of the generated list -->";

/** Returns the text of README.md with an updated list of functions. */
export async function readmeText(): Promise<string> {
  const text = readFileSync(README, "utf8");
  const [before, rest] = text.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (after === undefined) throw new Error(`README.md: expected the lines ${BEGIN} and ${END}.`);
  return `${before}${BEGIN}\n\n${functionList(await loadDefinitions())}\n${END}${after}`;
}

/** Returns one list item per function. A table would need up to 60 spaces per row, and README.md must stay below its size. */
const functionList = (definitions: readonly FunctionDefinition[]): string =>
  definitions.map(({ name, trigger, summary }) => `- \`${name}\` (${describeTrigger(trigger)}): ${summary}\n`).join("");

function describeTrigger(trigger: FunctionTrigger): string {
  if (trigger.type === "timer") return "timer";
  if (trigger.type === "cts") return "audit event of CTS";
  if (trigger.method === "GET") return trigger.hasTimer ? "HTTP GET or timer" : "HTTP GET";
  return trigger.acceptsDirectCalls ? "HTTP POST or direct call" : "HTTP POST";
}
