/** Implements EVS v5 snapshot consistency groups (SOURCES.md#evs-groups-create). */

import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, accepted, type Call, ok, type Route } from "../gateway/http.ts";
import { creationTimeInResponse, type SnapshotRecord, type Tags } from "../records.ts";
import type { SnapshotKind } from "../snapshot-kind.ts";
import {
  checkQuery,
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
  nameCondition,
  rejectBody,
  rejectUnknownId,
  rejectUrl,
} from "./evs-common.ts";
import { addSeededMember, findChosenVolumes, memberFields } from "./evs-group-members.ts";
import { startCreationJob, startDeletionJob } from "./evs-jobs.ts";
import { checkTags, tagRoutes } from "./evs-tags.ts";
import { checkDeletable } from "./evs-v2.ts";
import { createListResponse, formatStandardTime, parseJsonFilter } from "./evs-v5-lists.ts";
import { combineConditions, conditionIfGiven } from "./paging.ts";

const ALL = "/v5/{project_id}/snapshot-groups";
const SINGLE = `${ALL}/{snapshot_group_id}`;

export const snapshotGroupRoutes: Route[] = [
  { operation: "evs.createSnapshotGroup", method: "POST", path: ALL, handle: create },
  { operation: "evs.listSnapshotGroups", method: "GET", path: `${ALL}/detail`, handle: list },
  { operation: "evs.countSnapshotGroups", method: "GET", path: `${ALL}/count`, handle: count },
  { operation: "evs.showSnapshotGroup", method: "GET", path: SINGLE, handle: show },
  { operation: "evs.updateSnapshotGroup", method: "PUT", path: SINGLE, handle: update },
  { operation: "evs.deleteSnapshotGroup", method: "DELETE", path: SINGLE, handle: remove },
  ...tagRoutes(
    { list: "evs.listSnapshotGroupTags", add: "evs.addSnapshotGroupTags", remove: "evs.removeSnapshotGroupTags" },
    { all: ALL, single: SINGLE },
    (cloud) => cloud.inventory.snapshots["snapshot-group"].oldestFirst,
    find,
  ),
];

/** The maximum size of the name, and of the description, of a snapshot group (SOURCES.md#evs-groups-create-constraints). */
const TEXT_SIZE = { max: 255, unit: "bytes" } as const;

interface SnapshotGroup extends SnapshotRecord {
  kind: "snapshot-group";
  volumeIds: string[];
  memberIds: string[];
  tags: Tags;
  incremental: boolean;
  instantAccess: boolean;
}

declare module "../records.ts" {
  interface SnapshotRecordByKind {
    "snapshot-group": SnapshotGroup;
  }
  interface SeedOptionsByKind {
    /**
     * `addSnapshot` also adds one member snapshot for each disk in `volumeIds`. The members have the creation time and the status
     * of the group. If `volumeIds` is absent, `addSnapshot` uses all disks of the server. `memberId` returns the id of the member
     * snapshot of a disk. Default: a random id.
     */
    "snapshot-group": {
      serverId?: string;
      volumeIds?: string[];
      tags?: Tags;
      memberId?: (volumeId: string) => string;
    };
  }
}

export const snapshotKind: SnapshotKind<"snapshot-group"> = {
  name: "snapshot-group",
  statuses: EVS_STATUSES,
  creationMs: 3000,
  labelsField: "tags",
  seed({ serverId = "", volumeIds, tags = {}, memberId }, fields, cloud) {
    const { inventory, behavior } = cloud;
    const group: SnapshotGroup = {
      ...fields,
      kind: "snapshot-group",
      resourceId: serverId,
      volumeIds: volumeIds ?? inventory.volumesOfServer(serverId).map(({ id }) => id),
      memberIds: [],
      tags: { ...tags },
      incremental: false,
      instantAccess: false,
      finalStatus: fields.finalStatus === "available" ? behavior.groupAvailable : fields.finalStatus,
    };
    for (const id of group.volumeIds) addSeededMember(group, id, { ...fields, id: memberId?.(id) }, cloud);
    return group;
  },
  view: (group, cloud) => ({
    ...groupView(group, cloud),
    volume_ids: group.volumeIds,
    member_ids: group.memberIds,
    incremental: group.incremental,
    instant_access: group.instantAccess,
  }),
};

function create(call: Call, cloud: CloudState): ApiResponse {
  const { inventory, behavior } = cloud;
  const { snapshot_group } = readObject(call.json, "body", ["snapshot_group"], rejectBody);
  const known = [
    "server_id",
    "volume_ids",
    "instant_access",
    "name",
    "description",
    "tags",
    "enterprise_project_id",
    "incremental",
  ];
  const wanted = readObject(snapshot_group, "snapshot_group", known, rejectBody);
  const name = readOptionalString(wanted.name, "snapshot_group.name", TEXT_SIZE, rejectBody) ?? "";
  const description =
    readOptionalString(wanted.description, "snapshot_group.description", TEXT_SIZE, rejectBody) ?? null;
  const tags = readOptionalMap(wanted.tags, "snapshot_group.tags", rejectBody) ?? {};
  checkTags(tags);
  const chosenProject = checkEnterpriseProject(wanted.enterprise_project_id);
  const instantAccess =
    readOptionalBoolean(wanted.instant_access, "snapshot_group.instant_access", rejectBody) ?? false;
  // `incremental` is false by default for a snapshot group, but true for a single snapshot
  // (SOURCES.md#evs-v5-incremental-default).
  const incremental = readOptionalBoolean(wanted.incremental, "snapshot_group.incremental", rejectBody) ?? false;
  const { serverId, volumes } = findChosenVolumes(wanted.server_id, wanted.volume_ids, cloud);
  // While another snapshot of a disk is being created, EVS rejects a snapshot group with 400, but a single snapshot with 409
  // (SOURCES.md#evs-creation-in-progress).
  for (const volume of volumes) checkDiskLimits(volume, instantAccess, 400, cloud);
  // If the request contains no `enterprise_project_id`, the group gets the enterprise project of its server or of its first disk.
  // This behavior is UNCONFIRMED.
  const owner = inventory.servers.get(serverId ?? "") ?? volumes[0];
  const project = chosenProject ?? owner?.enterpriseProjectId ?? "0";

  const group: SnapshotGroup = {
    ...inventory.newSnapshotFields("snapshot-group", serverId ?? ""),
    kind: "snapshot-group",
    resourceId: serverId ?? "",
    name,
    description,
    tags,
    volumeIds: volumes.map(({ id }) => id),
    memberIds: [],
    incremental,
    instantAccess,
    size: 0,
    enterpriseProjectId: project,
  };
  const members = volumes.map((volume, index) => ({
    ...inventory.newSnapshotFields("standard-snapshot", volume.id),
    readyAt: group.readyAt,
    ...memberFields(group, volume, index, behavior.groupTagsOnMembers ? tags : {}),
  }));
  group.memberIds = members.map(({ id }) => id);
  const failed = members.find(({ finalStatus }) => finalStatus !== "available");
  if (failed && behavior.groupFailsWithMember) group.finalStatus = "error";
  else if (group.finalStatus === "available") group.finalStatus = behavior.groupAvailable;
  inventory.addSnapshot(group);
  for (const each of members) inventory.addSnapshot(each);
  return accepted({
    job_id: startCreationJob("createSnapshotGroup", group, volumes, inventory),
    snapshot_group_id: group.id,
  });
}

const LIST_PARAMETERS = [
  "limit",
  "offset",
  "id",
  "name",
  "status",
  "tag_key",
  "tags",
  "sort_key",
  "sort_dir",
  "server_id",
  "enterprise_project_id",
];

function list(call: Call, cloud: CloudState): ApiResponse {
  const { inventory } = cloud;
  const { query } = call;
  checkQuery(call, cloud, LIST_PARAMETERS, rejectUrl);
  const now = inventory.now();
  const value = (key: string) => readQueryValue(query, key);
  const keep = combineConditions<SnapshotGroup>([
    inventory.visibility(),
    conditionIfGiven(value("id"), ({ id }, wanted) => id === wanted),
    conditionIfGiven(value("status"), (group, status) => inventory.statusOf(group, now) === status),
    conditionIfGiven(value("server_id"), ({ resourceId }, wanted) => resourceId === wanted),
    nameCondition(query, cloud),
    enterpriseProjectCondition(query, cloud),
    conditionIfGiven(value("tag_key"), ({ tags }, key) => Object.hasOwn(tags, key)),
    conditionIfGiven(parseTagFilter(value("tags")), ({ tags }, wanted) =>
      wanted.every(({ key, value: tag }) => tags[key] === tag),
    ),
  ]);
  const view = (group: SnapshotGroup) => groupView(group, cloud);
  return createListResponse(
    "snapshot_groups",
    inventory.snapshots["snapshot-group"].oldestFirst,
    keep,
    view,
    query,
    cloud,
  );
}

/**
 * Parses the query parameter `tags` for snapshot groups, such as `[{"key":"key1","value":"value1"}]`. For snapshots, EVS
 * documents another format of `tags` (SOURCES.md#evs-groups-list-query).
 */
function parseTagFilter(text: string | undefined): { key: string; value: string }[] | undefined {
  if (text === undefined) return undefined;
  const tags = parseJsonFilter(text);
  const valid =
    Array.isArray(tags) &&
    tags.every((tag) => isObject(tag) && typeof tag.key === "string" && typeof tag.value === "string");
  return valid ? tags : rejectUrl('tags must have the format [{"key":"key1","value":"value1"}].');
}

function count(_: Call, cloud: CloudState): ApiResponse {
  return ok({ count: cloud.inventory.snapshots["snapshot-group"].size });
}

function show(call: Call, cloud: CloudState): ApiResponse {
  return ok({ snapshot_group: groupView(find(call, cloud), cloud) });
}

function update(call: Call, cloud: CloudState): ApiResponse {
  const group = find(call, cloud);
  const { snapshot_group } = readObject(call.json, "body", ["snapshot_group"], rejectBody);
  const changes = readObject(snapshot_group, "snapshot_group", ["name", "description"], rejectBody);
  const name = readOptionalString(changes.name, "snapshot_group.name", TEXT_SIZE, rejectBody);
  const description = readOptionalString(changes.description, "snapshot_group.description", TEXT_SIZE, rejectBody);
  if (name !== undefined) group.name = name ?? "";
  if (description !== undefined) group.description = description;
  group.updatedAt = cloud.inventory.now();
  return ok({ snapshot_group: groupView(group, cloud) });
}

/**
 * Deletes a snapshot group. Whether EVS also deletes the member snapshots is UNCONFIRMED
 * (SOURCES.md#evs-groups-delete-members). A member that is not deleted keeps the id of the group.
 */
function remove(call: Call, cloud: CloudState): ApiResponse {
  const { inventory, behavior } = cloud;
  const group = find(call, cloud);
  checkDeletable(group, cloud);
  inventory.deleteSnapshot(group);
  if (behavior.groupDeleteCascades) {
    for (const id of group.memberIds) {
      const snapshot = inventory.snapshots["standard-snapshot"].get(id);
      if (snapshot && snapshot.deletedAt === undefined) inventory.deleteSnapshot(snapshot);
    }
  }
  return accepted({ job_id: startDeletionJob("deleteSnapshotGroup", group, group.volumeIds, inventory) });
}

function find(call: Call, cloud: CloudState): SnapshotGroup {
  const id = call.params.snapshot_group_id ?? "";
  return cloud.inventory.snapshots["snapshot-group"].get(id) ?? rejectUnknownId("Snapshot group", id);
}

/**
 * Returns the fields of a snapshot group that an EVS response contains. EVS does not return the disks and members of a group
 * (SOURCES.md#evs-groups-hide-members).
 */
function groupView(group: SnapshotGroup, cloud: CloudState) {
  const createdAt = formatStandardTime(group.createdAt, group.microseconds, cloud);
  return {
    id: group.id,
    project_id: cloud.projectId,
    name: group.name,
    description: group.description,
    status: cloud.inventory.statusOf(group),
    server_id: group.resourceId || null,
    tags: group.tags,
    enterprise_project_id: group.enterpriseProjectId,
    created_at: creationTimeInResponse(group, createdAt),
    updated_at: group.updatedAt === undefined ? createdAt : formatStandardTime(group.updatedAt, 0, cloud),
  };
}
