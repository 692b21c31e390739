import { clusterSnapshot } from "../snapshots/kinds/cluster-snapshot.ts";
import type { SnapshotService } from "../snapshots/ports.ts";
import { type Connection, readCreated, sendOptions } from "./client.ts";
import { readAll, rowsOf } from "./paging.ts";

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
  listFor: async () =>
    readAll(
      clusterSnapshot,
      rowsOf(
        await sendOptions(connection, "DWS", "read", { method: "GET", url: "/v1.0/{project_id}/snapshots" }),
        "snapshots",
      ),
    ),
});
