/** Adds resources, snapshots with the labels of this project, and foreign snapshots to the embedded cloud. */
import type { EmbeddedCloud, SnapshotView } from "../../infra/local/cloud/index.ts";
import { deriveKey, markerLabels } from "../../shared/snapshots/marker.ts";
import { addResource, addSnapshot, type Kind } from "../support/kinds.ts";
import type { Random } from "./random.ts";

export interface Target {
  kind: Kind;
  /** The id of the disk, server or cluster. */
  resource: string;
}

/** The tags of every resource of the fuzz. Policies select resources by these tags. */
export const TAGS = { backup: "daily" };

const HOUR_MS = 3_600_000;

/** Adds a disk, server or cluster with `TAGS`, as the kind of snapshot requires. Returns its id. */
export const addTaggedResource = (cloud: EmbeddedCloud, kind: Kind, random: Random): string =>
  addResource(cloud, kind, { tags: TAGS, newId: () => random.uuid() }).id;

interface Seeded {
  policy: string;
  /** The age of the snapshot in hours. */
  hours: number;
  status?: string;
  hold?: boolean;
}

/** Adds a snapshot with the labels that the functions add to each snapshot of a policy. */
export function addOwnSnapshot(
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
  if (kind !== "cluster-snapshot") return addSnapshot(cloud, kind, resource, { ...base, labels }).id;
  const { idempotencyKey: key, requestHash: content } = marker;
  const text = `managed-by:snapshot-functions policy:${policy} key:${key} content:${content}`;
  return addSnapshot(cloud, kind, resource, { ...base, description: hold ? `hold ${text}` : text }).id;
}

/** Adds a snapshot without the labels of this project, as another program creates it. */
export function addForeignSnapshot(cloud: EmbeddedCloud, { kind, resource }: Target, hours: number): void {
  addSnapshot(cloud, kind, resource, { name: "by-hand", createdAt: cloud.clock.now() - hours * HOUR_MS });
}

/** Returns the idempotency key in the labels or the description of a snapshot, or undefined for a foreign snapshot. */
export function keyIn({ metadata, tags, description }: SnapshotView): string | undefined {
  const labels = metadata ?? tags ?? {};
  if (labels.key !== undefined) return labels.key;
  return /managed-by:snapshot-functions policy:\S+ key:([0-9a-f]{32})/.exec(description ?? "")?.[1];
}
