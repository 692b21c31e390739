import { isObject, type JsonObject } from "../core/json.ts";
import { preview } from "../core/preview.ts";

/**
 * A JSON Schema with only the keywords that this project uses, and four additional keywords that begin with `x-`. A test
 * compares the results of `validate` for arbitrary values with the results of ajv.
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
  /** Requires at least one of the named fields. */
  "x-required-any-of"?: string[];
  items?: Schema;
  minItems?: number;
  /**
   * If true, rejects an array that contains the same id twice. Ids that differ only in upper and lower case are the same
   * id.
   */
  "x-unique-ids"?: boolean;
  minLength?: number;
  /** The maximum length of a string in Unicode code points, as JSON Schema defines it. */
  maxLength?: number;
  /** The maximum length of a string in UTF-8 bytes. */
  "x-max-bytes"?: number;
  pattern?: string;
  /** Describes in words what `pattern` accepts, for error messages, such as `a UUID`. */
  "x-expected"?: string;
  allOf?: Schema[];
  minimum?: number;
  maximum?: number;
  /** Names the property that selects one schema in `oneOf`. Each schema in `oneOf` requires a different value for it. */
  discriminator?: { propertyName: string };
  oneOf?: Schema[];
}

/** A schema whose valid values have the type `Body`. */
export interface SchemaOf<Body> extends Schema {
  readonly body?: Body;
}

/**
 * The maximum number of faults that `validate` returns. A body of 1 MiB can have half a million faults. The response and
 * two records repeat the faults, and a function has only 128 MB of memory.
 */
const MAX_FAULTS = 200;
/**
 * The maximum total length of the faults that `validate` returns, in characters. 200 faults with long strings would take too
 * much memory.
 */
const MAX_FAULT_CHARACTERS = 32 * 1024;
/** The maximum number of items in a valid array, and of fields in a valid object. */
const MAX_ENTRIES = 10_000;

/**
 * Validates a value against a schema.
 *
 * @param path the path of the value, with which each message begins
 * @returns one message per fault, such as `snapshot.name: expected a string, got the number 7.`. Returns at most 200
 *   messages with 32 KiB of text. If there are more faults, the last message says so.
 */
export function validate(schema: Schema, value: unknown, path = ""): string[] {
  // Use a set, because two parts of a schema can report the same fault.
  const faults = new Set<string>();
  let remainingCharacters = MAX_FAULT_CHARACTERS;
  for (const found of findFaults(schema, value, path)) {
    if (faults.has(found)) continue;
    remainingCharacters -= found.length;
    if (faults.size === MAX_FAULTS || remainingCharacters < 0) {
      return [...faults, `Validation stopped after ${faults.size} faults. There are more.`];
    }
    faults.add(found);
  }
  return [...faults];
}

/**
 * Yields the faults in a value one at a time, so the caller can stop early. The recursion goes only as deep as the schema.
 * A recursion as deep as the value could overflow the call stack.
 *
 * @param subject a prefix for the expected value in messages: `a key of ` if the value is the name of a field, or else an
 *   empty string
 */
function* findFaults(schema: Schema, value: unknown, path: string, subject = ""): Generator<string> {
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  if (types !== undefined && !types.some((type) => TYPES[type]?.is(value))) {
    yield fault(path, types.map((type) => TYPES[type]?.words).join(" or "), preview(value));
    return;
  }
  for (const part of schema.allOf ?? []) yield* findFaults(part, value, path);
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
  const { minLength = 0, maxLength = Infinity, pattern } = schema;
  const maxBytes = schema["x-max-bytes"] ?? Infinity;
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
    for (const [index, item] of array.entries()) yield* findFaults(items, item, `${path}[${index}]`);
  }
  const indexes = new Map<string, number>();
  for (const [index, id] of schema["x-unique-ids"] ? array.entries() : []) {
    if (typeof id !== "string") continue;
    const lowerCase = id.toLowerCase();
    const earlier = indexes.get(lowerCase);
    if (earlier !== undefined) {
      yield fault(path, "each item once", `the same id in items ${earlier} and ${index}`);
      break;
    }
    indexes.set(lowerCase, index);
  }
}

function* checkObject(schema: Schema, object: JsonObject, path: string): Generator<string> {
  const { properties = {}, required = [], additionalProperties: additional = true, propertyNames, oneOf = [] } = schema;
  const { minProperties = 0, "x-required-any-of": anyOf } = schema;
  const pathOf = (name: string) => `${path}${path && "."}${name.slice(0, 64)}` || '""';
  const isPresent = (name: string) => Object.hasOwn(object, name) && object[name] !== undefined;
  const names = Object.keys(object);
  if (names.length > MAX_ENTRIES) {
    yield fault(path, `at most ${MAX_ENTRIES} fields`, names.length);
    return;
  }
  for (const name of required) if (!isPresent(name)) yield `${pathOf(name)}: required, but missing.`;
  if (names.length < minProperties) yield fault(path, atLeast(minProperties, "field"), names.length);
  if (anyOf !== undefined && !anyOf.some(isPresent)) yield fault(path, anyOf.join(" or "), "neither");
  for (const name of names) {
    const declared = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (declared === undefined && additional === false) {
      yield `${pathOf(name)}: unknown field. Allowed: ${Object.keys(properties).join(", ")}.`;
    }
    if (propertyNames !== undefined) yield* findFaults(propertyNames, name, pathOf(name), "a key of ");
    const fieldSchema = declared ?? (typeof additional === "object" ? additional : undefined);
    if (fieldSchema !== undefined && object[name] !== undefined)
      yield* findFaults(fieldSchema, object[name], pathOf(name));
  }
  const tag = schema.discriminator?.propertyName ?? "";
  const chosen = oneOf.find((branch) => branch.properties?.[tag]?.const === object[tag]);
  if (chosen !== undefined) yield* findFaults(chosen, object, path);
}
