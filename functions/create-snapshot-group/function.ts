import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "create-snapshot-group";

export const definition = {
  name,
  summary: "Creates a snapshot group: snapshots of all disks of a server at one moment (EVS v5).",
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
    title: "Create a snapshot of all disks of a server at the same moment (EVS v5)",
    description:
      "Sends `POST /v5/{project_id}/snapshot-groups` and returns its response. Repeated requests with the same `Idempotency-Key` create only one group. The group contains snapshots of all disks of `server_id`, or only of the disks in `volume_ids`. The disks in `volume_ids` need not be attached to a server.",
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
                "The id of the job that creates the snapshots. Absent if an earlier delivery of the same request created them.",
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
