import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "create-snapshot";

export const definition = {
  name,
  summary: "Creates one snapshot of a disk (EVS v2, legacy).",
  trigger: { type: "http", method: "POST", acceptsDirectCalls: true },
  timeoutSeconds: 60,
  memoryMb: 128,
  calls: ["evs.createSnapshot", "evs.listSnapshots"],
  kindCalls: {
    resources: ["evs.listVolumes"],
    list: ["evs.listSnapshots"],
    create: ["evs.createSnapshot"],
    delete: ["evs.deleteSnapshot"],
  },
  operation: {
    title: "Create a snapshot of a disk (EVS v2, legacy)",
    description:
      "Sends `POST /v2/{project_id}/cloudsnapshots` and returns its response. Repeated requests with the same `Idempotency-Key` create only one snapshot. If the function has `EVS_LIMITS=classic`, for older clouds, the body must match `x-evs-limits-classic` in addition to the schema: name and description have at most 255 bytes, and the description can be null.",
    schema: "CreateSnapshot",
    // This example is from the API reference: SOURCES.md#evs-v2-create
    example: {
      snapshot: {
        name: "snap-001",
        description: "Daily backup",
        volume_id: "5aa119a8-d25b-45a7-8d1b-88e127885635",
        force: false,
        metadata: { key_string: "value_string" },
      },
    },
    responses: {
      202: {
        schema: {
          type: "object",
          required: ["snapshot"],
          properties: { snapshot: { $ref: "#/components/schemas/SnapshotDetails" } },
        },
        example: {
          snapshot: {
            status: "creating",
            description: "Daily backup",
            created_at: "2013-02-25T03:56:53.081642",
            metadata: {},
            volume_id: "5aa119a8-d25b-45a7-8d1b-88e127885635",
            size: 1,
            id: "ffa9bc5e-1172-4021-acaf-cdcd78a9584d",
            name: "snap-001",
            updated_at: "2013-02-25T03:56:53.081642",
          },
        },
      },
    },
  },
} as const satisfies FunctionDefinition;
