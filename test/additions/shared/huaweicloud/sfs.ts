import type { FoundSnapshot } from "../snapshots/kinds/kind.ts";
import { shareSnapshotKind } from "../snapshots/kinds/share-snapshot.ts";
import type { Resource, SnapshotCreator, SnapshotService } from "../snapshots/ports.ts";
import { readCreateResponse } from "./http/create-response.ts";
import { collectItems, visitUnpagedRows } from "./http/pagination.ts";
import { readResource, readSnapshot } from "./http/read-rows.ts";
import { type Connection, sendDelete, sendOptions } from "./http/sdk-client.ts";

const SNAPSHOTS = "/v1/{project_id}/share-snapshots";

/** Creates snapshots of file shares. */
export const createSfsCreator = (connection: Connection): SnapshotCreator => ({
  create: async (options) =>
    readCreateResponse(
      shareSnapshotKind,
      options,
      await sendOptions(connection, "SFS", "create", { method: "POST", url: SNAPSHOTS, data: { snapshot: options } }),
    ),
  listFor: ({ share_id }) =>
    collectItems((visit) => list(connection, (found) => void (found.resource === share_id && visit(found)))),
});

/** Creates, lists and deletes snapshots of file shares. */
export const sfs = (connection: Connection): SnapshotService => ({
  ...createSfsCreator(connection),
  listAll: (visit) => list(connection, visit),
  remove: (id) => sendDelete(connection, "SFS", SNAPSHOTS, id),
  resources: async (max) => {
    const request = { method: "GET", url: "/v1/{project_id}/shares" } as const;
    const response = await sendOptions(connection, "SFS", "read", request);
    return collectItems<Resource>(
      async (visit) => visitUnpagedRows(response, "shares", (row) => visit(readResource(row, "shares"))),
      max,
    );
  },
});

export const snapshotClients = { "share-snapshot": sfs };

export const calls = {
  "sfs.createSnapshot": ["sfs:snapshots:create"],
  "sfs.listSnapshots": ["sfs:snapshots:list"],
  "sfs.deleteSnapshot": ["sfs:snapshots:delete"],
  "sfs.listShares": ["sfs:shares:list"],
};

async function list(connection: Connection, visit: (found: FoundSnapshot) => void): Promise<void> {
  const response = await sendOptions(connection, "SFS", "read", { method: "GET", url: SNAPSHOTS });
  visitUnpagedRows(response, "snapshots", (row) => visit(readSnapshot(row, shareSnapshotKind)));
}
