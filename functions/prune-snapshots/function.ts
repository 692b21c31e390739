import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "prune-snapshots";

export const definition = {
  name,
  summary: "Deletes the snapshots that the retention of a policy no longer keeps, and duplicates.",
  trigger: { type: "timer" },
  timeoutSeconds: 900,
  memoryMb: 128,
  calls: ["every-kind.list", "every-kind.delete"],
} as const satisfies FunctionDefinition;
