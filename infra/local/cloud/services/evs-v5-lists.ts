/** Implements the list responses for EVS v5 snapshots and snapshot groups. */
import { bareTime } from "../clock.ts";
import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, ok, type Query } from "../gateway/http.ts";
import type { AnySnapshotRecord } from "../records.ts";
import { cutSortedPage, nextLink, type SortKeys } from "./evs-common.ts";
import { type Condition, reportedCount } from "./paging.ts";

/** Returns a list response with one page of rows. `field` is the name of the response field that contains the rows. */
export function createListResponse<T extends AnySnapshotRecord>(
  field: string,
  source: readonly T[],
  keep: Condition<T> | undefined,
  view: (row: T) => unknown,
  query: Query,
  cloud: CloudState,
): ApiResponse {
  const sortKeys: SortKeys<T> = {
    id: ({ id }) => id,
    name: ({ name }) => name,
    size: ({ size }) => size,
    status: (row) => cloud.inventory.statusOf(row),
    created_at: undefined,
  };
  const page = cutSortedPage(source, keep, sortKeys, query, cloud);
  const rows = page.rows.map(view);
  // Whether v5 list responses have `count` and a link to the next page is UNCONFIRMED (SOURCES.md#evs-v5-list-count).
  if (!cloud.behavior.v5ListCount) return ok({ [field]: rows });
  const links = nextLink(`/v5/${cloud.projectId}/${field}/detail`, page.limit, page.rows.at(-1)?.id);
  return ok({
    count: reportedCount(page, cloud.behavior),
    [field]: rows,
    ...(page.more ? { [`${field}_links`]: links } : {}),
  });
}

/** Parses a query parameter whose value is JSON, such as `tags`. Returns `undefined` if the value is not JSON. */
export function parseJsonFilter(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Formats a time for a v5 response. Whether v5 times have a time zone is UNCONFIRMED (SOURCES.md#evs-v5-times). */
export function formatStandardTime(ms: number, microseconds: number, cloud: CloudState): string {
  return bareTime(ms, microseconds) + (cloud.behavior.v5Times === "zoned" ? "Z" : "");
}
