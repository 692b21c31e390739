/** Adds snapshots with a past creation time to the embedded cloud, with the labels that the functions use. */
import type { EmbeddedCloud, SnapshotView } from "../../infra/local/cloud/index.ts";
import { instant } from "../../shared/core/instant.ts";
import { snapshotName } from "../../shared/snapshots/marker.ts";
import { addSnapshot, type Kind, operationsTo } from "./kinds.ts";

/** Describes a snapshot that a test adds to the embedded cloud. */
export interface Seed {
  /** The id of the snapshot. If it is absent, the snapshot gets a new id. */
  id?: string;
  /** The creation time in milliseconds since 1970. */
  at: number;
  /** The status that EVS returns for the snapshot. Default: `available`. */
  status?: string;
  /** The text from which the idempotency key is derived. Default: a unique text. */
  key?: string;
  policy?: string;
  /** The idempotency key and the request hash in the marker, instead of those that are derived from `key`. */
  marker?: { key: string; content: string };
  name?: string;
  /** Whether the snapshot has the labels of a snapshot that a function created. Default: true. */
  marked?: boolean;
  /** Additional labels, which cluster snapshots do not support. */
  labels?: Record<string, string>;
  description?: string;
}

let seedCount = 0;

/** Returns the labels that mark a snapshot as created by a function under this policy, with an idempotency key. */
export const markerOf = (policy: string, key: string) => ({
  "managed-by": "snapshot-functions",
  policy,
  key: Buffer.from(key.padEnd(16, ".")).toString("hex").slice(0, 32),
  content: "01234567",
});

/** Adds a snapshot of a disk, server or cluster to the embedded cloud. */
export function seedSnapshot(cloud: EmbeddedCloud, kind: Kind, resource: string, one: Seed): SnapshotView {
  seedCount += 1;
  const { at, status = "available", key = `seed ${seedCount}`, policy = "nightly", marked = true } = one;
  const marker = { ...markerOf(policy, key), ...one.marker };
  const labels = { ...(marked ? marker : { policy }), ...one.labels };
  // DWS rejects a name that another snapshot has, so duplicates have names of different attempts.
  const attempt = 1 + (seedCount % 20);
  const generatedName = snapshotName(policy, instant(at), { kind, resource, key: marker.key, attempt });
  const { name = generatedName, description = null } = one;
  const base = { id: one.id, name, description, createdAt: at, status };
  if (kind !== "cluster-snapshot") return addSnapshot(cloud, kind, resource, { ...base, labels });
  const text = Object.entries(marker).map(([label, value]) => `${label}:${value}`);
  return addSnapshot(cloud, kind, resource, {
    ...base,
    status: status === "error" ? "UNAVAILABLE" : status.toUpperCase(),
    description: [...(description ? [description] : []), ...(marked ? text : [])].join(" "),
  });
}

/** Adds a server with a disk, and a cluster. `attachedAt` is the attachment time of the disk in milliseconds since 1970. */
export function addResources(cloud: EmbeddedCloud, attachedAt: number) {
  const server = cloud.addServer();
  const disk = cloud.addVolume({ serverId: server.id, attachedAt });
  const cluster = cloud.addCluster();
  const resourceIds: Record<Kind, string> = {
    snapshot: disk.id,
    "standard-snapshot": disk.id,
    "snapshot-group": server.id,
    "cluster-snapshot": cluster.id,
  };
  return { server, disk, cluster, resourceIds };
}

/** The embedded cloud's operation that deletes a snapshot, for each kind of snapshot. */
export const DELETE_OPERATIONS = operationsTo("delete");

/** Returns the response of EVS or DWS to a request to delete a snapshot that is in use. */
export const busyResponse = (kind: Kind) =>
  kind === "cluster-snapshot"
    ? ({
        type: "status",
        status: 403,
        body: { error_code: "DWS.7023", error_msg: "Cluster status is not allowed to operation." },
      } as const)
    : ({
        type: "status",
        status: 400,
        body: {
          error: { code: "EVS.1047", message: "snapshot status must be available or error when delete snapshot!" },
        },
      } as const);

/** The embedded cloud's operation that lists snapshots, for each kind of snapshot. */
export const LIST_OPERATIONS = operationsTo("list");

/** Replaces a snapshot under the same id, as if a user or the service had changed it. A snapshot group gets new members. */
export function replaceSnapshot(
  cloud: EmbeddedCloud,
  kind: Kind,
  resource: string,
  id: string,
  one: Omit<Seed, "id">,
): void {
  for (const member of cloud.snapshots("standard-snapshot")) {
    if (member.snapshot_group_id === id) cloud.removeSnapshot(member.id);
  }
  cloud.removeSnapshot(id);
  seedSnapshot(cloud, kind, resource, { ...one, id });
}
