/** Implements the EVS v2 requests for disks (SOURCES.md#evs-disk-list). */
import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, type Call, ok, type Query, type Route } from "../gateway/http.ts";
import type { Tags, VolumeRecord } from "../records.ts";
import { byAge } from "../time-ordered-store.ts";
import {
  checkQuery,
  hasTags,
  parseInteger,
  type Reject,
  readObject,
  readQueryValue,
  readTagFilters,
} from "./constraints.ts";
import {
  cutSortedPage,
  enterpriseProjectCondition,
  nameCondition,
  nextLink,
  refuse,
  rejectBody,
  rejectUnknownId,
  rejectUrl,
  type SortKeys,
} from "./evs-common.ts";
import { taggedVolumeView, volumeView } from "./evs-volume-view.ts";
import {
  type Condition,
  combineConditions,
  conditionIfGiven,
  cutPage,
  limitToPageCap,
  reportedCount,
} from "./paging.ts";

const ALL = "/v2/{project_id}/cloudvolumes";
const SINGLE = `${ALL}/{volume_id}`;

export const volumeRoutes: Route[] = [
  { operation: "evs.listVolumes", method: "GET", path: `${ALL}/detail`, handle: list },
  { operation: "evs.showVolume", method: "GET", path: SINGLE, handle: show },
  { operation: "evs.listVolumesByTags", method: "POST", path: `${ALL}/resource_instances/action`, handle: listByTags },
  { operation: "evs.showVolumeTags", method: "GET", path: `${SINGLE}/tags`, handle: showTags },
  { operation: "evs.listVolumeTags", method: "GET", path: `${ALL}/tags`, handle: listTags },
];

const LIST_PARAMETERS = [
  "marker",
  "offset",
  "limit",
  "sort_key",
  "sort_dir",
  "name",
  "status",
  "metadata",
  "not_metadata",
  "availability_zone",
  "multiattach",
  "service_type",
  "dedicated_storage_id",
  "dedicated_storage_name",
  "volume_type_id",
  "id",
  "ids",
  "enterprise_project_id",
  "server_id",
];

function list(call: Call, cloud: CloudState): ApiResponse {
  const { inventory } = cloud;
  const { query } = call;
  checkQuery(call, cloud, LIST_PARAMETERS, rejectUrl);
  const sortKeys: SortKeys<VolumeRecord> = {
    id: ({ id }) => id,
    size: ({ size }) => size,
    status: (volume) => inventory.volumeStatus(volume),
    created_at: undefined,
  };
  const page = cutSortedPage(findCandidates(query, cloud), filter(query, cloud), sortKeys, query, cloud);
  return ok({
    count: reportedCount(page, cloud.behavior),
    volumes: page.rows.map((volume) => volumeView(volume, cloud)),
    ...(page.more
      ? { volumes_links: nextLink(`/v2/${cloud.projectId}/volumes/detail`, page.limit, page.rows.at(-1)?.id) }
      : {}),
  });
}

/**
 * Returns the disks that can match a list request, oldest first. If the query contains ids or a server, returns only these
 * disks or the disks of that server, because filtering all disks would be slow.
 */
function findCandidates(query: Query, cloud: CloudState): readonly VolumeRecord[] {
  const { volumes } = cloud.inventory;
  const ids = readWantedIds(query);
  if (ids) return volumes.getAll(ids);
  const serverId = readQueryValue(query, "server_id");
  return serverId === undefined ? volumes.oldestFirst : cloud.inventory.volumesOfServer(serverId).sort(byAge);
}

function filter(query: Query, cloud: CloudState): Condition<VolumeRecord> | undefined {
  const { inventory } = cloud;
  const value = (key: string) => readQueryValue(query, key);
  const multiattach = value("multiattach");
  if (multiattach !== undefined && !["true", "false"].includes(multiattach))
    rejectUrl("multiattach must be true or false.");
  const has = (volume: VolumeRecord, metadata: Tags) =>
    Object.entries(metadata).every(([key, wanted]) => volume.metadata[key] === wanted);
  return combineConditions<VolumeRecord>([
    conditionIfGiven(value("status"), (volume, status) => inventory.volumeStatus(volume) === status),
    conditionIfGiven(value("availability_zone"), ({ availabilityZone }, zone) => availabilityZone === zone),
    conditionIfGiven(value("service_type"), (_, service) => service === "EVS"),
    conditionIfGiven(value("volume_type_id"), ({ volumeType }, type) => volumeType === type),
    conditionIfGiven(multiattach, (volume, wanted) => String(volume.multiattach) === wanted),
    nameCondition(query, cloud),
    enterpriseProjectCondition(query, cloud),
    conditionIfGiven(value("server_id"), (volume, id) =>
      inventory.attachmentsOf(volume).some(({ serverId }) => serverId === id),
    ),
    conditionIfGiven(parseMetadataFilter(value("metadata")), has),
    conditionIfGiven(parseMetadataFilter(value("not_metadata")), (volume, metadata) => !has(volume, metadata)),
    conditionIfGiven(value("dedicated_storage_id") ?? value("dedicated_storage_name"), () => false),
  ]);
}

/**
 * Returns the ids in the query parameter `ids`, which has the format `['id1','id2']`. If `ids` is absent, returns the id in the
 * parameter `id` (SOURCES.md#evs-disk-ids-parameter). Whether EVS rejects more than 60 ids is UNCONFIRMED.
 */
function readWantedIds(query: Query): string[] | undefined {
  const ids = readQueryValue(query, "ids");
  if (ids === undefined) {
    const id = readQueryValue(query, "id");
    return id === undefined ? undefined : [id];
  }
  if (!/^\[\s*('[^',]*'(\s*,\s*'[^',]*')*)?\s*\]$/.test(ids))
    return rejectUrl("ids must have the format ['id1','id2'].");
  const wanted = [...ids.matchAll(/'([^']*)'/g)].map(([, id = ""]) => id);
  if (wanted.length > 60) rejectUrl("ids must contain at most 60 ids.");
  return wanted;
}

function parseMetadataFilter(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  try {
    const map: unknown = JSON.parse(text.replaceAll("'", '"'));
    return Object.fromEntries(Object.entries(map as object).map(([key, value]) => [key, String(value)]));
  } catch {
    return refuse(400, "EVS.1058", "invalid metadata filter!");
  }
}

function show(call: Call, cloud: CloudState): ApiResponse {
  return ok({ volume: volumeView(find(call, cloud), cloud) });
}

function showTags(call: Call, cloud: CloudState): ApiResponse {
  const { tags } = find(call, cloud);
  return ok({ tags: Object.entries(tags).map(([key, value]) => ({ key, value })) });
}

/** Returns the tags of all disks of the project: an object that maps each key to the values that it has. */
function listTags(call: Call, cloud: CloudState): ApiResponse {
  checkQuery(call, cloud, [], rejectUrl);
  const values = new Map<string, Set<string>>();
  for (const { tags } of cloud.inventory.volumes.oldestFirst) {
    for (const [key, value] of Object.entries(tags)) values.set(key, (values.get(key) ?? new Set()).add(value));
  }
  return ok({ tags: Object.fromEntries([...values].map(([key, set]) => [key, [...set]])) });
}

function find(call: Call, cloud: CloudState): VolumeRecord {
  const id = call.params.volume_id ?? "";
  return cloud.inventory.volumes.get(id) ?? rejectUnknownId("Volume", id);
}

function listByTags(call: Call, cloud: CloudState): ApiResponse {
  const body = readObject(call.json, "body", ["action", "tags", "matches", "limit", "offset"], rejectBody);
  const { action, matches = [] } = body;
  if (action !== "filter" && action !== "count") rejectBody("action must be filter or count.");
  const filters = body.tags === undefined ? [] : readTagFilters(body.tags, "tags", rejectBody);
  if (!Array.isArray(matches)) return rejectBody("matches must be an array.");
  const conditions = matches.map((entry) => {
    const { key, value } = readObject(entry, "matches", ["key", "value"], rejectBody);
    if (key !== "resource_name" && key !== "service_type")
      rejectBody("matches.key must be resource_name or service_type.");
    return { key: key as string, value: String(value) };
  });
  const limit = readCount(body.limit, "limit", 1000, rejectBody);
  const offset = readCount(body.offset, "offset", 0, rejectBody);
  if (limit < 1 || limit > 1000) rejectBody("limit must be 1 to 1000.");
  const page = cutPage(cloud.inventory.volumes.oldestFirst, {
    keep: (volume) =>
      hasTags(volume.tags, filters) &&
      conditions.every(({ key, value }) =>
        key === "service_type" ? value.toUpperCase() === "EVS" : volume.name.includes(value),
      ),
    descending: true,
    offset,
    limit: limitToPageCap(limit, cloud.behavior),
  });
  if (action === "count") return ok({ total_count: page.total });
  return ok({
    total_count: page.total,
    resources: page.rows.map((volume) => ({
      resource_id: volume.id,
      resource_name: volume.name,
      resource_detail: taggedVolumeView(volume, cloud),
      tags: Object.entries(volume.tags).map(([key, value]) => ({ key, value })),
    })),
  });
}

/**
 * Reads an integer from a request body. The EVS page says that `limit` and `offset` are integers, but its example shows
 * strings, so this function accepts integers and strings of digits (SOURCES.md#evs-limit-as-string).
 */
function readCount(value: unknown, path: string, defaultValue: number, reject: Reject): number {
  if (value === undefined) return defaultValue;
  const number = typeof value === "number" ? value : typeof value === "string" ? parseInteger(value) : undefined;
  if (number === undefined || !Number.isInteger(number) || number < 0) return reject(`${path} must be an integer.`);
  return number;
}
