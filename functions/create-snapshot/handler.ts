import middy from "@middy/core";
import { readEvsLimits } from "../../shared/functiongraph/variables.ts";
import { evsV2Creation } from "../../shared/huaweicloud/evs-v2.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createCall } from "../../shared/middleware/create-request.ts";
import { errors } from "../../shared/middleware/error-responses.ts";
import { context } from "../../shared/middleware/invocation-context.ts";
import { withDeadline } from "../../shared/middleware/invocation-deadline.ts";
import { results } from "../../shared/middleware/result-records.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { validation } from "../../shared/middleware/validation.ts";
import { snapshot } from "../../shared/snapshots/kinds/snapshot.ts";
import { classic, current } from "./schema.generated.js";

/** A create call, over HTTP or direct, for one snapshot. */
export const createSnapshot = (runtime = nodeRuntime()) =>
  middy({ timeoutEarlyInMillis: 0 })
    .use(context("create-snapshot", runtime))
    .use(results({ action: "create", kind: snapshot.name }))
    .use(errors())
    .use(createCall())
    .use(validation(({ variables }) => (readEvsLimits(variables) === "classic" ? classic : current)))
    .handler(withDeadline(createHandler(snapshot, evsV2Creation)));

export const handler = createSnapshot();
