import { clusterSnapshot } from "../snapshots/kinds/cluster-snapshot.ts";
import type { FoundSnapshot } from "../snapshots/kinds/kind.ts";
import { compact } from "../snapshots/ownership.ts";
import type { Creation, Resource, SnapshotService } from "../snapshots/ports.ts";
import { collected, resourceIn, snapshotIn, wholeList } from "./http/pagination.ts";
import { type Connection, readCreated, removeAt, sendOptions } from "./http/sdk-client.ts";

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
  listFor: ({ cluster_id, name }) => {
    const [cluster, wanted] = [cluster_id, name].map((text) => String(text).toLowerCase());
    // The others cannot collide: of a project's thousands of snapshots they are not held.
    const matters = (found: FoundSnapshot) =>
      found.resource === undefined || found.resource === cluster || found.name.toLowerCase() === wanted;
    return collected((visit) => list(connection, (found) => void (matters(found) && visit(compact(found)))));
  },
});

export const dws = (connection: Connection): SnapshotService => ({
  ...dwsCreation(connection),
  listAll: (visit) => list(connection, visit),
  remove: (id) => removeAt(connection, "DWS", "/v1.0/{project_id}/snapshots", id),
  resources: async (max) => {
    const url = "/v1.0/{project_id}/clusters";
    const queryParams = { enterprise_project_id: "all_granted_eps" };
    const answer = await sendOptions(connection, "DWS", "read", { method: "GET", url, queryParams }, "clusters");
    return collected<Resource>(
      async (visit) => wholeList(answer, "clusters", (row) => visit(resourceIn(row, "clusters"))),
      max,
    );
  },
});

async function list(connection: Connection, visit: (found: FoundSnapshot) => void): Promise<void> {
  const url = "/v1.0/{project_id}/snapshots";
  const answer = await sendOptions(connection, "DWS", "read", { method: "GET", url }, "snapshots");
  wholeList(answer, "snapshots", (row) => visit(snapshotIn(row, clusterSnapshot)));
}
