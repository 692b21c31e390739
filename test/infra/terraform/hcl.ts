/**
 * Loads HashiCorp's HCL parser, which is compiled to WebAssembly. The types of the parser include browser types, which would change
 * the type of `fetch` in all files, so `require` loads the parser without types.
 */
import { createRequire } from "node:module";
import type { Expression } from "./expressions.ts";

interface Parser {
  /** Returns a Terraform file as JSON. Each block becomes an array of objects, each expression a string such as `${var.region}`. */
  // biome-ignore lint/suspicious/noExplicitAny: of every shape
  parse(name: string, text: string): Promise<any>;
  /** Returns the syntax tree of one expression. */
  // biome-ignore lint/suspicious/noExplicitAny: of every shape
  getExpressionAst(name: string, expression: string): Promise<any>;
}

const { parse, getExpressionAst }: Parser = createRequire(import.meta.filename)("@cdktf/hcl2json");

export { parse };

/** Parses a string such as `${expression}`. A string with several expressions is parsed as a heredoc. */
export async function parseExpression(text: string): Promise<Expression> {
  const whole = /^\$\{([\s\S]*)\}$/.exec(text)?.[1];
  const source = whole !== undefined && isBalanced(whole) ? whole : `<<TEXT\n${text}\nTEXT\n`;
  return { source, node: await getExpressionAst("expression.tf", source) };
}

/** Returns false if a closing brace precedes its opening brace, as in `a} and ${b`, which is the inside of `${a} and ${b}`. */
function isBalanced(text: string): boolean {
  let depth = 0;
  for (const sign of text) {
    depth += sign === "{" ? 1 : sign === "}" ? -1 : 0;
    if (depth < 0) return false;
  }
  return true;
}
