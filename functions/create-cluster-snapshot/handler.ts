import middy from "@middy/core";
import { dwsCreation } from "../../shared/huaweicloud/dws.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createCall } from "../../shared/middleware/create-request.ts";
import { errors } from "../../shared/middleware/error-responses.ts";
import { context } from "../../shared/middleware/invocation-context.ts";
import { withDeadline } from "../../shared/middleware/invocation-deadline.ts";
import { results } from "../../shared/middleware/result-records.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { unmarked } from "../../shared/middleware/unmarked.ts";
import { validation } from "../../shared/middleware/validation.ts";
import { clusterSnapshot } from "../../shared/snapshots/kinds/cluster-snapshot.ts";
import { current } from "./schema.generated.js";

/** A create call, over HTTP or direct, for one cluster snapshot. */
export const createClusterSnapshot = (runtime = nodeRuntime()) =>
  middy({ timeoutEarlyInMillis: 0 })
    .use(context("create-cluster-snapshot", runtime))
    .use(results({ action: "create", kind: clusterSnapshot.name }))
    .use(errors())
    .use(createCall())
    .use(validation(() => current))
    .use(unmarked(clusterSnapshot))
    .handler(withDeadline(createHandler(clusterSnapshot, dwsCreation)));

export const handler = createClusterSnapshot();
