import middy from "@middy/core";
import { context } from "../../shared/middleware/context.ts";
import { withDeadline } from "../../shared/middleware/deadline.ts";
import { errors } from "../../shared/middleware/errors.ts";
import { results } from "../../shared/middleware/results.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { summary } from "../../shared/middleware/summary.ts";
import { timer } from "../../shared/middleware/timer.ts";
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
