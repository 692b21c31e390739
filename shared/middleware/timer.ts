import { readTimer } from "../functiongraph/timer.ts";
import type { Middleware } from "./invocation.ts";

/** Reads a TIMER event; what its `user_event` holds is validated next. */
export function timer(): Middleware {
  return {
    before(request) {
      request.event = readTimer(request.event);
      request.context.eventTime = request.event.time;
    },
  };
}
