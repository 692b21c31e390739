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
import { verify } from "../../shared/snapshots/verify.ts";
import { lookback } from "./schema.generated.js";

/** A timer: how every recent snapshot of ours ended. */
export const verifySnapshots = (runtime = nodeRuntime()) =>
  middy({ timeoutEarlyInMillis: 0 })
    .use(context("verify-snapshots", runtime))
    .use(summary())
    .use(results({ action: "verify" }))
    .use(errors("event"))
    .use(timer())
    .use(validation(() => lookback))
    .handler(
      withDeadline(async ({ body, time }, invocation) => {
        const { lookback_minutes: lookbackMinutes = 1_440, stuck_after_minutes: stuckAfterMinutes } = body;
        const targets = await verify({ time, lookbackMinutes, stuckAfterMinutes }, createRunContext(invocation));
        finishRun(invocation, { targets });
      }),
    );

export const handler = verifySnapshots();
