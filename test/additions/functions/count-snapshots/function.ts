import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "count-snapshots";

export const definition = {
  name,
  summary: "Returns the number of snapshots of each kind.",
  trigger: { type: "http", method: "POST" },
  timeoutSeconds: 30,
  memoryMb: 128,
  calls: ["every-kind.list"],
  operation: {
    title: "The number of snapshots of each kind",
    description: "Lists the snapshots of every kind and counts those with a prefix.",
    schema: "CountSnapshots",
    example: { prefix: "nightly-" },
    responses: {
      200: {
        description: "The numbers of snapshots by kind.",
        schema: { type: "object", additionalProperties: { type: "integer" } },
        example: { snapshot: 3 },
      },
    },
  },
} as const satisfies FunctionDefinition;
