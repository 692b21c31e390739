/** Implements the methods with which a test adds, changes and removes servers, disks and clusters. */
import { randomUUID } from "node:crypto";
import { bareTime, toEpochMs } from "./clock.ts";
import type { CloudState } from "./cloud-state.ts";
import type { ResourceMethods, TimeInput } from "./embedded-cloud.ts";
import { addCluster, clusterView } from "./services/dws-clusters.ts";
import { volumeView } from "./services/evs-volume-view.ts";
import { SERVICES } from "./services/services.generated.ts";

export function createResources(cloudState: CloudState): ResourceMethods {
  const { clock, inventory, region } = cloudState;
  const findVolume = (id: string) => inventory.volumes.get(id) ?? throwMissing("volume", id);
  const findCluster = (id: string) => inventory.clusters.get(id) ?? throwMissing("cluster", id);
  const epochOrNow = (time: TimeInput | undefined) => (time === undefined ? clock.now() : toEpochMs(time));
  const ageFields = (createdAt: TimeInput | undefined) => ({
    createdAt: epochOrNow(createdAt),
    sequence: inventory.nextSequence(),
  });

  return {
    addServer({ id = randomUUID(), name, tags = {}, status = "ACTIVE", enterpriseProjectId = "0", createdAt } = {}) {
      const record = { id, name: name ?? `server-${id.slice(0, 8)}`, tags: { ...tags }, status, enterpriseProjectId };
      inventory.servers.add({ ...record, ...ageFields(createdAt) });
      return { id, name: record.name, status, tags: { ...tags } };
    },
    addVolume({ id = randomUUID(), serverId, attachedAt, device, ...volume } = {}) {
      if (serverId !== undefined && !inventory.servers.get(serverId)) throwMissing("server", serverId);
      const record = {
        id,
        name: volume.name ?? `volume-${id.slice(0, 8)}`,
        description: null,
        size: volume.size ?? 10,
        volumeType: volume.volumeType ?? "SSD",
        availabilityZone: volume.availabilityZone ?? `${region}a`,
        tags: { ...volume.tags },
        metadata: { ...volume.metadata },
        enterpriseProjectId: volume.enterpriseProjectId ?? "0",
        multiattach: volume.multiattach ?? false,
        status: volume.status,
        attachments: [],
        ...ageFields(volume.createdAt),
      };
      inventory.volumes.add(record);
      if (serverId !== undefined) inventory.attach(record, serverId, epochOrNow(attachedAt), device);
      return structuredClone(volumeView(record, cloudState));
    },
    attach(volumeId, serverId, { after = 0, device } = {}) {
      const volume = findVolume(volumeId);
      if (!inventory.servers.get(serverId)) throwMissing("server", serverId);
      if (volume.attachments.length > 0 && !volume.multiattach)
        throw new Error(`Volume ${volumeId} is already attached.`);
      const attachment = inventory.attach(volume, serverId, clock.now() + after, device);
      return {
        attachment_id: attachment.id,
        volume_id: volumeId,
        server_id: serverId,
        device: attachment.device,
        attached_at: bareTime(attachment.attachedAt),
      };
    },
    detach: (volumeId, serverId) => inventory.detach(findVolume(volumeId), serverId),
    setVolumeStatus(volumeId, status) {
      findVolume(volumeId).status = status;
    },
    removeVolume: (volumeId) => inventory.removeVolume(volumeId),
    removeServer: (serverId) => inventory.removeServer(serverId),
    addCluster: (cluster = {}) => structuredClone(addCluster(cluster, cloudState)),
    addOther(type, resource) {
      const service = SERVICES.find((one) => one.resource?.type === type);
      if (service?.resource === undefined)
        throw new Error(`addOther: expected a type in otherResources, got "${type}".`);
      service.resource.add(resource, cloudState);
    },
    setCluster(clusterId, state) {
      const cluster = findCluster(clusterId);
      if (state.status !== undefined) cluster.status = state.status;
      if ("taskStatus" in state) cluster.taskStatus = state.taskStatus;
    },
    removeCluster: (clusterId) => void inventory.clusters.remove(clusterId),
    volume(id) {
      const volume = inventory.volumes.get(id);
      return volume && structuredClone(volumeView(volume, cloudState));
    },
    cluster(id) {
      const cluster = inventory.clusters.get(id);
      return cluster && structuredClone(clusterView(cluster, cloudState));
    },
  };
}

function throwMissing(type: string, id: string): never {
  throw new Error(`There is no ${type} ${id}.`);
}
