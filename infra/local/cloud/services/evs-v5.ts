/** Implements the EVS v5 requests for standard snapshots (SOURCES.md#evs-v5-create, SOURCES.md#evs-v5-calls). */
import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, accepted, type Call, ok, type Query, type Route } from "../gateway/http.ts";
import type { SnapshotRecord, Tags } from "../records.ts";
import type { SnapshotKind } from "../snapshot-kind.ts";
import {
  checkQuery,
  type Fields,
  isObject,
  readObject,
  readOptionalBoolean,
  readOptionalMap,
  readOptionalString,
  readQueryValue,
} from "./constraints.ts";
import {
  checkDiskLimits,
  checkEnterpriseProject,
  EVS_STATUSES,
  enterpriseProjectCondition,
  findVolumeToSnapshot,
  nameCondition,
  rejectBody,
  rejectUnknownId,
  rejectUrl,
} from "./evs-common.ts";
import { startCreationJob, startDeletionJob } from "./evs-jobs.ts";
import { checkTags, tagRoutes } from "./evs-tags.ts";
import { checkDeletable } from "./evs-v2.ts";
import { createListResponse, parseJsonFilter } from "./evs-v5-lists.ts";
import { chainIdOf, standardView } from "./evs-v5-view.ts";
import { combineConditions, conditionIfGiven } from "./paging.ts";

const ALL = "/v5/{project_id}/snapshots";
const SINGLE = `${ALL}/{snapshot_id}`;

export const standardSnapshotRoutes: Route[] = [
  { operation: "evs.createStandardSnapshot", method: "POST", path: ALL, handle: create },
  { operation: "evs.listStandardSnapshots", method: "GET", path: `${ALL}/detail`, handle: list },
  { operation: "evs.showStandardSnapshot", method: "GET", path: SINGLE, handle: show },
  { operation: "evs.updateStandardSnapshot", method: "PUT", path: SINGLE, handle: update },
  { operation: "evs.deleteStandardSnapshot", method: "DELETE", path: SINGLE, handle: remove },
  ...tagRoutes(
    {
      list: "evs.listStandardSnapshotTags",
      add: "evs.addStandardSnapshotTags",
      remove: "evs.removeStandardSnapshotTags",
    },
    { all: ALL, single: SINGLE },
    (cloud) => cloud.inventory.snapshots["standard-snapshot"].oldestFirst,
    find,
  ),
];

interface StandardSnapshot extends SnapshotRecord {
  kind: "standard-snapshot";
  groupId: string | null;
  tags: Tags;
  incremental: boolean;
  instantAccess: boolean;
  snapshotType: string;
  availabilityZone: string;
}

declare module "../records.ts" {
  interface SnapshotRecordByKind {
    "standard-snapshot": StandardSnapshot;
  }
  interface SeedOptionsByKind {
    "standard-snapshot": {
      volumeId: string;
      tags?: Tags;
      /** The id of a snapshot group. If the group exists, the snapshot becomes one of its members. */
      groupId?: string;
      snapshotType?: "auto" | "user" | "copy";
      incremental?: boolean;
      instantAccess?: boolean;
    };
  }
}

export const snapshotKind: SnapshotKind<"standard-snapshot"> = {
  name: "standard-snapshot",
  statuses: EVS_STATUSES,
  creationMs: 3000,
  labelsField: "tags",
  seed(seed, fields, { inventory, region }) {
    const { volumeId, groupId = null, tags = {} } = seed;
    inventory.snapshots["snapshot-group"].get(groupId ?? "")?.memberIds.push(fields.id);
    return {
      ...fields,
      kind: "standard-snapshot",
      resourceId: volumeId,
      groupId,
      tags: { ...tags },
      incremental: seed.incremental ?? true,
      instantAccess: seed.instantAccess ?? false,
      snapshotType: seed.snapshotType ?? "user",
      availabilityZone: inventory.volumes.get(volumeId)?.availabilityZone ?? `${region}a`,
    };
  },
  view: standardView,
};

function create(call: Call, cloud: CloudState): ApiResponse {
  const { inventory } = cloud;
  const snapshot = readBodyFields(call, [
    "volume_id",
    "name",
    "description",
    "tags",
    "enterprise_project_id",
    "instant_access",
    "incremental",
  ]);
  const { name, description } = readNameAndDescription(snapshot);
  const tags = readOptionalMap(snapshot.tags, "snapshot.tags", rejectBody) ?? {};
  checkTags(tags);
  const project = checkEnterpriseProject(snapshot.enterprise_project_id);
  const instantAccess = readOptionalBoolean(snapshot.instant_access, "snapshot.instant_access", rejectBody) ?? false;
  // `incremental` is true by default for a single snapshot (SOURCES.md#evs-v5-incremental-default).
  const incremental = readOptionalBoolean(snapshot.incremental, "snapshot.incremental", rejectBody) ?? true;
  // The public page marks `volume_id` as optional, but EVS cannot create a snapshot without a disk
  // (SOURCES.md#evs-v5-volume-id-required).
  const volume = findVolumeToSnapshot(snapshot.volume_id, undefined, cloud);
  checkDiskLimits(volume, instantAccess, 409, cloud);

  const record: StandardSnapshot = {
    ...inventory.newSnapshotFields("standard-snapshot", volume.id),
    kind: "standard-snapshot",
    resourceId: volume.id,
    name: name ?? "",
    description: description ?? null,
    tags,
    groupId: null,
    incremental,
    instantAccess,
    snapshotType: "user",
    size: volume.size,
    availabilityZone: volume.availabilityZone,
    enterpriseProjectId: project ?? volume.enterpriseProjectId,
  };
  inventory.addSnapshot(record);
  return accepted({ job_id: startCreationJob("createSnapshot", record, [volume], inventory), snapshot_id: record.id });
}

const LIST_PARAMETERS = [
  "marker",
  "limit",
  "offset",
  "name",
  "volume_id",
  "availability_zone",
  "status",
  "sort_key",
  "sort_dir",
  "id",
  "ids",
  "snapshot_type",
  "tag_key",
  "tags",
  "enterprise_project_id",
  "snapshot_chain_id",
  "snapshot_group_id",
];

function list(call: Call, cloud: CloudState): ApiResponse {
  const { inventory } = cloud;
  const { query } = call;
  checkQuery(call, cloud, LIST_PARAMETERS, rejectUrl);
  const now = inventory.now();
  const value = (key: string) => readQueryValue(query, key);
  const keep = combineConditions<StandardSnapshot>([
    inventory.visibility(),
    conditionIfGiven(value("snapshot_group_id"), ({ groupId }, wanted) => groupId === wanted),
    conditionIfGiven(value("volume_id"), ({ resourceId }, wanted) => resourceId === wanted),
    conditionIfGiven(value("availability_zone"), ({ availabilityZone }, zone) => availabilityZone === zone),
    conditionIfGiven(value("status"), (snapshot, status) => inventory.statusOf(snapshot, now) === status),
    conditionIfGiven(value("snapshot_type"), ({ snapshotType }, type) => snapshotType === type),
    conditionIfGiven(value("snapshot_chain_id"), (snapshot, chain) => chainIdOf(snapshot) === chain),
    nameCondition(query, cloud),
    enterpriseProjectCondition(query, cloud),
    conditionIfGiven(value("tag_key"), ({ tags }, key) => Object.hasOwn(tags, key)),
    conditionIfGiven(parseTagFilter(value("tags")), ({ tags }, wanted) =>
      Object.entries(wanted).every(([key, tag]) => tags[key] === tag),
    ),
  ]);
  const view = (snapshot: StandardSnapshot) => standardView(snapshot, cloud);
  return createListResponse("snapshots", findCandidates(query, cloud), keep, view, query, cloud);
}

/**
 * Returns the snapshots that can match a list request, oldest first. If the query contains ids, a disk or a group, returns only
 * their snapshots, because filtering all snapshots would be slow.
 */
function findCandidates(query: Query, cloud: CloudState): readonly StandardSnapshot[] {
  const { "standard-snapshot": standard, "snapshot-group": groups } = cloud.inventory.snapshots;
  // The parameter `ids` has the format `id1,id2` in v5, unlike in v2. EVS ignores unknown ids (SOURCES.md#evs-v5-list-query).
  const ids = readQueryValue(query, "ids")?.split(",") ?? query.get("id");
  if (ids) return standard.getAll(ids);
  const volumeId = readQueryValue(query, "volume_id");
  if (volumeId !== undefined) return standard.of(volumeId);
  const group = groups.get(readQueryValue(query, "snapshot_group_id") ?? "");
  return group ? standard.getAll(group.memberIds) : standard.oldestFirst;
}

/** Parses the query parameter `tags` for snapshots, such as `{"key1":"value1"}`. */
function parseTagFilter(text: string | undefined): Tags | undefined {
  if (text === undefined) return undefined;
  const map = parseJsonFilter(text);
  return isObject(map)
    ? (readOptionalMap(map, "tags", rejectUrl) ?? {})
    : rejectUrl('tags must have the format {"key":"value"}.');
}

function show(call: Call, cloud: CloudState): ApiResponse {
  return ok({ snapshot: standardView(find(call, cloud), cloud) });
}

function update(call: Call, cloud: CloudState): ApiResponse {
  const snapshot = find(call, cloud);
  const changes = readBodyFields(call, ["name", "description", "instant_access"]);
  const { name, description } = readNameAndDescription(changes);
  const instantAccess = readOptionalBoolean(changes.instant_access, "snapshot.instant_access", rejectBody);
  if (instantAccess === true && !snapshot.instantAccess)
    rejectBody("instant_access cannot be switched on for an existing snapshot.");
  if (name !== undefined) snapshot.name = name ?? "";
  if (description !== undefined) snapshot.description = description;
  if (instantAccess !== undefined) snapshot.instantAccess = instantAccess;
  snapshot.updatedAt = cloud.inventory.now();
  return ok({ snapshot: standardView(snapshot, cloud) });
}

function remove(call: Call, cloud: CloudState): ApiResponse {
  const snapshot = find(call, cloud);
  checkDeletable(snapshot, cloud);
  cloud.inventory.deleteSnapshot(snapshot);
  const { resourceId } = snapshot;
  return accepted({ job_id: startDeletionJob("deleteSnapshot", snapshot, [resourceId], cloud.inventory) });
}

function find(call: Call, cloud: CloudState): StandardSnapshot {
  const id = call.params.snapshot_id ?? "";
  return cloud.inventory.snapshots["standard-snapshot"].get(id) ?? rejectUnknownId("Snapshot", id);
}

function readBodyFields(call: Call, known: string[]): Fields {
  const { snapshot } = readObject(call.json, "body", ["snapshot"], rejectBody);
  return readObject(snapshot, "snapshot", known, rejectBody);
}

/**
 * Reads the name and the description from a request body (SOURCES.md#evs-v5-create-constraints). Whether EVS v5 rejects names
 * that start with `autobk_snapshot_` is UNCONFIRMED.
 */
function readNameAndDescription(snapshot: Fields) {
  const name = readOptionalString(snapshot.name, "snapshot.name", { max: 64, unit: "characters" }, rejectBody);
  if (name?.startsWith("autobk_snapshot_")) rejectBody("snapshot.name must not start with autobk_snapshot_.");
  const size = { max: 85, unit: "characters" } as const;
  return { name, description: readOptionalString(snapshot.description, "snapshot.description", size, rejectBody) };
}
