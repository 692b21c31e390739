import { readTrace } from "../functiongraph/trace.ts";
import type { Middleware } from "./invocation.ts";

/** Reads a trace, from CTS or from EventGrid. */
export function trace(): Middleware {
  return {
    before(request) {
      request.event = readTrace(request.event);
      request.context.eventTime = request.event.time;
    },
  };
}
