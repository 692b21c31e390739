/**
 * Checks the request bodies and query parameters that a service receives. A check that fails calls `reject` with a message, and
 * `reject` throws the error of the service.
 */
import type { CloudState } from "../cloud-state.ts";
import type { Call, Query } from "../gateway/http.ts";

export type Reject = (message: string) => never;
export type Fields = Record<string, unknown>;

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns `value` if it is an object whose field names are all in `known`. Otherwise rejects the request. */
export function readObject(value: unknown, path: string, known: readonly string[], reject: Reject): Fields {
  if (!isObject(value)) return reject(`${path} must be an object.`);
  for (const key of Object.keys(value)) if (!known.includes(key)) reject(`${path}.${key} is not a known field.`);
  return value;
}

export interface SizeLimit {
  max: number;
  unit: "characters" | "bytes";
  nullable?: boolean;
}

export function readOptionalString(
  value: unknown,
  path: string,
  size: SizeLimit,
  reject: Reject,
): string | null | undefined {
  if (value === undefined) return undefined;
  if (value === null && size.nullable) return null;
  if (typeof value !== "string") return reject(`${path} must be a string.`);
  // Counts code points. Whether EVS counts UTF-16 code units instead is UNCONFIRMED.
  const length = size.unit === "bytes" ? Buffer.byteLength(value) : [...value].length;
  if (length > size.max) reject(`${path} must have at most ${size.max} ${size.unit}.`);
  return value;
}

export function readOptionalBoolean(value: unknown, path: string, reject: Reject): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  return reject(`${path} must be a boolean.`);
}

/**
 * Returns a copy of an object whose values are all strings. Returns `undefined` if the value is absent. Rejects every other
 * value.
 */
export function readOptionalMap(value: unknown, path: string, reject: Reject): Record<string, string> | undefined {
  if (value === undefined) return undefined;
  if (!isObject(value)) return reject(`${path} must be a map of strings.`);
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== "string") reject(`${path}.${key} must be a string.`);
  }
  return { ...(value as Record<string, string>) };
}

/** Returns the value of a query parameter. If the query contains the parameter several times, returns the last value. */
export function readQueryValue(query: Query, key: string): string | undefined {
  return query.get(key)?.at(-1);
}

/** Parses an integer. Returns `undefined` if `text` is undefined, and `NaN` if `text` is not an integer. */
export function parseInteger(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * Matches a resource whose tag `key` has one of the values in `values`. An empty array of values matches any value
 * (SOURCES.md#evs-disks-by-tags).
 */
export interface TagFilter {
  key: string;
  values: string[];
}

/**
 * Reads an array of `{ key, values }` objects from a request body. Allows at most 10 keys and 10 values per key, without
 * duplicates.
 */
export function readTagFilters(value: unknown, path: string, reject: Reject): TagFilter[] {
  if (!Array.isArray(value)) return reject(`${path} must be an array.`);
  if (value.length > 10) reject(`${path} must have at most 10 keys.`);
  const filters = value.map((entry, index): TagFilter => {
    const { key, values } = readObject(entry, `${path}[${index}]`, ["key", "values"], reject);
    if (typeof key !== "string" || key === "") return reject(`${path}[${index}].key must be a string.`);
    if (values === undefined) return { key, values: [] };
    if (!Array.isArray(values) || values.some((each) => typeof each !== "string")) {
      return reject(`${path}[${index}].values must be an array of strings.`);
    }
    if (values.length > 10) reject(`${path}[${index}].values must have at most 10 values.`);
    if (new Set(values).size < values.length) reject(`${path}[${index}].values must be unique.`);
    return { key, values };
  });
  if (new Set(filters.map(({ key }) => key)).size < filters.length) reject(`${path} must have unique keys.`);
  return filters;
}

/** Returns whether the tags match every filter. */
export function hasTags(tags: Record<string, string>, filters: readonly TagFilter[]): boolean {
  return filters.every(({ key, values }) => {
    const value = tags[key];
    return value !== undefined && (values.length === 0 || values.includes(value));
  });
}

/** Rejects a request if a query parameter is not in `known`, unless the behavior `unknownQuery` is "ignore". */
export function checkQuery(call: Call, cloud: CloudState, known: readonly string[], reject: Reject): void {
  if (cloud.behavior.unknownQuery === "ignore") return;
  for (const key of call.query.keys()) if (!known.includes(key)) reject(`${key} is not a known query parameter.`);
}
