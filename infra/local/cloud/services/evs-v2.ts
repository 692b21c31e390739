/** EVS v2 `cloudsnapshots`, the legacy snapshots: seeds 001 and 002, cloud-apis.md 1.1 to 1.3. */
import { bareTime } from "../clock.ts";
import { type CloudState, checkQuery } from "../cloud-state.ts";
import { type Answer, accepted, type Call, ok, type Route } from "../gateway/http.ts";
import { type AnySnapshot, type LegacySnapshot, shownCreation } from "../inventory.ts";
import { type Fields, fields, one, optionalBoolean, optionalMap, optionalText, type Size } from "./constraints.ts";
import {
  badBody,
  badUrl,
  inProject,
  named,
  nextLink,
  notFound,
  refuse,
  snapshotableVolume,
  window,
} from "./evs-common.ts";
import { allOf, countOf, cutPage, when } from "./paging.ts";

export const snapshotRoutes: Route[] = [
  { operation: "evs.createSnapshot", method: "POST", path: "/v2/{project_id}/cloudsnapshots", handle: create },
  { operation: "evs.listSnapshots", method: "GET", path: "/v2/{project_id}/cloudsnapshots/detail", handle: list },
  { operation: "evs.showSnapshot", method: "GET", path: "/v2/{project_id}/cloudsnapshots/{snapshot_id}", handle: show },
  {
    operation: "evs.updateSnapshot",
    method: "PUT",
    path: "/v2/{project_id}/cloudsnapshots/{snapshot_id}",
    handle: update,
  },
  {
    operation: "evs.deleteSnapshot",
    method: "DELETE",
    path: "/v2/{project_id}/cloudsnapshots/{snapshot_id}",
    handle: remove,
  },
];

/** Made by backups; nobody else may use the name (seed 001). */
const RESERVED_PREFIX = "autobk_snapshot_";

function create(call: Call, cloud: CloudState): Answer {
  const { estate, choices } = cloud;
  const snapshot = body(call, ["volume_id", "name", "description", "force", "metadata"]);
  const force = optionalBoolean(snapshot.force, "snapshot.force", badBody) ?? false;
  const metadata = optionalMap(snapshot.metadata, "snapshot.metadata", badBody) ?? {};
  // cloud-apis.md 4.2: EVS.1005; the limit is that of the OTC table of codes.
  if (Buffer.byteLength(JSON.stringify(metadata)) >= 1_048_576)
    refuse(400, "EVS.1005", "size of metadata is too large!");
  const { name, description } = texts(snapshot, cloud);
  const volume = snapshotableVolume(snapshot.volume_id, force, cloud);
  // The code for the 8th is UNCONFIRMED (cloud-apis.md 4.2); OpenStack's overLimit is this one.
  const quota = choices.snapshotQuota ?? Number.POSITIVE_INFINITY;
  if (
    estate.snapshots.snapshot.of(volume.id).length >= choices.legacyPerVolume ||
    estate.snapshots.snapshot.size >= quota
  ) {
    refuse(413, "EVS.5413", "Insufficient snapshot quota.");
  }

  const record: LegacySnapshot = {
    ...estate.fresh("snapshot", volume.id),
    kind: "snapshot",
    resourceId: volume.id,
    name: name ?? "",
    description: description ?? null,
    metadata,
    size: volume.size,
    enterpriseProjectId: volume.enterpriseProjectId,
  };
  estate.addSnapshot(record);
  const createdAt = bareTime(record.createdAt, record.microseconds);
  return accepted({
    snapshot: {
      status: estate.statusOf(record),
      description: record.description,
      created_at: createdAt,
      // Seed 001's example answers an empty object to a request with metadata.
      metadata: {},
      volume_id: volume.id,
      size: record.size,
      id: record.id,
      name: record.name,
      updated_at: createdAt,
    },
  });
}

const LIST_PARAMETERS = [
  "offset",
  "limit",
  "name",
  "status",
  "volume_id",
  "availability_zone",
  "id",
  "dedicated_storage_name",
  "dedicated_storage_id",
  "service_type",
  "enterprise_project_id",
];

function list(call: Call, cloud: CloudState): Answer {
  const { estate } = cloud;
  const { query } = call;
  checkQuery(call, cloud, LIST_PARAMETERS, badUrl);
  const { limit, offset } = window(query, cloud);
  const now = estate.now();
  const value = (key: string) => one(query, key);
  const volumeId = value("volume_id");
  const keep = allOf<LegacySnapshot>([
    estate.visibility(),
    when(volumeId, ({ resourceId }, wanted) => resourceId === wanted),
    when(value("status"), (snapshot, status) => estate.statusOf(snapshot, now) === status),
    named(query, cloud),
    inProject(query, cloud),
    when(
      value("availability_zone"),
      ({ resourceId }, zone) => estate.volumes.get(resourceId)?.availabilityZone === zone,
    ),
    when(value("service_type"), (_, service) => service === "EVS"),
    when(value("dedicated_storage_id") ?? value("dedicated_storage_name"), () => false),
  ]);
  const shelf = estate.snapshots.snapshot;
  const ids = query.get("id");
  const source = ids ? shelf.some(ids) : volumeId === undefined ? shelf.oldestFirst : shelf.of(volumeId);
  const page = cutPage(source, { keep, descending: true, offset, limit });
  return ok({
    count: countOf(page, cloud.choices),
    snapshots: page.rows.map((snapshot) => legacyView(snapshot, cloud)),
    ...(query.has("limit") && page.more
      ? { snapshots_links: nextLink(`/v2/${cloud.projectId}/snapshots/detail`, limit, page.rows.at(-1)?.id) }
      : {}),
  });
}

function show(call: Call, cloud: CloudState): Answer {
  const { service_type: _, ...snapshot } = legacyView(find(call, cloud), cloud);
  return ok({ snapshot });
}

function update(call: Call, cloud: CloudState): Answer {
  const snapshot = find(call, cloud);
  const { name, description } = texts(body(call, ["name", "description"]), cloud);
  if (name !== undefined) snapshot.name = name ?? "";
  if (description !== undefined) snapshot.description = description;
  snapshot.updatedAt = cloud.estate.now();
  const { service_type: _, ...view } = legacyView(snapshot, cloud);
  return ok({ snapshot: view });
}

function remove(call: Call, cloud: CloudState): Answer {
  const snapshot = find(call, cloud);
  checkDeletable(snapshot, cloud);
  cloud.estate.deleteSnapshot(snapshot);
  return accepted();
}

/** Only from `available` and `error` (cloud-apis.md 1.1, 1.3). */
export function checkDeletable(snapshot: AnySnapshot, cloud: CloudState): void {
  const status = cloud.estate.statusOf(snapshot);
  if (status === "error_deleting") refuse(500, "EVS.2019", "snapshot is error_deleting!");
  const deletable = [cloud.choices.groupAvailable, "available", "error"];
  if (!deletable.includes(status)) {
    refuse(400, "EVS.1047", "snapshot status must be available or error when delete snapshot!");
  }
}

function find(call: Call, cloud: CloudState): LegacySnapshot {
  const id = call.params.snapshot_id ?? "";
  return cloud.estate.snapshots.snapshot.get(id) ?? notFound("Snapshot", id);
}

function body(call: Call, known: string[]): Fields {
  const { snapshot } = fields(call.json, "body", ["snapshot"], badBody);
  return fields(snapshot, "snapshot", known, badBody);
}

function texts(snapshot: Fields, cloud: CloudState) {
  const classic = cloud.choices.evsLimits === "classic";
  // Seed 001: 64 and 85 characters. Seed 002: 255 bytes each, and the description can be null.
  const nameSize: Size = classic ? { maximum: 255, unit: "bytes" } : { maximum: 64, unit: "characters" };
  const descriptionSize: Size = classic
    ? { maximum: 255, unit: "bytes", nullable: true }
    : { maximum: 85, unit: "characters" };
  const name = optionalText(snapshot.name, "snapshot.name", nameSize, badBody);
  if (name?.startsWith(RESERVED_PREFIX)) badBody(`snapshot.name must not start with ${RESERVED_PREFIX}.`);
  return { name, description: optionalText(snapshot.description, "snapshot.description", descriptionSize, badBody) };
}

/** A row of the list; `show` leaves out `service_type`. */
export function legacyView(snapshot: LegacySnapshot, cloud: CloudState) {
  const { estate } = cloud;
  const creating = estate.isCreating(snapshot);
  const updatedAt = snapshot.updatedAt ?? (creating ? undefined : snapshot.readyAt);
  return {
    id: snapshot.id,
    status: estate.statusOf(snapshot),
    name: snapshot.name,
    description: snapshot.description,
    created_at: shownCreation(snapshot, bareTime(snapshot.createdAt, snapshot.microseconds)),
    updated_at: updatedAt === undefined || !Number.isFinite(updatedAt) ? null : bareTime(updatedAt),
    metadata: snapshot.metadata,
    volume_id: snapshot.resourceId,
    size: snapshot.size,
    "os-extended-snapshot-attributes:project_id": cloud.projectId,
    "os-extended-snapshot-attributes:progress": creating ? "0%" : "100%",
    service_type: "EVS",
  };
}
