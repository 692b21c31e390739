import middy from "@middy/core";
import { evsV5SnapshotCreation } from "../../shared/huaweicloud/evs-v5.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createCall } from "../../shared/middleware/create-request.ts";
import { errors } from "../../shared/middleware/error-responses.ts";
import { context } from "../../shared/middleware/invocation-context.ts";
import { withDeadline } from "../../shared/middleware/invocation-deadline.ts";
import { results } from "../../shared/middleware/result-records.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { validation } from "../../shared/middleware/validation.ts";
import { standardSnapshot } from "../../shared/snapshots/kinds/standard-snapshot.ts";
import { current } from "./schema.generated.js";

/** A create call, over HTTP or direct, for one standard snapshot. */
export const createStandardSnapshot = (runtime = nodeRuntime()) =>
  middy({ timeoutEarlyInMillis: 0 })
    .use(context("create-standard-snapshot", runtime))
    .use(results({ action: "create", kind: standardSnapshot.name }))
    .use(errors())
    .use(createCall())
    .use(validation(() => current))
    .handler(withDeadline(createHandler(standardSnapshot, evsV5SnapshotCreation)));

export const handler = createStandardSnapshot();
