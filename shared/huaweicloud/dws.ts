import type { JsonObject } from "../snapshots/json.ts";
import { clusterSnapshot } from "../snapshots/kinds/cluster-snapshot.ts";
import type { FoundSnapshot } from "../snapshots/kinds/kind.ts";
import type { SnapshotService } from "../snapshots/ports.ts";
import { type Answer, type Connection, readCreated, removeAt, sendOptions } from "./client.ts";
import { checked, pageOf, readAll, readResources } from "./paging.ts";

/**
 * DWS cluster snapshots (seed 004). The list of all has no parameters and no pages (cloud-apis.md 3); it is read rather
 * than a cluster's own, because a name is unique in the whole project.
 */
export const dws = (connection: Connection): SnapshotService => ({
  create: async (options) =>
    readCreated(
      clusterSnapshot,
      await sendOptions(connection, "DWS", "create", {
        method: "POST",
        url: "/v1.0/{project_id}/snapshots",
        data: { snapshot: options },
      }),
    ),
  listFor: () => list(connection),
  listAll: () => list(connection),
  remove: (id) => removeAt(connection, "DWS", "/v1.0/{project_id}/snapshots", id),
  resources: async () => {
    const answer = await sendOptions(connection, "DWS", "read", {
      method: "GET",
      url: "/v1.0/{project_id}/clusters",
      queryParams: { enterprise_project_id: "all_granted_eps" },
    });
    return readResources(whole(answer, "clusters"), "clusters");
  },
});

async function list(connection: Connection): Promise<FoundSnapshot[]> {
  const answer = await sendOptions(connection, "DWS", "read", { method: "GET", url: "/v1.0/{project_id}/snapshots" });
  return readAll(clusterSnapshot, whole(answer, "snapshots"));
}

/** DWS gives these lists whole (cloud-apis.md 3): one that counts more than it gives has been cut. */
function whole(answer: Answer, name: string): JsonObject[] {
  const { rows, total } = pageOf(answer, name);
  return checked(new Map(rows.map((row) => [row.id, row])), total);
}
