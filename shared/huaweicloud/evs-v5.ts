import type { JsonObject } from "../snapshots/json.ts";
import type { FoundSnapshot, Kind } from "../snapshots/kinds/kind.ts";
import { groupWith, snapshotGroup } from "../snapshots/kinds/snapshot-group.ts";
import { standardSnapshot } from "../snapshots/kinds/standard-snapshot.ts";
import type { Created, SnapshotService } from "../snapshots/ports.ts";
import { type Connection, readCreated, removeAt, sendOptions } from "./client.ts";
import { listServers } from "./ecs.ts";
import { listVolumes } from "./evs-volumes.ts";
import { allRows, EVS_PAGE, pageOf, readAll } from "./paging.ts";

// No SDK has the v5 calls (cloud-apis.md 0): they go through the core's HcClient as the SDK's own clients do.

/** EVS v5 standard snapshots (seed 000). */
export const evsV5Snapshots = (connection: Connection): SnapshotService => ({
  create: (options) => create(connection, standardSnapshot, "/v5/{project_id}/snapshots", options),
  listFor: ({ volume_id }) => list(connection, standardSnapshot, "snapshots", { volume_id: String(volume_id) }),
  listAll: () => list(connection, standardSnapshot, "snapshots", {}),
  remove: (id) => removeAt(connection, "EVS", "/v5/{project_id}/snapshots", id),
  resources: () => listVolumes(connection),
});

/** EVS v5 snapshot consistency groups (seed 003). A group of single disks does not show them: all are listed. */
export const evsV5SnapshotGroups = (connection: Connection): SnapshotService => ({
  create: (options) => create(connection, snapshotGroup, "/v5/{project_id}/snapshot-groups", options),
  listFor: async ({ server_id }) => {
    const filter: Record<string, string> = server_id === undefined ? {} : { server_id: String(server_id) };
    return withMembers(connection, await list(connection, snapshotGroup, "snapshot_groups", filter));
  },
  listAll: async () => withMembers(connection, await list(connection, snapshotGroup, "snapshot_groups", {})),
  remove: (id) => removeAt(connection, "EVS", "/v5/{project_id}/snapshot-groups", id),
  resources: () => listServers(connection),
});

/**
 * Groups with what their own answer lacks: their members, which are the standard snapshots with the group's id
 * (cloud-apis.md 2.2), and from these their disks and whether they can be relied on. One list serves all groups.
 */
async function withMembers(connection: Connection, groups: FoundSnapshot[]): Promise<FoundSnapshot[]> {
  if (!groups.some(({ marker }) => marker)) return groups;
  const members = new Map<unknown, FoundSnapshot[]>();
  for (const member of await list(connection, standardSnapshot, "snapshots", {})) {
    const group = member.raw.snapshot_group_id;
    if (group) members.set(group, [...(members.get(group) ?? []), member]);
  }
  return groups.map((group) => groupWith(group, members.get(group.id) ?? []));
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
      // The documents name the parameter for both lists; the Terraform provider sends this value for snapshots. For groups it
      // is UNCONFIRMED.
      queryParams: { enterprise_project_id: "all_granted_eps", ...filter, limit: EVS_PAGE, offset },
    });
    // Whether it counts, and what, is UNCONFIRMED (cloud-apis.md 2.1).
    return { rows: pageOf(answer, name).rows };
  });
  return readAll(kind, rows);
}
