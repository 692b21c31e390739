/** Seeding and inspecting snapshots of every kind from a test. */
import { randomUUID } from "node:crypto";
import { epoch } from "../clock.ts";
import type { CloudState } from "../cloud-state.ts";
import type { AnySnapshot, Kind, SnapshotGroup, SnapshotOf, StandardSnapshot, Tags } from "../inventory.ts";
import { clusterSnapshotView } from "./dws.ts";
import { groupView, member } from "./evs-groups.ts";
import { legacyView } from "./evs-v2.ts";
import { standardView } from "./evs-v5.ts";

interface SeededBase {
  id?: string;
  name?: string;
  description?: string | null;
  /** Default now. */
  createdAt?: number | string | Date;
  /** As the service spells it; default available. One that is `creating` stays so. */
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
        /** Makes it a member of that group, if the group is there. */
        groupId?: string;
        snapshotType?: "auto" | "user" | "copy";
        incremental?: boolean;
        instantAccess?: boolean;
      }
    /** Without `volumeIds`: all disks of the server. Each gets a member of the group's age and status. */
    | { kind: "snapshot-group"; serverId?: string; volumeIds?: string[]; tags?: Tags }
    | { kind: "cluster-snapshot"; clusterId: string; type?: "MANUAL" | "AUTO" }
  );

/** What the service's own `show` answers, with the kind; for a group also what the API does not tell. */
export interface SnapshotView {
  kind: Kind;
  id: string;
  name: string;
  status: string;
  description: string | null;
  size?: number;
  created_at?: string;
  /** DWS. */
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
  /** Groups; not in the API. */
  volume_ids?: string[];
  member_ids?: string[];
  [field: string]: unknown;
}

export function seedSnapshot(seeded: SeededSnapshot, cloud: CloudState): SnapshotView {
  const { estate } = cloud;
  const createdAt = seeded.createdAt === undefined ? estate.now() : epoch(seeded.createdAt);
  const status = seeded.status ?? (seeded.kind === "cluster-snapshot" ? "AVAILABLE" : "available");
  const creating = status.toLowerCase() === "creating";
  const base = {
    id: seeded.id ?? randomUUID(),
    ...estate.aged(createdAt),
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

type Base = ReturnType<CloudState["estate"]["aged"]> & {
  id: string;
  endStatus: string;
  name: string;
  description: string | null;
  size: number;
  enterpriseProjectId: string;
};

function seed(seeded: SeededSnapshot, base: Base, cloud: CloudState): AnySnapshot {
  const { estate } = cloud;
  if (seeded.kind === "snapshot") {
    const snapshot = { ...base, kind: seeded.kind, resourceId: seeded.volumeId, metadata: { ...seeded.metadata } };
    estate.addSnapshot(snapshot);
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
      availabilityZone: estate.volumes.get(seeded.volumeId)?.availabilityZone ?? `${cloud.region}a`,
    };
    estate.addSnapshot(snapshot);
    estate.snapshots["snapshot-group"].get(seeded.groupId ?? "")?.memberIds.push(snapshot.id);
    return snapshot;
  }
  if (seeded.kind === "cluster-snapshot") {
    const clusterName = estate.clusters.get(seeded.clusterId)?.name ?? "";
    const snapshot = {
      ...base,
      kind: seeded.kind,
      resourceId: seeded.clusterId,
      clusterName,
      type: seeded.type ?? "MANUAL",
    };
    estate.addSnapshot(snapshot);
    return snapshot;
  }
  return seedGroup(seeded, base, cloud);
}

function seedGroup(seeded: SeededSnapshot & { kind: "snapshot-group" }, base: Base, cloud: CloudState): AnySnapshot {
  const { estate, choices } = cloud;
  const serverId = seeded.serverId ?? "";
  const volumeIds = seeded.volumeIds ?? estate.volumesOfServer(serverId).map(({ id }) => id);
  const group = {
    ...base,
    kind: seeded.kind,
    resourceId: serverId,
    volumeIds,
    memberIds: [] as string[],
    tags: { ...seeded.tags },
    incremental: false,
    instantAccess: false,
    endStatus: base.endStatus === "available" ? choices.groupAvailable : base.endStatus,
  };
  estate.addSnapshot(group);
  for (const id of volumeIds) join(group, id, base, cloud);
  return group;
}

/** Adds a member of the group's age to it. */
function join(
  group: SnapshotGroup,
  volumeId: string,
  { readyAt, endStatus }: { readyAt: number; endStatus: string },
  { estate, choices }: CloudState,
): StandardSnapshot {
  const volume = estate.volumes.get(volumeId);
  if (!volume) throw new Error(`There is no volume ${volumeId}.`);
  const tags = choices.groupTagsOnMembers ? group.tags : {};
  const joined = {
    ...estate.aged(group.createdAt),
    readyAt,
    endStatus,
    id: randomUUID(),
    ...member(group, volume, group.memberIds.length, tags),
  };
  estate.addSnapshot(joined);
  group.memberIds.push(joined.id);
  return joined;
}

export function addMember(groupId: string, volumeId: string, cloud: CloudState): SnapshotView {
  const group = groupOf(groupId, cloud);
  const joined = join(group, volumeId, { readyAt: group.readyAt, endStatus: "available" }, cloud);
  return structuredClone(viewOf(joined, cloud));
}

export function removeMember(groupId: string, volumeId: string, cloud: CloudState): void {
  const group = groupOf(groupId, cloud);
  const members = cloud.estate.snapshots["standard-snapshot"];
  const id = group.memberIds.find((each) => members.get(each)?.resourceId === volumeId);
  if (id === undefined) throw new Error(`The group ${groupId} has no member of volume ${volumeId}.`);
  members.remove(id);
  group.memberIds.splice(group.memberIds.indexOf(id), 1);
}

function groupOf(id: string, { estate }: CloudState): SnapshotGroup {
  const group = estate.snapshots["snapshot-group"].get(id);
  if (!group) throw new Error(`There is no snapshot group ${id}.`);
  return group;
}

function snapshotOf(id: string, { estate }: CloudState): AnySnapshot {
  for (const collection of Object.values(estate.snapshots)) {
    const snapshot = collection.get(id);
    if (snapshot) return snapshot;
  }
  throw new Error(`There is no snapshot ${id}.`);
}

export function setSnapshotStatus(id: string, status: string, cloud: CloudState): void {
  const snapshot = snapshotOf(id, cloud);
  const group = snapshot.kind === "snapshot-group" && status === "available";
  cloud.estate.setStatus(snapshot, group ? cloud.choices.groupAvailable : status);
}

export function setSnapshotLabels(id: string, labels: Tags, cloud: CloudState): void {
  const snapshot = snapshotOf(id, cloud);
  if (snapshot.kind === "snapshot") snapshot.metadata = { ...labels };
  else if (snapshot.kind !== "cluster-snapshot") snapshot.tags = { ...labels };
  else throw new Error(`Snapshot ${id} is of a cluster: DWS has no labels.`);
}

export function setSnapshotCreatedAt(id: string, text: string | undefined, cloud: CloudState): void {
  snapshotOf(id, cloud).createdText = { text };
}

export function viewsOf(kind: Kind | undefined, cloud: CloudState): SnapshotView[] {
  const kinds = kind === undefined ? (Object.keys(cloud.estate.snapshots) as Kind[]) : [kind];
  return kinds.flatMap((each) =>
    cloud.estate.snapshots[each].oldestFirst.map((snapshot) => structuredClone(viewOf(snapshot, cloud))),
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
