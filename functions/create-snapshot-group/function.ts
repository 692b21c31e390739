import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "create-snapshot-group";

export const definition = {
  name,
  summary: "Creates one snapshot of all disks of a server at the same moment (EVS v5).",
  trigger: { type: "http", method: "POST", acceptsDirectCalls: true },
  timeoutSeconds: 60,
  memoryMb: 128,
  calls: ["evs.createSnapshotGroup", "evs.listSnapshotGroups", "evs.listStandardSnapshots"],
  kindCalls: {
    resources: ["ecs.listServers", "evs.listVolumes"],
    list: ["evs.listSnapshotGroups", "evs.listStandardSnapshots"],
    create: ["evs.createSnapshotGroup"],
    delete: ["evs.deleteSnapshotGroup"],
  },
  operation: {
    title: "A snapshot of all disks of a server at one moment (EVS v5)",
    description:
      "Creates the group as `POST /v5/{project_id}/snapshot-groups` does, but only once per key: of the disks of `server_id`, of some of these disks (`volume_ids`), or of disks without a server.",
    schema: "CreateSnapshotGroup",
    example: {
      snapshot_group: { server_id: "d7c1f0a2-3b4e-4c5d-8e6f-7a8b9c0d1e2f", name: "before-update", incremental: true },
    },
    responses: {
      202: {
        schema: {
          type: "object",
          required: ["snapshot_group_id"],
          properties: {
            job_id: {
              type: "string",
              description:
                "The job of the create call. Absent if an earlier delivery of the same request created the snapshot.",
            },
            snapshot_group_id: { type: "string" },
          },
        },
        example: {
          job_id: "ee62a0c1e79c4e11be5adc17a49f69ef",
          snapshot_group_id: "bb02c803-55ac-4e84-9c80-60d352199d7d",
        },
      },
    },
  },
} as const satisfies FunctionDefinition;
