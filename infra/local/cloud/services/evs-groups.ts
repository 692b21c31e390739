/** EVS v5 snapshot consistency groups: seed 003, cloud-apis.md 2.2. */

import { type CloudState, checkQuery } from "../cloud-state.ts";
import { type Answer, accepted, type Call, ok, type Route } from "../gateway/http.ts";
import {
  type SnapshotGroup,
  type StandardSnapshot,
  shownCreation,
  type Tags,
  type VolumeRecord,
} from "../inventory.ts";
import { fields, isFields, one, optionalBoolean, optionalMap, optionalText } from "./constraints.ts";
import {
  badBody,
  badUrl,
  checkEnterpriseProject,
  checkTags,
  inProject,
  named,
  notFound,
  snapshotableVolume,
} from "./evs-common.ts";
import { deletionJob, snapshotJob } from "./evs-jobs.ts";
import { checkDeletable } from "./evs-v2.ts";
import {
  allTags,
  checkRoom,
  cutStandardPage,
  parseJson,
  standardPage,
  standardTime,
  withoutTags,
  withTags,
} from "./evs-v5.ts";
import { allOf, when } from "./paging.ts";

const ONE = "/v5/{project_id}/snapshot-groups/{snapshot_group_id}";

export const snapshotGroupRoutes: Route[] = [
  { operation: "evs.createSnapshotGroup", method: "POST", path: "/v5/{project_id}/snapshot-groups", handle: create },
  { operation: "evs.listSnapshotGroups", method: "GET", path: "/v5/{project_id}/snapshot-groups/detail", handle: list },
  {
    operation: "evs.countSnapshotGroups",
    method: "GET",
    path: "/v5/{project_id}/snapshot-groups/count",
    handle: count,
  },
  {
    operation: "evs.listSnapshotGroupTags",
    method: "GET",
    path: "/v5/{project_id}/snapshot-groups/tags",
    handle: listTags,
  },
  { operation: "evs.showSnapshotGroup", method: "GET", path: ONE, handle: show },
  { operation: "evs.updateSnapshotGroup", method: "PUT", path: ONE, handle: update },
  { operation: "evs.deleteSnapshotGroup", method: "DELETE", path: ONE, handle: remove },
  { operation: "evs.addSnapshotGroupTags", method: "POST", path: `${ONE}/tags/create`, handle: addTags },
  { operation: "evs.removeSnapshotGroupTags", method: "POST", path: `${ONE}/tags/delete`, handle: removeTags },
];

/** Seed 003: 255 bytes each. */
const TEXT = { maximum: 255, unit: "bytes" } as const;

function create(call: Call, cloud: CloudState): Answer {
  const { estate, choices } = cloud;
  const { snapshot_group } = fields(call.json, "body", ["snapshot_group"], badBody);
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
  const wanted = fields(snapshot_group, "snapshot_group", known, badBody);
  const name = optionalText(wanted.name, "snapshot_group.name", TEXT, badBody) ?? "";
  const description = optionalText(wanted.description, "snapshot_group.description", TEXT, badBody) ?? null;
  const tags = optionalMap(wanted.tags, "snapshot_group.tags", badBody) ?? {};
  checkTags(tags);
  const chosenProject = checkEnterpriseProject(wanted.enterprise_project_id);
  const instantAccess = optionalBoolean(wanted.instant_access, "snapshot_group.instant_access", badBody) ?? false;
  // Documented for groups as false, unlike the single snapshot (cloud-apis.md 2.1).
  const incremental = optionalBoolean(wanted.incremental, "snapshot_group.incremental", badBody) ?? false;
  const { serverId, volumes } = chosenVolumes(wanted.server_id, wanted.volume_ids, cloud);
  // A disk that is being snapshotted: the same code as for a single snapshot, on 400 (cloud-apis.md 2.1).
  for (const volume of volumes) checkRoom(volume, instantAccess, 400, cloud);
  // Where none is asked for: its server's, else its disks' (UNCONFIRMED, as for a single snapshot).
  const project =
    chosenProject ?? estate.servers.get(serverId ?? "")?.enterpriseProjectId ?? volumes[0]?.enterpriseProjectId ?? "0";

  const group: SnapshotGroup = {
    ...estate.fresh("snapshot-group", serverId ?? ""),
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
    ...estate.fresh("standard-snapshot", volume.id),
    readyAt: group.readyAt,
    ...member(group, volume, index, choices.groupTagsOnMembers ? tags : {}),
  }));
  group.memberIds = members.map(({ id }) => id);
  const failed = members.find(({ endStatus }) => endStatus !== "available");
  if (failed && choices.groupFailsWithMember) group.endStatus = "error";
  else if (group.endStatus === "available") group.endStatus = choices.groupAvailable;
  estate.addSnapshot(group);
  for (const each of members) estate.addSnapshot(each);
  return accepted({ job_id: snapshotJob("createSnapshotGroup", group, estate), snapshot_group_id: group.id });
}

/** What a member has of its group and its disk. How the cloud names members is UNCONFIRMED. */
export function member(group: SnapshotGroup, volume: VolumeRecord, index: number, tags: Tags) {
  const suffix = `-${String(index + 1).padStart(4, "0")}`;
  return {
    kind: "standard-snapshot",
    resourceId: volume.id,
    name: `${[...group.name].slice(0, 64 - suffix.length).join("")}${suffix}`,
    description: null,
    tags: { ...tags },
    groupId: group.id,
    incremental: group.incremental,
    instantAccess: group.instantAccess,
    snapshotType: "user",
    size: volume.size,
    availabilityZone: volume.availabilityZone,
    enterpriseProjectId: group.enterpriseProjectId,
  } satisfies Partial<StandardSnapshot>;
}

function chosenVolumes(
  serverId: unknown,
  volumeIds: unknown,
  cloud: CloudState,
): { serverId: string | null; volumes: VolumeRecord[] } {
  const { estate } = cloud;
  if (serverId !== undefined && typeof serverId !== "string")
    return badBody("snapshot_group.server_id must be a string.");
  if (volumeIds !== undefined && (!Array.isArray(volumeIds) || volumeIds.some((id) => typeof id !== "string"))) {
    return badBody("snapshot_group.volume_ids must be an array of strings.");
  }
  const ids = volumeIds as string[] | undefined;
  if (!serverId && !ids?.length) return badBody("server_id and volume_ids must not both be empty.");
  if (serverId && !estate.servers.get(serverId)) return notFound("Server", serverId);
  const attached = serverId ? estate.volumesOfServer(serverId) : [];
  const chosen = ids?.length ? [...new Set(ids)] : attached.map(({ id }) => id);
  if (chosen.length === 0) return badBody(`Server ${serverId} has no disks.`);
  const volumes = chosen.map((id) => snapshotableVolume(id, undefined, cloud));
  // Seed 003: with server_id, volume_ids can only name disks that are attached to that server.
  const foreign = serverId ? volumes.find((volume) => !attached.includes(volume)) : undefined;
  if (foreign) return badBody(`Volume ${foreign.id} is not attached to server ${serverId}.`);
  return { serverId: serverId || null, volumes };
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

function list(call: Call, cloud: CloudState): Answer {
  const { estate } = cloud;
  const { query } = call;
  checkQuery(call, cloud, LIST_PARAMETERS, badUrl);
  const now = estate.now();
  const value = (key: string) => one(query, key);
  const keep = allOf<SnapshotGroup>([
    estate.visibility(),
    when(value("id"), ({ id }, wanted) => id === wanted),
    when(value("status"), (group, status) => estate.statusOf(group, now) === status),
    when(value("server_id"), ({ resourceId }, wanted) => resourceId === wanted),
    named(query, cloud),
    inProject(query, cloud),
    when(value("tag_key"), ({ tags }, key) => Object.hasOwn(tags, key)),
    when(tagFilter(value("tags")), ({ tags }, wanted) => wanted.every(({ key, value: tag }) => tags[key] === tag)),
  ]);
  const page = cutStandardPage(query, cloud, estate.snapshots["snapshot-group"].oldestFirst, keep);
  return ok(
    standardPage(
      "snapshot_groups",
      page,
      page.rows.map((group) => groupView(group, cloud)),
      query,
      cloud,
    ),
  );
}

/** `[{"key":"key1","value":"value1"}]`: not the format of the snapshots' filter (cloud-apis.md 2.1). */
function tagFilter(text: string | undefined): { key: string; value: string }[] | undefined {
  if (text === undefined) return undefined;
  const tags = parseJson(text);
  const valid =
    Array.isArray(tags) &&
    tags.every((tag) => isFields(tag) && typeof tag.key === "string" && typeof tag.value === "string");
  return valid ? tags : badUrl('tags must have the format [{"key":"key1","value":"value1"}].');
}

function count(_: Call, cloud: CloudState): Answer {
  return ok({ count: cloud.estate.snapshots["snapshot-group"].size });
}

function listTags(_: Call, cloud: CloudState): Answer {
  return ok({ tags: allTags(cloud.estate.snapshots["snapshot-group"].oldestFirst) });
}

function show(call: Call, cloud: CloudState): Answer {
  return ok({ snapshot_group: groupView(find(call, cloud), cloud) });
}

function update(call: Call, cloud: CloudState): Answer {
  const group = find(call, cloud);
  const { snapshot_group } = fields(call.json, "body", ["snapshot_group"], badBody);
  const changes = fields(snapshot_group, "snapshot_group", ["name", "description"], badBody);
  const name = optionalText(changes.name, "snapshot_group.name", TEXT, badBody);
  const description = optionalText(changes.description, "snapshot_group.description", TEXT, badBody);
  if (name !== undefined) group.name = name ?? "";
  if (description !== undefined) group.description = description;
  group.updatedAt = cloud.estate.now();
  return ok({ snapshot_group: groupView(group, cloud) });
}

/** Whether the members go with it is UNCONFIRMED (cloud-apis.md 2.2). Those that stay keep the group's id. */
function remove(call: Call, cloud: CloudState): Answer {
  const { estate, choices } = cloud;
  const group = find(call, cloud);
  checkDeletable(group, cloud);
  estate.deleteSnapshot(group);
  if (choices.groupDeleteCascades) {
    for (const id of group.memberIds) {
      const snapshot = estate.snapshots["standard-snapshot"].get(id);
      if (snapshot && snapshot.goneAt === undefined) estate.deleteSnapshot(snapshot);
    }
  }
  return accepted({ job_id: deletionJob("deleteSnapshotGroup", group, estate) });
}

function addTags(call: Call, cloud: CloudState): Answer {
  const group = find(call, cloud);
  group.tags = withTags(group.tags, call);
  return { status: 204 };
}

function removeTags(call: Call, cloud: CloudState): Answer {
  const group = find(call, cloud);
  group.tags = withoutTags(group.tags, call);
  return { status: 204 };
}

function find(call: Call, cloud: CloudState): SnapshotGroup {
  const id = call.params.snapshot_group_id ?? "";
  return cloud.estate.snapshots["snapshot-group"].get(id) ?? notFound("Snapshot group", id);
}

/** No volume_ids, members, instant_access or incremental (cloud-apis.md 2.2). */
export function groupView(group: SnapshotGroup, cloud: CloudState) {
  const createdAt = standardTime(group.createdAt, group.microseconds, cloud);
  return {
    id: group.id,
    name: group.name,
    description: group.description,
    status: cloud.estate.statusOf(group),
    server_id: group.resourceId || null,
    tags: group.tags,
    enterprise_project_id: group.enterpriseProjectId,
    created_at: shownCreation(group, createdAt),
    updated_at: group.updatedAt === undefined ? createdAt : standardTime(group.updatedAt, 0, cloud),
  };
}
