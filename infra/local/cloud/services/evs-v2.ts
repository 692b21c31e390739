/** Implements the EVS v2 requests for legacy snapshots, `cloudsnapshots` (SOURCES.md#evs-v2-create, SOURCES.md#evs-v2-calls). */
import { bareTime } from "../clock.ts";
import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, accepted, type Call, ok, type Route } from "../gateway/http.ts";
import { type AnySnapshotRecord, creationTimeInResponse, type SnapshotRecord, type Tags } from "../records.ts";
import type { SnapshotKind } from "../snapshot-kind.ts";
import {
  checkQuery,
  type Fields,
  readObject,
  readOptionalBoolean,
  readOptionalMap,
  readOptionalString,
  readQueryValue,
  type SizeLimit,
} from "./constraints.ts";
import {
  EVS_STATUSES,
  enterpriseProjectCondition,
  findVolumeToSnapshot,
  nameCondition,
  nextLink,
  readPageWindow,
  refuse,
  rejectBody,
  rejectUnknownId,
  rejectUrl,
} from "./evs-common.ts";
import { combineConditions, conditionIfGiven, cutPage, reportedCount } from "./paging.ts";

const ALL = "/v2/{project_id}/cloudsnapshots";
const SINGLE = `${ALL}/{snapshot_id}`;

export const snapshotRoutes: Route[] = [
  { operation: "evs.createSnapshot", method: "POST", path: ALL, handle: create },
  { operation: "evs.listSnapshots", method: "GET", path: `${ALL}/detail`, handle: list },
  { operation: "evs.showSnapshot", method: "GET", path: SINGLE, handle: show },
  { operation: "evs.updateSnapshot", method: "PUT", path: SINGLE, handle: update },
  { operation: "evs.deleteSnapshot", method: "DELETE", path: SINGLE, handle: remove },
];

interface LegacySnapshot extends SnapshotRecord {
  kind: "snapshot";
  metadata: Tags;
}

declare module "../records.ts" {
  interface SnapshotRecordByKind {
    snapshot: LegacySnapshot;
  }
  interface SeedOptionsByKind {
    snapshot: { volumeId: string; metadata?: Tags };
  }
}

export const snapshotKind: SnapshotKind<"snapshot"> = {
  name: "snapshot",
  statuses: EVS_STATUSES,
  creationMs: 3000,
  labelsField: "metadata",
  seed: ({ volumeId, metadata = {} }, fields) => ({
    ...fields,
    kind: "snapshot",
    resourceId: volumeId,
    metadata: { ...metadata },
  }),
  view: legacyView,
};

/**
 * The name prefix of the snapshots that backups create. EVS rejects a create request with this prefix
 * (SOURCES.md#evs-reserved-prefix).
 */
const RESERVED_PREFIX = "autobk_snapshot_";

function create(call: Call, cloud: CloudState): ApiResponse {
  const { inventory, behavior } = cloud;
  const snapshot = readBodyFields(call, ["volume_id", "name", "description", "force", "metadata"]);
  const force = readOptionalBoolean(snapshot.force, "snapshot.force", rejectBody) ?? false;
  const metadata = readOptionalMap(snapshot.metadata, "snapshot.metadata", rejectBody) ?? {};
  // The maximum size of the metadata: SOURCES.md#evs-v2-metadata-size.
  if (Buffer.byteLength(JSON.stringify(metadata)) >= 1_048_576)
    refuse(400, "EVS.1005", "size of metadata is too large!");
  const { name, description } = readNameAndDescription(snapshot, cloud);
  const volume = findVolumeToSnapshot(snapshot.volume_id, force, cloud);
  // Which error EVS sends for the 8th snapshot of a disk is UNCONFIRMED (SOURCES.md#evs-per-disk-limit-code). OpenStack
  // responds with 413.
  const quota = behavior.snapshotQuota ?? Number.POSITIVE_INFINITY;
  if (
    inventory.snapshots.snapshot.of(volume.id).length >= behavior.legacyPerVolume ||
    inventory.snapshots.snapshot.size >= quota
  ) {
    refuse(413, "EVS.5413", "Insufficient snapshot quota.");
  }

  const record: LegacySnapshot = {
    ...inventory.newSnapshotFields("snapshot", volume.id),
    kind: "snapshot",
    resourceId: volume.id,
    name: name ?? "",
    description: description ?? null,
    metadata,
    size: volume.size,
    enterpriseProjectId: volume.enterpriseProjectId,
  };
  inventory.addSnapshot(record);
  const createdAt = bareTime(record.createdAt, record.microseconds);
  return accepted({
    snapshot: {
      status: inventory.statusOf(record),
      description: record.description,
      created_at: createdAt,
      // The `metadata` in the response is empty even if the request contains metadata (SOURCES.md#evs-v2-empty-metadata).
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

function list(call: Call, cloud: CloudState): ApiResponse {
  const { inventory } = cloud;
  const { query } = call;
  checkQuery(call, cloud, LIST_PARAMETERS, rejectUrl);
  const { limit, offset } = readPageWindow(query, cloud);
  const now = inventory.now();
  const value = (key: string) => readQueryValue(query, key);
  const volumeId = value("volume_id");
  const keep = combineConditions<LegacySnapshot>([
    inventory.visibility(),
    conditionIfGiven(volumeId, ({ resourceId }, wanted) => resourceId === wanted),
    conditionIfGiven(value("status"), (snapshot, status) => inventory.statusOf(snapshot, now) === status),
    nameCondition(query, cloud),
    enterpriseProjectCondition(query, cloud),
    conditionIfGiven(
      value("availability_zone"),
      ({ resourceId }, zone) => inventory.volumes.get(resourceId)?.availabilityZone === zone,
    ),
    conditionIfGiven(value("service_type"), (_, service) => service === "EVS"),
    conditionIfGiven(value("dedicated_storage_id") ?? value("dedicated_storage_name"), () => false),
  ]);
  const store = inventory.snapshots.snapshot;
  const ids = query.get("id");
  const source = ids ? store.getAll(ids) : volumeId === undefined ? store.oldestFirst : store.of(volumeId);
  const page = cutPage(source, { keep, descending: true, offset, limit });
  return ok({
    count: reportedCount(page, cloud.behavior),
    snapshots: page.rows.map((snapshot) => ({
      ...legacyView(snapshot, cloud),
      dedicated_storage_id: null,
      dedicated_storage_name: null,
    })),
    ...(query.has("limit") && page.more
      ? { snapshots_links: nextLink(`/v2/${cloud.projectId}/snapshots/detail`, limit, page.rows.at(-1)?.id) }
      : {}),
  });
}

function show(call: Call, cloud: CloudState): ApiResponse {
  const { service_type: _, ...snapshot } = legacyView(find(call, cloud), cloud);
  return ok({ snapshot });
}

function update(call: Call, cloud: CloudState): ApiResponse {
  const snapshot = find(call, cloud);
  const { name, description } = readNameAndDescription(readBodyFields(call, ["name", "description"]), cloud);
  if (name !== undefined) snapshot.name = name ?? "";
  if (description !== undefined) snapshot.description = description;
  snapshot.updatedAt = cloud.inventory.now();
  const { service_type: _, ...view } = legacyView(snapshot, cloud);
  return ok({ snapshot: view });
}

function remove(call: Call, cloud: CloudState): ApiResponse {
  const snapshot = find(call, cloud);
  checkDeletable(snapshot, cloud);
  cloud.inventory.deleteSnapshot(snapshot);
  return accepted();
}

/**
 * Rejects the deletion of a snapshot or snapshot group whose status is neither `available` nor `error`
 * (SOURCES.md#evs-delete-states).
 */
export function checkDeletable(snapshot: AnySnapshotRecord, cloud: CloudState): void {
  const status = cloud.inventory.statusOf(snapshot);
  if (status === "error_deleting") refuse(500, "EVS.2019", "snapshot is error_deleting!");
  const deletable = [cloud.behavior.groupAvailable, "available", "error"];
  if (!deletable.includes(status)) {
    refuse(400, "EVS.1047", "snapshot status must be available or error when delete snapshot!");
  }
}

function find(call: Call, cloud: CloudState): LegacySnapshot {
  const id = call.params.snapshot_id ?? "";
  return cloud.inventory.snapshots.snapshot.get(id) ?? rejectUnknownId("Snapshot", id);
}

function readBodyFields(call: Call, known: string[]): Fields {
  const { snapshot } = readObject(call.json, "body", ["snapshot"], rejectBody);
  return readObject(snapshot, "snapshot", known, rejectBody);
}

function readNameAndDescription(snapshot: Fields, cloud: CloudState) {
  const hasClassicLimits = cloud.behavior.evsLimits === "classic";
  // The current and the older public API page of EVS document different limits (SOURCES.md#evs-v2-create-constraints,
  // SOURCES.md#evs-v2-classic-limits).
  const nameSize: SizeLimit = hasClassicLimits ? { max: 255, unit: "bytes" } : { max: 64, unit: "characters" };
  const descriptionSize: SizeLimit = hasClassicLimits
    ? { max: 255, unit: "bytes", nullable: true }
    : { max: 85, unit: "characters" };
  const name = readOptionalString(snapshot.name, "snapshot.name", nameSize, rejectBody);
  if (name?.startsWith(RESERVED_PREFIX)) rejectBody(`snapshot.name must not start with ${RESERVED_PREFIX}.`);
  return {
    name,
    description: readOptionalString(snapshot.description, "snapshot.description", descriptionSize, rejectBody),
  };
}

/**
 * Returns the fields of a snapshot. The response for a single snapshot lacks `service_type`. Only list responses have the fields
 * of the dedicated storage.
 */
function legacyView(snapshot: LegacySnapshot, cloud: CloudState) {
  const { inventory } = cloud;
  const creating = inventory.isCreating(snapshot);
  const updatedAt = snapshot.updatedAt ?? (creating ? undefined : snapshot.readyAt);
  return {
    id: snapshot.id,
    status: inventory.statusOf(snapshot),
    name: snapshot.name,
    description: snapshot.description,
    created_at: creationTimeInResponse(snapshot, bareTime(snapshot.createdAt, snapshot.microseconds)),
    updated_at: updatedAt === undefined || !Number.isFinite(updatedAt) ? null : bareTime(updatedAt),
    metadata: snapshot.metadata,
    volume_id: snapshot.resourceId,
    size: snapshot.size,
    "os-extended-snapshot-attributes:project_id": cloud.projectId,
    "os-extended-snapshot-attributes:progress": creating ? "0%" : "100%",
    service_type: "EVS",
  };
}
