import { dwsCreation } from "../../shared/huaweicloud/dws.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createRequest } from "../../shared/middleware/create-request.ts";
import { clusterSnapshot } from "../../shared/snapshots/kinds/cluster-snapshot.ts";
import { name } from "./function.ts";
import { current } from "./schema.generated.js";

/** Creates one snapshot of a data warehouse cluster. */
export const createClusterSnapshot = compose({
  name,
  target: { action: "create", kind: clusterSnapshot.name },
  trigger: createRequest,
  schema: () => current,
  handler: createHandler(clusterSnapshot, dwsCreation),
});

export const handler = createClusterSnapshot();
