import { createCloud } from "../../shared/huaweicloud/services.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createRunContext } from "../../shared/middleware/create-run-context.ts";
import { finishRun } from "../../shared/middleware/run-summary.ts";
import { timerEvent } from "../../shared/middleware/timer-event.ts";
import { readDeployedPolicies } from "../../shared/snapshots/deployed-policies.ts";
import { verify } from "../../shared/snapshots/verify.ts";
import { name } from "./function.ts";
import { lookback } from "./schema.generated.js";

/** Reports whether each recent snapshot became available or failed. */
export const verifySnapshots = compose({
  name,
  target: { action: "verify" },
  trigger: timerEvent,
  schema: () => lookback,
  handler: async ({ body, time }, invocation) => {
    const { lookback_minutes: lookbackMinutes = 1_440, stuck_after_minutes: stuckAfterMinutes } = body;
    const { variables, records } = invocation;
    const runContext = {
      ...createRunContext(invocation, createCloud(invocation.connection)),
      deployed: readDeployedPolicies(variables("DEPLOYED_POLICIES"), records.addNotice),
    };
    finishRun(invocation, { targets: await verify({ time, lookbackMinutes, stuckAfterMinutes }, runContext) });
  },
});

export const handler = verifySnapshots();
