/** Defines the DWS service, and implements its snapshot requests (SOURCES.md#dws-create, SOURCES.md#dws-calls). */
import { formatDwsTime } from "../clock.ts";
import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, accepted, type Call, ok, Refusal, type Service } from "../gateway/http.ts";
import type { Inventory } from "../inventory.ts";
import { creationTimeInResponse, type SnapshotRecord } from "../records.ts";
import type { SnapshotKind } from "../snapshot-kind.ts";
import { checkQuery, parseInteger, readObject, readQueryValue } from "./constraints.ts";
import { addCluster, findCluster, listClusters, rejectRequest, showCluster, taskOf } from "./dws-clusters.ts";
import { cutPage, limitToPageCap, reportedCount } from "./paging.ts";

const SNAPSHOTS = "/v1.0/{project_id}/snapshots";
const SNAPSHOT = `${SNAPSHOTS}/{snapshot_id}`;
const CLUSTERS = "/v1.0/{project_id}/clusters";
const CLUSTER = `${CLUSTERS}/{cluster_id}`;

interface ClusterSnapshot extends SnapshotRecord {
  kind: "cluster-snapshot";
  clusterName: string;
  type: string;
}

declare module "../records.ts" {
  interface SnapshotRecordByKind {
    "cluster-snapshot": ClusterSnapshot;
  }
  interface SeedOptionsByKind {
    "cluster-snapshot": { clusterId: string; type?: "MANUAL" | "AUTO" };
  }
}

export const snapshotKind: SnapshotKind<"cluster-snapshot"> = {
  name: "cluster-snapshot",
  // The statuses of DWS snapshots: SOURCES.md#dws-statuses.
  statuses: { creating: "CREATING", available: "AVAILABLE", error: "UNAVAILABLE" },
  creationMs: 6000,
  seed: ({ clusterId, type = "MANUAL" }, fields, { inventory }) => ({
    ...fields,
    kind: "cluster-snapshot",
    resourceId: clusterId,
    clusterName: inventory.clusters.get(clusterId)?.name ?? "",
    type,
  }),
  view: clusterSnapshotView,
};

export const service: Service = {
  name: "dws",
  behindGateway: true,
  failure: { 500: "DWS.9999", 503: "DWS.9999" },
  routes: [
    { operation: "dws.createSnapshot", method: "POST", path: SNAPSHOTS, success: 200, handle: create },
    { operation: "dws.listSnapshots", method: "GET", path: SNAPSHOTS, handle: listAll },
    { operation: "dws.showSnapshot", method: "GET", path: SNAPSHOT, handle: show },
    { operation: "dws.deleteSnapshot", method: "DELETE", path: SNAPSHOT, handle: remove },
    { operation: "dws.listClusters", method: "GET", path: CLUSTERS, handle: listClusters },
    { operation: "dws.showCluster", method: "GET", path: CLUSTER, handle: showCluster },
    { operation: "dws.listClusterSnapshots", method: "GET", path: `${CLUSTER}/snapshots`, handle: listOfCluster },
  ],
  resource: { type: "cluster", idField: "cluster_id", add: (cluster, cloud) => void addCluster(cluster, cloud) },
  // An error body of DWS contains the code twice and the message twice, in different fields
  // (SOURCES.md#dws-doubled-error-fields).
  envelope: ({ code, message }) => ({ externalMessage: message, errCode: code, error_code: code, error_msg: message }),
};

/**
 * Rejects an invalid name or description with DWS.5038. The documented meaning of this code is "The parameter value is out of
 * range." It is UNCONFIRMED whether DWS sends this code for names and descriptions.
 */
function rejectParameter(message: string): never {
  throw new Refusal(400, "DWS.5038", message);
}

function create(call: Call, cloud: CloudState): ApiResponse {
  const { inventory } = cloud;
  const body = readObject(call.json, "body", ["snapshot"], rejectRequest);
  const {
    name,
    cluster_id,
    description = "",
  } = readObject(body.snapshot, "snapshot", ["name", "cluster_id", "description"], rejectRequest);
  // The limits of names and descriptions: SOURCES.md#dws-create-constraints.
  if (typeof name !== "string" || !/^[A-Za-z][A-Za-z0-9_-]{3,63}$/.test(name))
    return rejectParameter("Invalid snapshot name.");
  if (typeof description !== "string" || [...description].length > 256 || /[!<>'=&"]/.test(description)) {
    return rejectParameter("Invalid snapshot description.");
  }
  const cluster = findCluster(cluster_id, cloud);
  const task = taskOf(cluster, inventory);
  // DWS creates a snapshot only if the cluster is AVAILABLE and has no running task (SOURCES.md#dws-cluster-precheck).
  if (cluster.status !== "AVAILABLE" || task !== undefined) {
    // The message of DWS, word for word (SOURCES.md#dws-cluster-busy).
    throw new Refusal(403, "DWS.7023", "Cluster status is not allowed to operation");
  }
  if (hasSnapshotNamed(name, inventory)) {
    // It is UNCONFIRMED which error code DWS sends if a snapshot with the same name exists (SOURCES.md#dws-names-unique).
    const { status, code } = cloud.behavior.duplicateClusterSnapshot;
    throw new Refusal(status, code, "The snapshot name already exists.");
  }

  const snapshot: ClusterSnapshot = {
    ...inventory.newSnapshotFields("cluster-snapshot", cluster.id),
    kind: "cluster-snapshot",
    resourceId: cluster.id,
    name,
    description,
    clusterName: cluster.name,
    type: "MANUAL",
    size: 500,
    enterpriseProjectId: cluster.enterpriseProjectId,
  };
  inventory.addSnapshot(snapshot);
  return ok({ snapshot: { id: snapshot.id } });
}

/**
 * Lists the snapshots of all clusters. The request has no query parameters, and the response has no pages
 * (SOURCES.md#dws-list-has-no-pages).
 */
function listAll(call: Call, cloud: CloudState): ApiResponse {
  checkQuery(call, cloud, [], rejectRequest);
  const { inventory } = cloud;
  const page = cutPage(inventory.snapshots["cluster-snapshot"].oldestFirst, {
    keep: inventory.visibility(),
    descending: true,
    offset: 0,
    limit: Number.POSITIVE_INFINITY,
  });
  return ok({ snapshots: page.rows.map((snapshot) => clusterSnapshotView(snapshot, cloud)), count: page.total });
}

/**
 * Lists the snapshots of one cluster. The query parameter `offset` is a page number that starts at 0
 * (SOURCES.md#dws-cluster-list-pages).
 */
function listOfCluster(call: Call, cloud: CloudState): ApiResponse {
  const { inventory } = cloud;
  const { query } = call;
  checkQuery(call, cloud, ["limit", "offset", "sort_key", "sort_dir"], rejectRequest);
  const cluster = findCluster(call.params.cluster_id, cloud);
  const asked = parseInteger(readQueryValue(query, "limit")) ?? Number.POSITIVE_INFINITY;
  const offset = parseInteger(readQueryValue(query, "offset")) ?? 0;
  if (!(asked > 0)) rejectRequest("limit must be greater than 0.");
  const limit = limitToPageCap(asked, cloud.behavior);
  if (!(offset >= 0)) rejectRequest("offset must be greater than or equal to 0.");
  const direction = readQueryValue(query, "sort_dir") ?? "desc";
  if (direction !== "asc" && direction !== "desc") rejectRequest("sort_dir must be asc or desc.");
  const page = cutPage(inventory.snapshots["cluster-snapshot"].of(cluster.id), {
    keep: inventory.visibility(),
    sort: SORT_KEYS[readQueryValue(query, "sort_key") ?? "started"] ?? rejectRequest("sort_key is not known."),
    descending: direction === "desc",
    offset: offset === 0 ? 0 : offset * limit,
    limit,
  });
  return ok({
    project_id: cloud.projectId,
    cluster_id: cluster.id,
    snapshots: page.rows.map((snapshot) => clusterSnapshotRow(snapshot, cloud)),
    count: reportedCount(page, cloud.behavior),
  });
}

/**
 * Maps each value of the query parameter `sort_key` to a function that compares two snapshots. The DWS documents do not list the
 * allowed values.
 */
const SORT_KEYS: Record<string, (a: ClusterSnapshot, b: ClusterSnapshot) => number> = {
  started: (a, b) => a.createdAt - b.createdAt || a.sequence - b.sequence,
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
};

function show(call: Call, cloud: CloudState): ApiResponse {
  const id = call.params.snapshot_id ?? "";
  const snapshot = cloud.inventory.snapshots["cluster-snapshot"].get(id);
  // If the snapshot does not exist, DWS responds with 400, not with 404 (SOURCES.md#dws-not-found-codes).
  if (!snapshot) throw new Refusal(400, "DWS.5149", "The snapshot ID is invalid.");
  return ok({ snapshot: clusterSnapshotView(snapshot, cloud) });
}

/**
 * Deletes a manual snapshot (SOURCES.md#dws-manual-deletion). The snapshot disappears immediately, because DWS documents no
 * status for a snapshot that is being deleted. It is UNCONFIRMED which errors DWS sends for an automated snapshot and for a
 * snapshot that is still being created.
 */
function remove(call: Call, cloud: CloudState): ApiResponse {
  const { inventory } = cloud;
  const snapshot = inventory.snapshots["cluster-snapshot"].get(call.params.snapshot_id ?? "");
  if (!snapshot) return rejectRequest("The snapshot does not exist.");
  if (snapshot.type !== "MANUAL") throw new Refusal(403, "DWS.7023", "Automated snapshots cannot be deleted.");
  if (inventory.isCreating(snapshot)) throw new Refusal(403, "DWS.7023", "The snapshot is still being created.");
  inventory.removeSnapshot(snapshot);
  return accepted();
}

/** Returns whether a snapshot with this name exists. Ignores the case of the name (SOURCES.md#dws-names-unique). */
function hasSnapshotNamed(name: string, { snapshots }: Inventory): boolean {
  const wanted = name.toLowerCase();
  return snapshots["cluster-snapshot"].oldestFirst.some((snapshot) => snapshot.name.toLowerCase() === wanted);
}

/** Returns a snapshot as the list of one cluster contains it. */
function clusterSnapshotRow(snapshot: ClusterSnapshot, { inventory, behavior }: CloudState) {
  const creating = inventory.isCreating(snapshot);
  const cluster = inventory.clusters.get(snapshot.resourceId);
  return {
    id: snapshot.id,
    name: snapshot.name,
    description: behavior.describeClusterSnapshots === "null" ? null : (snapshot.description ?? ""),
    started: creationTimeInResponse(snapshot, formatDwsTime(snapshot.createdAt)),
    finished: creating ? null : formatDwsTime(snapshot.readyAt),
    updated: formatDwsTime(snapshot.updatedAt ?? snapshot.createdAt),
    size: snapshot.size,
    status: inventory.statusOf(snapshot),
    type: snapshot.type,
    cluster_id: snapshot.resourceId,
    cluster_name: snapshot.clusterName,
    cluster_status: cluster?.status ?? null,
    cluster_task_status: (cluster && taskOf(cluster, inventory)) ?? null,
    datastore: { type: "dws", version: "8.2.0" },
    progress: creating ? "16%" : "100%",
    bak_keep_day: 0,
    bak_period: null,
    bak_expected_start_time: null,
    backup_device: "obs",
    backup_level: "cluster",
    backup_key: null,
    prior_backup_key: null,
    base_backup_key: null,
    base_backup_name: null,
    total_backup_size: snapshot.size,
    db_user: "dbadmin",
    fine_grained_backup: false,
    fine_grained_backup_detail: null,
    support_inplace_restore: true,
    guest_agent_version: "8.2.0",
  };
}

/** Returns a snapshot as the list of all snapshots and the response for a single snapshot contain it. */
function clusterSnapshotView(snapshot: ClusterSnapshot, cloud: CloudState) {
  return {
    ...clusterSnapshotRow(snapshot, cloud),
    support_fine_grained_asymmetric_restore: false,
    support_fine_grained_cross_version_restore: false,
  };
}
