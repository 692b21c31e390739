import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "create-share-snapshot";

export const definition = {
  name,
  summary: "Creates one snapshot of a file share.",
  trigger: { type: "http", method: "POST", acceptsDirectCalls: true },
  timeoutSeconds: 60,
  memoryMb: 128,
  calls: ["sfs.createSnapshot", "sfs.listSnapshots"],
  kindCalls: {
    resources: ["sfs.listShares"],
    list: ["sfs.listSnapshots"],
    create: ["sfs.createSnapshot"],
    delete: ["sfs.deleteSnapshot"],
  },
  operation: {
    title: "A snapshot of a file share",
    description: "Creates the snapshot only once per key.",
    schema: "CreateShareSnapshot",
    example: { snapshot: { share_id: "44b277eb-39be-4921-be31-3d61b43651d7", name: "before-update" } },
    responses: {
      202: {
        schema: { type: "object", required: ["snapshot_id"], properties: { snapshot_id: { type: "string" } } },
        example: { snapshot_id: "2a4d0f86-67cd-408a-8b66-017454fb7793" },
      },
    },
  },
} as const satisfies FunctionDefinition;
