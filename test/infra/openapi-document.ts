/** Reads infra/openapi.json, and validates values by its schemas. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { withOurKeywords } from "../support/keywords.ts";

// biome-ignore lint/suspicious/noExplicitAny: a document and responses of many shapes
export type Any = any;

export const root = join(import.meta.dirname, "..", "..");
export const PATH = join(root, "infra", "openapi.json");
export const document: Any = JSON.parse(readFileSync(PATH, "utf8"));
export const names: string[] = Object.keys(document.paths).map((path) => path.slice(1));
export const methodOf = (name: string): "get" | "post" => (document.paths[`/${name}`].get ? "get" : "post");
/** Returns the parts of openapi.json that describe a function. */
export const operation = (name: string) => document.paths[`/${name}`][methodOf(name)];

/** Returns the value to which a `$ref` refers, or the value itself if it has no `$ref`. */
export const resolved = (value: Any): Any =>
  value?.$ref === undefined
    ? value
    : value.$ref
        .slice("#/".length)
        .split("/")
        .reduce((inside: Any, key: string) => inside[key], document);

/** Returns a schema in which each `$ref` is replaced with the schema to which it refers. */
export const expand = (schema: Any): Any => {
  const value = resolved(schema);
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expand(inner)]));
};

export const ajv = withOurKeywords(new Ajv2020({ strict: false, allErrors: true })).addSchema(document, "openapi.json");
export const pointer = (...keys: (string | number)[]) =>
  keys.map((key) => String(key).replaceAll("~", "~0").replaceAll("/", "~1")).join("/");

/** Validates a value against the JSON schema in openapi.json to which a JSON pointer leads. Returns the validation errors. */
export function faultsAt(place: string, value: unknown): unknown[] {
  const validate = ajv.compile({ $ref: `openapi.json#/${place}/content/application~1json/schema` });
  return validate(value) ? [] : (validate.errors ?? []);
}

const at = (name: string, ...keys: (string | number)[]) => pointer("paths", `/${name}`, methodOf(name), ...keys);

/** Returns the JSON pointer, in openapi.json, to the response that a function documents for an HTTP status. */
export const placeOf = (name: string, status: number) =>
  operation(name).responses[status].$ref?.slice("#/".length) ?? at(name, "responses", status);
