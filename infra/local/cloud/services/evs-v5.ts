/** EVS v5, the standard snapshots: seed 000, cloud-apis.md 2.1. */
import { bareTime } from "../clock.ts";
import { type CloudState, checkQuery } from "../cloud-state.ts";
import { type Answer, accepted, type Call, ok, type Query, type Route } from "../gateway/http.ts";
import { type StandardSnapshot, shownCreation, type Tags, type VolumeRecord } from "../inventory.ts";
import type { Stored } from "../time-ordered-store.ts";
import { type Fields, fields, isFields, one, optionalBoolean, optionalMap, optionalText } from "./constraints.ts";
import {
  badBody,
  badUrl,
  checkEnterpriseProject,
  checkTags,
  direction,
  inProject,
  named,
  nextLink,
  notFound,
  refuse,
  snapshotableVolume,
  sorting,
  window,
} from "./evs-common.ts";
import { deletionJob, snapshotJob } from "./evs-jobs.ts";
import { checkDeletable } from "./evs-v2.ts";
import { allOf, type Condition, countOf, cutPage, type Page, when } from "./paging.ts";

const ONE = "/v5/{project_id}/snapshots/{snapshot_id}";

export const standardSnapshotRoutes: Route[] = [
  { operation: "evs.createStandardSnapshot", method: "POST", path: "/v5/{project_id}/snapshots", handle: create },
  { operation: "evs.listStandardSnapshots", method: "GET", path: "/v5/{project_id}/snapshots/detail", handle: list },
  {
    operation: "evs.listStandardSnapshotTags",
    method: "GET",
    path: "/v5/{project_id}/snapshots/tags",
    handle: listTags,
  },
  { operation: "evs.showStandardSnapshot", method: "GET", path: ONE, handle: show },
  { operation: "evs.updateStandardSnapshot", method: "PUT", path: ONE, handle: update },
  { operation: "evs.deleteStandardSnapshot", method: "DELETE", path: ONE, handle: remove },
  { operation: "evs.addStandardSnapshotTags", method: "POST", path: `${ONE}/tags/create`, handle: addTags },
  { operation: "evs.removeStandardSnapshotTags", method: "POST", path: `${ONE}/tags/delete`, handle: removeTags },
];

function create(call: Call, cloud: CloudState): Answer {
  const { estate } = cloud;
  const snapshot = body(call, [
    "volume_id",
    "name",
    "description",
    "tags",
    "enterprise_project_id",
    "instant_access",
    "incremental",
  ]);
  const { name, description } = texts(snapshot);
  const tags = optionalMap(snapshot.tags, "snapshot.tags", badBody) ?? {};
  checkTags(tags);
  const project = checkEnterpriseProject(snapshot.enterprise_project_id);
  const instantAccess = optionalBoolean(snapshot.instant_access, "snapshot.instant_access", badBody) ?? false;
  // Documented for the single snapshot as true (cloud-apis.md 2.1).
  const incremental = optionalBoolean(snapshot.incremental, "snapshot.incremental", badBody) ?? true;
  // "Not mandatory" in seed 000, but nothing can be made without one.
  const volume = snapshotableVolume(snapshot.volume_id, undefined, cloud);
  checkRoom(volume, instantAccess, 409, cloud);

  const record: StandardSnapshot = {
    ...estate.fresh("standard-snapshot", volume.id),
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
  estate.addSnapshot(record);
  return accepted({ job_id: snapshotJob("createSnapshot", record, estate), snapshot_id: record.id });
}

/** What a disk allows: one creation at a time, 256 in all, 7 of them instant (cloud-apis.md 1.7, 2.1). */
export function checkRoom(volume: VolumeRecord, instantAccess: boolean, busyStatus: number, cloud: CloudState): void {
  const { estate, choices } = cloud;
  const existing = estate.snapshots["standard-snapshot"].of(volume.id);
  if (existing.some((snapshot) => estate.isCreating(snapshot))) {
    refuse(busyStatus, "EVS.2409", `A snapshot of volume ${volume.id} is being created.`);
  }
  // The code for the 257th, and for the 8th instant one, is UNCONFIRMED (cloud-apis.md 4.2).
  if (existing.length >= choices.standardPerVolume) refuse(413, "EVS.5413", "Insufficient snapshot quota.");
  if (!instantAccess) return;
  if (["SAS", "SATA"].includes(volume.volumeType)) {
    badBody(`instant_access is not supported for disks of the type ${volume.volumeType}.`);
  }
  if (existing.filter((snapshot) => snapshot.instantAccess).length >= 7) {
    refuse(413, "EVS.5413", "Insufficient quota of snapshots with instant access.");
  }
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

function list(call: Call, cloud: CloudState): Answer {
  const { estate } = cloud;
  const { query } = call;
  checkQuery(call, cloud, LIST_PARAMETERS, badUrl);
  const now = estate.now();
  const value = (key: string) => one(query, key);
  const keep = allOf<StandardSnapshot>([
    estate.visibility(),
    when(value("snapshot_group_id"), ({ groupId }, wanted) => groupId === wanted),
    when(value("volume_id"), ({ resourceId }, wanted) => resourceId === wanted),
    when(value("availability_zone"), ({ availabilityZone }, zone) => availabilityZone === zone),
    when(value("status"), (snapshot, status) => estate.statusOf(snapshot, now) === status),
    when(value("snapshot_type"), ({ snapshotType }, type) => snapshotType === type),
    when(value("snapshot_chain_id"), (snapshot, chain) => chainOf(snapshot) === chain),
    named(query, cloud),
    inProject(query, cloud),
    when(value("tag_key"), ({ tags }, key) => Object.hasOwn(tags, key)),
    when(tagFilter(value("tags")), ({ tags }, wanted) =>
      Object.entries(wanted).every(([key, tag]) => tags[key] === tag),
    ),
  ]);
  const page = cutStandardPage(query, cloud, candidates(query, cloud), keep);
  return ok(
    standardPage(
      "snapshots",
      page,
      page.rows.map((snapshot) => standardView(snapshot, cloud)),
      query,
      cloud,
    ),
  );
}

/** The fewest rows that an index gives, oldest first. */
function candidates(query: Query, cloud: CloudState): readonly StandardSnapshot[] {
  const { "standard-snapshot": standard, "snapshot-group": groups } = cloud.estate.snapshots;
  // `id1,id2`, bad ids ignored: not v2's format (cloud-apis.md 2.1).
  const ids = one(query, "ids")?.split(",") ?? query.get("id");
  if (ids) return standard.some(ids);
  const volumeId = one(query, "volume_id");
  if (volumeId !== undefined) return standard.of(volumeId);
  const group = groups.get(one(query, "snapshot_group_id") ?? "");
  return group ? standard.some(group.memberIds) : standard.oldestFirst;
}

type Listed = Stored & { name: string; size: number } & Parameters<CloudState["estate"]["statusOf"]>[0];

export function cutStandardPage<T extends Listed>(
  query: Query,
  cloud: CloudState,
  source: readonly T[],
  keep: Condition<T> | undefined,
): Page<T> {
  const { limit, offset } = window(query, cloud);
  const page = cutPage(source, {
    keep,
    sort: sorting<T>(query, {
      id: ({ id }) => id,
      name: ({ name }) => name,
      size: ({ size }) => size,
      status: (row) => cloud.estate.statusOf(row),
      created_at: undefined,
    }),
    descending: direction(query) === "desc",
    offset,
    limit,
    marker: one(query, "marker"),
  });
  if (page.markerLost) refuse(400, "EVS.1024", "invalid filter marker!");
  return page;
}

/** Whether v5 lists have `count` and links is UNCONFIRMED (cloud-apis.md 2.1); they have none by default. */
export function standardPage<T extends { id: string }>(
  field: string,
  page: Page<T>,
  rows: unknown[],
  query: Query,
  cloud: CloudState,
): unknown {
  if (!cloud.choices.v5ListCount) return { [field]: rows };
  const links = nextLink(`/v5/${cloud.projectId}/${field}/detail`, window(query, cloud).limit, page.rows.at(-1)?.id);
  return { count: countOf(page, cloud.choices), [field]: rows, ...(page.more ? { [`${field}_links`]: links } : {}) };
}

/** `{"key1":"value1"}` */
function tagFilter(text: string | undefined): Tags | undefined {
  if (text === undefined) return undefined;
  const map = parseJson(text);
  return isFields(map)
    ? (optionalMap(map, "tags", badUrl) ?? {})
    : badUrl('tags must have the format {"key":"value"}.');
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function listTags(_: Call, cloud: CloudState): Answer {
  return ok({ tags: allTags(cloud.estate.snapshots["standard-snapshot"].oldestFirst) });
}

export function allTags(tagged: readonly { tags: Tags }[]): { key: string; value: string[] }[] {
  const values = new Map<string, Set<string>>();
  for (const { tags } of tagged) {
    for (const [key, value] of Object.entries(tags)) values.set(key, (values.get(key) ?? new Set()).add(value));
  }
  return [...values].map(([key, value]) => ({ key, value: [...value] }));
}

function show(call: Call, cloud: CloudState): Answer {
  return ok({ snapshot: standardView(find(call, cloud), cloud) });
}

function update(call: Call, cloud: CloudState): Answer {
  const snapshot = find(call, cloud);
  const changes = body(call, ["name", "description", "instant_access"]);
  const { name, description } = texts(changes);
  const instantAccess = optionalBoolean(changes.instant_access, "snapshot.instant_access", badBody);
  if (instantAccess === true && !snapshot.instantAccess) badBody("instant_access cannot be switched on.");
  if (name !== undefined) snapshot.name = name ?? "";
  if (description !== undefined) snapshot.description = description;
  if (instantAccess !== undefined) snapshot.instantAccess = instantAccess;
  snapshot.updatedAt = cloud.estate.now();
  return ok({ snapshot: standardView(snapshot, cloud) });
}

function remove(call: Call, cloud: CloudState): Answer {
  const snapshot = find(call, cloud);
  checkDeletable(snapshot, cloud);
  cloud.estate.deleteSnapshot(snapshot);
  return accepted({ job_id: deletionJob("deleteSnapshot", snapshot, cloud.estate) });
}

function addTags(call: Call, cloud: CloudState): Answer {
  const snapshot = find(call, cloud);
  snapshot.tags = withTags(snapshot.tags, call);
  return { status: 204 };
}

function removeTags(call: Call, cloud: CloudState): Answer {
  const snapshot = find(call, cloud);
  snapshot.tags = withoutTags(snapshot.tags, call);
  return { status: 204 };
}

export function withTags(tags: Tags, call: Call): Tags {
  const added = tagEntries(call).map(({ key, value }) => [key, String(value ?? "")] as const);
  const all = { ...tags, ...Object.fromEntries(added) };
  checkTags(all);
  return all;
}

export function withoutTags(tags: Tags, call: Call): Tags {
  const gone = tagEntries(call).map(({ key }) => key);
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.includes(key)));
}

function tagEntries(call: Call): { key: string; value: unknown }[] {
  const { tags } = fields(call.json, "body", ["tags"], badBody);
  if (!Array.isArray(tags)) return badBody("tags must be an array.");
  return tags.map((tag) => {
    const { key, value } = fields(tag, "tags", ["key", "value"], badBody);
    return typeof key === "string" ? { key, value } : badBody("tags.key must be a string.");
  });
}

function find(call: Call, cloud: CloudState): StandardSnapshot {
  const id = call.params.snapshot_id ?? "";
  return cloud.estate.snapshots["standard-snapshot"].get(id) ?? notFound("Snapshot", id);
}

function body(call: Call, known: string[]): Fields {
  const { snapshot } = fields(call.json, "body", ["snapshot"], badBody);
  return fields(snapshot, "snapshot", known, badBody);
}

/** Seed 000: 64 and 85 characters. That `autobk_snapshot_` is refused here too is UNCONFIRMED. */
function texts(snapshot: Fields) {
  const name = optionalText(snapshot.name, "snapshot.name", { maximum: 64, unit: "characters" }, badBody);
  if (name?.startsWith("autobk_snapshot_")) badBody("snapshot.name must not start with autobk_snapshot_.");
  const size = { maximum: 85, unit: "characters" } as const;
  return { name, description: optionalText(snapshot.description, "snapshot.description", size, badBody) };
}

/** The format is UNCONFIRMED (cloud-apis.md 2.1): without a zone as in v2, unless chosen otherwise. */
export function standardTime(ms: number, microseconds: number, cloud: CloudState): string {
  return bareTime(ms, microseconds) + (cloud.choices.v5Times === "zoned" ? "Z" : "");
}

/** One chain a disk; how real chains branch is of no matter here. */
function chainOf(snapshot: StandardSnapshot): string {
  return `chain-${snapshot.resourceId}`;
}

export function standardView(snapshot: StandardSnapshot, cloud: CloudState) {
  const { estate } = cloud;
  const creating = estate.isCreating(snapshot);
  const createdAt = standardTime(snapshot.createdAt, snapshot.microseconds, cloud);
  return {
    id: snapshot.id,
    name: snapshot.name,
    description: snapshot.description,
    status: estate.statusOf(snapshot),
    created_at: shownCreation(snapshot, createdAt),
    updated_at: snapshot.updatedAt === undefined ? createdAt : standardTime(snapshot.updatedAt, 0, cloud),
    volume_id: snapshot.resourceId,
    size: snapshot.size,
    enterprise_project_id: snapshot.enterpriseProjectId,
    encrypted: false,
    cmk_id: null,
    category: "standard",
    availability_zone: snapshot.availabilityZone,
    tags: snapshot.tags,
    instant_access: snapshot.instantAccess,
    retention_at: null,
    instant_access_retention_at: null,
    incremental: snapshot.incremental,
    snapshot_type: snapshot.snapshotType,
    progress: creating ? "0" : "100",
    encrypt_algorithm: null,
    snapshot_chains: [{ id: chainOf(snapshot), volume_id: snapshot.resourceId, category: "standard" }],
    snapshot_group_id: snapshot.groupId,
  };
}
