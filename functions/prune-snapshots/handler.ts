import { readNames } from "../../shared/functiongraph/variables.ts";
import { createCloud } from "../../shared/huaweicloud/services.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createRunContext } from "../../shared/middleware/create-run-context.ts";
import { finishRun } from "../../shared/middleware/run-summary.ts";
import { timerEvent } from "../../shared/middleware/timer-event.ts";
import { countOnlyWarning } from "../../shared/snapshots/caller-policies.ts";
import { checkPolicy } from "../../shared/snapshots/check-policy.ts";
import { readDeployedPolicies } from "../../shared/snapshots/deployed-policies.ts";
import { prune } from "../../shared/snapshots/retention/prune.ts";
import { name } from "./function.ts";
import { policy } from "./schema.generated.js";

/** Deletes duplicate snapshots, and snapshots that a policy's retention does not keep. */
export const pruneSnapshots = compose({
  name,
  target: { action: "prune" },
  trigger: timerEvent,
  schema: () => policy,
  check: checkPolicy,
  handler: async ({ body: policy }, invocation) => {
    const { variables, records } = invocation;
    const deployed = readDeployedPolicies(variables("DEPLOYED_POLICIES"), records.addNotice);
    const runContext = { ...createRunContext(invocation, createCloud(invocation.connection)), deployed };
    const warning = countOnlyWarning(policy, readNames(variables, "PRE_DEPLOY_POLICIES"));
    if (warning !== undefined) records.addNotice(warning);
    finishRun(invocation, { targets: await prune(policy, runContext) });
  },
});

export const handler = pruneSnapshots();
