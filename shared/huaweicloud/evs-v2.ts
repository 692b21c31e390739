import { EvsClient } from "@huaweicloud/huaweicloud-sdk-evs/v2/EvsClient";
import { CreateSnapshotOption } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/CreateSnapshotOption";
import { CreateSnapshotRequest } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/CreateSnapshotRequest";
import { CreateSnapshotRequestBody } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/CreateSnapshotRequestBody";
import { DeleteSnapshotRequest } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/DeleteSnapshotRequest";
import { ListSnapshotsRequest } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/ListSnapshotsRequest";
import type { JsonObject } from "../core/json.ts";
import type { FoundSnapshot } from "../snapshots/kinds/kind.ts";
import { snapshotKind } from "../snapshots/kinds/snapshot.ts";
import type { SnapshotCreator, SnapshotService } from "../snapshots/ports.ts";
import { listVolumes } from "./evs-volumes.ts";
import { readCreateResponse } from "./http/create-response.ts";
import { checkSnapshotId } from "./http/ids.ts";
import {
  collectItems,
  MAX_SNAPSHOTS,
  parsePage,
  type RequestPage,
  visitAllRows,
  visitNewestRows,
} from "./http/pagination.ts";
import { readSnapshot } from "./http/read-rows.ts";
import { type Connection, send } from "./http/sdk-client.ts";

/** Returns a client that creates legacy snapshots with the EVS v2 calls of Huawei Cloud's SDK (SOURCES.md#evs-v2-create). */
export const createEvsV2Creator = (connection: Connection): SnapshotCreator => ({
  async create(options, beforeSend) {
    const body = new CreateSnapshotRequestBody().withSnapshot(toSdkOptions(options));
    const request = new CreateSnapshotRequest().withBody(body);
    return readCreateResponse(
      snapshotKind,
      options,
      await send(connection, "EVS", "create", (client) => new EvsClient(client).createSnapshot(request), {
        beforeSend,
      }),
    );
  },
  listFor: ({ volume_id }) =>
    collectItems((visit) => visitSnapshots(connection, visit, String(volume_id)), MAX_SNAPSHOTS),
});

/** Returns a client that creates, lists and deletes legacy snapshots. */
export const createEvsV2Client = (connection: Connection): SnapshotService => ({
  ...createEvsV2Creator(connection),
  listAll: (visit, isTolerant) => visitSnapshots(connection, visit, undefined, isTolerant),
  listNewest: (visit) =>
    visitNewestRows(requestSnapshotPages(connection), (row) => visit(readSnapshot(row, snapshotKind))),
  async remove(id) {
    const request = new DeleteSnapshotRequest().withSnapshotId(checkSnapshotId(id));
    await send(connection, "EVS", "delete", (client) => new EvsClient(client).deleteSnapshot(request));
  },
  resources: (max) => listVolumes(connection, max),
});

const visitSnapshots = (
  connection: Connection,
  visit: (found: FoundSnapshot) => void,
  volumeId?: string,
  isTolerant?: boolean,
): Promise<void> =>
  visitAllRows(requestSnapshotPages(connection, volumeId), (row) => visit(readSnapshot(row, snapshotKind, isTolerant)));

/** Returns a function that requests one page of the list of snapshots. */
export const requestSnapshotPages =
  (connection: Connection, volumeId?: string): RequestPage =>
  async (offset, limit) => {
    const request = new ListSnapshotsRequest()
      .withEnterpriseProjectId("all_granted_eps")
      .withLimit(limit)
      .withOffset(offset);
    if (volumeId !== undefined) request.withVolumeId(volumeId);
    const response = await send(connection, "EVS", "read", (client) => new EvsClient(client).listSnapshots(request));
    return parsePage(response, "snapshots");
  };

/**
 * Converts create options into the SDK's type. Absent options are omitted. The description can be `null`: older regions accept
 * `null` (SOURCES.md#evs-v2-classic-limits), although the SDK's type does not allow it.
 */
function toSdkOptions(options: JsonObject): CreateSnapshotOption {
  const { volume_id, force, metadata, description, name } = options;
  const option = new CreateSnapshotOption().withVolumeId(volume_id as string);
  if (force !== undefined) option.withForce(force as boolean);
  if (metadata !== undefined) option.withMetadata(metadata as Record<string, string>);
  if (description !== undefined) option.withDescription(description as string);
  if (name !== undefined) option.withName(name as string);
  return option;
}

/** Maps the name of a snapshot kind to the function that creates the API client for this kind. */
export const snapshotClients = { snapshot: createEvsV2Client };

/** The API calls in this file, each with the IAM actions that the call requires (infra/README.md, "Rights"). */
export const calls = {
  "evs.createSnapshot": ["evs:snapshots:create"],
  "evs.listSnapshots": ["evs:snapshots:list"],
  "evs.deleteSnapshot": ["evs:snapshots:delete"],
};
