import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "create-cluster-snapshot";

export const definition = {
  name,
  summary: "Creates one snapshot of a data warehouse cluster (DWS).",
  trigger: { type: "http", method: "POST", acceptsDirectCalls: true },
  timeoutSeconds: 60,
  memoryMb: 128,
  calls: ["dws.createSnapshot", "dws.listSnapshots"],
  kindCalls: {
    resources: ["dws.listClusters"],
    list: ["dws.listSnapshots"],
    create: ["dws.createSnapshot"],
    delete: ["dws.deleteSnapshot"],
  },
  operation: {
    title: "Create a snapshot of a cluster (DWS)",
    description:
      "Sends `POST /v1.0/{project_id}/snapshots` and returns its response. Repeated requests with the same `Idempotency-Key` create only one snapshot. The name must be unique in the project. While the snapshot is being created, the cluster cannot be restarted, scaled or reconfigured.",
    schema: "CreateClusterSnapshot",
    // This example is from the API reference: SOURCES.md#dws-create
    example: {
      snapshot: {
        name: "snapshot-3",
        cluster_id: "44b277eb-39be-4921-be31-3d61b43651d7",
        description: "Snapshot-3 description",
      },
    },
    responses: {
      200: {
        schema: {
          type: "object",
          required: ["snapshot"],
          properties: { snapshot: { type: "object", required: ["id"], properties: { id: { type: "string" } } } },
        },
        example: { snapshot: { id: "2a4d0f86-67cd-408a-8b66-017454fb7793" } },
      },
    },
  },
} as const satisfies FunctionDefinition;
