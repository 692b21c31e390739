import { createEvsV5SnapshotCreator } from "../../shared/huaweicloud/evs-v5.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createHandler } from "../../shared/middleware/create-handler.ts";
import { createRequest } from "../../shared/middleware/create-request.ts";
import { standardSnapshotKind } from "../../shared/snapshots/kinds/standard-snapshot.ts";
import { name } from "./function.ts";
import { current } from "./schema.generated.js";

/** Creates one standard snapshot of a disk (EVS v5). */
export const createStandardSnapshot = compose({
  name,
  target: { action: "create", kind: standardSnapshotKind.name },
  trigger: createRequest,
  schema: () => current,
  handler: createHandler(standardSnapshotKind, createEvsV5SnapshotCreator),
});

export const handler = createStandardSnapshot();
