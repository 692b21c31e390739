import { readTimer } from "../functiongraph/read-timer.ts";
import type { Middleware } from "./invocation.ts";

/** The most that a policy's name has. */
const LONGEST_NAME = 38;

/**
 * Reads a TIMER event; what its `user_event` holds is validated next. The policy is known from here on, so that the record
 * of the run names it however the run ends.
 */
export function timer(): Middleware {
  const before: Middleware["before"] = (request) => {
    const event = readTimer(request.event);
    request.event = event;
    request.context.eventTime = event.time;
    const { policy } = event.body;
    if (typeof policy === "string" && policy.length <= LONGEST_NAME) request.context.summary.policy = policy;
  };
  return {
    before,
    // A function that is not configured did not come as far.
    onError(request) {
      if (request.context.eventTime !== undefined) return;
      try {
        before(request);
      } catch {
        // The event is no timer's: that is the error already, or comes after it.
      }
    },
  };
}
