import type { JsonObject } from "../core/json.ts";
import type { FoundSnapshot, Kind } from "../snapshots/kinds/kind.ts";
import { groupWith, snapshotGroup } from "../snapshots/kinds/snapshot-group.ts";
import { standardSnapshot } from "../snapshots/kinds/standard-snapshot.ts";
import { compact } from "../snapshots/ownership.ts";
import type { Created, Creation, SnapshotService } from "../snapshots/ports.ts";
import { listServers } from "./ecs.ts";
import { listAttachedDisks, listVolumes } from "./evs-volumes.ts";
import { allRows, collected, MAX_SNAPSHOTS, pageOf, snapshotIn } from "./http/pagination.ts";
import { type Connection, readCreated, removeAt, sendOptions } from "./http/sdk-client.ts";

// No SDK has the v5 calls (cloud-apis.md 0): they go through the core's HcClient as the SDK's own clients do.

/** EVS v5 standard snapshots (seed 000). */
export const evsV5SnapshotCreation = (connection: Connection): Creation => ({
  create: (options) => create(connection, standardSnapshot, "/v5/{project_id}/snapshots", options),
  listFor: ({ volume_id }) =>
    collected((visit) => listSnapshots(connection, visit, { volume_id: String(volume_id) }), MAX_SNAPSHOTS),
});

export const evsV5Snapshots = (connection: Connection): SnapshotService => ({
  ...evsV5SnapshotCreation(connection),
  listAll: (visit) => listSnapshots(connection, visit),
  remove: (id) => removeAt(connection, "EVS", "/v5/{project_id}/snapshots", id),
  resources: (max) => listVolumes(connection, max),
});

/** EVS v5 snapshot consistency groups (seed 003). A group of single disks does not show them: all are listed. */
export const evsV5SnapshotGroupCreation = (connection: Connection): Creation => ({
  create: (options) => create(connection, snapshotGroup, "/v5/{project_id}/snapshot-groups", options),
  listFor: ({ server_id }) => listGroups(connection, server_id === undefined ? {} : { server_id: String(server_id) }),
});

export const evsV5SnapshotGroups = (connection: Connection): SnapshotService => ({
  ...evsV5SnapshotGroupCreation(connection),
  listAll: async (visit) => (await listGroups(connection)).forEach(visit),
  remove: (id) => removeAt(connection, "EVS", "/v5/{project_id}/snapshot-groups", id),
  resources: (max) => listServers(connection, max),
  disksOf: (serverId) => listAttachedDisks(connection, serverId),
});

/** So many groups with all their fields, and members of groups, are held. */
const MAX_GROUPS = 10_000;
const MAX_MEMBERS = 30_000;

/**
 * Groups with what their own answer lacks: their members, which are the standard snapshots with the group's id
 * (cloud-apis.md 2.2), and from these their disks and whether they can be relied on. One list serves all groups.
 */
async function listGroups(connection: Connection, filter: Filter = {}): Promise<FoundSnapshot[]> {
  const groups = await collected<FoundSnapshot>(
    (visit) => list(connection, snapshotGroup, "snapshot_groups", filter, visit),
    MAX_GROUPS,
  );
  if (!groups.some(({ marker }) => marker)) return groups;
  const members = new Map<unknown, FoundSnapshot[]>(groups.map(({ id }) => [id, []]));
  const listMembers = (visit: (member: FoundSnapshot) => void) =>
    listSnapshots(connection, (found) => {
      const ofGroup = members.get(found.raw.snapshot_group_id);
      if (ofGroup === undefined) return;
      const member = compact(found);
      ofGroup.push(member);
      visit(member);
    });
  await collected(listMembers, MAX_MEMBERS);
  return groups.map((group) => groupWith(group, members.get(group.id) ?? []));
}

const create = async (connection: Connection, kind: Kind, url: string, options: JsonObject): Promise<Created> =>
  readCreated(
    kind,
    options,
    await sendOptions(connection, "EVS", "create", { method: "POST", url, data: { [kind.envelope]: options } }),
  );

type Filter = Record<string, string>;

const listSnapshots = (
  connection: Connection,
  visit: (found: FoundSnapshot) => void,
  filter: Filter = {},
): Promise<void> => list(connection, standardSnapshot, "snapshots", filter, visit);

const list = (
  connection: Connection,
  kind: Kind,
  name: "snapshots" | "snapshot_groups",
  filter: Filter,
  visit: (found: FoundSnapshot) => void,
): Promise<void> =>
  allRows(
    async (offset, limit) => {
      const answer = await sendOptions(connection, "EVS", "read", {
        method: "GET",
        url: `/v5/{project_id}/${name.replace("_", "-")}/detail`,
        // The documents name the parameter for both lists; the Terraform provider sends this value for snapshots. For
        // groups it is UNCONFIRMED.
        queryParams: { enterprise_project_id: "all_granted_eps", ...filter, limit, offset },
      });
      // Whether it counts, and what, is UNCONFIRMED (cloud-apis.md 2.1).
      return { rows: pageOf(answer, name).rows };
    },
    (row) => visit(snapshotIn(row, kind)),
  );
