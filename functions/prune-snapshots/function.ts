import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "prune-snapshots";

export const definition = {
  name,
  summary: "Deletes duplicate snapshots, and snapshots that a policy's retention does not keep.",
  trigger: { type: "timer" },
  timeoutSeconds: 900,
  memoryMb: 128,
  calls: ["every-kind.list", "every-kind.delete"],
} as const satisfies FunctionDefinition;
