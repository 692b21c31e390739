import type { JsonObject } from "../snapshots/json.ts";
import type { FoundSnapshot, Kind } from "../snapshots/kinds/kind.ts";
import { snapshotGroup } from "../snapshots/kinds/snapshot-group.ts";
import { standardSnapshot } from "../snapshots/kinds/standard-snapshot.ts";
import type { Created, SnapshotService } from "../snapshots/ports.ts";
import { type Connection, readCreated, sendOptions } from "./client.ts";
import { allRows, EVS_PAGE, readAll, rowsOf } from "./paging.ts";

// No SDK has the v5 calls (cloud-apis.md 0): they go through the core's HcClient as the SDK's own clients do.

/** EVS v5 standard snapshots (seed 000). */
export const evsV5Snapshots = (connection: Connection): SnapshotService => ({
  create: (options) => create(connection, standardSnapshot, "/v5/{project_id}/snapshots", options),
  listFor: ({ volume_id }) => list(connection, standardSnapshot, "snapshots", { volume_id: String(volume_id) }),
});

/** EVS v5 snapshot consistency groups (seed 003). A group of single disks does not show them: all are listed. */
export const evsV5SnapshotGroups = (connection: Connection): SnapshotService => ({
  create: (options) => create(connection, snapshotGroup, "/v5/{project_id}/snapshot-groups", options),
  listFor: ({ server_id }) =>
    list(connection, snapshotGroup, "snapshot_groups", server_id === undefined ? {} : { server_id: String(server_id) }),
});

const create = async (connection: Connection, kind: Kind, url: string, options: JsonObject): Promise<Created> =>
  readCreated(
    kind,
    await sendOptions(connection, "EVS", "create", { method: "POST", url, data: { [kind.envelope]: options } }),
  );

async function list(
  connection: Connection,
  kind: Kind,
  name: "snapshots" | "snapshot_groups",
  filter: Record<string, string>,
): Promise<FoundSnapshot[]> {
  const rows = await allRows(async (offset) => {
    const answer = await sendOptions(connection, "EVS", "read", {
      method: "GET",
      url: `/v5/{project_id}/${name.replace("_", "-")}/detail`,
      queryParams: { ...filter, limit: EVS_PAGE, offset },
    });
    return rowsOf(answer, name);
  });
  return readAll(kind, rows);
}
