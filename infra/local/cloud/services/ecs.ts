/** Implements the ECS requests for servers and their disks. Error codes: ECS API Reference, "Error Codes". */

import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, type Call, ok, Refusal, type Service } from "../gateway/http.ts";
import type { ServerRecord, VolumeRecord } from "../records.ts";
import {
  checkQuery,
  hasTags,
  isObject,
  parseInteger,
  readObject,
  readQueryValue,
  readTagFilters,
} from "./constraints.ts";
import { addressOf, attachmentTo, bootIndexOf, FLAVOR, serverView } from "./ecs-server-view.ts";
import { cutPage, limitToPageCap, reportedCount } from "./paging.ts";

const SERVERS = "/v1/{project_id}/cloudservers";
const SERVER = `${SERVERS}/{server_id}`;
const DEVICES = `${SERVER}/block_device`;

export const service: Service = {
  name: "ecs",
  behindGateway: true,
  failure: { 500: "Ecs.0500", 503: "Ecs.0503" },
  routes: [
    { operation: "ecs.listServers", method: "GET", path: `${SERVERS}/detail`, handle: list },
    { operation: "ecs.showServer", method: "GET", path: SERVER, handle: show },
    {
      operation: "ecs.listServersByTag",
      method: "POST",
      path: `${SERVERS}/resource_instances/action`,
      handle: listByTag,
    },
    {
      operation: "ecs.listVolumeAttachments",
      method: "GET",
      path: `${SERVER}/os-volume_attachments`,
      handle: listVolumeAttachments,
    },
    { operation: "ecs.listBlockDevices", method: "GET", path: DEVICES, handle: listBlockDevices },
    { operation: "ecs.showBlockDevice", method: "GET", path: `${DEVICES}/{volume_id}`, handle: showBlockDevice },
    { operation: "ecs.attachVolume", method: "POST", path: `${SERVER}/attachvolume`, handle: attachVolume },
    {
      operation: "ecs.detachVolume",
      method: "DELETE",
      path: `${SERVER}/detachvolume/{volume_id}`,
      handle: detachVolume,
    },
  ],
  envelope: ({ code, message }) => ({ error: { code, message } }),
};

function rejectRequest(message: string): never {
  throw new Refusal(400, "Ecs.0000", message);
}

const LIST_PARAMETERS = [
  "limit",
  "offset",
  "marker",
  "name",
  "status",
  "tags",
  "not-tags",
  "ip",
  "ip_eq",
  "flavor",
  "server_id",
  "enterprise_project_id",
  "reservation_id",
];

/**
 * Lists servers. The query parameter `limit` is at most 1000, and its default is 25. `offset` is a page number that starts at 1.
 * The value 0 selects the first page, as the value 1 does (SOURCES.md#ecs-list-pages).
 */
function list(call: Call, cloud: CloudState): ApiResponse {
  const { query } = call;
  checkQuery(call, cloud, LIST_PARAMETERS, rejectRequest);
  const value = (key: string) => readQueryValue(query, key);
  const asked = parseInteger(value("limit")) ?? 25;
  const offset = parseInteger(value("offset")) ?? 1;
  if (!(asked >= 0 && asked <= 1000)) rejectRequest("limit must be from 0 to 1000.");
  const limit = limitToPageCap(asked, cloud.behavior);
  if (!(offset >= 0)) rejectRequest("offset must not be negative.");
  const ids = value("server_id")?.split(",");
  const tags = value("tags")?.split(",");
  const notTags = value("not-tags")?.split(",");
  const project = value("enterprise_project_id");
  const everyProject =
    project === "all_granted_eps" || (project === undefined && cloud.behavior.enterpriseProjectsByDefault === "all");
  const page = cutPage(cloud.inventory.servers.oldestFirst, {
    // If the request contains `server_id`, ECS ignores all other query parameters that filter servers.
    keep: (server) =>
      ids
        ? ids.includes(server.id)
        : server.name.includes(value("name") ?? "") &&
          (value("status") === undefined || server.status === value("status")) &&
          (value("flavor") === undefined || value("flavor") === FLAVOR.id) &&
          addressOf(server).includes(value("ip") ?? "") &&
          (value("ip_eq") === undefined || value("ip_eq") === addressOf(server)) &&
          // No server was created together with others by one request, which would give them a reservation id.
          value("reservation_id") === undefined &&
          (everyProject || server.enterpriseProjectId === (project ?? "0")) &&
          (!tags || tags.every((tag) => hasTag(server, tag))) &&
          !notTags?.every((tag) => hasTag(server, tag)),
    descending: true,
    offset: (Math.max(offset, 1) - 1) * limit,
    limit,
    marker: value("marker"),
  });
  if (page.isMarkerUnknown) rejectRequest("marker could not be found.");
  return ok({
    count: reportedCount(page, cloud.behavior),
    servers: page.rows.map((server) => serverView(server, cloud)),
  });
}

/** Returns whether a server has a tag. `tag` is either `key=value`, or `key` for a tag with any value. */
function hasTag(server: ServerRecord, tag: string): boolean {
  const equals = tag.indexOf("=");
  if (equals < 0) return Object.hasOwn(server.tags, tag);
  return server.tags[tag.slice(0, equals)] === tag.slice(equals + 1);
}

/**
 * Lists servers by tags. The fields `limit` and `offset` are strings, and `offset` is the number of rows to skip
 * (SOURCES.md#ecs-servers-by-tags).
 */
function listByTag(call: Call, cloud: CloudState): ApiResponse {
  const known = ["action", "limit", "offset", "tags", "not_tags", "matches"];
  const body = readObject(call.json, "body", known, rejectRequest);
  const { action, matches = [] } = body;
  if (action !== "filter" && action !== "count") rejectRequest("action must be filter or count.");
  const limit = readCount(body.limit, "limit", 1000);
  const offset = readCount(body.offset, "offset", 0);
  if (limit > 1000 || limit < 1) rejectRequest("limit must be from 1 to 1000.");
  const tags = body.tags === undefined ? [] : readTagFilters(body.tags, "tags", rejectRequest);
  const notTags = body.not_tags === undefined ? [] : readTagFilters(body.not_tags, "not_tags", rejectRequest);
  if (!Array.isArray(matches)) return rejectRequest("matches must be an array.");
  const names = matches.map((match) => {
    const { key, value } = isObject(match) ? match : {};
    return key === "resource_name" ? String(value) : rejectRequest("matches.key must be resource_name.");
  });
  const page = cutPage(cloud.inventory.servers.oldestFirst, {
    keep: (server) =>
      hasTags(server.tags, tags) &&
      (notTags.length === 0 || !hasTags(server.tags, notTags)) &&
      names.every((name) => server.name.includes(name)),
    descending: true,
    offset,
    limit: limitToPageCap(limit, cloud.behavior),
  });
  if (action === "count") return ok({ total_count: page.total });
  return ok({
    resources: page.rows.map((server) => ({
      resource_id: server.id,
      resource_name: server.name,
      resource_detail: "",
      tags: Object.entries(server.tags).map(([key, value]) => ({ key, value })),
    })),
    total_count: page.total,
  });
}

function readCount(value: unknown, path: string, defaultValue: number): number {
  if (value === undefined) return defaultValue;
  if (typeof value !== "string" || !/^\d+$/.test(value)) return rejectRequest(`${path} must be a string of digits.`);
  return Number(value);
}

function show(call: Call, cloud: CloudState): ApiResponse {
  return ok({ server: serverView(findServer(call, cloud), cloud) });
}

function listBlockDevices(call: Call, cloud: CloudState): ApiResponse {
  const server = findServer(call, cloud);
  const devices = cloud.inventory.volumesOfServer(server.id).map((volume) => blockDevice(volume, server, cloud));
  return ok({
    attachableQuantity: {
      free_scsi: 60 - devices.length,
      free_blk: 24 - devices.length,
      free_disk: 60 - devices.length,
    },
    volumeAttachments: devices,
  });
}

function listVolumeAttachments(call: Call, cloud: CloudState): ApiResponse {
  const server = findServer(call, cloud);
  const volumeAttachments = cloud.inventory.volumesOfServer(server.id).map((volume) => ({
    id: volume.id,
    volumeId: volume.id,
    serverId: server.id,
    device: attachmentTo(volume, server, cloud)?.device,
  }));
  return ok({ volumeAttachments });
}

function showBlockDevice(call: Call, cloud: CloudState): ApiResponse {
  const server = findServer(call, cloud);
  const volume = cloud.inventory.volumesOfServer(server.id).find(({ id }) => id === call.params.volume_id);
  if (!volume) throw new Refusal(404, "Ecs.0000", "The disk is not attached to the server.");
  return ok({ volumeAttachment: blockDevice(volume, server, cloud) });
}

/**
 * Returns an attached disk as ECS responses describe it. Its field names are camelCase, unlike the field names of EVS
 * (SOURCES.md#ecs-block-devices).
 */
function blockDevice(volume: VolumeRecord, server: ServerRecord, cloud: CloudState) {
  const attachment = attachmentTo(volume, server, cloud);
  return {
    id: volume.id,
    volumeId: volume.id,
    serverId: server.id,
    device: attachment?.device,
    bootIndex: bootIndexOf(attachment),
    pciAddress: "0000:02:01.0",
    size: volume.size,
    bus: "virtio",
  };
}

function attachVolume(call: Call, cloud: CloudState): ApiResponse {
  const { inventory } = cloud;
  const server = findServer(call, cloud);
  const body = readObject(call.json, "body", ["volumeAttachment"], rejectRequest);
  const wanted = readObject(body.volumeAttachment, "volumeAttachment", ["volumeId", "device"], rejectRequest);
  const volume = inventory.volumes.get(String(wanted.volumeId));
  if (!volume) throw new Refusal(404, "Ecs.0000", "The disk does not exist.");
  if (inventory.volumeStatus(volume) !== "available") rejectRequest("The disk must be available.");
  const device = typeof wanted.device === "string" ? wanted.device : undefined;
  inventory.attach(volume, server.id, inventory.now(), device);
  return ok({ job_id: createFinishedJob("attachVolume", server, cloud) });
}

function detachVolume(call: Call, cloud: CloudState): ApiResponse {
  const server = findServer(call, cloud);
  const volume = cloud.inventory.volumesOfServer(server.id).find(({ id }) => id === call.params.volume_id);
  if (!volume) throw new Refusal(404, "Ecs.0000", "The disk is not attached to the server.");
  cloud.inventory.detach(volume, server.id);
  return ok({ job_id: createFinishedJob("detachVolume", server, cloud) });
}

/**
 * Creates a job that has already finished, because attaching a disk takes no time in the embedded cloud. Returns the job id.
 * evs-jobs.ts serves the status of the job.
 */
function createFinishedJob(type: string, server: ServerRecord, { inventory }: CloudState): string {
  const endedAt = inventory.now();
  const entities = { server_id: server.id };
  return inventory.startJob(type, { entities }, () => ({ status: "SUCCESS", endedAt })).id;
}

function findServer(call: Call, cloud: CloudState): ServerRecord {
  const server = cloud.inventory.servers.get(call.params.server_id ?? "");
  if (!server) throw new Refusal(404, "Ecs.0114", "The ECS does not exist.");
  return server;
}
