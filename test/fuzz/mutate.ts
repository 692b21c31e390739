/** Changes response bodies at random: removes, retypes, renames, repeats, enlarges and nests fields. */
import { DATES, NAMES, NUMBERS, STATUSES, STRINGS } from "./odd-values.ts";
import type { Random } from "./random.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const UNITS = { kib: 1024, mib: 1024 * 1024 } as const;

/** The input for random changes of a response body. `ids` contains ids that may replace the ids in the body. */
export interface Mutation {
  random: Random;
  ids: readonly string[];
}

/** Returns a copy of the response body with one to five changes. */
export function mutate(response: Json | undefined, mutation: Mutation): Json | undefined {
  const { random } = mutation;
  if (response === undefined) return arbitraryJson(random, 2);
  const root: { [name: string]: Json } = { response: structuredClone(response) };
  for (let changes = random.pick([1, 1, 1, 2, 2, 3, 5]); changes > 0; changes -= 1) change(root, mutation);
  return root.response;
}

/** Changes one value at a random depth. */
function change(root: { [name: string]: Json }, mutation: Mutation): void {
  const { random } = mutation;
  let parent: Json[] | { [name: string]: Json } = root;
  let name = "response";
  for (;;) {
    const value = valueAt(parent, name);
    const inside = typeof value === "object" && value !== null ? Object.keys(value) : [];
    if (inside.length === 0 || random.chance(0.25)) break;
    parent = value as typeof parent;
    name = random.pick(inside);
  }
  const value = valueAt(parent, name);
  const kind = random.weighted({
    replace: 50,
    drop: 14,
    rename: 10,
    add: 10,
    rows: Array.isArray(value) ? 40 : 4,
    nest: 5,
  });
  if (kind === "replace") setAt(parent, name, otherValue(value, mutation));
  else if (kind === "drop") dropAt(parent, name);
  else if (kind === "nest") setAt(parent, name, nested(value, random));
  else if (kind === "rename" && !Array.isArray(parent)) {
    dropAt(parent, name);
    setAt(parent, random.chance(0.3) ? name.toUpperCase() : random.pick(NAMES), value);
  } else if (kind === "rows") setAt(parent, name, Array.isArray(value) ? otherRows(value, mutation) : [value, value]);
  else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    setAt(value, random.pick(NAMES), otherValue(null, mutation));
  }
}

type Parent = Json[] | { [name: string]: Json };

const valueAt = (parent: Parent, name: string): Json => (parent as { [name: string]: Json })[name] as Json;

/** Sets an own property of an object, even if the name of the property is `__proto__`. */
function setAt(parent: Parent, name: string, value: Json): void {
  Object.defineProperty(parent, name, { value, enumerable: true, configurable: true, writable: true });
}

function dropAt(parent: Parent, name: string): void {
  if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else delete parent[name];
}

function otherValue(value: Json, mutation: Mutation): Json {
  const { random, ids } = mutation;
  const kind = random.weighted({
    null: 10,
    retype: 18,
    text: 16,
    id: 10,
    status: 10,
    date: 10,
    number: 10,
    huge: 4,
    arbitrary: 10,
    twist: 10,
  });
  switch (kind) {
    case "null":
      return null;
    case "retype":
      return retyped(value, random);
    case "text":
      return random.pick(STRINGS);
    case "id":
      return random.chance(0.4) || ids.length === 0 ? random.uuid() : random.pick(ids);
    case "status":
      return random.pick(STATUSES);
    case "date":
      return random.pick(DATES);
    case "number":
      return random.chance(0.5) ? random.pick(NUMBERS) : random.int(0, 100_000);
    case "huge":
      return hugeText(random, random.pick([2, 20, 80, 300]) * UNITS.kib);
    case "arbitrary":
      return arbitraryJson(random, 3);
    case "twist":
      return twisted(value, mutation);
  }
}

/** Returns a value that has the same type as `value` and differs from it slightly. */
function twisted(value: Json, { random }: Mutation): Json {
  if (typeof value === "number") return random.pick([value + 1, value - 1, value * 1000, -value, value + 0.5]);
  if (typeof value === "boolean") return !value;
  if (typeof value !== "string") return value;
  const at = random.int(0, value.length);
  return random.pick([
    value.toUpperCase(),
    ` ${value}`,
    `${value}\n`,
    value.slice(0, at),
    `${value.slice(0, at)}${random.pick(STRINGS)}${value.slice(at)}`,
    value.replaceAll("-", ""),
    value + value,
  ]);
}

function retyped(value: Json, random: Random): Json {
  switch (random.int(0, 5)) {
    case 0:
      return typeof value === "object" ? "[object Object]" : String(value);
    case 1:
      return typeof value === "object" ? random.pick([true, false, 0, 1]) : Number(value) || random.int(-1, 9);
    case 2:
      return [value];
    case 3:
      return { value };
    case 4:
      return Array.isArray(value) ? Object.fromEntries(value.slice(0, 50).entries()) : Object.values(Object(value));
    default:
      return random.chance(0.5);
  }
}

function otherRows(rows: Json[], mutation: Mutation): Json[] {
  const { random } = mutation;
  const some = () => rows.filter(() => random.chance(0.5));
  switch (random.int(0, 6)) {
    case 0:
      return [];
    case 1:
      return some();
    case 2:
      return [...rows, ...some()];
    case 3:
      return [...rows].reverse();
    case 4:
      return [...rows, ...Array.from({ length: random.int(1, 3) }, () => arbitraryJson(random, 2))];
    case 5:
      return manyRows(rows, random.pick([10, 100, 1_000]), mutation);
    default:
      return rows.map((row) => (random.chance(0.5) ? otherValue(row, mutation) : row));
  }
}

/** The maximum total length in characters of the rows that `manyRows` returns. */
const MAX_ROWS_SIZE = 24 * UNITS.mib;

/** Returns `count` copies of the first row, or fewer if they would be too large. Each copy has a new id. */
export function manyRows(rows: readonly Json[], count: number, { random }: Pick<Mutation, "random">): Json[] {
  const [template = { id: "", status: "available" }] = rows.filter((row) => typeof row === "object" && row !== null);
  const length = Math.min(count, Math.ceil(MAX_ROWS_SIZE / JSON.stringify(template).length));
  return Array.from({ length }, () => ({ ...(template as object), id: random.uuid() }));
}

function nested(value: Json, random: Random): Json {
  let inner = value;
  const array = random.chance(0.5);
  for (let levels = random.pick([1, 3, 30, 800]); levels > 0; levels -= 1) inner = array ? [inner] : { error: inner };
  return inner;
}

/** Returns a string with the given number of characters. */
export function hugeText(random: Random, length: number): string {
  const piece = random.pick([
    "x",
    "ab ",
    "\u00e4",
    "\n",
    "\u0000",
    "\\",
    '"',
    "%41",
    "&amp;",
    "A1b2C3d4",
    "{[",
    "\u2028",
  ]);
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
}

/** Returns a random JSON value with at most `levels` levels of nesting. */
export function arbitraryJson(random: Random, levels: number): Json {
  const kind = random.weighted({ text: 3, number: 2, word: 2, array: levels, object: levels * 2 });
  if (kind === "text") return random.pick([...STRINGS, ...STATUSES, ...DATES]);
  if (kind === "number") return random.pick(NUMBERS);
  if (kind === "word") return random.pick([null, true, false]);
  const inside = Array.from({ length: random.int(0, 4) }, () => arbitraryJson(random, levels - 1));
  if (kind === "array") return inside;
  const object: { [name: string]: Json } = {};
  for (const value of inside) setAt(object, random.pick(NAMES), value);
  return object;
}
