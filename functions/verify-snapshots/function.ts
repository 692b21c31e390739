import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "verify-snapshots";

export const definition = {
  name,
  summary: "Reports whether each recent snapshot became available or failed.",
  trigger: { type: "timer" },
  timeoutSeconds: 300,
  memoryMb: 128,
  calls: ["every-kind.list"],
} as const satisfies FunctionDefinition;
