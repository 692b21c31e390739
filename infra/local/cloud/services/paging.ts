/** Filters, sorts and pages rows. Each service converts its own `offset` and `limit` to a number of rows. */
import type { CloudBehavior } from "../cloud-behavior.ts";
import type { Stored } from "../time-ordered-store.ts";

export type Condition<T> = (item: T) => boolean;

/** Combines the conditions that are defined. Returns `undefined` if none is defined. */
export function allOf<T>(conditions: readonly (Condition<T> | undefined)[]): Condition<T> | undefined {
  const [first, second, ...others] = conditions.filter((condition) => condition !== undefined);
  if (!first || !second) return first;
  return (item) => first(item) && second(item) && others.every((condition) => condition(item));
}

/** Returns a condition that compares a row with a value, or `undefined` if there is no value. */
export function whenGiven<T, V>(
  value: V | undefined,
  matches: (item: T, value: V) => boolean,
): Condition<T> | undefined {
  return value === undefined ? undefined : (item) => matches(item, value);
}

export interface Selection<T> {
  keep?: Condition<T> | undefined;
  /** Compares two rows. Default: by age. */
  sort?: ((a: T, b: T) => number) | undefined;
  descending: boolean;
  /** How many rows to skip. */
  offset: number;
  limit: number;
  /** The id of the last row of the previous page. */
  marker?: string | undefined;
}

export interface Page<T> {
  rows: T[];
  /** The number of rows of all pages. */
  total: number;
  /** Whether there is another page. */
  more: boolean;
  /** Whether the marker is not a row of this list. */
  markerLost: boolean;
}

/** Returns the maximum number of rows in a page. */
export function limitToPageCap(limit: number, { pageCap = Number.POSITIVE_INFINITY }: CloudBehavior): number {
  return Math.min(limit, pageCap);
}

/** Returns the value of the field `count` of a list. */
export function reportedCount(page: Page<unknown>, { counts }: CloudBehavior): number {
  return counts === "page" ? page.rows.length : page.total;
}

/** Returns one page of `source`, which must be sorted by age, oldest first. */
export function cutPage<T extends Stored>(source: readonly T[], selection: Selection<T>): Page<T> {
  const { keep, sort, descending, offset, limit, marker } = selection;
  let rows = keep ? source.filter(keep) : source;
  if (sort) rows = [...rows].sort(sort);
  const total = rows.length;
  let start = offset;
  if (marker !== undefined) {
    const index = rows.findIndex(({ id }) => id === marker);
    if (index < 0) return { rows: [], total, more: false, markerLost: true };
    start += (descending ? total - 1 - index : index) + 1;
  }
  const end = Math.min(start + limit, total);
  const page = descending ? rows.slice(total - end, Math.max(0, total - start)).reverse() : rows.slice(start, end);
  return { rows: start < total ? page : [], total, more: end < total, markerLost: false };
}
