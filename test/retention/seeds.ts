/** Snapshots of the past in the embedded cloud, of every kind, as the functions would have made them. */
import type { EmbeddedCloud, SnapshotView } from "../../infra/local/cloud/index.ts";

export type Kind = SnapshotView["kind"];
export const KINDS: Kind[] = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];

export interface Seed {
  at: number;
  /** As EVS spells it; default available. */
  status?: string;
  /** What makes it one; by default each is another. */
  key?: string;
  policy?: string;
  name?: string;
  /** False: somebody else made it. */
  marked?: boolean;
  /** A label of EVS; DWS has none. */
  labels?: Record<string, string>;
  description?: string;
}

let count = 0;

export const markerOf = (policy: string, key: string) => ({
  "managed-by": "snapshot-functions",
  policy,
  key: Buffer.from(key.padEnd(16, ".")).toString("hex").slice(0, 32),
  content: "01234567",
});

export function seed(cloud: EmbeddedCloud, kind: Kind, resource: string, one: Seed): SnapshotView {
  count += 1;
  const { at, status = "available", key = `seed ${count}`, policy = "nightly", marked = true } = one;
  const marker = markerOf(policy, key);
  const labels = { ...(marked ? marker : { policy }), ...one.labels };
  const { name = `${policy}-${count}`, description = null } = one;
  const base = { name, description, createdAt: at, status };
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

/** One resource for each kind, of an age at which a disk is attached. */
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

export const DELETE: Record<Kind, string> = {
  snapshot: "evs.deleteSnapshot",
  "standard-snapshot": "evs.deleteStandardSnapshot",
  "snapshot-group": "evs.deleteSnapshotGroup",
  "cluster-snapshot": "dws.deleteSnapshot",
};
