/** Returns standard snapshots in the form of EVS v5 responses. */
import type { CloudState } from "../cloud-state.ts";
import { creationTimeInResponse, type SnapshotRecordByKind } from "../records.ts";
import { formatStandardTime } from "./evs-v5-lists.ts";

type StandardSnapshot = SnapshotRecordByKind["standard-snapshot"];

/**
 * Returns the id of the chain that a snapshot belongs to. In the embedded cloud every disk has one chain, but in EVS a chain
 * can branch.
 */
export function chainIdOf(snapshot: StandardSnapshot): string {
  return `chain-${snapshot.resourceId}`;
}

export function standardView(snapshot: StandardSnapshot, cloud: CloudState) {
  const { inventory, projectId } = cloud;
  const creating = inventory.isCreating(snapshot);
  const createdAt = formatStandardTime(snapshot.createdAt, snapshot.microseconds, cloud);
  const snapshotCount = inventory.snapshots["standard-snapshot"].countOf(snapshot.resourceId);
  return {
    id: snapshot.id,
    project_id: projectId,
    name: snapshot.name,
    description: snapshot.description,
    status: inventory.statusOf(snapshot),
    created_at: creationTimeInResponse(snapshot, createdAt),
    updated_at: snapshot.updatedAt === undefined ? createdAt : formatStandardTime(snapshot.updatedAt, 0, cloud),
    volume_id: snapshot.resourceId,
    size: snapshot.size,
    enterprise_project_id: snapshot.enterpriseProjectId,
    encrypted: false,
    cmk_id: null,
    category: "standard",
    availability_zone: snapshot.availabilityZone,
    tags: snapshot.tags,
    instant_access: snapshot.instantAccess,
    retention_at: null,
    instant_access_retention_at: null,
    incremental: snapshot.incremental,
    snapshot_type: snapshot.snapshotType,
    progress: creating ? "0" : "100",
    encrypt_algorithm: null,
    snapshot_chains: [
      {
        id: chainIdOf(snapshot),
        availability_zone: snapshot.availabilityZone,
        snapshot_count: snapshotCount,
        // What EVS adds up for `capacity` is UNCONFIRMED.
        capacity: snapshotCount * snapshot.size,
        project_id: projectId,
        volume_id: snapshot.resourceId,
        category: "standard",
        created_at: createdAt,
        updated_at: createdAt,
      },
    ],
    snapshot_group_id: snapshot.groupId,
  };
}
