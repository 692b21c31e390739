import middy from "@middy/core";
import { context } from "../../shared/middleware/context.ts";
import { withDeadline } from "../../shared/middleware/deadline.ts";
import { errors } from "../../shared/middleware/errors.ts";
import { results } from "../../shared/middleware/results.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { summary } from "../../shared/middleware/summary.ts";
import { trace } from "../../shared/middleware/trace.ts";
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
