import type { JsonObject } from "../core/json.ts";
import type { ResourceCoverage, RestorePoint } from "./coverage.ts";

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

const DISK_REQUIRES =
  "The disk must be detached, and the server of a system disk must be stopped. The call overwrites the disk.";

/**
 * Returns the call that restores a disk or cluster from one of its restore points, as the section "Restore" of infra/README.md
 * describes it. A disk is rolled back. A cluster is restored to a new cluster.
 *
 * @example restoreCallOf("0a1b", disk, point).toText() // POST /v2/0a1b/cloudsnapshots/5aa1/rollback {"rollback":{"volume_id":"9c0d"}}
 */
export function restoreCallOf(
  projectId: string,
  resource: Pick<ResourceCoverage, "id">,
  { kind, id, groupId }: Pick<RestorePoint, "kind" | "id" | "groupId">,
): RestoreCall {
  const rollback = { rollback: { volume_id: resource.id } };
  switch (kind) {
    case "cluster-snapshot":
      return createCall(
        `/v1.0/${projectId}/snapshots/${id}/actions`,
        { restore: { name: `restored-${id.slice(0, 8)}` } },
        "The call creates a new cluster of the same size, which needs quota and is billed. Change its name if the name is taken.",
      );
    case "snapshot":
      return createCall(`/v2/${projectId}/cloudsnapshots/${id}/rollback`, rollback, DISK_REQUIRES);
    case "snapshot-group":
      return createCall(
        `/v5/${projectId}/snapshots/${id}/rollback`,
        rollback,
        `${DISK_REQUIRES} Roll back the other members of the group ${groupId} too, and keep the server stopped until the last of them is rolled back.`,
      );
    default:
      return createCall(`/v5/${projectId}/snapshots/${id}/rollback`, rollback, DISK_REQUIRES);
  }
}

const createCall = (path: string, body: JsonObject, requires: string): RestoreCall => ({
  method: "POST",
  path,
  body,
  requires,
  toText: () => `POST ${path} ${JSON.stringify(body)}`,
});
