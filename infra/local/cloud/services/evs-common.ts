/**
 * Implements the checks and the paging that EVS v2 and v5 have in common. Error codes and messages: SOURCES.md#evs-error-codes.
 */

import type { CloudState } from "../cloud-state.ts";
import { type Query, Refusal } from "../gateway/http.ts";
import type { VolumeRecord } from "../records.ts";
import type { StoredItem } from "../time-ordered-store.ts";
import { parseInteger, type Reject, readQueryValue, UUID } from "./constraints.ts";
import { type Condition, conditionIfGiven, cutPage, limitToPageCap, type Page } from "./paging.ts";

/** The statuses of EVS snapshots and snapshot groups during and after their creation (SOURCES.md#evs-snapshot-statuses). */
export const EVS_STATUSES = { creating: "creating", available: "available", error: "error" };

/** Rejects a request whose body is invalid. */
export const rejectBody: Reject = (message) => {
  throw new Refusal(400, "EVS.5400", `Malformed request body. ${message}`);
};

/** Rejects a request whose query parameters are invalid. */
export const rejectUrl: Reject = (message) => {
  throw new Refusal(400, "EVS.5400", `Malformed request url. ${message}`);
};

/** Throws the error that the server converts to an error response of EVS. */
export function refuse(status: number, code: string, message: string): never {
  throw new Refusal(status, code, message);
}

export function rejectUnknownId(what: string, id: string): never {
  return refuse(404, "EVS.5404", `${what} ${id} could not be found.`);
}

/**
 * Reads the query parameters `limit` (1 to 1000, default 1000) and `offset`, the number of rows to skip
 * (SOURCES.md#evs-list-offset).
 */
export function readPageWindow(query: Query, { behavior }: CloudState): { limit: number; offset: number } {
  const limit = parseInteger(readQueryValue(query, "limit")) ?? 1000;
  const offset = parseInteger(readQueryValue(query, "offset")) ?? 0;
  if (Number.isNaN(limit)) refuse(400, "EVS.5400", "limit param must be an integer.");
  if (limit > 1000) refuse(400, "EVS.2142", "invalid filter limit, can not greater than 1000.");
  if (limit < 1) refuse(400, "EVS.1023", "invalid filter limit!");
  if (Number.isNaN(offset) || offset < 0) refuse(400, "EVS.5400", "offset param must be an integer.");
  return { limit: limitToPageCap(limit, behavior), offset };
}

function sortDirection(query: Query): "asc" | "desc" {
  const text = readQueryValue(query, "sort_dir") ?? "desc";
  if (text !== "asc" && text !== "desc") return refuse(400, "EVS.1040", "invalid sort_dir!");
  return text;
}

type Comparable = string | number;

/**
 * Maps each allowed value of `sort_key` to a function that returns the value by which rows are sorted. `undefined` means that
 * the rows are sorted by age.
 */
export type SortKeys<T> = Record<string, ((item: T) => Comparable) | undefined>;

/**
 * Returns a function that compares two rows by the query parameter `sort_key`. Returns `undefined` for `created_at`, because
 * the rows are already sorted by age.
 */
function sortComparator<T extends { id: string }>(
  query: Query,
  keys: SortKeys<T>,
): ((a: T, b: T) => number) | undefined {
  const key = readQueryValue(query, "sort_key") ?? "created_at";
  if (!Object.hasOwn(keys, key)) refuse(400, "EVS.1039", "invalid sort_key!");
  const value = keys[key];
  if (!value) return undefined;
  return (a, b) => compare(value(a), value(b)) || compare(a.id, b.id);
}

function compare(a: Comparable, b: Comparable): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Returns the link to the next page. As in EVS, the link has an internal address that no caller can reach
 * (SOURCES.md#evs-list-internal-links).
 */
export function nextLink(path: string, limit: number, lastId: string | undefined): { rel: string; href: string }[] {
  return [{ rel: "next", href: `https://172.28.9.185:8776${path}?limit=${limit}&marker=${lastId ?? ""}` }];
}

/**
 * Returns a condition that compares the name of each resource with the query parameter `name`. Returns `undefined` if the query
 * does not contain `name`.
 */
export function nameCondition<T extends { name: string }>(query: Query, cloud: CloudState): Condition<T> | undefined {
  const fuzzy = cloud.behavior.nameFilter === "fuzzy";
  return conditionIfGiven(readQueryValue(query, "name"), (item: T, wanted) =>
    fuzzy ? item.name.includes(wanted) : item.name === wanted,
  );
}

/**
 * Returns a condition that is true for the resources of the requested enterprise project. Returns `undefined` if the request
 * selects all enterprise projects (SOURCES.md#evs-enterprise-projects).
 */
export function enterpriseProjectCondition<T extends { enterpriseProjectId: string }>(
  query: Query,
  cloud: CloudState,
): Condition<T> | undefined {
  const defaultProject = cloud.behavior.enterpriseProjectsByDefault === "all" ? undefined : "0";
  const wanted = readQueryValue(query, "enterprise_project_id") ?? defaultProject;
  return wanted === "all_granted_eps"
    ? undefined
    : conditionIfGiven(wanted, (item: T, id) => item.enterpriseProjectId === id);
}

/**
 * Returns the disk that a create request names. Rejects the request if the status of the disk does not allow a snapshot
 * (SOURCES.md#evs-disk-statuses).
 *
 * @param forced the field `force` of a v2 request; undefined for v5, because v5 has no field `force`
 */
export function findVolumeToSnapshot(id: unknown, forced: boolean | undefined, cloud: CloudState): VolumeRecord {
  if (typeof id !== "string" || id === "") return refuse(400, "EVS.1002", "invalid volume id!");
  const volume = cloud.inventory.volumes.get(id);
  if (!volume) return UUID.test(id) ? rejectUnknownId("Volume", id) : refuse(400, "EVS.1002", "invalid volume id!");
  const status = cloud.inventory.volumeStatus(volume);
  // Documented for v5: EVS accepts an `in-use` disk and rejects an `attaching` disk (SOURCES.md#evs-disk-statuses). The embedded
  // cloud does the same.
  // Documented for v2: `force: true` is for `attaching` disks according to the English pages, but for attached disks according to
  // the Chinese text of the SDK (SOURCES.md#evs-force-attached). The embedded cloud requires `force: true` for both.
  // The real EVS v2 has rejected `in-use` disks without `force: true`. It is UNCONFIRMED whether it does so in every region.
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
 * Checks whether EVS allows a new standard snapshot of a disk. EVS does not create two standard snapshots of a disk at the same
 * time. A disk can have at most 256 standard snapshots, and at most 7 of them with instant access
 * (SOURCES.md#evs-standard-per-disk-limit).
 */
export function checkDiskLimits(
  volume: VolumeRecord,
  instantAccess: boolean,
  busyStatus: number,
  cloud: CloudState,
): void {
  const { inventory, behavior } = cloud;
  const existing = inventory.snapshots["standard-snapshot"].of(volume.id);
  if (existing.some((snapshot) => inventory.isCreating(snapshot))) {
    refuse(busyStatus, "EVS.2409", `A snapshot of volume ${volume.id} is being created.`);
  }
  // It is UNCONFIRMED which error codes EVS sends for the 257th snapshot of a disk, and for the 8th snapshot with instant access
  // (SOURCES.md#evs-per-disk-limit-code).
  if (existing.length >= behavior.standardPerVolume) refuse(413, "EVS.5413", "Insufficient snapshot quota.");
  if (!instantAccess) return;
  if (["SAS", "SATA"].includes(volume.volumeType)) {
    rejectBody(`instant_access is not supported for disks of the type ${volume.volumeType}.`);
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

/** Returns the page of rows that the query parameters `limit`, `offset`, `marker`, `sort_key` and `sort_dir` select. */
export function cutSortedPage<T extends StoredItem>(
  source: readonly T[],
  keep: Condition<T> | undefined,
  sortKeys: SortKeys<T>,
  query: Query,
  cloud: CloudState,
): Page<T> & { limit: number } {
  const { limit, offset } = readPageWindow(query, cloud);
  const page = cutPage(source, {
    keep,
    sort: sortComparator(query, sortKeys),
    descending: sortDirection(query) === "desc",
    offset,
    limit,
    marker: readQueryValue(query, "marker"),
  });
  // It is UNCONFIRMED which error EVS sends if the row that `marker` names no longer exists. EVS.1024 is the documented code
  // for an invalid marker.
  if (page.isMarkerUnknown) refuse(400, "EVS.1024", "invalid filter marker!");
  return { ...page, limit };
}
