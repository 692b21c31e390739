import { createSfsCreator } from "../../shared/huaweicloud/sfs.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createRequest } from "../../shared/middleware/create-request.ts";
import { shareSnapshotKind } from "../../shared/snapshots/kinds/share-snapshot.ts";
import { name } from "./function.ts";
import { current } from "./schema.generated.js";

/** Creates one snapshot of a file share. */
export const createShareSnapshot = compose({
  name,
  target: { action: "create", kind: shareSnapshotKind.name },
  trigger: createRequest,
  schema: () => current,
  handler: createHandler(shareSnapshotKind, createSfsCreator),
});

export const handler = createShareSnapshot();
