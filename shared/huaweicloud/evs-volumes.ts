import { EvsClient } from "@huaweicloud/huaweicloud-sdk-evs/v2/EvsClient";
import { ListVolumesRequest } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/ListVolumesRequest";
import { ShowVolumeRequest } from "@huaweicloud/huaweicloud-sdk-evs/v2/model/ShowVolumeRequest";
import { parseInstant } from "../core/instant.ts";
import { isObject, type JsonObject, textAt } from "../core/json.ts";
import type { AttachedDisk, Resource, Volume } from "../snapshots/ports.ts";
import { allRows, collected, pageOf, resourceIn } from "./http/pagination.ts";
import { type Connection, send, unusable, unusableRow } from "./http/sdk-client.ts";

const listRows = (connection: Connection, visit: (row: JsonObject) => void, serverId?: string): Promise<void> =>
  allRows(async (offset, limit) => {
    const request = new ListVolumesRequest()
      .withEnterpriseProjectId("all_granted_eps")
      .withLimit(limit)
      .withOffset(offset);
    if (serverId !== undefined) request.withServerId(serverId);
    const answer = await send(connection, "EVS", "read", (client) => new EvsClient(client).listVolumes(request));
    return pageOf(answer, "volumes");
  }, visit);

/** Every disk of the project, with its tags: the list cannot be filtered by them (cloud-apis.md 1.5). */
export const listVolumes = (connection: Connection, max: number): Promise<Resource[]> =>
  collected((visit) => listRows(connection, (row) => visit(resourceIn(row, "disks"))), max);

/** A server has some 60 disks at most. */
const MAX_DISKS = 1_000;

/** The disks of a server, in one call with status and attachments (cloud-apis.md 7). */
export const listVolumesOfServer = (connection: Connection, serverId: string): Promise<Volume[]> =>
  collected((visit) => listRows(connection, (row) => visit(readVolume(row)), serverId), MAX_DISKS);

/**
 * Lists the disks of a server and when each was attached. Includes a disk whose attachments do not name any server, because
 * the service lists it for this server. Excludes a disk that is attached to other servers only.
 */
export async function listAttachedDisks(connection: Connection, serverId: string): Promise<AttachedDisk[]> {
  const disks: AttachedDisk[] = [];
  for (const { id, attachments } of await listVolumesOfServer(connection, serverId)) {
    const own = attachments.filter((one) => (one.serverId ?? serverId) === serverId);
    if (attachments.length > 0 && own.length === 0) continue;
    // If the disk has several attachments to this server, nothing says which time is right.
    disks.push({ id, attachedAt: own.length === 1 ? own[0]?.attachedAt : undefined });
  }
  return disks;
}

/** One disk; NotFound where there is none. */
export async function showVolume(connection: Connection, volumeId: string): Promise<Volume> {
  const request = new ShowVolumeRequest().withVolumeId(volumeId);
  const answer = await send(connection, "EVS", "read", (client) => new EvsClient(client).showVolume(request));
  if (!isObject(answer.body.volume)) throw unusable("the disk", answer);
  const volume = readVolume(answer.body.volume);
  if (volume.id.toLowerCase() !== volumeId.toLowerCase()) throw unusable(`the disk ${volumeId}`, answer);
  return volume;
}

function readVolume(raw: JsonObject): Volume {
  const id = textAt(raw, "id");
  const status = textAt(raw, "status");
  if (!id || !status) throw unusableRow("id and status of a disk", raw);
  const attachments = Array.isArray(raw.attachments) ? raw.attachments.filter(isObject) : [];
  return {
    id,
    status,
    shared: [raw.multiattach, raw.shareable].some((one) => one === true || one === "true"),
    attachments: attachments.map((one) => ({
      id: textAt(one, "attachment_id"),
      serverId: textAt(one, "server_id")?.toLowerCase(),
      attachedAt: parseInstant(one.attached_at),
    })),
  };
}
