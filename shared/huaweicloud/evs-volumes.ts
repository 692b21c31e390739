import { EvsClient } from "@huaweicloud/huaweicloud-sdk-evs/v2/EvsClient";
import { ListVolumesRequest } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/ListVolumesRequest";
import { ShowVolumeRequest } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/ShowVolumeRequest";
import { parseInstant } from "../core/instant.ts";
import { isObject, type JsonObject, textAt } from "../core/json.ts";
import type { AttachedDisk, Resource, Volume } from "../snapshots/ports.ts";
import { unexpectedResponse, unexpectedRow } from "./http/api-response.ts";
import { allRows, collected, pageOf, resourceIn } from "./http/pagination.ts";
import { type Connection, send } from "./http/sdk-client.ts";

const listRows = (connection: Connection, visit: (row: JsonObject) => void, serverId?: string): Promise<void> =>
  allRows(async (offset, limit) => {
    const request = new ListVolumesRequest()
      .withEnterpriseProjectId("all_granted_eps")
      .withLimit(limit)
      .withOffset(offset);
    if (serverId !== undefined) request.withServerId(serverId);
    const response = await send(connection, "EVS", "read", (client) => new EvsClient(client).listVolumes(request));
    return pageOf(response, "volumes");
  }, visit);

/**
 * Lists every disk of the project with its tags, because the service cannot filter the list by tags
 * (SOURCES.md#evs-disk-list-no-tag-filter).
 *
 * @throws SnapshotError BadResponse if there are more than `max`
 */
export const listVolumes = (connection: Connection, max: number): Promise<Resource[]> =>
  collected((visit) => listRows(connection, (row) => visit(resourceIn(row, "disks"))), max);

/** Far more than the about 60 disks that a server can have. */
const MAX_DISKS = 1_000;

/** Lists the disks of a server with their status and attachments (SOURCES.md#evs-disks-of-server). */
export const listVolumesOfServer = (connection: Connection, serverId: string): Promise<Volume[]> =>
  collected((visit) => listRows(connection, (row) => visit(readVolume(row)), serverId), MAX_DISKS);

/**
 * Lists the disks of a server and when each was attached. Includes a disk whose attachments do not name any server, because
 * the service lists it for this server. Excludes a disk that is attached to other servers only.
 */
export async function listAttachedDisks(connection: Connection, serverId: string): Promise<AttachedDisk[]> {
  const disks: AttachedDisk[] = [];
  for (const { id, attachments } of await listVolumesOfServer(connection, serverId)) {
    const own = attachments.filter((attachment) => (attachment.serverId ?? serverId) === serverId);
    if (attachments.length > 0 && own.length === 0) continue;
    // If the disk has several attachments to this server, the right time is unknown.
    disks.push({ id, attachedAt: own.length === 1 ? own[0]?.attachedAt : undefined });
  }
  return disks;
}

/**
 * Returns one disk.
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
  const id = textAt(raw, "id");
  const status = textAt(raw, "status");
  if (!id || !status) throw unexpectedRow("id and status of a disk", raw);
  const attachments = Array.isArray(raw.attachments) ? raw.attachments.filter(isObject) : [];
  return {
    id,
    status,
    shared: [raw.multiattach, raw.shareable].some((flag) => flag === true || flag === "true"),
    attachments: attachments.map((attachment) => ({
      id: textAt(attachment, "attachment_id"),
      serverId: textAt(attachment, "server_id")?.toLowerCase(),
      attachedAt: parseInstant(attachment.attached_at),
    })),
  };
}

/** The calls that this client sends, each with the IAM actions that it requires (infra/README.md, "Rights"). */
export const calls = {
  "evs.listVolumes": ["evs:volumes:list"],
  "evs.showVolume": ["evs:volumes:get"],
};
