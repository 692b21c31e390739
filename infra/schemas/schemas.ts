/**
 * Generates the schemas as plain objects, so the functions do not load the schema builder (TypeBox) at run time. For each
 * `functions/<name>/schema.ts`, `npm run generate` writes `schema.generated.js` and `schema.generated.d.ts`, which have the
 * same exports. The generated files are committed, and a test compares them with their sources.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const FUNCTIONS = join(import.meta.dirname, "..", "..", "functions");
const HEADER = "// Made from schema.ts by `npm run generate`. Do not edit.\n";

/** Returns the path and the text of every generated file. */
export async function generateSchemas(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of await readdir(FUNCTIONS)) {
    if (!existsSync(join(FUNCTIONS, name, "schema.ts"))) continue;
    const schemas: Record<string, object> = await import(pathToFileURL(join(FUNCTIONS, name, "schema.ts")).href);
    // Sort the exports by name, because the order of the exports differs if a test mocks the module.
    const variants = Object.keys(schemas)
      .filter((variant) => variant !== "default")
      .sort();
    const { parts, texts } = extractRepeatedParts(
      variants.map((variant) => JSON.parse(JSON.stringify(schemas[variant]))),
    );
    const values = variants.map((variant, index) => `export const ${variant} = ${texts[index]};\n`);
    const types = variants.map((variant) => `export const ${variant}: SchemaOf<Static<typeof schema.${variant}>>;\n`);
    files.set(join(FUNCTIONS, name, "schema.generated.js"), `${HEADER}${parts}${values.join("")}`);
    files.set(
      join(FUNCTIONS, name, "schema.generated.d.ts"),
      `${HEADER}import type { Static } from "typebox";
import type { SchemaOf } from "../../shared/validation/validate.ts";
import type * as schema from "./schema.ts";

${types.join("")}`,
    );
  }
  return files;
}

/**
 * Returns the schemas as JavaScript code. A part of a schema becomes a constant if it occurs several times and has at least 8
 * characters.
 */
function extractRepeatedParts(schemas: unknown[]): { parts: string; texts: string[] } {
  const counts = new Map<string, number>();
  const count = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    const text = JSON.stringify(value);
    counts.set(text, (counts.get(text) ?? 0) + 1);
    // If a part occurs again, do not count the values inside it again, because a constant already contains them.
    if (counts.get(text) === 1) Object.values(value).forEach(count);
  };
  schemas.forEach(count);
  const names = new Map<string, string>();
  const parts: string[] = [];
  const write = (value: unknown): string => {
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    const text = JSON.stringify(value);
    const name = names.get(text);
    if (name !== undefined) return name;
    const inner = Array.isArray(value)
      ? `[${value.map(write).join(",")}]`
      : `{${Object.entries(value)
          .map(([key, one]) => `${JSON.stringify(key)}:${write(one)}`)
          .join(",")}}`;
    if (text.length < 8 || (counts.get(text) ?? 0) < 2) return inner;
    names.set(text, `part${names.size}`);
    parts.push(`const ${names.get(text)} = ${inner};\n`);
    return names.get(text) as string;
  };
  const texts = schemas.map(write);
  return { parts: parts.join(""), texts };
}
