import { clusterSnapshot } from "../snapshots/kinds/cluster-snapshot.ts";
import type { FoundSnapshot } from "../snapshots/kinds/kind.ts";
import type { Creation, Resource, SnapshotService } from "../snapshots/ports.ts";
import { type Connection, readCreated, removeAt, sendOptions } from "./client.ts";
import { collected, pageOf, resourceIn, snapshotIn, wholeList } from "./paging.ts";

/**
 * DWS cluster snapshots (seed 004). The list of all has no parameters and no pages (cloud-apis.md 3); it is read rather
 * than a cluster's own, because a name is unique in the whole project.
 */
export const dwsCreation = (connection: Connection): Creation => ({
  create: async (options) =>
    readCreated(
      clusterSnapshot,
      options,
      await sendOptions(connection, "DWS", "create", {
        method: "POST",
        url: "/v1.0/{project_id}/snapshots",
        data: { snapshot: options },
      }),
    ),
  listFor: () => collected((visit) => list(connection, visit)),
});

export const dws = (connection: Connection): SnapshotService => ({
  ...dwsCreation(connection),
  listAll: (visit) => list(connection, visit),
  remove: (id) => removeAt(connection, "DWS", "/v1.0/{project_id}/snapshots", id),
  resources: async () => {
    const answer = await sendOptions(connection, "DWS", "read", {
      method: "GET",
      url: "/v1.0/{project_id}/clusters",
      queryParams: { enterprise_project_id: "all_granted_eps" },
    });
    return collected<Resource>(async (visit) =>
      wholeList(pageOf(answer, "clusters"), (row) => visit(resourceIn(row, "clusters"))),
    );
  },
});

async function list(connection: Connection, visit: (found: FoundSnapshot) => void): Promise<void> {
  const answer = await sendOptions(connection, "DWS", "read", { method: "GET", url: "/v1.0/{project_id}/snapshots" });
  wholeList(pageOf(answer, "snapshots"), (row) => visit(snapshotIn(row, clusterSnapshot)));
}
