import type { FunctionDefinition } from "../../shared/middleware/definition.ts";

export const name = "scheduled-snapshots";

export const definition = {
  name,
  summary: "Creates a snapshot of every target of a policy, once per event of its timer.",
  trigger: { type: "timer" },
  timeoutSeconds: 900,
  memoryMb: 128,
  // functiongraph.invokeAsync: further invocations for large policies. evs.deleteSnapshot: only for `make_room`.
  calls: [
    "every-kind.resources",
    "every-kind.list",
    "every-kind.create",
    "functiongraph.invokeAsync",
    "evs.deleteSnapshot",
  ],
} as const satisfies FunctionDefinition;
