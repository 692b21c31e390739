import { createDwsCreator } from "../../shared/huaweicloud/dws.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createRequest } from "../../shared/middleware/create-request.ts";
import { clusterSnapshotKind } from "../../shared/snapshots/kinds/cluster-snapshot.ts";
import { name } from "./function.ts";
import { current } from "./schema.generated.js";

/**
 * The notice that the record of the run contains if the requested description is too long. DWS allows 256 characters in a
 * description. The marker (the labels that identify a snapshot as created by this project) needs 115 characters.
 */
const UNMARKED_NOTICE =
  "The description leaves no room for the labels that identify the snapshot. Repeated requests find the snapshot only by its name, verify-snapshots ignores it, and prune-snapshots never deletes it. Use at most 141 characters.";

/** Creates one snapshot of a data warehouse cluster. */
export const createClusterSnapshot = compose({
  name,
  target: { action: "create", kind: clusterSnapshotKind.name },
  trigger: createRequest,
  schema: () => current,
  handler: createHandler(clusterSnapshotKind, createDwsCreator, UNMARKED_NOTICE),
});

export const handler = createClusterSnapshot();
