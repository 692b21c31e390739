import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "create-standard-snapshot";

export const definition = {
  name,
  summary: "Creates one standard snapshot of a disk (EVS v5).",
  trigger: { type: "http", method: "POST", acceptsDirectCalls: true },
  timeoutSeconds: 60,
  memoryMb: 128,
  calls: ["evs.createStandardSnapshot", "evs.listStandardSnapshots"],
  kindCalls: {
    resources: ["evs.listVolumes"],
    list: ["evs.listStandardSnapshots"],
    create: ["evs.createStandardSnapshot"],
    delete: ["evs.deleteStandardSnapshot"],
  },
  operation: {
    title: "Create a standard snapshot of a disk (EVS v5)",
    description:
      "Sends `POST /v5/{project_id}/snapshots` and returns its response. Repeated requests with the same `Idempotency-Key` create only one snapshot. The function sends `incremental` only if the request contains it. Otherwise, the cloud's default applies.",
    schema: "CreateStandardSnapshot",
    // This example is from the API reference: SOURCES.md#evs-v5-create
    example: {
      snapshot: {
        volume_id: "2c194dde-7de5-4529-a141-49f48181f411",
        name: "test_name",
        description: "test description",
        enterprise_project_id: "94f1ea84-1428-49b6-9920-8a9b8a29e4ca",
      },
    },
    responses: {
      202: {
        schema: {
          type: "object",
          required: ["snapshot_id"],
          properties: {
            job_id: {
              type: "string",
              description:
                "The id of the job that creates the snapshot. Absent if an earlier delivery of the same request created it.",
            },
            snapshot_id: { type: "string" },
          },
        },
        example: {
          job_id: "ee62a0c1e79c4e11be5adc17a49f69ef",
          snapshot_id: "bb02c803-55ac-4e84-9c80-60d352199d7d",
        },
      },
    },
  },
} as const satisfies FunctionDefinition;
