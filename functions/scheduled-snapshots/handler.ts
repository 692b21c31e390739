import middy from "@middy/core";
import { errors } from "../../shared/middleware/error-responses.ts";
import { context } from "../../shared/middleware/invocation-context.ts";
import { withDeadline } from "../../shared/middleware/invocation-deadline.ts";
import { results } from "../../shared/middleware/result-records.ts";
import { summary } from "../../shared/middleware/run-summary.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { timer } from "../../shared/middleware/timer-event.ts";
import { validation } from "../../shared/middleware/validation.ts";
import { policy } from "./schema.generated.js";
import { takeScheduled } from "./take-scheduled.ts";

/** A timer, with a policy: every target of the policy. */
export const scheduledSnapshots = (runtime = nodeRuntime()) =>
  middy({ timeoutEarlyInMillis: 0 })
    .use(context("scheduled-snapshots", runtime))
    .use(summary())
    .use(results({ action: "create" }))
    .use(errors("event"))
    .use(timer())
    .use(validation(() => policy))
    .handler(withDeadline(takeScheduled));

export const handler = scheduledSnapshots();
