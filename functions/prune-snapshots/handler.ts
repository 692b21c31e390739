import middy from "@middy/core";
import { errors } from "../../shared/middleware/error-responses.ts";
import { context } from "../../shared/middleware/invocation-context.ts";
import { withDeadline } from "../../shared/middleware/invocation-deadline.ts";
import { results } from "../../shared/middleware/result-records.ts";
import { createRunContext } from "../../shared/middleware/run-context.ts";
import { finishRun, summary } from "../../shared/middleware/run-summary.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { timer } from "../../shared/middleware/timer-event.ts";
import { validation } from "../../shared/middleware/validation.ts";
import { checkTimeZone } from "../../shared/snapshots/policy.ts";
import { prune } from "../../shared/snapshots/retention/prune.ts";
import { policy } from "./schema.generated.js";

/** A timer, with a policy: what its retention no longer keeps is deleted. */
export const pruneSnapshots = (runtime = nodeRuntime()) =>
  middy({ timeoutEarlyInMillis: 0 })
    .use(context("prune-snapshots", runtime))
    .use(summary())
    .use(results({ action: "prune" }))
    .use(errors("event"))
    .use(timer())
    .use(validation(() => policy))
    .handler(
      withDeadline(async ({ body: policy }, invocation) => {
        checkTimeZone(policy.time_zone ?? "UTC");
        finishRun(invocation, { targets: await prune(policy, createRunContext(invocation)) });
      }),
    );

export const handler = pruneSnapshots();
