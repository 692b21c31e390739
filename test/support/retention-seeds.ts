/** Adds snapshots with a past creation time to the embedded cloud, with the labels that the functions use. */
import type { EmbeddedCloud, SnapshotView } from "../../infra/local/cloud/index.ts";
import type { Kind } from "./common.ts";

/** A snapshot to add. */
export interface Seed {
  /** The id of the snapshot. If it is absent, the snapshot gets a new id. */
  id?: string;
  at: number;
  /** The status in the spelling of EVS. Default: `available`. */
  status?: string;
  /** The idempotency key. Default: a new one. */
  key?: string;
  policy?: string;
  name?: string;
  /** False if another program created the snapshot, so it has no marker. Default: true. */
  marked?: boolean;
  /** Additional labels. DWS snapshots have none. */
  labels?: Record<string, string>;
  description?: string;
}

let count = 0;

/** Returns the labels of a marker. */
export const markerOf = (policy: string, key: string) => ({
  "managed-by": "snapshot-functions",
  policy,
  key: Buffer.from(key.padEnd(16, ".")).toString("hex").slice(0, 32),
  content: "01234567",
});

/** Adds a snapshot of a resource. */
export function seed(cloud: EmbeddedCloud, kind: Kind, resource: string, one: Seed): SnapshotView {
  count += 1;
  const { at, status = "available", key = `seed ${count}`, policy = "nightly", marked = true } = one;
  const marker = markerOf(policy, key);
  const labels = { ...(marked ? marker : { policy }), ...one.labels };
  const { name = `${policy}-${count}`, description = null } = one;
  const base = { id: one.id, name, description, createdAt: at, status };
  if (kind === "snapshot") return cloud.addSnapshot({ ...base, kind, volumeId: resource, metadata: labels });
  if (kind === "standard-snapshot") return cloud.addSnapshot({ ...base, kind, volumeId: resource, tags: labels });
  if (kind === "snapshot-group") return cloud.addSnapshot({ ...base, kind, serverId: resource, tags: labels });
  const text = Object.entries(marker).map(([label, value]) => `${label}:${value}`);
  return cloud.addSnapshot({
    ...base,
    kind,
    clusterId: resource,
    status: status === "error" ? "UNAVAILABLE" : status.toUpperCase(),
    description: [...(description ? [description] : []), ...(marked ? text : [])].join(" "),
  });
}

/** Adds one resource for each kind. The disk is attached at `attachedAt`. */
export function resources(cloud: EmbeddedCloud, attachedAt: number) {
  const server = cloud.addServer();
  const disk = cloud.addVolume({ serverId: server.id, attachedAt });
  const cluster = cloud.addCluster();
  const of: Record<Kind, string> = {
    snapshot: disk.id,
    "standard-snapshot": disk.id,
    "snapshot-group": server.id,
    "cluster-snapshot": cluster.id,
  };
  return { server, disk, cluster, of };
}

/** The operation that deletes the snapshots of each kind. */
export const DELETE: Record<Kind, string> = {
  snapshot: "evs.deleteSnapshot",
  "standard-snapshot": "evs.deleteStandardSnapshot",
  "snapshot-group": "evs.deleteSnapshotGroup",
  "cluster-snapshot": "dws.deleteSnapshot",
};

/** Returns the response of each kind's service to the deletion of a snapshot that is in use. */
export const busyAnswer = (kind: Kind) =>
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

/** The operation that lists the snapshots of each kind. */
export const LIST: Record<Kind, string> = {
  snapshot: "evs.listSnapshots",
  "standard-snapshot": "evs.listStandardSnapshots",
  "snapshot-group": "evs.listSnapshotGroups",
  "cluster-snapshot": "dws.listSnapshots",
};

/** Replaces a snapshot by `one`, as if a user or the cloud had changed it. A group gets new members. */
export function alter(cloud: EmbeddedCloud, kind: Kind, resource: string, id: string, one: Omit<Seed, "id">): void {
  for (const member of cloud.snapshots("standard-snapshot")) {
    if (member.snapshot_group_id === id) cloud.removeSnapshot(member.id);
  }
  cloud.removeSnapshot(id);
  seed(cloud, kind, resource, { ...one, id });
}
