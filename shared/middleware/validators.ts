/**
 * Makes a validator from each schema, so that no schema compiler is loaded at run time: `functions/<name>/schema.ts` ->
 * `validate.generated.js` and its types, one export for each of the schema's. `npm run generate` writes the files; they
 * are committed, and a test makes them anew and compares.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Ajv, { _ } from "ajv";
import standaloneCode from "ajv/dist/standalone/index.js";

const FUNCTIONS = join(__dirname, "..", "..", "functions");

function compiler() {
  const ajv = new Ajv({
    allErrors: true,
    discriminator: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    validateFormats: false,
    messages: false,
    // The faults are put into words by validation.ts.
    code: { source: true, esm: true, lines: true },
  });
  // `maxLength`, `minLength` and `pattern` in code of their own: ajv's would load a part of ajv at run time.
  for (const keyword of ["maxLength", "minLength", "pattern", "enum"]) ajv.removeKeyword(keyword);
  ajv.addKeyword({
    keyword: "maxLength",
    type: "string",
    schemaType: "number",
    error: { message: "", params: ({ schema }) => _`{limit: ${schema}}` },
    code: (cxt) => cxt.fail(_`${cxt.data}.length > ${cxt.schema} && [...${cxt.data}].length > ${cxt.schema}`),
  });
  ajv.addKeyword({
    keyword: "minLength",
    type: "string",
    schemaType: "number",
    error: { message: "", params: ({ schema }) => _`{limit: ${schema}}` },
    code: (cxt) => cxt.fail(_`[...${cxt.data}].length < ${cxt.schema}`),
  });
  ajv.addKeyword({
    keyword: "x-max-bytes",
    type: "string",
    schemaType: "number",
    error: { message: "", params: ({ schema }) => _`{limit: ${schema}}` },
    code: (cxt) => cxt.fail(_`Buffer.byteLength(${cxt.data}) > ${cxt.schema}`),
  });
  ajv.addKeyword({
    keyword: "pattern",
    type: "string",
    schemaType: "string",
    error: { message: "", params: ({ it }) => _`{expected: ${(it.schema as { "x-expected": string })["x-expected"]}}` },
    code: (cxt) => cxt.fail(_`!new RegExp(${cxt.schema}, "u").test(${cxt.data})`),
  });
  ajv.addKeyword({
    keyword: "x-required-any-of",
    type: "object",
    schemaType: "array",
    error: { message: "", params: ({ schema }) => _`{expected: ${(schema as string[]).join(" or ")}}` },
    code: (cxt) => {
      const none = (cxt.schema as string[]).map((name) => _`${cxt.data}[${name}] === undefined`);
      cxt.fail(none.reduce((all, one) => _`${all} && ${one}`));
    },
  });
  ajv.addKeyword({
    keyword: "x-unique-ids",
    type: "array",
    schemaType: "boolean",
    error: { message: "", params: () => _`{}` },
    code: (cxt) => cxt.fail(_`new Set(${cxt.data}.map((id) => String(id).toLowerCase())).size < ${cxt.data}.length`),
  });
  ajv.addKeyword({
    keyword: "enum",
    schemaType: "array",
    error: {
      message: "",
      params: ({ schema }) => _`{expected: ${(schema as string[]).map((one) => JSON.stringify(one)).join(" or ")}}`,
    },
    code: (cxt) =>
      cxt.fail(
        (cxt.schema as string[]).map((one) => _`${cxt.data} !== ${one}`).reduce((all, one) => _`${all} && ${one}`),
      ),
  });
  ajv.addKeyword("x-expected");
  return ajv;
}

/**
 * ajv's code makes an object of each fault in nine lines. Shortened to one call of `fault`: a third of the bytes, which
 * are loaded at every cold start.
 */
function shorten(code: string): string {
  const schemas = new Map<string, unknown>();
  const short = code
    .replace(/^"use strict";\n/m, "")
    .replace(/^const (schema\d+) = (.*);$\n/gm, (_line, name, schema) => {
      schemas.set(name, JSON.parse(schema));
      return "";
    })
    // A list of types or of words is a reference into the schema: what it refers to, in its place.
    .replace(/\b(schema\d+)((?:\.\w+)+)/g, (_reference, name, path: string) => {
      const value = path
        .slice(1)
        .split(".")
        .reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], schemas.get(name));
      return JSON.stringify(value);
    })
    .replaceAll(
      "let vErrors = null;\nlet errors = 0;",
      "let vErrors = null;\nlet errors = 0;\nconst fault = (path, keyword, params, name) => {\n(vErrors ??= []).push({ path, keyword, params, name });\nerrors++;\n};",
    )
    .replace(
      /const (err\d+) = \{instancePath(?::instancePath\+)?(.*?),schemaPath:".*?",keyword:(".*?"),params:(.*?)(?:,propertyName: ?(\w+))?\};\nif\(vErrors === null\)\{\nvErrors = \[\1\];\n\}\nelse \{\nvErrors\.push\(\1\);\n\}\nerrors\+\+;/g,
      (_whole, _name, path, keyword, params, propertyName) =>
        `fault(${[path || '""', keyword, params, ...(propertyName ? [propertyName] : [])].join(", ")});`,
    )
    .replace(/\(data, \{instancePath="".*?=\{\}\)/g, "(data)");
  if (/schemaPath|instancePath|\bschema\d|\brequire\(/.test(short))
    throw new Error(`Expected to shorten every fault of ajv's code; left:\n${short}`);
  return short;
}

const HEAD = "// Made from schema.ts by `npm run generate`. Do not edit.\n";

/** Path -> text of every generated file. */
export async function generateValidators(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of await readdir(FUNCTIONS)) {
    if (!existsSync(join(FUNCTIONS, name, "schema.ts"))) continue;
    const schemas: Record<string, object> = await import(pathToFileURL(join(FUNCTIONS, name, "schema.ts")).href);
    // In order of their names: a module lists them so, what stands in for one under test may not.
    const variants = Object.keys(schemas)
      .filter((variant) => variant !== "default")
      .sort();
    const ajv = compiler();
    for (const variant of variants) ajv.addSchema(JSON.parse(JSON.stringify(schemas[variant])), variant);
    const code = standaloneCode(ajv, Object.fromEntries(variants.map((variant) => [variant, variant])));
    const types = variants.map((variant) => `export const ${variant}: Validator<Static<typeof schema.${variant}>>;\n`);
    files.set(join(FUNCTIONS, name, "validate.generated.js"), `${HEAD}${shorten(code)}\n`);
    files.set(
      join(FUNCTIONS, name, "validate.generated.d.ts"),
      `${HEAD}import type { Static } from "typebox";
import type { Validator } from "../../shared/middleware/validation.ts";
import type * as schema from "./schema.ts";

${types.join("")}`,
    );
  }
  return files;
}
