/** Checks of request bodies and queries. Each names what is wrong; which code that gets is the service's affair. */
import type { Query } from "../gateway/http.ts";

export type Complain = (message: string) => never;
export type Fields = Record<string, unknown>;

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object with no other fields than the documented ones. */
export function fields(value: unknown, path: string, known: readonly string[], complain: Complain): Fields {
  if (!isFields(value)) return complain(`${path} must be an object.`);
  for (const key of Object.keys(value)) if (!known.includes(key)) complain(`${path}.${key} is not a known field.`);
  return value;
}

export interface Size {
  maximum: number;
  unit: "characters" | "bytes";
  nullable?: boolean;
}

export function optionalText(value: unknown, path: string, size: Size, complain: Complain): string | null | undefined {
  if (value === undefined) return undefined;
  if (value === null && size.nullable) return null;
  if (typeof value !== "string") return complain(`${path} must be a string.`);
  // A character is a code point here; whether the cloud counts UTF-16 units instead is UNCONFIRMED.
  const length = size.unit === "bytes" ? Buffer.byteLength(value) : [...value].length;
  if (length > size.maximum) complain(`${path} must have at most ${size.maximum} ${size.unit}.`);
  return value;
}

export function optionalBoolean(value: unknown, path: string, complain: Complain): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  return complain(`${path} must be a boolean.`);
}

/** `Map<String,String>` */
export function optionalMap(value: unknown, path: string, complain: Complain): Record<string, string> | undefined {
  if (value === undefined) return undefined;
  if (!isFields(value)) return complain(`${path} must be a map of strings.`);
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== "string") complain(`${path}.${key} must be a string.`);
  }
  return { ...(value as Record<string, string>) };
}

export function one(query: Query, key: string): string | undefined {
  return query.get(key)?.at(-1);
}

/** `undefined` when absent, `NaN` when it is no integer. */
export function integer(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** All of them, with their values; an empty list of values: any. Keys AND, values OR (cloud-apis.md 1.5). */
export interface TagFilter {
  key: string;
  values: string[];
}

/** `[{key, values[]}]`: at most 10 keys, each at most 10 values, both unique. */
export function tagFilters(value: unknown, path: string, complain: Complain): TagFilter[] {
  if (!Array.isArray(value)) return complain(`${path} must be an array.`);
  if (value.length > 10) complain(`${path} must have at most 10 keys.`);
  const filters = value.map((entry, index): TagFilter => {
    const { key, values } = fields(entry, `${path}[${index}]`, ["key", "values"], complain);
    if (typeof key !== "string" || key === "") return complain(`${path}[${index}].key must be a string.`);
    if (values === undefined) return { key, values: [] };
    if (!Array.isArray(values) || values.some((each) => typeof each !== "string")) {
      return complain(`${path}[${index}].values must be an array of strings.`);
    }
    if (values.length > 10) complain(`${path}[${index}].values must have at most 10 values.`);
    if (new Set(values).size < values.length) complain(`${path}[${index}].values must be unique.`);
    return { key, values };
  });
  if (new Set(filters.map(({ key }) => key)).size < filters.length) complain(`${path} must have unique keys.`);
  return filters;
}

export function hasTags(tags: Record<string, string>, filters: readonly TagFilter[]): boolean {
  return filters.every(({ key, values }) => {
    const value = tags[key];
    return value !== undefined && (values.length === 0 || values.includes(value));
  });
}
