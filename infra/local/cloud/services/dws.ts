/** DWS v1.0: seed 004, cloud-apis.md 3. */
import { zonedSeconds } from "../clock.ts";
import { type CloudState, checkQuery } from "../cloud-state.ts";
import { type Answer, accepted, type Call, ok, Refusal, type Service } from "../gateway/http.ts";
import { type ClusterRecord, type ClusterSnapshot, shownCreation } from "../inventory.ts";
import { fields, integer, one, UUID } from "./constraints.ts";
import { capped, countOf, cutPage } from "./paging.ts";

export const dws: Service = {
  name: "dws",
  behindGateway: true,
  failure: { 500: "DWS.9999", 503: "DWS.9999" },
  routes: [
    {
      operation: "dws.createSnapshot",
      method: "POST",
      path: "/v1.0/{project_id}/snapshots",
      success: 200,
      handle: create,
    },
    { operation: "dws.listSnapshots", method: "GET", path: "/v1.0/{project_id}/snapshots", handle: listAll },
    { operation: "dws.showSnapshot", method: "GET", path: "/v1.0/{project_id}/snapshots/{snapshot_id}", handle: show },
    {
      operation: "dws.deleteSnapshot",
      method: "DELETE",
      path: "/v1.0/{project_id}/snapshots/{snapshot_id}",
      handle: remove,
    },
    { operation: "dws.listClusters", method: "GET", path: "/v1.0/{project_id}/clusters", handle: listClusters },
    {
      operation: "dws.showCluster",
      method: "GET",
      path: "/v1.0/{project_id}/clusters/{cluster_id}",
      handle: showCluster,
    },
    {
      operation: "dws.listClusterSnapshots",
      method: "GET",
      path: "/v1.0/{project_id}/clusters/{cluster_id}/snapshots",
      handle: listOfCluster,
    },
  ],
  // The doubled fields (cloud-apis.md 3).
  envelope: ({ code, message }) => ({ externalMessage: message, errCode: code, error_code: code, error_msg: message }),
};

/** A bad request in general; also what a delete says of a snapshot that is gone (cloud-apis.md 3). */
function badRequest(message: string): never {
  throw new Refusal(400, "DWS.0001", message);
}

/** The code for a bad name or description is UNCONFIRMED; this is "The parameter value is out of range." */
function outOfRange(message: string): never {
  throw new Refusal(400, "DWS.5038", message);
}

function create(call: Call, cloud: CloudState): Answer {
  const { estate } = cloud;
  const body = fields(call.json, "body", ["snapshot"], badRequest);
  const {
    name,
    cluster_id,
    description = "",
  } = fields(body.snapshot, "snapshot", ["name", "cluster_id", "description"], badRequest);
  // Seed 004: 4 to 64 characters, starts with a letter; letters, digits, hyphens, underscores.
  if (typeof name !== "string" || !/^[A-Za-z][A-Za-z0-9_-]{3,63}$/.test(name))
    return outOfRange("Invalid snapshot name.");
  // Seed 004: at most 256 characters, without these.
  if (typeof description !== "string" || [...description].length > 256 || /[!<>'=&"]/.test(description)) {
    return outOfRange("Invalid snapshot description.");
  }
  const cluster = findCluster(cluster_id, cloud);
  const task = estate.clusterTask(cluster);
  // cloud-apis.md 3: the one sure check is `status==AVAILABLE && !task_status`.
  if (cluster.status !== "AVAILABLE" || task !== undefined) {
    throw new Refusal(403, "DWS.7023", "Cluster status is not allowed to operation");
  }
  if (estate.hasClusterSnapshotNamed(name)) {
    // The code is UNCONFIRMED (cloud-apis.md 3).
    const { status, code } = cloud.choices.duplicateClusterSnapshot;
    throw new Refusal(status, code, "The snapshot name already exists.");
  }

  const snapshot: ClusterSnapshot = {
    ...estate.fresh("cluster-snapshot", cluster.id),
    kind: "cluster-snapshot",
    resourceId: cluster.id,
    name,
    description,
    clusterName: cluster.name,
    type: "MANUAL",
    size: 500,
    enterpriseProjectId: cluster.enterpriseProjectId,
  };
  estate.addSnapshot(snapshot);
  return ok({ snapshot: { id: snapshot.id } });
}

/** "No query parameters at all", and everything in one answer (cloud-apis.md 3). */
function listAll(call: Call, cloud: CloudState): Answer {
  checkQuery(call, cloud, [], badRequest);
  const { estate } = cloud;
  const page = cutPage(estate.snapshots["cluster-snapshot"].oldestFirst, {
    keep: estate.visibility(),
    descending: true,
    offset: 0,
    limit: Number.POSITIVE_INFINITY,
  });
  return ok({ snapshots: page.rows.map((snapshot) => clusterSnapshotRow(snapshot, cloud)), count: page.total });
}

/** `offset` is a PAGE, counted from 0; no limit unless given (cloud-apis.md 3). */
function listOfCluster(call: Call, cloud: CloudState): Answer {
  const { estate } = cloud;
  const { query } = call;
  checkQuery(call, cloud, ["limit", "offset", "sort_key", "sort_dir"], badRequest);
  const cluster = findCluster(call.params.cluster_id, cloud);
  const asked = integer(one(query, "limit")) ?? Number.POSITIVE_INFINITY;
  const offset = integer(one(query, "offset")) ?? 0;
  if (!(asked > 0)) badRequest("limit must be greater than 0.");
  const limit = capped(asked, cloud.choices);
  if (!(offset >= 0)) badRequest("offset must be greater than or equal to 0.");
  const direction = one(query, "sort_dir") ?? "desc";
  if (direction !== "asc" && direction !== "desc") badRequest("sort_dir must be asc or desc.");
  const page = cutPage(estate.snapshots["cluster-snapshot"].of(cluster.id), {
    keep: estate.visibility(),
    sort: sortings[one(query, "sort_key") ?? "started"] ?? badRequest("sort_key is not known."),
    descending: direction === "desc",
    offset: offset === 0 ? 0 : offset * limit,
    limit,
  });
  return ok({
    project_id: cloud.projectId,
    cluster_id: cluster.id,
    snapshots: page.rows.map((snapshot) => clusterSnapshotRow(snapshot, cloud)),
    count: countOf(page, cloud.choices),
  });
}

/** Which keys there are is not documented. */
const sortings: Record<string, (a: ClusterSnapshot, b: ClusterSnapshot) => number> = {
  started: (a, b) => a.createdAt - b.createdAt || a.sequence - b.sequence,
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
};

function show(call: Call, cloud: CloudState): Answer {
  const id = call.params.snapshot_id ?? "";
  const snapshot = cloud.estate.snapshots["cluster-snapshot"].get(id);
  // Not a 404 (cloud-apis.md 3).
  if (!snapshot) throw new Refusal(400, "DWS.5149", "The snapshot ID is invalid.");
  return ok({ snapshot: clusterSnapshotView(snapshot, cloud) });
}

/**
 * Manual ones alone (cloud-apis.md 3); it is gone at once, as no state of being deleted is documented. What is said of an
 * automated one, or of one that is being created, is UNCONFIRMED.
 */
function remove(call: Call, cloud: CloudState): Answer {
  const { estate } = cloud;
  const snapshot = estate.snapshots["cluster-snapshot"].get(call.params.snapshot_id ?? "");
  if (!snapshot) return badRequest("The snapshot does not exist.");
  if (snapshot.type !== "MANUAL") throw new Refusal(403, "DWS.7023", "Automated snapshots cannot be deleted.");
  if (estate.isCreating(snapshot)) throw new Refusal(403, "DWS.7023", "Snapshot status is not allowed to operation");
  estate.removeSnapshot(snapshot);
  return accepted();
}

function listClusters(call: Call, cloud: CloudState): Answer {
  checkQuery(call, cloud, ["enterprise_project_id"], badRequest);
  const wanted = one(call.query, "enterprise_project_id");
  const every = wanted === "all_granted_eps" || (!wanted && cloud.choices.enterpriseProjectsByDefault === "all");
  const clusters = cloud.estate.clusters.oldestFirst.filter(
    (cluster) => every || cluster.enterpriseProjectId === (wanted ?? "0"),
  );
  return ok({ clusters: clusters.map((cluster) => clusterView(cluster, cloud)), count: clusters.length });
}

function showCluster(call: Call, cloud: CloudState): Answer {
  return ok({ cluster: clusterView(findCluster(call.params.cluster_id, cloud), cloud) });
}

/** An id that is no UUID: 400 DWS.0001; an unknown one: 404 DWS.0047, one of the four seen (cloud-apis.md 3). */
function findCluster(id: unknown, cloud: CloudState): ClusterRecord {
  const cluster = typeof id === "string" ? cloud.estate.clusters.get(id) : undefined;
  if (cluster) return cluster;
  if (typeof id !== "string" || !UUID.test(id)) return badRequest("The cluster ID is invalid.");
  throw new Refusal(404, "DWS.0047", "Cluster does not exist.");
}

export function clusterView(cluster: ClusterRecord, cloud: CloudState) {
  const task = cloud.estate.clusterTask(cluster);
  return {
    id: cluster.id,
    name: cluster.name,
    status: cluster.status,
    sub_status: cluster.subStatus,
    task_status: task ?? null,
    action_progress: task === "SNAPSHOTTING" ? { SNAPSHOTTING: "16%" } : {},
    version: "8.2.0",
    created: zonedSeconds(cluster.createdAt),
    updated: zonedSeconds(cluster.createdAt),
    port: 8000,
    node_type: "dws.d1.xlarge.ultrahigh",
    number_of_node: 3,
    nodes: [],
    tags: Object.entries(cluster.tags).map(([key, value]) => ({ key, value })),
    user_name: "dbadmin",
    recent_event: 0,
    availability_zone: "eu-west-101a",
    enterprise_project_id: cluster.enterpriseProjectId,
    failed_reasons: null,
  };
}

export function clusterSnapshotRow(snapshot: ClusterSnapshot, { estate, choices }: CloudState) {
  const finished = estate.isCreating(snapshot) ? undefined : snapshot.readyAt;
  return {
    id: snapshot.id,
    name: snapshot.name,
    description: choices.describeClusterSnapshots === "null" ? null : (snapshot.description ?? ""),
    started: shownCreation(snapshot, zonedSeconds(snapshot.createdAt)),
    finished: finished === undefined ? null : zonedSeconds(finished),
    size: snapshot.size,
    status: estate.statusOf(snapshot),
    type: snapshot.type,
    cluster_id: snapshot.resourceId,
  };
}

export function clusterSnapshotView(snapshot: ClusterSnapshot, cloud: CloudState) {
  return {
    ...clusterSnapshotRow(snapshot, cloud),
    updated: zonedSeconds(snapshot.updatedAt ?? snapshot.createdAt),
    datastore: { type: "dws", version: "8.2.0" },
    cluster_name: snapshot.clusterName,
    progress: cloud.estate.isCreating(snapshot) ? "16%" : "100%",
    bak_keep_day: 0,
    backup_device: "obs",
    backup_level: "cluster",
    db_user: "dbadmin",
    fine_grained_backup: false,
    support_inplace_restore: true,
    guest_agent_version: "8.2.0",
  };
}
