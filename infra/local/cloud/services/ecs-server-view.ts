/** Returns servers in the form of ECS responses. */
import type { CloudState } from "../cloud-state.ts";
import type { AttachmentRecord, ServerRecord, VolumeRecord } from "../records.ts";

/** The flavor of every server. All its numbers are strings. */
export const FLAVOR = {
  id: "s6.large.2",
  name: "s6.large.2",
  disk: "0",
  vcpus: "2",
  ram: "4096",
  gpus: [],
  asic_accelerators: [],
};

const IMAGE_ID = "67f433d8-ed0e-4321-a8a2-a71838539e09";
const VPC_ID = "0dae26c9-9a70-4392-93f3-87d53115d171";
const SUBNET_ID = "9c0e9b0d-8f0e-4a8c-bb3c-2f1cf8ab4ee5";
const PORT_ID = "c34b0ab2-9a43-4a8e-9b4e-8f6c8d7e2a10";
const SECURITY_GROUP = { id: "b3e0ea5e-b0a9-4a9b-8d2b-7a8fc6c4ba44", name: "default" };

/** Returns the private address of a server. */
export function addressOf({ sequence }: ServerRecord): string {
  return `192.168.${Math.floor(sequence / 250) % 250}.${(sequence % 250) + 2}`;
}

export function attachmentTo(
  volume: VolumeRecord,
  server: ServerRecord,
  cloud: CloudState,
): AttachmentRecord | undefined {
  return cloud.inventory.attachmentsOf(volume).find(({ serverId }) => serverId === server.id);
}

/** Returns the boot index of a disk: 0 for the system disk, otherwise -1 (SOURCES.md#ecs-server-fields). */
export function bootIndexOf(attachment: AttachmentRecord | undefined): number {
  return attachment?.device === "/dev/vda" ? 0 : -1;
}

export function serverView(server: ServerRecord, cloud: CloudState) {
  const created = new Date(server.createdAt).toISOString();
  const active = server.status === "ACTIVE";
  return {
    id: server.id,
    name: server.name,
    status: server.status,
    description: "",
    progress: 0,
    locked: false,
    tags: Object.entries(server.tags).map(([key, value]) => `${key}=${value}`),
    sys_tags: [],
    metadata: {},
    created,
    updated: created,
    auto_terminate_time: "",
    tenant_id: cloud.projectId,
    user_id: cloud.projectId,
    enterprise_project_id: server.enterpriseProjectId,
    ...networkFields(server),
    flavor: FLAVOR,
    image: { id: IMAGE_ID },
    key_name: null,
    config_drive: "",
    hostId: "",
    host_status: "UP",
    ...capacityFields(),
    "OS-DCF:diskConfig": "MANUAL",
    "OS-EXT-AZ:availability_zone": `${cloud.region}a`,
    "OS-EXT-STS:task_state": null,
    "OS-EXT-STS:vm_state": active ? "active" : "stopped",
    "OS-EXT-STS:power_state": active ? 1 : 4,
    "OS-SRV-USG:launched_at": created.slice(0, -1),
    "OS-SRV-USG:terminated_at": null,
    ...attributeFields(server),
    "os:scheduler_hints": { group: [], tenancy: ["shared"], dedicated_host_id: [] },
    "os-extended-volumes:volumes_attached": cloud.inventory.volumesOfServer(server.id).map((volume) => {
      const attachment = attachmentTo(volume, server, cloud);
      // In this response, `delete_on_termination` and `bootIndex` are strings. In the response for a block device, `bootIndex` is
      // a number (SOURCES.md#ecs-server-fields).
      return {
        id: volume.id,
        delete_on_termination: "false",
        bootIndex: String(bootIndexOf(attachment)),
        device: attachment?.device,
      };
    }),
  };
}

function networkFields(server: ServerRecord) {
  const address = addressOf(server);
  return {
    accessIPv4: "",
    accessIPv6: "",
    addresses: {
      [VPC_ID]: [
        {
          version: "4",
          addr: address,
          primary: true,
          "OS-EXT-IPS:type": "fixed",
          "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:01",
          "OS-EXT-IPS:port_id": PORT_ID,
        },
      ],
    },
    network_interfaces: [
      {
        port_id: PORT_ID,
        primary: true,
        ip_addresses: [address],
        ipv6_addresses: [],
        subnet_id: SUBNET_ID,
        association: null,
      },
    ],
    security_groups: [SECURITY_GROUP],
  };
}

function capacityFields() {
  return {
    capacity_reservation_id: null,
    capacity_reservation_specification: null,
    spod_id: null,
    cpu_options: { "hw:cpu_threads": null },
    enclave_options: null,
    hypervisor: { hypervisor_type: "QEMU", csd_hypervisor: null },
    security_options: { secure_boot_enabled: false, tpm_enabled: false },
  };
}

function attributeFields(server: ServerRecord) {
  return {
    "OS-EXT-SRV-ATTR:host": null,
    "OS-EXT-SRV-ATTR:hostname": server.name,
    "OS-EXT-SRV-ATTR:hypervisor_hostname": null,
    "OS-EXT-SRV-ATTR:instance_name": `instance-${server.id.slice(0, 8)}`,
    "OS-EXT-SRV-ATTR:kernel_id": "",
    "OS-EXT-SRV-ATTR:launch_index": 0,
    "OS-EXT-SRV-ATTR:ramdisk_id": "",
    "OS-EXT-SRV-ATTR:reservation_id": null,
    "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
    "OS-EXT-SRV-ATTR:user_data": null,
  };
}
