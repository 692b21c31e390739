/** Implements the built-in Terraform functions that infra/terraform uses. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

const ROOT = join(import.meta.dirname, "..", "..", "..");

const unique = (list: Any[]): Any[] => [...new Set(list)];
const sorted = (list: Any[]): Any[] => [...list].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
const isEmpty = (value: Any) => value === null || value === "";

export const FUNCTIONS: Record<string, (...args: Any[]) => Any> = {
  alltrue: (list: boolean[]) => list.every((one) => one === true),
  base64encode: (text: string) => Buffer.from(text).toString("base64"),
  ceil: Math.ceil,
  coalesce: (...values) =>
    required(
      values.find((one) => !isEmpty(one)),
      "a value that is neither null nor empty",
    ),
  concat: (...lists) => lists.flat(1),
  contains: (list: Any[], value) => list.includes(value),
  distinct: unique,
  endswith: (text: string, suffix: string) => text.endsWith(suffix),
  element: (list: Any[], index: number) => list[index % list.length],
  file: (path: string) => readFileSync(join(ROOT, path), "utf8"),
  // The tests compare only paths, so the result is the path instead of the content of the file.
  filebase64: (path: string) => `<${path}>`,
  flatten: (list: Any[]) => list.flat(Number.POSITIVE_INFINITY),
  floor: Math.floor,
  join: (by: string, list: string[]) => list.join(by),
  jsonencode: (value) =>
    JSON.stringify(withSortedKeys(value)).replace(
      /[<>&\u2028\u2029]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  jsondecode: (text: string) => JSON.parse(text),
  keys: (object: object) => sorted(Object.keys(object)),
  length: (value) => (typeof value === "string" ? [...value].length : Object.keys(value).length),
  lookup: (map: Record<string, Any>, key: string, defaultValue) => map[key] ?? defaultValue,
  lower: (text: string) => text.toLowerCase(),
  max: Math.max,
  merge: (...objects) => Object.assign({}, ...objects),
  min: Math.min,
  one: (list: Any[]) => {
    if (list.length > 1) throw new Error("more than one");
    return list[0] ?? null;
  },
  range: (end: number) => Array.from({ length: end }, (_, index) => index),
  regex: (pattern: string, text: string) => required(new RegExp(pattern).exec(text)?.[0], `a match of ${pattern}`),
  replace: (text: string, from: string, to: string) => text.replaceAll(from, to),
  setsubtract: (from: Any[], what: Any[]) => from.filter((one) => !what.includes(one)),
  setunion: (...sets) => sorted(unique(sets.flat(1))),
  sort: sorted,
  split: (by: string, text: string) => {
    if (typeof text !== "string") throw new Error("expected a string");
    return text.split(by);
  },
  startswith: (text: string, prefix: string) => text.startsWith(prefix),
  // The time of the plan. Only `terraform apply` knows the time that it writes to the state.
  timestamp: () => "<timestamp()>",
  trimspace: (text: string) => text.trim(),
  upper: (text: string) => text.toUpperCase(),
  values: (object: Record<string, Any>) => sorted(Object.keys(object)).map((key) => object[key]),
};

function required(value: Any, what: string): Any {
  if (value === undefined) throw new Error(`expected ${what}`);
  return value;
}

/** Returns a copy in which the keys of all objects are sorted, as in the output of Terraform's jsonencode. */
function withSortedKeys(value: Any): Any {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(sorted(Object.keys(value)).map((key) => [key, withSortedKeys(value[key])]));
}
