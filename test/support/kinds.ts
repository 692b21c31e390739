/**
 * Describes the four kinds of snapshots for the tests. The table follows the public API references and shares no code with
 * functions/ or shared/, so a wrong name there makes tests fail.
 */
import type { EmbeddedCloud, SeededSnapshot, SnapshotView } from "../../infra/local/cloud/index.ts";

/** The name of a snapshot kind. A test checks that the functions have the same kinds. */
export type Kind = "snapshot" | "standard-snapshot" | "snapshot-group" | "cluster-snapshot";

interface KindFacts {
  /** The field of a policy target that contains the resource ids. */
  idsField: "volume_ids" | "server_ids" | "cluster_ids";
  /** The field of a create request and of a snapshot that contains the resource id. */
  idField: "volume_id" | "server_id" | "cluster_id";
  /** The option of the embedded cloud's `addSnapshot` that contains the resource id. */
  seedField: "volumeId" | "serverId" | "clusterId";
  /** The field of a snapshot that contains its labels. DWS has none. */
  labelsField?: "metadata" | "tags";
  /** The only field in the body of a create request. */
  envelope: "snapshot" | "snapshot_group";
  /** The field of a list response that contains the array of snapshots. */
  rowsField: "snapshots" | "snapshot_groups";
  /** The embedded cloud's names of the operations that create, list and delete snapshots. */
  create: string;
  list: string;
  delete: string;
}

const OF_DISK = {
  idsField: "volume_ids",
  idField: "volume_id",
  seedField: "volumeId",
  envelope: "snapshot",
  rowsField: "snapshots",
} as const;

export const KIND_FACTS: Record<Kind, KindFacts> = {
  snapshot: {
    ...OF_DISK,
    labelsField: "metadata",
    create: "evs.createSnapshot",
    list: "evs.listSnapshots",
    delete: "evs.deleteSnapshot",
  },
  "standard-snapshot": {
    ...OF_DISK,
    labelsField: "tags",
    create: "evs.createStandardSnapshot",
    list: "evs.listStandardSnapshots",
    delete: "evs.deleteStandardSnapshot",
  },
  "snapshot-group": {
    idsField: "server_ids",
    idField: "server_id",
    seedField: "serverId",
    labelsField: "tags",
    envelope: "snapshot_group",
    rowsField: "snapshot_groups",
    create: "evs.createSnapshotGroup",
    list: "evs.listSnapshotGroups",
    delete: "evs.deleteSnapshotGroup",
  },
  "cluster-snapshot": {
    idsField: "cluster_ids",
    idField: "cluster_id",
    seedField: "clusterId",
    envelope: "snapshot",
    rowsField: "snapshots",
    create: "dws.createSnapshot",
    list: "dws.listSnapshots",
    delete: "dws.deleteSnapshot",
  },
};

export const KINDS = Object.keys(KIND_FACTS) as Kind[];
export const DISK_KINDS = KINDS.filter((kind) => KIND_FACTS[kind].idField === "volume_id");

/** Returns the name of the embedded cloud's operation for one call, such as `delete`, by snapshot kind. */
export const operationsTo = (call: "create" | "list" | "delete") =>
  Object.fromEntries(KINDS.map((kind) => [kind, KIND_FACTS[kind][call]])) as Record<Kind, string>;

/** Returns a policy target that names resources by their ids. */
export const targetOf = (kind: Kind, ids: readonly string[]) => ({ kind, [KIND_FACTS[kind].idsField]: ids });

/** Returns the body of a create request for a resource. `options` are additional fields, such as the name. */
export const createBody = (kind: Kind, resourceId: string, options: object = {}) => ({
  [KIND_FACTS[kind].envelope]: { [KIND_FACTS[kind].idField]: resourceId, ...options },
});

/** Returns the id of the disk, server or cluster that a snapshot belongs to. */
export const resourceOf = (snapshot: SnapshotView): string =>
  String(snapshot[KIND_FACTS[snapshot.kind as Kind].idField]);

interface ResourceOptions {
  tags?: Record<string, string>;
  /** The number of disks of a server. Default: 2. */
  diskCount?: number;
  /** Returns the id of each new resource. Default: the embedded cloud chooses the ids. */
  newId?: () => string;
}

/** Adds the resource that snapshots of the kind are created from: a disk, a server with disks, or a cluster. */
export function addResource(cloud: EmbeddedCloud, kind: Kind, options: ResourceOptions = {}) {
  const { tags = {}, diskCount = 2, newId } = options;
  const resource = () => ({ tags, ...(newId && { id: newId() }) });
  const { idField } = KIND_FACTS[kind];
  if (idField === "cluster_id") return { id: cloud.addCluster(resource()).id, disks: [] };
  if (idField === "volume_id") return { id: cloud.addVolume(resource()).id, disks: [] };
  const { id } = cloud.addServer(resource());
  const disks = Array.from(
    { length: diskCount },
    () => cloud.addVolume({ serverId: id, ...(newId && { id: newId() }) }).id,
  );
  return { id, disks };
}

type SeedFields = Pick<SeededSnapshot, "id" | "name" | "description" | "createdAt" | "status">;

/** Adds a snapshot of a resource to the embedded cloud. DWS snapshots ignore `labels`. */
export function addSnapshot(
  cloud: EmbeddedCloud,
  kind: Kind,
  resourceId: string,
  { labels, ...fields }: SeedFields & { labels?: Record<string, string> },
): SnapshotView {
  const { seedField, labelsField } = KIND_FACTS[kind];
  const labelled = labels && labelsField ? { [labelsField]: labels } : {};
  return cloud.addSnapshot({ ...fields, kind, [seedField]: resourceId, ...labelled } as SeededSnapshot);
}
