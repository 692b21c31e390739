import { compose } from "../../shared/middleware/compose.ts";
import { traceEvent } from "../../shared/middleware/trace-event.ts";
import { name } from "./function.ts";
import { snapshotAttachedDisks } from "./snapshot-attached-disks.ts";

/** Creates one snapshot of a disk when the disk is attached to a server. */
export const diskAttached = compose({
  name,
  target: { action: "create" },
  trigger: traceEvent,
  handler: snapshotAttachedDisks,
});

export const handler = diskAttached();
