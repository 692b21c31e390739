import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "scheduled-snapshots";

export const definition = {
  name,
  summary: "Creates a snapshot of each resource that a policy selects, when a timer fires.",
  trigger: { type: "timer" },
  timeoutSeconds: 900,
  memoryMb: 128,
  // The function calls functiongraph.invokeAsync to start further invocations for a large policy, and evs.deleteSnapshot
  // only for a policy with `make_room`.
  calls: [
    "every-kind.resources",
    "every-kind.list",
    "every-kind.create",
    "functiongraph.invokeAsync",
    "evs.deleteSnapshot",
  ],
} as const satisfies FunctionDefinition;
