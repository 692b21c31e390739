/** Returns disks in the form of EVS responses. */
import { bareTime } from "../clock.ts";
import type { CloudState } from "../cloud-state.ts";
import type { VolumeRecord } from "../records.ts";

/** Returns a disk as the response to a search by tags contains it. In that response, `shareable` is a boolean. */
export function taggedVolumeView(volume: VolumeRecord, cloud: CloudState) {
  const { serial_number: _, ...view } = volumeView(volume, cloud);
  return { ...view, shareable: volume.multiattach };
}

/** Returns a disk as list responses and the response for a single disk contain it. */
export function volumeView(volume: VolumeRecord, cloud: CloudState) {
  const { inventory, projectId, behavior } = cloud;
  const attachments = inventory.attachmentsOf(volume);
  return {
    id: volume.id,
    name: volume.name,
    status: inventory.volumeStatus(volume),
    size: volume.size,
    description: volume.description,
    volume_type: volume.volumeType,
    availability_zone: volume.availabilityZone,
    // `bootable` and `shareable` are strings, unlike `multiattach` (SOURCES.md#evs-disk-string-booleans).
    bootable: String(attachments.some(({ device }) => device === "/dev/vda")),
    shareable: String(volume.multiattach),
    multiattach: volume.multiattach,
    encrypted: false,
    attachments: attachments.map((attachment) => ({
      ...(behavior.attachmentIds ? { attachment_id: attachment.id, attached_at: bareTime(attachment.attachedAt) } : {}),
      id: volume.id,
      volume_id: volume.id,
      server_id: attachment.serverId,
      host_name: null,
      device: attachment.device,
    })),
    tags: volume.tags,
    metadata: volume.metadata,
    volume_image_metadata: {},
    snapshot_id: null,
    source_volid: null,
    consistencygroup_id: null,
    created_at: bareTime(volume.createdAt),
    updated_at: bareTime(volume.createdAt),
    enterprise_project_id: volume.enterpriseProjectId,
    service_type: "EVS",
    dedicated_storage_id: null,
    dedicated_storage_name: null,
    replication_status: "disabled",
    user_id: projectId,
    serial_number: volume.id,
    wwn: null,
    "os-vol-host-attr:host": "pod01.example#0",
    "os-vol-mig-status-attr:migstat": null,
    "os-vol-mig-status-attr:name_id": null,
    "os-vol-tenant-attr:tenant_id": projectId,
    "os-volume-replication:extended_status": null,
    links: [{ rel: "self", href: `https://volume.localdomain.com:8776/v2/${projectId}/volumes/${volume.id}` }],
  };
}
