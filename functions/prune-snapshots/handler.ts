import { createCloud } from "../../shared/huaweicloud/services.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createRunContext } from "../../shared/middleware/create-run-context.ts";
import { finishRun } from "../../shared/middleware/run-summary.ts";
import { timerEvent } from "../../shared/middleware/timer-event.ts";
import { checkPolicy } from "../../shared/snapshots/check-policy.ts";
import { prune } from "../../shared/snapshots/retention/prune.ts";
import { name } from "./function.ts";
import { policy } from "./schema.generated.js";

/** Deletes the snapshots that the retention of a policy no longer keeps, and duplicates. */
export const pruneSnapshots = compose({
  name,
  target: { action: "prune" },
  trigger: timerEvent,
  schema: () => policy,
  check: checkPolicy,
  handler: async ({ body: policy }, invocation) => {
    const runContext = createRunContext(invocation, createCloud(invocation.connection));
    finishRun(invocation, { targets: await prune(policy, runContext) });
  },
});

export const handler = pruneSnapshots();
