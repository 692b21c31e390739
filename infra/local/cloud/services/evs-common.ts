/** Implements what the EVS v2 and v5 APIs have in common. Codes and messages: SOURCES.md#evs-error-codes. */

import type { CloudState } from "../cloud-state.ts";
import { type Query, Refusal } from "../gateway/http.ts";
import type { VolumeRecord } from "../records.ts";
import type { Stored } from "../time-ordered-store.ts";
import { integer, queryValue, type Reject, UUID } from "./constraints.ts";
import { type Condition, cutPage, limitToPageCap, type Page, whenGiven } from "./paging.ts";

/** The statuses of EVS snapshots and groups (SOURCES.md#evs-snapshot-statuses). */
export const EVS_STATUSES = { creating: "creating", available: "available", error: "error" };

export const badBody: Reject = (message) => {
  throw new Refusal(400, "EVS.5400", `Malformed request body. ${message}`);
};

export const badUrl: Reject = (message) => {
  throw new Refusal(400, "EVS.5400", `Malformed request url. ${message}`);
};

export function refuse(status: number, code: string, message: string): never {
  throw new Refusal(status, code, message);
}

export function notFound(what: string, id: string): never {
  return refuse(404, "EVS.5404", `${what} ${id} could not be found.`);
}

/** Reads `limit` (1 to 1000, default 1000) and `offset`, which counts rows (SOURCES.md#evs-list-offset). */
export function pageWindow(query: Query, { behavior }: CloudState): { limit: number; offset: number } {
  const limit = integer(queryValue(query, "limit")) ?? 1000;
  const offset = integer(queryValue(query, "offset")) ?? 0;
  if (Number.isNaN(limit)) refuse(400, "EVS.5400", "limit param must be an integer.");
  if (limit > 1000) refuse(400, "EVS.2142", "invalid filter limit, can not greater than 1000.");
  if (limit < 1) refuse(400, "EVS.1023", "invalid filter limit!");
  if (Number.isNaN(offset) || offset < 0) refuse(400, "EVS.5400", "offset param must be an integer.");
  return { limit: limitToPageCap(limit, behavior), offset };
}

function sortDirection(query: Query): "asc" | "desc" {
  const text = queryValue(query, "sort_dir") ?? "desc";
  if (text !== "asc" && text !== "desc") return refuse(400, "EVS.1040", "invalid sort_dir!");
  return text;
}

type Comparable = string | number;

/** The value of a row for each sort key. `undefined` means the age. */
export type SortKeys<T> = Record<string, ((item: T) => Comparable) | undefined>;

/** Returns a function that compares rows by `sort_key`, or `undefined` for `created_at`, because rows are sorted by age. */
function sortComparator<T extends { id: string }>(
  query: Query,
  keys: SortKeys<T>,
): ((a: T, b: T) => number) | undefined {
  const key = queryValue(query, "sort_key") ?? "created_at";
  if (!Object.hasOwn(keys, key)) refuse(400, "EVS.1039", "invalid sort_key!");
  const value = keys[key];
  if (!value) return undefined;
  return (a, b) => compare(value(a), value(b)) || compare(a.id, b.id);
}

function compare(a: Comparable, b: Comparable): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Returns a link with an internal address, which callers must never follow (SOURCES.md#evs-list-internal-links). */
export function nextLink(path: string, limit: number, lastId: string | undefined): { rel: string; href: string }[] {
  return [{ rel: "next", href: `https://172.28.9.185:8776${path}?limit=${limit}&marker=${lastId ?? ""}` }];
}

/** Returns the condition of the filter `name`, or `undefined` if the query does not contain it. */
export function nameCondition<T extends { name: string }>(query: Query, cloud: CloudState): Condition<T> | undefined {
  const fuzzy = cloud.behavior.nameFilter === "fuzzy";
  return whenGiven(queryValue(query, "name"), (item: T, wanted) =>
    fuzzy ? item.name.includes(wanted) : item.name === wanted,
  );
}

/** Returns the condition of the enterprise project, or `undefined` for all projects (SOURCES.md#evs-enterprise-projects). */
export function enterpriseProjectCondition<T extends { enterpriseProjectId: string }>(
  query: Query,
  cloud: CloudState,
): Condition<T> | undefined {
  const defaultProject = cloud.behavior.enterpriseProjectsByDefault === "all" ? undefined : "0";
  const wanted = queryValue(query, "enterprise_project_id") ?? defaultProject;
  return wanted === "all_granted_eps" ? undefined : whenGiven(wanted, (item: T, id) => item.enterpriseProjectId === id);
}

/**
 * Returns the disk of a create call. Refuses a disk whose status does not allow a snapshot (SOURCES.md#evs-disk-statuses).
 *
 * @param forced the field `force` of v2, or undefined in v5, which has no such field
 */
export function volumeToSnapshot(id: unknown, forced: boolean | undefined, cloud: CloudState): VolumeRecord {
  if (typeof id !== "string" || id === "") return refuse(400, "EVS.1002", "invalid volume id!");
  const volume = cloud.inventory.volumes.get(id);
  if (!volume) return UUID.test(id) ? notFound("Volume", id) : refuse(400, "EVS.1002", "invalid volume id!");
  const status = cloud.inventory.volumeStatus(volume);
  // v5 accepts every disk that is in use, and no disk that is attaching. v2 requires `force` for both
  // (SOURCES.md#evs-force-attached). That v2 refuses a disk in use without `force` is UNCONFIRMED.
  const allowed =
    status === "available" || (status === "in-use" && forced !== false) || (status === "attaching" && forced === true);
  if (!allowed) {
    const { wrongVolumeStatus } = cloud.behavior;
    refuse(
      wrongVolumeStatus.status,
      wrongVolumeStatus.code,
      `Invalid volume: Volume ${id} status must be available, but current status is: ${status}. Must be in Available state.`,
    );
  }
  return volume;
}

/**
 * Checks the limits of a disk: one creation at a time, 256 snapshots in total, 7 of them with instant access
 * (SOURCES.md#evs-standard-per-disk-limit).
 */
export function checkRoom(volume: VolumeRecord, instantAccess: boolean, busyStatus: number, cloud: CloudState): void {
  const { inventory, behavior } = cloud;
  const existing = inventory.snapshots["standard-snapshot"].of(volume.id);
  if (existing.some((snapshot) => inventory.isCreating(snapshot))) {
    refuse(busyStatus, "EVS.2409", `A snapshot of volume ${volume.id} is being created.`);
  }
  // The codes for the 257th snapshot and for the 8th one with instant access are UNCONFIRMED
  // (SOURCES.md#evs-per-disk-limit-code).
  if (existing.length >= behavior.standardPerVolume) refuse(413, "EVS.5413", "Insufficient snapshot quota.");
  if (!instantAccess) return;
  if (["SAS", "SATA"].includes(volume.volumeType)) {
    badBody(`instant_access is not supported for disks of the type ${volume.volumeType}.`);
  }
  if (existing.filter((snapshot) => snapshot.instantAccess).length >= 7) {
    refuse(413, "EVS.5413", "Insufficient quota of snapshots with instant access.");
  }
}

export function checkEnterpriseProject(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const valid = typeof value === "string" && (value === "0" || UUID.test(value));
  return valid ? value : refuse(400, "EVS.2059", "invalid enterprise project id!");
}

/** Returns one page of a list that supports `limit`, `offset`, `marker`, `sort_key` and `sort_dir`. */
export function cutSortedPage<T extends Stored>(
  source: readonly T[],
  keep: Condition<T> | undefined,
  sortKeys: SortKeys<T>,
  query: Query,
  cloud: CloudState,
): Page<T> & { limit: number } {
  const { limit, offset } = pageWindow(query, cloud);
  const page = cutPage(source, {
    keep,
    sort: sortComparator(query, sortKeys),
    descending: sortDirection(query) === "desc",
    offset,
    limit,
    marker: queryValue(query, "marker"),
  });
  // The error for a marker that no longer exists is UNCONFIRMED. This is the documented code for an invalid marker.
  if (page.markerLost) refuse(400, "EVS.1024", "invalid filter marker!");
  return { ...page, limit };
}
