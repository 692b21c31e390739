import { EvsClient } from "@huaweicloud/huaweicloud-sdk-evs/v2/EvsClient";
import { ListVolumesRequest } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/ListVolumesRequest";
import { ShowVolumeRequest } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/ShowVolumeRequest";
import { parseInstant } from "../core/instant.ts";
import { isObject, type JsonObject, readStringField } from "../core/json.ts";
import type { AttachedDisk, Resource, Volume } from "../snapshots/ports.ts";
import { unexpectedResponse, unexpectedRow } from "./http/api-response.ts";
import { collectItems, parsePage, type RequestPage, visitAllRows } from "./http/pagination.ts";
import { readResource } from "./http/read-rows.ts";
import { type Connection, send } from "./http/sdk-client.ts";

/** Returns a function that requests one page of the list of disks. */
export const requestVolumePages =
  (connection: Connection, serverId?: string): RequestPage =>
  async (offset, limit) => {
    const request = new ListVolumesRequest()
      .withEnterpriseProjectId("all_granted_eps")
      .withLimit(limit)
      .withOffset(offset);
    if (serverId !== undefined) request.withServerId(serverId);
    const response = await send(connection, "EVS", "read", (client) => new EvsClient(client).listVolumes(request));
    return parsePage(response, "volumes");
  };

/**
 * Lists every disk of the project with its tags, because EVS cannot filter the disk list by tags
 * (SOURCES.md#evs-disk-list-no-tag-filter).
 *
 * @param max the maximum number of disks that fit into memory
 * @throws SnapshotError BadResponse if the project has more than `max` disks
 */
export const listVolumes = (connection: Connection, max: number): Promise<Resource[]> =>
  collectItems(
    (visit) => visitAllRows(requestVolumePages(connection), (row) => visit(readResource(row, "disks"))),
    max,
  );

/** The maximum number of disks that are listed for one server. A server can have about 60 disks. */
const MAX_DISKS = 1_000;

/** Lists the disks of a server with their statuses and attachments (SOURCES.md#evs-disks-of-server). */
export const listVolumesOfServer = (connection: Connection, serverId: string): Promise<Volume[]> =>
  collectItems(
    (visit) => visitAllRows(requestVolumePages(connection, serverId), (row) => visit(readVolume(row))),
    MAX_DISKS,
  );

/**
 * Lists the disks of a server with their attachment times. A disk is excluded if all its attachments belong to other servers. An
 * attachment without a server id counts as an attachment to this server, because EVS returned the disk in the list response for
 * this server.
 */
export async function listAttachedDisks(connection: Connection, serverId: string): Promise<AttachedDisk[]> {
  const disks: AttachedDisk[] = [];
  for (const { id, attachments } of await listVolumesOfServer(connection, serverId)) {
    const toServer = attachments.filter((attachment) => (attachment.serverId ?? serverId) === serverId);
    if (attachments.length > 0 && toServer.length === 0) continue;
    // If the disk has several attachments to this server, the attachment time is ambiguous, so it is omitted.
    disks.push({ id, attachedAt: toServer.length === 1 ? toServer[0]?.attachedAt : undefined });
  }
  return disks;
}

/**
 * Requests one disk from EVS.
 *
 * @throws SnapshotError NotFound if the disk does not exist
 */
export async function showVolume(connection: Connection, volumeId: string): Promise<Volume> {
  const request = new ShowVolumeRequest().withVolumeId(volumeId);
  const response = await send(connection, "EVS", "read", (client) => new EvsClient(client).showVolume(request));
  if (!isObject(response.body.volume)) throw unexpectedResponse("the disk", response);
  const volume = readVolume(response.body.volume);
  if (volume.id.toLowerCase() !== volumeId.toLowerCase()) throw unexpectedResponse(`the disk ${volumeId}`, response);
  return volume;
}

function readVolume(raw: JsonObject): Volume {
  const id = readStringField(raw, "id");
  const status = readStringField(raw, "status");
  if (!id || !status) throw unexpectedRow("id and status of a disk", raw);
  const attachments = Array.isArray(raw.attachments) ? raw.attachments.filter(isObject) : [];
  return {
    id,
    status,
    shared: [raw.multiattach, raw.shareable].some((flag) => flag === true || flag === "true"),
    attachments: attachments.map((attachment) => ({
      id: readStringField(attachment, "attachment_id"),
      serverId: readStringField(attachment, "server_id")?.toLowerCase(),
      attachedAt: parseInstant(attachment.attached_at),
    })),
  };
}

/** The API calls in this file, each with the IAM actions that the call requires (infra/README.md, "Rights"). */
export const calls = {
  "evs.listVolumes": ["evs:volumes:list"],
  "evs.showVolume": ["evs:volumes:get"],
};
