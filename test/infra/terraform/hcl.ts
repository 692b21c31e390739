/**
 * Loads HashiCorp's HCL parser, which is compiled to WebAssembly. The types of the parser include browser types, which would
 * change the type of `fetch` in all files. `require` therefore loads the parser without its types.
 */
import { createRequire } from "node:module";
import type { Expression } from "./expressions.ts";

interface Parser {
  /** Returns a Terraform file as JSON. A block is an array of objects. An expression is a string such as `${var.region}`. */
  // biome-ignore lint/suspicious/noExplicitAny: of every shape
  parse(name: string, text: string): Promise<any>;
  /** Returns the syntax tree of one expression. */
  // biome-ignore lint/suspicious/noExplicitAny: of every shape
  getExpressionAst(name: string, expression: string): Promise<any>;
}

const { parse, getExpressionAst }: Parser = createRequire(import.meta.filename)("@cdktf/hcl2json");

export { parse };

/** Parses a string such as `${a}`. If the string contains anything else, such as `${a} and ${b}`, parses it as a heredoc. */
export async function parseExpression(text: string): Promise<Expression> {
  const whole = /^\$\{([\s\S]*)\}$/.exec(text)?.[1];
  const source = whole !== undefined && isBalanced(whole) ? whole : `<<TEXT\n${text}\nTEXT\n`;
  return { source, node: await getExpressionAst("expression.tf", source) };
}

/** Returns false if a text closes a brace that it did not open. An example is `a} and ${b`, the inside of `${a} and ${b}`. */
function isBalanced(text: string): boolean {
  let depth = 0;
  for (const sign of text) {
    depth += sign === "{" ? 1 : sign === "}" ? -1 : 0;
    if (depth < 0) return false;
  }
  return true;
}
