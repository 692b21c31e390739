/**
 * Implements the member snapshots of a snapshot group: the fields that EVS gives a member, and the methods with which a test
 * adds and removes members.
 */
import { randomUUID } from "node:crypto";
import type { CloudState } from "../cloud-state.ts";
import type { SnapshotRecordByKind, Tags, VolumeRecord } from "../records.ts";
import { findVolumeToSnapshot, rejectBody, rejectUnknownId } from "./evs-common.ts";

type Group = SnapshotRecordByKind["snapshot-group"];
type Member = SnapshotRecordByKind["standard-snapshot"];

/**
 * Returns the disks that a create request for a snapshot group selects, and the id of their server if the request contains a
 * server id.
 */
export function findChosenVolumes(
  serverId: unknown,
  volumeIds: unknown,
  cloud: CloudState,
): { serverId: string | null; volumes: VolumeRecord[] } {
  const { inventory } = cloud;
  if (serverId !== undefined && typeof serverId !== "string")
    return rejectBody("snapshot_group.server_id must be a string.");
  if (volumeIds !== undefined && (!Array.isArray(volumeIds) || volumeIds.some((id) => typeof id !== "string"))) {
    return rejectBody("snapshot_group.volume_ids must be an array of strings.");
  }
  const ids = volumeIds as string[] | undefined;
  if (!serverId && !ids?.length) return rejectBody("server_id and volume_ids must not both be empty.");
  if (serverId && !inventory.servers.get(serverId)) return rejectUnknownId("Server", serverId);
  const attached = serverId ? inventory.volumesOfServer(serverId) : [];
  const chosen = ids?.length ? [...new Set(ids)] : attached.map(({ id }) => id);
  if (chosen.length === 0) return rejectBody(`Server ${serverId} has no disks.`);
  const volumes = chosen.map((id) => findVolumeToSnapshot(id, undefined, cloud));
  // If the request has `server_id`, `volume_ids` may contain only disks of that server (SOURCES.md#evs-groups-server-disks).
  const foreignVolume = serverId ? volumes.find((volume) => !attached.includes(volume)) : undefined;
  if (foreignVolume) return rejectBody(`Volume ${foreignVolume.id} is not attached to server ${serverId}.`);
  return { serverId: serverId || null, volumes };
}

/**
 * Returns the fields of a member snapshot that depend on its group and its disk. How EVS names member snapshots is UNCONFIRMED.
 */
export function memberFields(group: Group, volume: VolumeRecord, index: number, tags: Tags) {
  const suffix = `-${String(index + 1).padStart(4, "0")}`;
  return {
    kind: "standard-snapshot",
    resourceId: volume.id,
    name: `${[...group.name].slice(0, 64 - suffix.length).join("")}${suffix}`,
    description: null,
    tags: { ...tags },
    groupId: group.id,
    incremental: group.incremental,
    instantAccess: group.instantAccess,
    snapshotType: "user",
    size: volume.size,
    availabilityZone: volume.availabilityZone,
    enterpriseProjectId: group.enterpriseProjectId,
  } satisfies Partial<Member>;
}

/** Adds a member snapshot without an API request. The snapshot has the same creation time as its group. */
export function addSeededMember(
  group: Group,
  volumeId: string,
  { id = randomUUID(), readyAt, finalStatus }: { id?: string | undefined; readyAt: number; finalStatus: string },
  { inventory, behavior }: CloudState,
): Member {
  const volume = inventory.volumes.get(volumeId);
  if (!volume) throw new Error(`There is no volume ${volumeId}.`);
  const tags = behavior.groupTagsOnMembers ? group.tags : {};
  const added = {
    ...inventory.pastTimeFields(group.createdAt),
    readyAt,
    finalStatus,
    id,
    ...memberFields(group, volume, group.memberIds.length, tags),
  };
  inventory.addSnapshot(added);
  group.memberIds.push(added.id);
  return added;
}

/** Adds an available snapshot of a disk to a snapshot group. */
export function addMember(groupId: string, volumeId: string, cloud: CloudState): Member {
  const group = findGroup(groupId, cloud);
  return addSeededMember(group, volumeId, { readyAt: group.readyAt, finalStatus: "available" }, cloud);
}

/** Removes the member snapshot of a disk from a snapshot group. */
export function removeMember(groupId: string, volumeId: string, cloud: CloudState): void {
  const group = findGroup(groupId, cloud);
  const members = cloud.inventory.snapshots["standard-snapshot"];
  const id = group.memberIds.find((memberId) => members.get(memberId)?.resourceId === volumeId);
  if (id === undefined)
    throw new Error(`The snapshot group ${groupId} contains no snapshot of the volume ${volumeId}.`);
  members.remove(id);
  group.memberIds.splice(group.memberIds.indexOf(id), 1);
}

function findGroup(id: string, { inventory }: CloudState): Group {
  const group = inventory.snapshots["snapshot-group"].get(id);
  if (!group) throw new Error(`There is no snapshot group ${id}.`);
  return group;
}
