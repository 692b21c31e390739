import { compose } from "../../shared/middleware/compose.ts";
import { timerEvent } from "../../shared/middleware/timer-event.ts";
import { checkPolicy } from "../../shared/snapshots/check-policy.ts";
import { name } from "./function.ts";
import { runSchedule } from "./run-schedule.ts";
import { policy } from "./schema.generated.js";

/** Creates a snapshot of each resource that a policy selects, when a timer fires. */
export const scheduledSnapshots = compose({
  name,
  target: { action: "create" },
  trigger: timerEvent,
  schema: () => policy,
  check: checkPolicy,
  handler: runSchedule,
});

export const handler = scheduledSnapshots();
