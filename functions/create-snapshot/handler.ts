import { readEvsLimits, type Variables } from "../../shared/functiongraph/variables.ts";
import { createEvsV2Creator } from "../../shared/huaweicloud/evs-v2.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createRequest } from "../../shared/middleware/create-request.ts";
import { snapshotKind } from "../../shared/snapshots/kinds/snapshot.ts";
import { name } from "./function.ts";
import { classic, current } from "./schema.generated.js";

/** Creates one legacy snapshot of a disk (EVS v2). */
export const createSnapshot = compose({
  name,
  target: { action: "create", kind: snapshotKind.name },
  trigger: createRequest,
  schema: (variables: Variables) => (readEvsLimits(variables) === "classic" ? classic : current),
  handler: createHandler(snapshotKind, createEvsV2Creator),
});

export const handler = createSnapshot();
