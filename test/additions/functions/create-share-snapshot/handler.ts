import { sfsCreation } from "../../shared/huaweicloud/sfs.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createRequest } from "../../shared/middleware/create-request.ts";
import { shareSnapshot } from "../../shared/snapshots/kinds/share-snapshot.ts";
import { name } from "./function.ts";
import { current } from "./schema.generated.js";

/** Creates one snapshot of a file share. */
export const createShareSnapshot = compose({
  name,
  target: { action: "create", kind: shareSnapshot.name },
  trigger: createRequest,
  schema: () => current,
  handler: createHandler(shareSnapshot, sfsCreation),
});

export const handler = createShareSnapshot();
