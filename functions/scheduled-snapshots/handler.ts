import { compose } from "../../shared/middleware/compose.ts";
import { timerEvent } from "../../shared/middleware/timer-event.ts";
import { checkPolicy } from "../../shared/snapshots/check-policy.ts";
import { name } from "./function.ts";
import { policy } from "./schema.generated.js";
import { takeScheduled } from "./take-scheduled.ts";

/** Creates a snapshot of every target of a policy. */
export const scheduledSnapshots = compose({
  name,
  target: { action: "create" },
  trigger: timerEvent,
  schema: () => policy,
  check: checkPolicy,
  handler: takeScheduled,
});

export const handler = scheduledSnapshots();
