import middy from "@middy/core";
import { errors } from "../../shared/middleware/error-responses.ts";
import { context } from "../../shared/middleware/invocation-context.ts";
import { withDeadline } from "../../shared/middleware/invocation-deadline.ts";
import { results } from "../../shared/middleware/result-records.ts";
import { summary } from "../../shared/middleware/run-summary.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { trace } from "../../shared/middleware/trace-event.ts";
import { takeAttached } from "./take-attached.ts";

/** A trace that says that a disk was attached: one snapshot of that disk. */
export const diskAttached = (runtime = nodeRuntime()) =>
  middy({ timeoutEarlyInMillis: 0 })
    .use(context("disk-attached", runtime))
    .use(summary())
    .use(results({ action: "create" }))
    .use(errors("event"))
    .use(trace())
    .handler(withDeadline(takeAttached));

export const handler = diskAttached();
