/** Filtering, sorting and cutting a page; what `offset` and `limit` mean is each service's own affair. */
import type { CloudBehavior } from "../cloud-state.ts";
import type { Stored } from "../time-ordered-store.ts";

export type Condition<T> = (item: T) => boolean;

/** Only the conditions that were asked for, so that a row costs no more than it must. */
export function allOf<T>(conditions: readonly (Condition<T> | undefined)[]): Condition<T> | undefined {
  const [first, second, ...others] = conditions.filter((condition) => condition !== undefined);
  if (!first || !second) return first;
  return (item) => first(item) && second(item) && others.every((condition) => condition(item));
}

/** A condition, if there is a value to compare with. */
export function when<T, V>(value: V | undefined, holds: (item: T, value: V) => boolean): Condition<T> | undefined {
  return value === undefined ? undefined : (item) => holds(item, value);
}

export interface Selection<T> {
  keep?: Condition<T> | undefined;
  /** Default: by age. */
  sort?: ((a: T, b: T) => number) | undefined;
  descending: boolean;
  /** Rows to leave out. */
  offset: number;
  limit: number;
  /** The id of the last row of the page before; it is not part of the answer. */
  marker?: string | undefined;
}

export interface Page<T> {
  rows: T[];
  /** Of all pages. */
  total: number;
  more: boolean;
  /** The marker is not (or no longer) a row of this list. */
  markerLost: boolean;
}

/** How many rows a page may have. */
export function capped(limit: number, { pageCap = Number.POSITIVE_INFINITY }: CloudBehavior): number {
  return Math.min(limit, pageCap);
}

/** What the field `count` of a list says. */
export function countOf(page: Page<unknown>, { counts }: CloudBehavior): number {
  return counts === "page" ? page.rows.length : page.total;
}

/** `source` is ordered by age, oldest first. */
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
