/** Implements the methods with which a test adds, changes and reads snapshots of every kind. */
import { randomUUID } from "node:crypto";
import { toEpochMs } from "../clock.ts";
import type { CloudState } from "../cloud-state.ts";
import type { AnySnapshotRecord, Kind, Tags } from "../records.ts";
import type { SeededSnapshot, SnapshotKind, SnapshotView } from "../snapshot-kind.ts";
import { SNAPSHOT_KINDS } from "./services.generated.ts";

/**
 * Returns the kind of snapshot with this name. The type assertion is necessary, because the compiler cannot know which kind of
 * snapshot the methods of the returned object accept.
 */
const kindOf = (name: Kind) => SNAPSHOT_KINDS[name] as SnapshotKind<Kind>;

export function seedSnapshot(seeded: SeededSnapshot, cloud: CloudState): SnapshotView {
  const { inventory } = cloud;
  const kind = kindOf(seeded.kind);
  const createdAt = seeded.createdAt === undefined ? inventory.now() : toEpochMs(seeded.createdAt);
  const status = seeded.status ?? kind.statuses.available;
  const creating = status.toLowerCase() === "creating";
  const fields = {
    id: seeded.id ?? randomUUID(),
    ...inventory.pastTimeFields(createdAt),
    ...(creating ? { readyAt: Number.POSITIVE_INFINITY } : {}),
    finalStatus: status,
    name: seeded.name ?? `seeded-${seeded.kind}`,
    description: seeded.description ?? null,
    size: seeded.size ?? 10,
    enterpriseProjectId: "0",
  };
  const snapshot = kind.seed(seeded, fields, cloud);
  inventory.addSnapshot(snapshot);
  return viewOf(snapshot, cloud);
}

function findSnapshot(id: string, { inventory }: CloudState): AnySnapshotRecord {
  for (const store of Object.values(inventory.snapshots)) {
    const snapshot = store.get(id);
    if (snapshot) return snapshot;
  }
  throw new Error(`There is no snapshot ${id}.`);
}

export function setSnapshotStatus(id: string, status: string, cloud: CloudState): void {
  const snapshot = findSnapshot(id, cloud);
  const isAvailableGroup = snapshot.kind === "snapshot-group" && status === "available";
  cloud.inventory.setStatus(snapshot, isAvailableGroup ? cloud.behavior.groupAvailable : status);
}

export function setSnapshotLabels(id: string, labels: Tags, cloud: CloudState): void {
  const snapshot = findSnapshot(id, cloud);
  const { labelsField } = kindOf(snapshot.kind);
  if (labelsField === undefined)
    throw new Error(
      `Snapshot ${id} cannot have labels, because snapshots of the kind ${snapshot.kind} have no labels.`,
    );
  Object.assign(snapshot, { [labelsField]: { ...labels } });
}

export function setSnapshotCreatedAt(id: string, text: string | undefined, cloud: CloudState): void {
  findSnapshot(id, cloud).creationTimeOverride = { text };
}

export function viewsOf(kind: Kind | undefined, cloud: CloudState): SnapshotView[] {
  const kinds = kind === undefined ? (Object.keys(cloud.inventory.snapshots) as Kind[]) : [kind];
  return kinds.flatMap((name) =>
    cloud.inventory.snapshots[name].oldestFirst.map((snapshot: AnySnapshotRecord) => viewOf(snapshot, cloud)),
  );
}

export function viewOf(snapshot: AnySnapshotRecord, cloud: CloudState): SnapshotView {
  return structuredClone({ kind: snapshot.kind, ...kindOf(snapshot.kind).view(snapshot, cloud) } as SnapshotView);
}
