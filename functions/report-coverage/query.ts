/** Reads the query parameters of a request, or the `user_event` of a timer. */
import { SnapshotError } from "../../shared/core/errors.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import { preview } from "../../shared/core/preview.ts";
import {
  COVERAGE_STATES,
  type CoverageState,
  RESOURCE_TYPES,
  type ResourceType,
} from "../../shared/coverage/coverage.ts";
import type { TagFilter } from "../../shared/coverage/tag-filter.ts";
import { type SchemaOf, validate } from "../../shared/validation/validate.ts";
import { query } from "./schema.generated.js";

/** What a caller or a timer asks for, with the default of each field that the query omits. */
export interface CoverageQuery {
  maxAgeHours: number;
  types: readonly ResourceType[];
  tags: readonly TagFilter[];
  excludeTags: readonly TagFilter[];
  /** The states of the resources that the response lists, or that have a record. */
  states: readonly CoverageState[];
  /** Undefined if the `Accept` header decides. */
  format: "html" | "json" | "csv" | undefined;
  page: number;
  /** The query parameters of the request, for links to other pages. Empty if a timer asks. */
  parameters: Readonly<Record<string, string>>;
}

/** The default of `max_age_hours`: a day, and two hours for the run that creates the snapshots. */
const DEFAULT_MAX_AGE_HOURS = 26;

const NUMBERS = ["max_age_hours", "page"];
const LISTS = ["kinds", "tags", "exclude_tags", "states"];

/**
 * Validates a query and fills in the defaults. A string can contain a number, or several values with commas between them,
 * because query parameters are strings. The `user_event` of a timer can also contain numbers, arrays and, for tags, objects.
 *
 * @throws SnapshotError InvalidRequest with a message that names every fault
 * @example readQuery({ max_age_hours: "48", tags: "backup=daily,owner=*" }, "http")
 */
export function readQuery(given: JsonObject, source: "http" | "timer"): CoverageQuery {
  const faults: string[] = [];
  const isDecoded = Object.values(given).some((value) => typeof value === "string" && DECODED.test(value));
  const parameters: Record<string, string> = {};
  const fields = Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      if (source === "timer") return [name, convert(name, value)];
      if (typeof value === "string" || value === null) {
        parameters[name] = isDecoded || value === null ? (value ?? "") : decode(value);
        return [name, convert(name, parameters[name])];
      }
      faults.push(`${name.slice(0, 64)}: expected one value, got ${preview(value)}.`);
      return [name, undefined];
    }),
  );
  faults.push(...validate(query, fields));
  faults.push(...repeatedKeys(fields.tags));
  if (faults.length > 0) throw new SnapshotError("InvalidRequest", faults.join(" "));
  const {
    max_age_hours,
    kinds = RESOURCE_TYPES,
    exclude_tags,
    states = COVERAGE_STATES,
    format,
    tags,
    page = 1,
  } = fields as Validated;
  return {
    maxAgeHours: max_age_hours ?? DEFAULT_MAX_AGE_HOURS,
    types: kinds,
    tags: toFilters(tags),
    excludeTags: toFilters(exclude_tags),
    states,
    format,
    page,
    parameters,
  };
}

type Validated = NonNullable<typeof query extends SchemaOf<infer Body> ? Body : never>;

/**
 * What an encoded value cannot contain: a space, a control or non-ASCII character, or a percent sign without two hexadecimal
 * digits. If a parameter contains it, the gateway decoded the query, so no value is decoded again
 * (SOURCES.md#functiongraph-apig-query).
 */
const DECODED = /[^!-~]|%(?![\da-f]{2})/i;

/** Decodes a value that is still encoded. Returns a value with invalid escapes unchanged. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function convert(name: string, value: unknown): unknown {
  if (Array.isArray(value) && LISTS.includes(name)) return value.map(trimIfString);
  if (typeof value !== "string") return value;
  if (NUMBERS.includes(name)) return /^\d{1,9}$/.test(value) ? Number(value) : value;
  return LISTS.includes(name) ? value.split(",").map(trimIfString) : value;
}

const trimIfString = (item: unknown): unknown => (typeof item === "string" ? item.trim() : item);

function toFilters(tags: Record<string, string> | string[] = []): TagFilter[] {
  const pairs = Array.isArray(tags) ? tags.map(splitTag) : Object.entries(tags);
  return pairs.map(([key, value]) => ({ key, value: value === "*" ? undefined : value }));
}

function splitTag(tag: string): [string, string] {
  const at = tag.indexOf("=");
  return [tag.slice(0, at), tag.slice(at + 1)];
}

/**
 * Reports a key that occurs in `tags` with different values. A resource must have all tags, but has one value for each key, so
 * no resource would match, and an empty report would look like good news.
 *
 * @param tags the tags before the validation. An object has each key once
 */
function repeatedKeys(tags: unknown): string[] {
  const filters = Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string" && /^[^=]+=/.test(tag)) : [];
  const keys = [...new Set<string>(filters)].map((tag) => splitTag(tag)[0]);
  const repeated = keys.filter((key, index) => keys.indexOf(key) < index);
  return [...new Set(repeated)].map((key) => `tags: expected each key once, got ${preview(key)} several times.`);
}
