import type { JsonObject } from "../core/json.ts";
import type { FoundSnapshot, Kind } from "../snapshots/kinds/kind.ts";
import { groupWith, snapshotGroup } from "../snapshots/kinds/snapshot-group.ts";
import { standardSnapshot } from "../snapshots/kinds/standard-snapshot.ts";
import { compact } from "../snapshots/ownership.ts";
import type { Created, Creation, SnapshotService } from "../snapshots/ports.ts";
import { listServers } from "./ecs.ts";
import { listAttachedDisks, listVolumes } from "./evs-volumes.ts";
import { readCreated } from "./http/create-response.ts";
import { allRows, collected, MAX_SNAPSHOTS, pageOf, snapshotIn } from "./http/pagination.ts";
import { type Connection, sendDelete, sendOptions } from "./http/sdk-client.ts";

/**
 * Creates standard snapshots with EVS v5 calls (SOURCES.md#evs-v5-create), for which the SDK has no client
 * (SOURCES.md#sdk-no-v5-client).
 */
export const evsV5SnapshotCreation = (connection: Connection): Creation => ({
  create: (options) => create(connection, standardSnapshot, "/v5/{project_id}/snapshots", options),
  listFor: ({ volume_id }) =>
    collected((visit) => listSnapshots(connection, visit, { volume_id: String(volume_id) }), MAX_SNAPSHOTS),
});

/** Creates, lists and deletes standard snapshots. */
export const evsV5Snapshots = (connection: Connection): SnapshotService => ({
  ...evsV5SnapshotCreation(connection),
  listAll: (visit) => listSnapshots(connection, visit),
  remove: (id) => sendDelete(connection, "EVS", "/v5/{project_id}/snapshots", id),
  resources: (max) => listVolumes(connection, max),
});

/**
 * Creates snapshot consistency groups with EVS v5 calls (SOURCES.md#evs-groups-create). If the request names disks instead of a
 * server, `listFor` lists all groups, because a group does not contain the ids of its disks (SOURCES.md#evs-groups-hide-members).
 */
export const evsV5SnapshotGroupCreation = (connection: Connection): Creation => ({
  create: (options) => create(connection, snapshotGroup, "/v5/{project_id}/snapshot-groups", options),
  listFor: ({ server_id }) => listGroups(connection, server_id === undefined ? {} : { server_id: String(server_id) }),
});

/** Creates, lists and deletes snapshot consistency groups. */
export const evsV5SnapshotGroups = (connection: Connection): SnapshotService => ({
  ...evsV5SnapshotGroupCreation(connection),
  listAll: async (visit) => (await listGroups(connection)).forEach(visit),
  remove: (id) => sendDelete(connection, "EVS", "/v5/{project_id}/snapshot-groups", id),
  resources: (max) => listServers(connection, max),
  disksOf: (serverId) => listAttachedDisks(connection, serverId),
});

/** The most groups, and the most members of groups, that are kept in memory. */
const MAX_GROUPS = 10_000;
const MAX_MEMBERS = 30_000;

/**
 * Lists groups with the disks and the state of their members. The service does not include the members in a group: they are the
 * standard snapshots with the id of the group (SOURCES.md#evs-groups-hide-members). One list of snapshots serves all groups.
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
      const response = await sendOptions(connection, "EVS", "read", {
        method: "GET",
        url: `/v5/{project_id}/${name.replace("_", "-")}/detail`,
        // The documents name the parameter for both lists, and the Terraform provider sends this value for snapshots. The
        // value is UNCONFIRMED for groups: SOURCES.md#evs-enterprise-projects.
        queryParams: { enterprise_project_id: "all_granted_eps", ...filter, limit, offset },
      });
      // Ignores the count, because its meaning is UNCONFIRMED: SOURCES.md#evs-v5-list-count.
      return { rows: pageOf(response, name).rows };
    },
    (row) => visit(snapshotIn(row, kind)),
  );

/** The client of each kind of snapshot that this file serves. */
export const snapshotClients = { "standard-snapshot": evsV5Snapshots, "snapshot-group": evsV5SnapshotGroups };

/** The calls that this client sends, each with the IAM actions that it requires (infra/README.md, "Rights"). */
export const calls = {
  "evs.createStandardSnapshot": ["evs:snapshots:create"],
  "evs.listStandardSnapshots": ["evs:snapshots:list"],
  "evs.deleteStandardSnapshot": ["evs:snapshots:delete"],
  "evs.createSnapshotGroup": ["evs:snapshotGroups:create"],
  "evs.listSnapshotGroups": ["evs:snapshotGroups:list"],
  "evs.deleteSnapshotGroup": ["evs:snapshotGroups:delete"],
};
