import middy from "@middy/core";
import { evsV5SnapshotGroupCreation } from "../../shared/huaweicloud/evs-v5.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createCall } from "../../shared/middleware/create-request.ts";
import { errors } from "../../shared/middleware/error-responses.ts";
import { context } from "../../shared/middleware/invocation-context.ts";
import { withDeadline } from "../../shared/middleware/invocation-deadline.ts";
import { results } from "../../shared/middleware/result-records.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { validation } from "../../shared/middleware/validation.ts";
import { snapshotGroup } from "../../shared/snapshots/kinds/snapshot-group.ts";
import { current } from "./schema.generated.js";

/** A create call, over HTTP or direct, for one snapshot group. */
export const createSnapshotGroup = (runtime = nodeRuntime()) =>
  middy({ timeoutEarlyInMillis: 0 })
    .use(context("create-snapshot-group", runtime))
    .use(results({ action: "create", kind: snapshotGroup.name }))
    .use(errors())
    .use(createCall())
    .use(validation(() => current))
    .handler(withDeadline(createHandler(snapshotGroup, evsV5SnapshotGroupCreation)));

export const handler = createSnapshotGroup();
