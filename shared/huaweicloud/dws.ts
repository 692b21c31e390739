import type { JsonObject } from "../core/json.ts";
import { clusterSnapshotKind } from "../snapshots/kinds/cluster-snapshot.ts";
import type { FoundSnapshot } from "../snapshots/kinds/kind.ts";
import { toCompactSnapshot } from "../snapshots/ownership.ts";
import type { Resource, SnapshotCreator, SnapshotService } from "../snapshots/ports.ts";
import { readCreateResponse } from "./http/create-response.ts";
import { collectItems, visitUnpagedRows } from "./http/pagination.ts";
import { readResource, readSnapshot } from "./http/read-rows.ts";
import { type Connection, sendDelete, sendOptions } from "./http/sdk-client.ts";

/**
 * Returns a client that creates DWS cluster snapshots (SOURCES.md#dws-create). `listFor` requests the snapshots of the whole
 * project for two reasons: a snapshot name must be unique in the project (SOURCES.md#dws-names-unique), and the list request has
 * no query parameters. The list response has no pages (SOURCES.md#dws-list-has-no-pages).
 */
export const createDwsCreator = (connection: Connection): SnapshotCreator => ({
  create: async (options, beforeSend) =>
    readCreateResponse(
      clusterSnapshotKind,
      options,
      await sendOptions(
        connection,
        "DWS",
        "create",
        { method: "POST", url: "/v1.0/{project_id}/snapshots", data: { snapshot: options } },
        { beforeSend },
      ),
    ),
  listFor: ({ cluster_id, name }) => {
    const [cluster, requestedName] = [cluster_id, name].map((value) => String(value).toLowerCase());
    // Keeps only snapshots in memory that have the cluster or the name of the create request, because a project can have
    // thousands of snapshots. A snapshot without a cluster id may belong to the cluster, so it is kept, too.
    const isRelevant = (found: FoundSnapshot) =>
      found.resource === undefined || found.resource === cluster || found.name.toLowerCase() === requestedName;
    return collectItems((visit) =>
      visitClusterSnapshots(connection, (found) => void (isRelevant(found) && visit(toCompactSnapshot(found)))),
    );
  },
});

/** Returns a client that creates, lists and deletes DWS cluster snapshots. */
export const createDwsClient = (connection: Connection): SnapshotService => ({
  ...createDwsCreator(connection),
  listAll: (visit, isTolerant) => visitClusterSnapshots(connection, visit, isTolerant),
  remove: (id) => sendDelete(connection, "DWS", "/v1.0/{project_id}/snapshots", id),
  resources: (max) =>
    collectItems<Resource>(
      (visit) => visitDwsRows(connection, "clusters", (row) => visit(readResource(row, "clusters"))),
      max,
    ),
});

/** Requests all clusters or all snapshots of the project, and visits each row of the response. */
export async function visitDwsRows(
  connection: Connection,
  rowsOf: "clusters" | "snapshots",
  visit: (row: JsonObject) => void,
): Promise<void> {
  const queryParams = rowsOf === "clusters" ? { enterprise_project_id: "all_granted_eps" } : undefined;
  const options = { method: "GET", url: `/v1.0/{project_id}/${rowsOf}`, queryParams } as const;
  visitUnpagedRows(await sendOptions(connection, "DWS", "read", options, { rowsOf }), rowsOf, visit);
}

/** Requests all snapshots of the project, and visits each of them. */
const visitClusterSnapshots = (
  connection: Connection,
  visit: (found: FoundSnapshot) => void,
  isTolerant = false,
): Promise<void> =>
  visitDwsRows(connection, "snapshots", (row) => visit(readSnapshot(row, clusterSnapshotKind, isTolerant)));

/** Maps the name of a snapshot kind to the function that creates the API client for this kind. */
export const snapshotClients = { "cluster-snapshot": createDwsClient };

/** The API calls in this file, each with the IAM actions that the call requires (infra/README.md, "Rights"). */
export const calls = {
  "dws.listClusters": ["dws:openAPICluster:list"],
  "dws.createSnapshot": ["dws:openAPISnapshot:create"],
  "dws.listSnapshots": ["dws:openAPISnapshot:list"],
  "dws.deleteSnapshot": ["dws:openAPISnapshot:delete"],
};
