import type { JsonObject } from "../snapshots/json.ts";
import type { FoundSnapshot, Kind, State } from "../snapshots/kinds/kind.ts";
import { snapshotGroup } from "../snapshots/kinds/snapshot-group.ts";
import { standardSnapshot } from "../snapshots/kinds/standard-snapshot.ts";
import type { Created, SnapshotService } from "../snapshots/ports.ts";
import { type Connection, readCreated, sendOptions } from "./client.ts";
import { listServers } from "./ecs.ts";
import { listVolumes } from "./evs-volumes.ts";
import { allRows, EVS_PAGE, readAll, rowsOf } from "./paging.ts";

// No SDK has the v5 calls (cloud-apis.md 0): they go through the core's HcClient as the SDK's own clients do.

/** EVS v5 standard snapshots (seed 000). */
export const evsV5Snapshots = (connection: Connection): SnapshotService => ({
  create: (options) => create(connection, standardSnapshot, "/v5/{project_id}/snapshots", options),
  listFor: ({ volume_id }) => list(connection, standardSnapshot, "snapshots", { volume_id: String(volume_id) }),
  listAll: () => list(connection, standardSnapshot, "snapshots", {}),
  stateOf: async ({ state }) => state,
  resources: () => listVolumes(connection),
});

/** EVS v5 snapshot consistency groups (seed 003). A group of single disks does not show them: all are listed. */
export const evsV5SnapshotGroups = (connection: Connection): SnapshotService => ({
  create: (options) => create(connection, snapshotGroup, "/v5/{project_id}/snapshot-groups", options),
  listFor: ({ server_id }) =>
    list(connection, snapshotGroup, "snapshot_groups", server_id === undefined ? {} : { server_id: String(server_id) }),
  listAll: () => list(connection, snapshotGroup, "snapshot_groups", {}),
  stateOf: (group) => stateOfGroup(connection, group),
  resources: () => listServers(connection),
});

/**
 * A group is available only when it and every member is (DESIGN 5.2). Its own answer does not name the members: they are
 * the snapshots with its id (cloud-apis.md 2.2). Whether a group's status follows a failed member is UNCONFIRMED.
 */
async function stateOfGroup(connection: Connection, { id, state }: FoundSnapshot): Promise<State> {
  if (state === "failed" || state === "deleting") return state;
  const members = await list(connection, standardSnapshot, "snapshots", { snapshot_group_id: id });
  const states = new Set(members.map((member) => member.state));
  if (states.has("failed")) return "failed";
  if (state !== "available") return state;
  // A member that is gone, or in a status that is not known, leaves a group that cannot be relied on.
  if (states.has("deleting") || states.has("unknown")) return "unknown";
  return states.has("creating") || states.size === 0 ? "creating" : "available";
}

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
