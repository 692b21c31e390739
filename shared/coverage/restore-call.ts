import type { JsonObject } from "../core/json.ts";
import type { ResourceCoverage, RestorePoint } from "./coverage.ts";
import type { CoveredKind } from "./source.ts";

/** The API call that restores a resource from a snapshot. Nothing in this project sends it. */
export interface RestoreCall {
  method: "POST";
  /** The path of the request, with the id of the project. */
  path: string;
  body: JsonObject;
  /** What must be true before the call, and what the call does, in one or two sentences. */
  requires: string;
  /** Returns the method, the path and the body in one line. */
  toText(): string;
}

const DISK_REQUIRES = "The call overwrites the disk. First detach the disk, and stop the server of a system disk.";

/**
 * Returns the call that restores a disk or cluster from one of its restore points, as the section "Restore" of infra/README.md
 * describes it. A disk is rolled back. A cluster is restored to a new cluster.
 *
 * @example restoreCallOf("0a1b", disk, point).toText() // POST /v2/0a1b/cloudsnapshots/5aa1/rollback {"rollback":{"volume_id":"9c0d"}}
 */
export const restoreCallOf = (
  projectId: string,
  { id }: Pick<ResourceCoverage, "id">,
  point: Pick<RestorePoint, "kind" | "id" | "groupId">,
): RestoreCall => RESTORE_CALLS[point.kind as CoveredKind](projectId, id, point);

type CreateRestoreCall = (
  projectId: string,
  resourceId: string,
  point: Pick<RestorePoint, "id" | "groupId">,
) => RestoreCall;

const RESTORE_CALLS: Readonly<Record<CoveredKind, CreateRestoreCall>> = {
  snapshot: (projectId, disk, { id }) =>
    createCall(`/v2/${projectId}/cloudsnapshots/${id}/rollback`, rollbackBody(disk), DISK_REQUIRES),
  "standard-snapshot": (projectId, disk, { id }) =>
    createCall(`/v5/${projectId}/snapshots/${id}/rollback`, rollbackBody(disk), DISK_REQUIRES),
  "snapshot-group": (projectId, disk, { id, groupId }) =>
    createCall(
      `/v5/${projectId}/snapshots/${id}/rollback`,
      rollbackBody(disk),
      `${DISK_REQUIRES} Roll back the other members of the group ${groupId} too, and keep the server stopped until the last of them is rolled back.`,
    ),
  "cluster-snapshot": (projectId, _cluster, { id }) =>
    createCall(
      `/v1.0/${projectId}/snapshots/${id}/actions`,
      { restore: { name: `restored-${id.slice(0, 8)}` } },
      "The call creates a new cluster of the same size, which needs quota and is billed. Change its name if the name is taken.",
    ),
};

const rollbackBody = (volume_id: string) => ({ rollback: { volume_id } });

const createCall = (path: string, body: JsonObject, requires: string): RestoreCall => ({
  method: "POST",
  path,
  body,
  requires,
  toText: () => `POST ${path} ${JSON.stringify(body)}`,
});
