import type { JsonObject } from "../core/json.ts";
import type { FoundSnapshot, Kind } from "../snapshots/kinds/kind.ts";
import { addMembers, snapshotGroupKind } from "../snapshots/kinds/snapshot-group.ts";
import { standardSnapshotKind } from "../snapshots/kinds/standard-snapshot.ts";
import { groupIdOf, toCompactSnapshot } from "../snapshots/ownership.ts";
import type { CreatedSnapshot, SnapshotCreator, SnapshotService } from "../snapshots/ports.ts";
import { listServers } from "./ecs.ts";
import { listAttachedDisks, listVolumes } from "./evs-volumes.ts";
import { readCreateResponse } from "./http/create-response.ts";
import {
  collectItems,
  MAX_SNAPSHOTS,
  parsePage,
  type RequestPage,
  visitAllRows,
  visitNewestRows,
} from "./http/pagination.ts";
import { readSnapshot } from "./http/read-rows.ts";
import { type Connection, sendDelete, sendOptions } from "./http/sdk-client.ts";

/**
 * Returns a client that creates standard snapshots with EVS v5 requests (SOURCES.md#evs-v5-create). The SDK has no client for
 * EVS v5 (SOURCES.md#sdk-no-v5-client).
 */
export const createEvsV5SnapshotCreator = (connection: Connection): SnapshotCreator => ({
  create: (options, beforeSend) =>
    sendCreate(connection, standardSnapshotKind, "/v5/{project_id}/snapshots", options, beforeSend),
  listFor: ({ volume_id }) =>
    collectItems((visit) => visitSnapshots(connection, visit, { volume_id: String(volume_id) }), MAX_SNAPSHOTS),
});

/** Returns a client that creates, lists and deletes standard snapshots. */
export const createEvsV5SnapshotClient = (connection: Connection): SnapshotService => ({
  ...createEvsV5SnapshotCreator(connection),
  listAll: (visit, isTolerant) => visitSnapshots(connection, visit, {}, isTolerant),
  listNewest: (visit) => visitNewest(connection, standardSnapshotKind, "snapshots", visit),
  remove: (id) => sendDelete(connection, "EVS", "/v5/{project_id}/snapshots", id),
  resources: (max) => listVolumes(connection, max),
});

/**
 * Returns a client that creates snapshot groups with EVS v5 requests (SOURCES.md#evs-groups-create). If the create options
 * contain disk ids instead of a server id, `listFor` lists all groups of the project. EVS does not return the disk ids of a
 * group, so the list request cannot filter by disk (SOURCES.md#evs-groups-hide-members).
 */
export const createEvsV5GroupCreator = (connection: Connection): SnapshotCreator => ({
  create: (options, beforeSend) =>
    sendCreate(connection, snapshotGroupKind, "/v5/{project_id}/snapshot-groups", options, beforeSend),
  listFor: ({ server_id }) => listGroups(connection, server_id === undefined ? {} : { server_id: String(server_id) }),
});

/** Returns a client that creates, lists and deletes snapshot groups. */
export const createEvsV5GroupClient = (connection: Connection): SnapshotService => ({
  ...createEvsV5GroupCreator(connection),
  listAll: async (visit, isTolerant) => (await listGroups(connection, {}, isTolerant)).forEach(visit),
  listNewest: (visit) => visitNewest(connection, snapshotGroupKind, "snapshot_groups", visit),
  remove: (id) => sendDelete(connection, "EVS", "/v5/{project_id}/snapshot-groups", id),
  resources: (max) => listServers(connection, max),
  membersOf: async (id) => {
    const listed = await collectItems<FoundSnapshot>(
      (visit) => visitSnapshots(connection, visit, { snapshot_group_id: id }, true),
      MAX_MEMBERS,
    );
    // An endpoint that ignores the filter lists the members of all groups (SOURCES.md#evs-groups-hide-members).
    return listed.filter((found) => groupIdOf(found) === id);
  },
  disksOf: (serverId) => listAttachedDisks(connection, serverId),
});

/** The maximum number of snapshot groups that fit into memory. */
const MAX_GROUPS = 10_000;
/** The maximum number of snapshots that fit into memory, in all snapshot groups together. */
const MAX_MEMBERS = 30_000;

/**
 * Lists snapshot groups with their members. The members of a group are standard snapshots. EVS does not return them in the list
 * response for groups, so the function also lists all standard snapshots. The field `snapshot_group_id` of a standard snapshot
 * contains the id of its group (SOURCES.md#evs-groups-hide-members).
 */
async function listGroups(
  connection: Connection,
  filter: QueryFilter = {},
  isTolerant = false,
): Promise<FoundSnapshot[]> {
  const groups = await collectItems<FoundSnapshot>(
    (visit) => visitRows(connection, snapshotGroupKind, "snapshot_groups", filter, visit, isTolerant),
    MAX_GROUPS,
  );
  if (!groups.some(({ marker }) => marker)) return groups;
  const members = new Map<unknown, FoundSnapshot[]>(groups.map(({ id }) => [id, []]));
  const listMembers = (visit: (member: FoundSnapshot) => void) =>
    visitSnapshots(
      connection,
      (found) => {
        const ofGroup = members.get(found.raw.snapshot_group_id);
        if (ofGroup === undefined) return;
        const member = toCompactSnapshot(found);
        ofGroup.push(member);
        visit(member);
      },
      {},
      isTolerant,
    );
  await collectItems(listMembers, MAX_MEMBERS);
  return groups.map((group) => addMembers(group, members.get(group.id) ?? []));
}

const sendCreate = async (
  connection: Connection,
  kind: Kind,
  url: string,
  options: JsonObject,
  beforeSend: (() => Promise<void>) | undefined,
): Promise<CreatedSnapshot> =>
  readCreateResponse(
    kind,
    options,
    await sendOptions(
      connection,
      "EVS",
      "create",
      { method: "POST", url, data: { [kind.envelope]: options } },
      { beforeSend },
    ),
  );

type QueryFilter = Record<string, string>;

const visitSnapshots = (
  connection: Connection,
  visit: (found: FoundSnapshot) => void,
  filter: QueryFilter = {},
  isTolerant = false,
): Promise<void> => visitRows(connection, standardSnapshotKind, "snapshots", filter, visit, isTolerant);

type ListName = "snapshots" | "snapshot_groups";

const visitRows = (
  connection: Connection,
  kind: Kind,
  name: ListName,
  filter: QueryFilter,
  visit: (found: FoundSnapshot) => void,
  isTolerant: boolean,
): Promise<void> =>
  visitAllRows(requestV5Pages(connection, name, filter), (row) => visit(readSnapshot(row, kind, isTolerant)));

const visitNewest = (
  connection: Connection,
  kind: Kind,
  name: ListName,
  visit: (found: FoundSnapshot) => boolean,
): Promise<boolean> => visitNewestRows(requestV5Pages(connection, name), (row) => visit(readSnapshot(row, kind)));

/** Returns a function that requests one page of a list. */
export const requestV5Pages =
  (connection: Connection, name: ListName, filter: QueryFilter = {}): RequestPage =>
  async (offset, limit) => {
    const response = await sendOptions(connection, "EVS", "read", {
      method: "GET",
      url: `/v5/{project_id}/${name.replace("_", "-")}/detail`,
      // The Terraform provider sends `all_granted_eps` when it lists snapshots. It is UNCONFIRMED that EVS accepts this value
      // in a list request for groups (SOURCES.md#evs-enterprise-projects).
      queryParams: { enterprise_project_id: "all_granted_eps", ...filter, limit, offset },
    });
    // It is UNCONFIRMED that EVS v5 returns a count (SOURCES.md#evs-v5-list-count).
    return parsePage(response, name);
  };

/** Maps the name of a snapshot kind to the function that creates the API client for this kind. */
export const snapshotClients = {
  "standard-snapshot": createEvsV5SnapshotClient,
  "snapshot-group": createEvsV5GroupClient,
};

/** The API calls in this file, each with the IAM actions that the call requires (infra/README.md, "Rights"). */
export const calls = {
  "evs.createStandardSnapshot": ["evs:snapshots:create"],
  "evs.listStandardSnapshots": ["evs:snapshots:list"],
  "evs.deleteStandardSnapshot": ["evs:snapshots:delete"],
  "evs.createSnapshotGroup": ["evs:snapshotGroups:create"],
  "evs.listSnapshotGroups": ["evs:snapshotGroups:list"],
  "evs.deleteSnapshotGroup": ["evs:snapshotGroups:delete"],
};
