import { dwsCreation } from "../../shared/huaweicloud/dws.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createRequest } from "../../shared/middleware/create-request.ts";
import { clusterSnapshot } from "../../shared/snapshots/kinds/cluster-snapshot.ts";
import { name } from "./function.ts";
import { current } from "./schema.generated.js";

/** The marker of this function needs 115 of the 256 characters that a description may have. */
const NO_ROOM =
  "The description leaves no room for the marker: the snapshot is found again by its name alone, verify-snapshots says nothing of it and prune-snapshots never deletes it. A shorter description (up to 141 characters) has room.";

/** Creates one snapshot of a data warehouse cluster. */
export const createClusterSnapshot = compose({
  name,
  target: { action: "create", kind: clusterSnapshot.name },
  trigger: createRequest,
  schema: () => current,
  handler: createHandler(clusterSnapshot, dwsCreation, NO_ROOM),
});

export const handler = createClusterSnapshot();
