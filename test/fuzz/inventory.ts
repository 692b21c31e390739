/** What a case finds in the cloud: resources, snapshots of ours, and those of others. */
import type { EmbeddedCloud, Kind, SnapshotView } from "../../infra/local/cloud/index.ts";
import { deriveKey, markerLabels } from "../../shared/snapshots/marker.ts";
import type { Random } from "./random.ts";

export interface Target {
  kind: Kind;
  /** The disk, server or cluster. */
  resource: string;
}

/** The tags by which policies select. */
export const TAGS = { backup: "daily" };

const HOUR_MS = 3_600_000;

/** Adds something that a snapshot of the kind can be made of; a server has two disks. */
export function addResource(cloud: EmbeddedCloud, kind: Kind, random: Random): string {
  const id = random.uuid();
  if (kind === "cluster-snapshot") return cloud.addCluster({ id, tags: TAGS }).id;
  if (kind !== "snapshot-group") return cloud.addVolume({ id, tags: TAGS }).id;
  cloud.addServer({ id, tags: TAGS });
  for (let disks = 0; disks < 2; disks += 1) cloud.addVolume({ id: random.uuid(), serverId: id });
  return id;
}

interface Seeded {
  policy: string;
  /** How many hours old. */
  hours: number;
  status?: string;
  hold?: boolean;
}

/** Adds a snapshot that carries the marker of a policy. */
export function addOurs(
  cloud: EmbeddedCloud,
  { kind, resource }: Target,
  { policy, hours, status, hold }: Seeded,
): string {
  const createdAt = cloud.clock.now() - hours * HOUR_MS;
  const marker = {
    policy,
    idempotencyKey: deriveKey("schedule", policy, String(Math.round(createdAt / 1000))),
    requestHash: "0a1b2c3d",
  };
  const labels = { ...markerLabels(marker), ...(hold ? { hold: "true" } : {}) };
  const base = { name: `${policy}-${hours}`, createdAt, ...(status === undefined ? {} : { status }) };
  if (kind === "snapshot") return cloud.addSnapshot({ ...base, kind, volumeId: resource, metadata: labels }).id;
  if (kind === "standard-snapshot") return cloud.addSnapshot({ ...base, kind, volumeId: resource, tags: labels }).id;
  if (kind === "snapshot-group") return cloud.addSnapshot({ ...base, kind, serverId: resource, tags: labels }).id;
  const { idempotencyKey: key, requestHash: content } = marker;
  const text = `managed-by:snapshot-functions policy:${policy} key:${key} content:${content}`;
  return cloud.addSnapshot({ ...base, kind, clusterId: resource, description: hold ? `hold ${text}` : text }).id;
}

/** Adds a snapshot that somebody else made. */
export function addForeign(cloud: EmbeddedCloud, { kind, resource }: Target, hours: number): void {
  const base = { name: "by-hand", createdAt: cloud.clock.now() - hours * HOUR_MS };
  if (kind === "cluster-snapshot") cloud.addSnapshot({ ...base, kind, clusterId: resource });
  else if (kind === "snapshot-group") cloud.addSnapshot({ ...base, kind, serverId: resource });
  else cloud.addSnapshot({ ...base, kind, volumeId: resource });
}

export const resourceOf = ({ kind, volume_id, server_id, cluster_id }: SnapshotView): string =>
  String(kind === "snapshot-group" ? server_id : kind === "cluster-snapshot" ? cluster_id : volume_id);

/** The marker's key of a snapshot; undefined for one that is not ours. */
export function keyIn({ metadata, tags, description }: SnapshotView): string | undefined {
  const labels = metadata ?? tags ?? {};
  if (labels.key !== undefined) return labels.key;
  return /managed-by:snapshot-functions policy:\S+ key:([0-9a-f]{32})/.exec(description ?? "")?.[1];
}
