/** Implements the methods by which a test adds, changes and reads snapshots of every kind. */
import { randomUUID } from "node:crypto";
import { epoch } from "../clock.ts";
import type { CloudState } from "../cloud-state.ts";
import type { Inventory } from "../inventory.ts";
import type { AnySnapshot, Kind, SnapshotGroup, SnapshotOf, StandardSnapshot, Tags } from "../records.ts";
import { clusterSnapshotView } from "./dws.ts";
import { groupView, memberFields } from "./evs-groups.ts";
import { legacyView } from "./evs-v2.ts";
import { standardView } from "./evs-v5.ts";

interface SeededBase {
  id?: string;
  name?: string;
  description?: string | null;
  /** Default: now. */
  createdAt?: number | string | Date;
  /** The status in the spelling of the service. Default `available`. A snapshot that is `creating` never becomes available. */
  status?: string;
  size?: number;
}

export type SeededSnapshot = SeededBase &
  (
    | { kind: "snapshot"; volumeId: string; metadata?: Tags }
    | {
        kind: "standard-snapshot";
        volumeId: string;
        tags?: Tags;
        /** Makes the snapshot a member of that group if the group exists. */
        groupId?: string;
        snapshotType?: "auto" | "user" | "copy";
        incremental?: boolean;
        instantAccess?: boolean;
      }
    /** Adds a member with the group's age and status for each disk. Default disks: all disks of the server. */
    | { kind: "snapshot-group"; serverId?: string; volumeIds?: string[]; tags?: Tags }
    | { kind: "cluster-snapshot"; clusterId: string; type?: "MANUAL" | "AUTO" }
  );

/** A snapshot as the service shows it, with its kind. A group also has fields that the API does not show. */
export interface SnapshotView {
  kind: Kind;
  id: string;
  name: string;
  status: string;
  description: string | null;
  size?: number;
  created_at?: string;
  /** The creation time in DWS. */
  started?: string;
  volume_id?: string;
  metadata?: Tags;
  tags?: Tags;
  incremental?: boolean;
  instant_access?: boolean;
  snapshot_group_id?: string | null;
  server_id?: string | null;
  cluster_id?: string;
  type?: string;
  /** The disks and members of a group, which the API does not show. */
  volume_ids?: string[];
  member_ids?: string[];
  [field: string]: unknown;
}

export function seedSnapshot(seeded: SeededSnapshot, cloud: CloudState): SnapshotView {
  const { inventory } = cloud;
  const createdAt = seeded.createdAt === undefined ? inventory.now() : epoch(seeded.createdAt);
  const status = seeded.status ?? (seeded.kind === "cluster-snapshot" ? "AVAILABLE" : "available");
  const creating = status.toLowerCase() === "creating";
  const base = {
    id: seeded.id ?? randomUUID(),
    ...inventory.pastTimeFields(createdAt),
    ...(creating ? { readyAt: Number.POSITIVE_INFINITY } : {}),
    endStatus: status,
    name: seeded.name ?? `seeded-${seeded.kind}`,
    description: seeded.description ?? null,
    size: seeded.size ?? 10,
    enterpriseProjectId: "0",
  };
  const snapshot = seed(seeded, base, cloud);
  return structuredClone(viewOf(snapshot, cloud));
}

type Base = ReturnType<Inventory["pastTimeFields"]> & {
  id: string;
  endStatus: string;
  name: string;
  description: string | null;
  size: number;
  enterpriseProjectId: string;
};

function seed(seeded: SeededSnapshot, base: Base, cloud: CloudState): AnySnapshot {
  const { inventory } = cloud;
  if (seeded.kind === "snapshot") {
    const snapshot = { ...base, kind: seeded.kind, resourceId: seeded.volumeId, metadata: { ...seeded.metadata } };
    inventory.addSnapshot(snapshot);
    return snapshot;
  }
  if (seeded.kind === "standard-snapshot") {
    const snapshot = {
      ...base,
      kind: seeded.kind,
      resourceId: seeded.volumeId,
      groupId: seeded.groupId ?? null,
      tags: { ...seeded.tags },
      incremental: seeded.incremental ?? true,
      instantAccess: seeded.instantAccess ?? false,
      snapshotType: seeded.snapshotType ?? "user",
      availabilityZone: inventory.volumes.get(seeded.volumeId)?.availabilityZone ?? `${cloud.region}a`,
    };
    inventory.addSnapshot(snapshot);
    inventory.snapshots["snapshot-group"].get(seeded.groupId ?? "")?.memberIds.push(snapshot.id);
    return snapshot;
  }
  if (seeded.kind === "cluster-snapshot") {
    const clusterName = inventory.clusters.get(seeded.clusterId)?.name ?? "";
    const snapshot = {
      ...base,
      kind: seeded.kind,
      resourceId: seeded.clusterId,
      clusterName,
      type: seeded.type ?? "MANUAL",
    };
    inventory.addSnapshot(snapshot);
    return snapshot;
  }
  return seedGroup(seeded, base, cloud);
}

function seedGroup(seeded: SeededSnapshot & { kind: "snapshot-group" }, base: Base, cloud: CloudState): AnySnapshot {
  const { inventory, behavior } = cloud;
  const serverId = seeded.serverId ?? "";
  const volumeIds = seeded.volumeIds ?? inventory.volumesOfServer(serverId).map(({ id }) => id);
  const group = {
    ...base,
    kind: seeded.kind,
    resourceId: serverId,
    volumeIds,
    memberIds: [] as string[],
    tags: { ...seeded.tags },
    incremental: false,
    instantAccess: false,
    endStatus: base.endStatus === "available" ? behavior.groupAvailable : base.endStatus,
  };
  inventory.addSnapshot(group);
  for (const id of volumeIds) addMemberOf(group, id, base, cloud);
  return group;
}

/** Adds a member with the age of the group. */
function addMemberOf(
  group: SnapshotGroup,
  volumeId: string,
  { readyAt, endStatus }: { readyAt: number; endStatus: string },
  { inventory, behavior }: CloudState,
): StandardSnapshot {
  const volume = inventory.volumes.get(volumeId);
  if (!volume) throw new Error(`There is no volume ${volumeId}.`);
  const tags = behavior.groupTagsOnMembers ? group.tags : {};
  const added = {
    ...inventory.pastTimeFields(group.createdAt),
    readyAt,
    endStatus,
    id: randomUUID(),
    ...memberFields(group, volume, group.memberIds.length, tags),
  };
  inventory.addSnapshot(added);
  group.memberIds.push(added.id);
  return added;
}

export function addMember(groupId: string, volumeId: string, cloud: CloudState): SnapshotView {
  const group = findGroup(groupId, cloud);
  const added = addMemberOf(group, volumeId, { readyAt: group.readyAt, endStatus: "available" }, cloud);
  return structuredClone(viewOf(added, cloud));
}

export function removeMember(groupId: string, volumeId: string, cloud: CloudState): void {
  const group = findGroup(groupId, cloud);
  const members = cloud.inventory.snapshots["standard-snapshot"];
  const id = group.memberIds.find((memberId) => members.get(memberId)?.resourceId === volumeId);
  if (id === undefined) throw new Error(`The group ${groupId} has no member of volume ${volumeId}.`);
  members.remove(id);
  group.memberIds.splice(group.memberIds.indexOf(id), 1);
}

function findGroup(id: string, { inventory }: CloudState): SnapshotGroup {
  const group = inventory.snapshots["snapshot-group"].get(id);
  if (!group) throw new Error(`There is no snapshot group ${id}.`);
  return group;
}

function findSnapshot(id: string, { inventory }: CloudState): AnySnapshot {
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
  if (snapshot.kind === "snapshot") snapshot.metadata = { ...labels };
  else if (snapshot.kind !== "cluster-snapshot") snapshot.tags = { ...labels };
  else throw new Error(`Snapshot ${id} cannot have labels, because DWS has no labels.`);
}

export function setSnapshotCreatedAt(id: string, text: string | undefined, cloud: CloudState): void {
  findSnapshot(id, cloud).createdText = { text };
}

export function viewsOf(kind: Kind | undefined, cloud: CloudState): SnapshotView[] {
  const kinds = kind === undefined ? (Object.keys(cloud.inventory.snapshots) as Kind[]) : [kind];
  return kinds.flatMap((name) =>
    cloud.inventory.snapshots[name].oldestFirst.map((snapshot) => structuredClone(viewOf(snapshot, cloud))),
  );
}

const VIEWS: { [K in Kind]: (snapshot: SnapshotOf[K], cloud: CloudState) => Omit<SnapshotView, "kind"> } = {
  snapshot: legacyView,
  "standard-snapshot": standardView,
  "snapshot-group": (group, cloud) => ({
    ...groupView(group, cloud),
    volume_ids: group.volumeIds,
    member_ids: group.memberIds,
    incremental: group.incremental,
    instant_access: group.instantAccess,
  }),
  "cluster-snapshot": clusterSnapshotView,
};

function viewOf(snapshot: AnySnapshot, cloud: CloudState): SnapshotView {
  const view = VIEWS[snapshot.kind] as (snapshot: AnySnapshot, cloud: CloudState) => Omit<SnapshotView, "kind">;
  return { kind: snapshot.kind, ...view(snapshot, cloud) } as SnapshotView;
}
