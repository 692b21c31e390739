import { isObject, type JsonObject } from "../snapshots/json.ts";

/**
 * JSON Schema, as far as this project's schemas use it, with four keywords more: `x-expected` says what a pattern means,
 * `x-max-bytes` counts UTF-8 bytes where a seed says bytes, `x-required-any-of` names fields of which one must be there,
 * `x-unique-ids` wants each id once, in whichever case. `maxLength` counts code points, as JSON Schema has it and where a
 * seed says characters. A test holds every keyword, and the verdict on arbitrary values, against ajv.
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
  "x-required-any-of"?: string[];
  items?: Schema;
  minItems?: number;
  "x-unique-ids"?: boolean;
  minLength?: number;
  maxLength?: number;
  "x-max-bytes"?: number;
  pattern?: string;
  "x-expected"?: string;
  allOf?: Schema[];
  minimum?: number;
  maximum?: number;
  /** Which of `oneOf` is meant: the one whose property of this name has the value's constant. */
  discriminator?: { propertyName: string };
  oneOf?: Schema[];
}

/** A schema that what it lets pass is of a type. */
export interface SchemaOf<Body> extends Schema {
  readonly body?: Body;
}

/**
 * Every fault of a value, each as `path: expected ..., got ....`; none: it is as the schema says. A schema is data here:
 * there is nothing to compile, and a fault is put into words where it is found.
 */
export function faultsOf(schema: Schema, value: unknown, path = ""): string[] {
  const type = schema.type;
  if (type !== undefined && ![type].flat().some((one) => TYPES[one]?.is(value))) {
    return [
      fault(
        path,
        [type]
          .flat()
          .map((one) => TYPES[one]?.says)
          .join(" or "),
        shown(value),
      ),
    ];
  }
  return [
    ...always(schema, value, path),
    ...(typeof value === "string" ? ofText(schema, value, path) : []),
    ...(typeof value === "number" ? ofNumber(schema, value, path) : []),
    ...(Array.isArray(value) ? ofList(schema, value, path) : []),
    ...(isObject(value) ? ofObject(schema, value, path) : []),
  ];
}

const TYPES: Record<string, { is(value: unknown): boolean; says: string }> = {
  object: { is: isObject, says: "an object" },
  array: { is: Array.isArray, says: "a list" },
  string: { is: (value) => typeof value === "string", says: "a text" },
  boolean: { is: (value) => typeof value === "boolean", says: "true or false" },
  integer: { is: Number.isInteger, says: "a whole number" },
  null: { is: (value) => value === null, says: "null" },
};

const fault = (path: string, expected: string, got: string | number): string =>
  `${path || "body"}: expected ${expected}, got ${got}.`;

const many = (limit: number, one: string, more: string) => `${limit} ${limit === 1 ? one : more}`;

function always({ enum: words, const: word, allOf = [] }: Schema, value: unknown, path: string): string[] {
  const allowed = words ?? (word === undefined ? undefined : [word]);
  const faults = allOf.flatMap((schema) => faultsOf(schema, value, path));
  if (allowed !== undefined && !allowed.includes(value)) {
    faults.push(fault(path, allowed.map((one) => JSON.stringify(one)).join(" or "), shown(value)));
  }
  return faults;
}

function ofText(schema: Schema, value: string, path: string): string[] {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = schema;
  const most = schema["x-max-bytes"] ?? Number.POSITIVE_INFINITY;
  const faults: string[] = [];
  const length = [...value].length;
  const bytes = Buffer.byteLength(value);
  if (length < minLength)
    faults.push(fault(path, `at least ${many(minLength, "character", "characters")}`, shown(value)));
  if (length > maxLength) faults.push(fault(path, `at most ${maxLength} characters`, length));
  if (bytes > most) faults.push(fault(path, `at most ${most} bytes of UTF-8`, bytes));
  if (pattern !== undefined && !new RegExp(pattern, "u").test(value)) {
    faults.push(fault(path, schema["x-expected"] ?? pattern, shown(value)));
  }
  return faults;
}

function ofNumber({ minimum = -Infinity, maximum = Infinity }: Schema, value: number, path: string): string[] {
  if (value < minimum) return [fault(path, `a number from ${minimum}`, value)];
  return value > maximum ? [fault(path, `a number up to ${maximum}`, value)] : [];
}

function ofList(schema: Schema, list: unknown[], path: string): string[] {
  const { minItems = 0, items = {} } = schema;
  const faults = list.flatMap((item, place) => faultsOf(items, item, `${path}[${place}]`));
  if (list.length < minItems) {
    faults.push(fault(path, `at least ${many(minItems, "entry", "entries")}`, shown(list)));
  }
  const places = new Map<string, number>();
  for (const [place, id] of schema["x-unique-ids"] ? list.entries() : []) {
    if (typeof id !== "string") continue;
    const same = id.toLowerCase();
    const earlier = places.get(same);
    if (earlier !== undefined) {
      faults.push(fault(path, "each entry once", `entries ${earlier} and ${place} alike`));
      break;
    }
    places.set(same, place);
  }
  return faults;
}

function ofObject(schema: Schema, object: JsonObject, path: string): string[] {
  const { properties = {}, required = [], additionalProperties: others = true, propertyNames, oneOf = [] } = schema;
  const anyOf = schema["x-required-any-of"];
  const at = (name: string) => `${path}${path && "."}${name.slice(0, 64)}`;
  const has = (name: string) => Object.hasOwn(object, name) && object[name] !== undefined;
  const faults = required.filter((name) => !has(name)).map((name) => fault(at(name), "a value", "nothing"));
  const entries = Object.entries(object);
  const known = Object.keys(properties).join(", ");
  const { minProperties = 0 } = schema;
  if (entries.length < minProperties) {
    faults.push(fault(path, `at least ${many(minProperties, "entry", "entries")}`, shown(object)));
  }
  if (anyOf !== undefined && !anyOf.some(has)) faults.push(fault(path, anyOf.join(" or "), "neither"));
  for (const [name, value] of entries) {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (own === undefined && others === false) faults.push(fault(at(name), `a field out of ${known}`, shown(name)));
    if (propertyNames !== undefined) {
      faults.push(...faultsOf(propertyNames, name, at(name)).map((one) => one.replace(/, got /, " as its name, got ")));
    }
    // What is refused is not looked into: it may be as deep as it likes.
    if (value !== undefined && (own !== undefined || others !== false))
      faults.push(...faultsOf(own ?? (others === true || others === false ? {} : others), value, at(name)));
  }
  const tag = schema.discriminator?.propertyName ?? "";
  const chosen = oneOf.find(({ properties: inner }) => inner?.[tag]?.const === object[tag]);
  return chosen === undefined ? faults : [...faults, ...faultsOf(chosen, object, path)];
}

/** The beginning of what came: enough to recognise it. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return "an object";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
