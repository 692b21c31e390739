import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "prune-snapshots";

export const definition = {
  name,
  summary: "Deletes duplicate snapshots, and snapshots that the retention of a policy no longer keeps.",
  trigger: { type: "timer" },
  timeoutSeconds: 900,
  memoryMb: 128,
  calls: ["every-kind.list", "every-kind.delete"],
} as const satisfies FunctionDefinition;
