import { isObject, type JsonObject } from "../core/json.ts";
import { preview } from "../core/preview.ts";

/**
 * The JSON Schema keywords that this project's schemas use, and four additional ones. `maxLength` counts code points, as JSON
 * Schema defines it. A test compares the result for arbitrary values with that of ajv.
 */
export interface Schema {
  type?: string | string[];
  enum?: readonly unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  minProperties?: number;
  /** Names fields of which at least one is required. */
  "x-required-any-of"?: string[];
  items?: Schema;
  minItems?: number;
  /** Rejects an id that occurs twice. Upper and lower case are the same id. */
  "x-unique-ids"?: boolean;
  minLength?: number;
  maxLength?: number;
  /** Limits the UTF-8 bytes of a string. */
  "x-max-bytes"?: number;
  pattern?: string;
  /** Describes the pattern in words. */
  "x-expected"?: string;
  allOf?: Schema[];
  minimum?: number;
  maximum?: number;
  /** Selects the schema of `oneOf` whose property of this name has the same constant as the value. */
  discriminator?: { propertyName: string };
  oneOf?: Schema[];
}

/** A schema whose valid values have the type `Body`. */
export interface SchemaOf<Body> extends Schema {
  readonly body?: Body;
}

// A body of 1 MiB can have half a million faults, and a function has 128 MB of memory. The response and two records repeat the
// faults. Both their number and their length are therefore limited.
const MAX_FAULTS = 200;
const MAX_CHARACTERS = 32 * 1024;
/** The maximum number of items of an array or fields of an object. */
const MAX_ENTRIES = 10_000;

/**
 * Validates a value against a schema.
 *
 * @param path the path of the value, which the faults begin with
 * @returns the faults as `path: expected ..., got ....`, or an empty array. At most 200 faults with 32 KiB of text are
 *   returned; if there are more, the last entry says so.
 */
export function validate(schema: Schema, value: unknown, path = ""): string[] {
  // Two parts of a schema can report the same fault.
  const faults = new Set<string>();
  let room = MAX_CHARACTERS;
  for (const found of check(schema, value, path)) {
    if (faults.has(found)) continue;
    room -= found.length;
    if (faults.size === MAX_FAULTS || room < 0) {
      return [...faults, `Validation stopped after ${faults.size} faults. There are more.`];
    }
    faults.add(found);
  }
  return [...faults];
}

/**
 * Yields the faults of a value one by one, so the caller can stop. Recursion follows the schema and never the value,
 * which can be nested so deeply that it exceeds the call stack.
 *
 * @param subject a prefix of the expected value, such as `a key of ` if the value is the name of a field
 */
function* check(schema: Schema, value: unknown, path: string, subject = ""): Generator<string> {
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  if (types !== undefined && !types.some((type) => TYPES[type]?.is(value))) {
    yield fault(path, types.map((type) => TYPES[type]?.words).join(" or "), preview(value));
    return;
  }
  for (const part of schema.allOf ?? []) yield* check(part, value, path);
  const allowed = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (allowed !== undefined && !allowed.includes(value)) {
    yield fault(path, allowed.map((constant) => JSON.stringify(constant)).join(" or "), preview(value));
  }
  if (typeof value === "string") yield* checkString(schema, value, path, subject);
  else if (typeof value === "number") yield* checkNumber(schema, value, path);
  else if (Array.isArray(value)) yield* checkArray(schema, value, path);
  else if (isObject(value)) yield* checkObject(schema, value, path);
}

const TYPES: Record<string, { is(value: unknown): boolean; words: string }> = {
  object: { is: isObject, words: "an object" },
  array: { is: Array.isArray, words: "an array" },
  string: { is: (value) => typeof value === "string", words: "a string" },
  boolean: { is: (value) => typeof value === "boolean", words: "true or false" },
  integer: { is: Number.isInteger, words: "an integer" },
  null: { is: (value) => value === null, words: "null" },
};

const fault = (path: string, expected: string, got: string | number): string =>
  `${path || "body"}: expected ${expected}, got ${got}.`;

const atLeast = (limit: number, unit: string) => `at least ${limit} ${unit}${limit === 1 ? "" : "s"}`;

function* checkString(schema: Schema, value: string, path: string, subject: string): Generator<string> {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = schema;
  const maxBytes = schema["x-max-bytes"] ?? Number.POSITIVE_INFINITY;
  let length = 0;
  for (const _ of value) length += 1;
  const bytes = Buffer.byteLength(value);
  if (length < minLength) yield fault(path, subject + atLeast(minLength, "character"), length);
  if (length > maxLength) yield fault(path, `${subject}at most ${maxLength} characters`, length);
  if (bytes > maxBytes) yield fault(path, `${subject}at most ${maxBytes} bytes of UTF-8`, bytes);
  if (pattern !== undefined && !new RegExp(pattern, "u").test(value)) {
    yield fault(path, schema["x-expected"] ?? pattern, preview(value));
  }
}

function* checkNumber({ minimum = -Infinity, maximum = Infinity }: Schema, value: number, path: string) {
  if (value < minimum) yield fault(path, `at least ${minimum}`, value);
  if (value > maximum) yield fault(path, `at most ${maximum}`, value);
}

function* checkArray(schema: Schema, array: unknown[], path: string): Generator<string> {
  const { minItems = 0, items } = schema;
  if (array.length > MAX_ENTRIES) {
    yield fault(path, `at most ${MAX_ENTRIES} items`, array.length);
    return;
  }
  if (array.length < minItems) yield fault(path, atLeast(minItems, "item"), array.length);
  if (items !== undefined) {
    for (const [index, item] of array.entries()) yield* check(items, item, `${path}[${index}]`);
  }
  const indexes = new Map<string, number>();
  for (const [index, id] of schema["x-unique-ids"] ? array.entries() : []) {
    if (typeof id !== "string") continue;
    const lowerCase = id.toLowerCase();
    const earlier = indexes.get(lowerCase);
    if (earlier !== undefined) {
      yield fault(path, "each item once", `the same in items ${earlier} and ${index}`);
      break;
    }
    indexes.set(lowerCase, index);
  }
}

function* checkObject(schema: Schema, object: JsonObject, path: string): Generator<string> {
  const { properties = {}, required = [], additionalProperties: others = true, propertyNames, oneOf = [] } = schema;
  const { minProperties = 0, "x-required-any-of": anyOf } = schema;
  const at = (name: string) => `${path}${path && "."}${name.slice(0, 64)}` || '""';
  const has = (name: string) => Object.hasOwn(object, name) && object[name] !== undefined;
  const names = Object.keys(object);
  if (names.length > MAX_ENTRIES) {
    yield fault(path, `at most ${MAX_ENTRIES} fields`, names.length);
    return;
  }
  for (const name of required) if (!has(name)) yield `${at(name)}: required, but missing.`;
  if (names.length < minProperties) yield fault(path, atLeast(minProperties, "field"), names.length);
  if (anyOf !== undefined && !anyOf.some(has)) yield fault(path, anyOf.join(" or "), "neither");
  for (const name of names) {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (own === undefined && others === false) {
      yield `${at(name)}: unknown field. Allowed: ${Object.keys(properties).join(", ")}.`;
    }
    if (propertyNames !== undefined) yield* check(propertyNames, name, at(name), "a key of ");
    const inner = own ?? (typeof others === "object" ? others : undefined);
    if (inner !== undefined && object[name] !== undefined) yield* check(inner, object[name], at(name));
  }
  const tag = schema.discriminator?.propertyName ?? "";
  const chosen = oneOf.find((branch) => branch.properties?.[tag]?.const === object[tag]);
  if (chosen !== undefined) yield* check(chosen, object, path);
}
