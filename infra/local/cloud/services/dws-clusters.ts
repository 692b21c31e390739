/** Implements the cluster requests of DWS v1.0 (SOURCES.md#dws-calls). */
import { randomUUID } from "node:crypto";
import { formatDwsTime, toEpochMs } from "../clock.ts";
import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, type Call, ok, Refusal } from "../gateway/http.ts";
import type { Inventory } from "../inventory.ts";
import type { ClusterRecord, Tags } from "../records.ts";
import { checkQuery, readQueryValue, UUID } from "./constraints.ts";

/**
 * Rejects a request with 400 DWS.0001. DWS also sends this error if the snapshot to delete does not exist
 * (SOURCES.md#dws-not-found-codes).
 */
export function rejectRequest(message: string): never {
  throw new Refusal(400, "DWS.0001", message);
}

export interface NewCluster {
  id?: string;
  name?: string;
  tags?: Tags;
  status?: string;
  subStatus?: string;
  taskStatus?: string;
  enterpriseProjectId?: string;
  createdAt?: number | string | Date;
}

/** Adds a cluster without an API request. */
export function addCluster({ id = randomUUID(), createdAt, ...cluster }: NewCluster, cloud: CloudState) {
  const { inventory } = cloud;
  const record: ClusterRecord = {
    id,
    name: cluster.name ?? `cluster-${id.slice(0, 8)}`,
    status: cluster.status ?? "AVAILABLE",
    subStatus: cluster.subStatus ?? "NORMAL",
    taskStatus: cluster.taskStatus,
    tags: { ...cluster.tags },
    enterpriseProjectId: cluster.enterpriseProjectId ?? "0",
    createdAt: createdAt === undefined ? inventory.now() : toEpochMs(createdAt),
    sequence: inventory.nextSequence(),
  };
  inventory.clusters.add(record);
  return clusterView(record, cloud);
}

export function listClusters(call: Call, cloud: CloudState): ApiResponse {
  checkQuery(call, cloud, ["enterprise_project_id"], rejectRequest);
  const wanted = readQueryValue(call.query, "enterprise_project_id");
  const allProjects = wanted === "all_granted_eps" || (!wanted && cloud.behavior.enterpriseProjectsByDefault === "all");
  const clusters = cloud.inventory.clusters.oldestFirst.filter(
    (cluster) => allProjects || cluster.enterpriseProjectId === (wanted ?? "0"),
  );
  return ok({ clusters: clusters.map((cluster) => clusterRow(cluster, cloud)), count: clusters.length });
}

export function showCluster(call: Call, cloud: CloudState): ApiResponse {
  return ok({ cluster: clusterView(findCluster(call.params.cluster_id, cloud), cloud) });
}

/**
 * Returns the cluster with this id. Rejects an id that is not a UUID with 400 DWS.0001, and an unknown UUID with 404 DWS.0047
 * (SOURCES.md#dws-not-found-codes).
 */
export function findCluster(id: unknown, cloud: CloudState): ClusterRecord {
  const cluster = typeof id === "string" ? cloud.inventory.clusters.get(id) : undefined;
  if (cluster) return cluster;
  if (typeof id !== "string" || !UUID.test(id)) return rejectRequest("The cluster ID is invalid.");
  throw new Refusal(404, "DWS.0047", "Cluster does not exist.");
}

/**
 * Returns the running task of a cluster. This is the task that a test has set, or `SNAPSHOTTING` while a snapshot of the
 * cluster is being created.
 */
export function taskOf(cluster: ClusterRecord, inventory: Inventory): string | undefined {
  if (cluster.taskStatus !== undefined) return cluster.taskStatus;
  const snapshots = inventory.snapshots["cluster-snapshot"].of(cluster.id);
  return snapshots.some((snapshot) => inventory.isCreating(snapshot)) ? "SNAPSHOTTING" : undefined;
}

/** Returns a cluster as the response for a single cluster contains it. */
export function clusterView(cluster: ClusterRecord, cloud: CloudState) {
  return {
    ...clusterRow(cluster, cloud),
    node_type_id: NODE_TYPE_ID,
    private_ip: ["192.168.0.10", "192.168.0.11", "192.168.0.12"],
    parameter_group: { id: PARAMETERS_ID, name: "default", status: "In-Sync" },
    maintain_window: { day: "Thu", start_time: "22:00", end_time: "02:00" },
    order_id: null,
    resize_info: null,
    elb: null,
  };
}

const NODE_TYPE_ID = "ebe532d6-665f-40e6-a4d4-3c51545b6a67";
const PARAMETERS_ID = "157e9cc4-64a8-11e8-adc0-fa7ae01bbebc";
const NETWORK = {
  vpc_id: "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574",
  subnet_id: "374eca02-cfc4-4de7-8ab5-dbebf7d9a720",
  security_group_id: "dc3ec145-9029-4b39-b5a3-ace5a01f772b",
};
/** A cluster without a public address. */
const PUBLIC_IP = {
  public_bind_type: "not_use",
  eip_id: "",
  eip_address: null,
  ip_type: null,
  band_width: null,
  status: null,
  error_message: null,
};
const ADDRESS = "cluster.example.com:8000";

/** Returns a cluster as list responses contain it. */
function clusterRow(cluster: ClusterRecord, cloud: CloudState) {
  const task = taskOf(cluster, cloud.inventory);
  return {
    id: cluster.id,
    name: cluster.name,
    status: cluster.status,
    sub_status: cluster.subStatus,
    task_status: task ?? null,
    action_progress: task === "SNAPSHOTTING" ? { SNAPSHOTTING: "16%" } : {},
    version: "8.2.0",
    created: formatDwsTime(cluster.createdAt),
    updated: formatDwsTime(cluster.createdAt),
    port: 8000,
    endpoints: [{ connect_info: ADDRESS, jdbc_url: `jdbc:postgresql://${ADDRESS}/<YOUR_DATABASE_NAME>` }],
    public_endpoints: [],
    public_ip: PUBLIC_IP,
    ...NETWORK,
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
