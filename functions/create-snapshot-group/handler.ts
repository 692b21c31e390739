import { createEvsV5GroupCreator } from "../../shared/huaweicloud/evs-v5.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createRequest } from "../../shared/middleware/create-request.ts";
import { snapshotGroupKind } from "../../shared/snapshots/kinds/snapshot-group.ts";
import { name } from "./function.ts";
import { current } from "./schema.generated.js";

/** Creates one snapshot group: a snapshot of each of several disks, all at the same moment. */
export const createSnapshotGroup = compose({
  name,
  target: { action: "create", kind: snapshotGroupKind.name },
  trigger: createRequest,
  schema: () => current,
  handler: createHandler(snapshotGroupKind, createEvsV5GroupCreator),
});

export const handler = createSnapshotGroup();
