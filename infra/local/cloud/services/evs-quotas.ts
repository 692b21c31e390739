/** Implements the EVS request for the quotas of a project (SOURCES.md#evs-project-quota). */
import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, type Call, ok, type Route } from "../gateway/http.ts";
import { refuse } from "./evs-common.ts";

const QUOTAS = "/v2/{project_id}/os-quota-sets/{target_project_id}";

export const quotaRoutes: Route[] = [{ operation: "evs.showQuotas", method: "GET", path: QUOTAS, handle: show }];

/** The types of disks for which the response has its own quotas. */
const VOLUME_TYPES = ["SATA", "SAS", "SSD"];
const UNLIMITED = -1;

interface Sized {
  size: number;
}

/** Returns the quotas of the project. `gigabytes` is the total size of all disks and snapshots (SOURCES.md#evs-project-quota). */
function show(call: Call, cloud: CloudState): ApiResponse {
  const { inventory, behavior } = cloud;
  if (call.params.target_project_id !== cloud.projectId) refuse(400, "EVS.0001", "invalid tenant id!");
  const volumes = inventory.volumes.oldestFirst;
  const snapshots = inventory.snapshots.snapshot.oldestFirst;
  const typed = VOLUME_TYPES.flatMap((type) => {
    const own = volumes.filter(({ volumeType }) => volumeType === type);
    const ownSnapshots = snapshots.filter(({ resourceId }) => inventory.volumes.get(resourceId)?.volumeType === type);
    return quotas(own, ownSnapshots, UNLIMITED).map(([name, quota]) => [`${name}_${type}`, quota]);
  });
  return ok({
    quota_set: {
      id: cloud.projectId,
      ...Object.fromEntries(quotas(volumes, snapshots, behavior.snapshotQuota ?? UNLIMITED)),
      ...Object.fromEntries(typed),
      backups: usage(0, UNLIMITED),
      backup_gigabytes: usage(0, UNLIMITED),
      per_volume_gigabytes: usage(0, UNLIMITED),
    },
  });
}

function quotas(volumes: readonly Sized[], snapshots: readonly Sized[], snapshotLimit: number) {
  const size = (rows: readonly Sized[]) => rows.reduce((total, row) => total + row.size, 0);
  return [
    ["volumes", usage(volumes.length, UNLIMITED)],
    ["snapshots", usage(snapshots.length, snapshotLimit)],
    ["gigabytes", usage(size(volumes) + size(snapshots), UNLIMITED)],
  ] as const;
}

function usage(inUse: number, limit: number) {
  return { in_use: inUse, limit, reserved: 0 };
}
