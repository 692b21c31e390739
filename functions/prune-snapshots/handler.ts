import middy from "@middy/core";
import { context } from "../../shared/middleware/context.ts";
import { withDeadline } from "../../shared/middleware/deadline.ts";
import { errors } from "../../shared/middleware/errors.ts";
import { meansOf } from "../../shared/middleware/means.ts";
import { results } from "../../shared/middleware/results.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { conclude, summary } from "../../shared/middleware/summary.ts";
import { timer } from "../../shared/middleware/timer.ts";
import { validation } from "../../shared/middleware/validation.ts";
import { checkTimeZone } from "../../shared/snapshots/policy.ts";
import { prune } from "../../shared/snapshots/prune.ts";
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
        conclude(invocation, { targets: await prune(policy, meansOf(invocation)) });
      }),
    );

export const handler = pruneSnapshots();
