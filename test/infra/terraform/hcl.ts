/**
 * HashiCorp's own HCL parser, compiled to WebAssembly. Not imported by name: its types bring those of a browser with them, and
 * with these another `fetch` for the whole project.
 */
import { createRequire } from "node:module";

interface Parser {
  /** A file as JSON: blocks are lists of objects, expressions texts such as `${var.region}`. */
  // biome-ignore lint/suspicious/noExplicitAny: of every shape
  parse(name: string, text: string): Promise<any>;
  /** The syntax tree of one expression. */
  // biome-ignore lint/suspicious/noExplicitAny: of every shape
  getExpressionAst(name: string, expression: string): Promise<any>;
}

export const { parse, getExpressionAst }: Parser = createRequire(import.meta.filename)("@cdktf/hcl2json");
