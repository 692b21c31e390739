/**
 * Filters, sorts and pages the rows of list responses. Each service first converts its query parameters `limit` and `offset` to
 * numbers of rows.
 */
import type { CloudBehavior } from "../cloud-behavior.ts";
import type { StoredItem } from "../time-ordered-store.ts";

export type Condition<T> = (item: T) => boolean;

/** Returns a condition that is true if every defined condition is true. Returns `undefined` if no condition is defined. */
export function combineConditions<T>(conditions: readonly (Condition<T> | undefined)[]): Condition<T> | undefined {
  const [first, second, ...others] = conditions.filter((condition) => condition !== undefined);
  if (!first || !second) return first;
  return (item) => first(item) && second(item) && others.every((condition) => condition(item));
}

/** Returns a condition that calls `matches` with a row and `value`. Returns `undefined` if `value` is undefined. */
export function conditionIfGiven<T, V>(
  value: V | undefined,
  matches: (item: T, value: V) => boolean,
): Condition<T> | undefined {
  return value === undefined ? undefined : (item) => matches(item, value);
}

/** Selects the rows of one page of a list response. */
export interface PageRequest<T> {
  /** Returns whether the list response contains a row. Default: all rows. */
  keep?: Condition<T> | undefined;
  /** Compares two rows. Default: compares their ages. */
  sort?: ((a: T, b: T) => number) | undefined;
  descending: boolean;
  /** The number of rows to skip, counted from the start of the list response or from the row `marker`. */
  offset: number;
  /** The maximum number of rows in the page. */
  limit: number;
  /** The id of the last row of the previous page. The page begins after this row. */
  marker?: string | undefined;
}

export interface Page<T> {
  rows: T[];
  /** The number of rows on all pages together. */
  total: number;
  /** Whether another page follows this page. */
  more: boolean;
  /** Whether `marker` is not the id of a matching row. */
  isMarkerUnknown: boolean;
}

/** Returns the maximum number of rows in a page: `limit`, or the behavior `pageCap` if it is smaller. */
export function limitToPageCap(limit: number, { pageCap = Number.POSITIVE_INFINITY }: CloudBehavior): number {
  return Math.min(limit, pageCap);
}

/**
 * Returns the value of `count` in a list response: the number of rows on this page, or on all pages if the behavior `counts` is
 * "all".
 */
export function reportedCount(page: Page<unknown>, { counts }: CloudBehavior): number {
  return counts === "page" ? page.rows.length : page.total;
}

/** Returns one page of `source`. The rows in `source` must be sorted by age, oldest first. */
export function cutPage<T extends StoredItem>(source: readonly T[], pageRequest: PageRequest<T>): Page<T> {
  const { keep, sort, descending, offset, limit, marker } = pageRequest;
  let rows = keep ? source.filter(keep) : source;
  if (sort) rows = [...rows].sort(sort);
  const total = rows.length;
  let start = offset;
  if (marker !== undefined) {
    const index = rows.findIndex(({ id }) => id === marker);
    if (index < 0) return { rows: [], total, more: false, isMarkerUnknown: true };
    start += (descending ? total - 1 - index : index) + 1;
  }
  const end = Math.min(start + limit, total);
  const page = descending ? rows.slice(total - end, Math.max(0, total - start)).reverse() : rows.slice(start, end);
  return { rows: start < total ? page : [], total, more: end < total, isMarkerUnknown: false };
}
