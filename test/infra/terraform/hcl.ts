/**
 * Loads HashiCorp's own HCL parser, which is compiled to WebAssembly. It is not imported by name, because its types include those
 * of a browser, which would change the type of `fetch` for the whole project.
 */
import { createRequire } from "node:module";
import type { Expression } from "./expressions.ts";

interface Parser {
  /** Returns a file as JSON. Blocks are lists of objects, expressions are strings such as `${var.region}`. */
  // biome-ignore lint/suspicious/noExplicitAny: of every shape
  parse(name: string, text: string): Promise<any>;
  /** Returns the syntax tree of one expression. */
  // biome-ignore lint/suspicious/noExplicitAny: of every shape
  getExpressionAst(name: string, expression: string): Promise<any>;
}

const { parse, getExpressionAst }: Parser = createRequire(import.meta.filename)("@cdktf/hcl2json");

export { parse };

/** Parses `${expression}`. A text with several expressions is parsed as a heredoc. */
export async function parseExpression(text: string): Promise<Expression> {
  const whole = /^\$\{([\s\S]*)\}$/.exec(text)?.[1];
  const source = whole !== undefined && isBalanced(whole) ? whole : `<<TEXT\n${text}\nTEXT\n`;
  return { source, node: await getExpressionAst("expression.tf", source) };
}

/** Returns whether braces are balanced, which they are not in the inside of `${a} and ${b}`. */
function isBalanced(text: string): boolean {
  let depth = 0;
  for (const sign of text) {
    depth += sign === "{" ? 1 : sign === "}" ? -1 : 0;
    if (depth < 0) return false;
  }
  return true;
}
