import { SnapshotError } from "../core/errors.ts";
import { readTraces } from "../functiongraph/read-trace.ts";
import type { Middleware } from "./invocation.ts";

/** Reads the traces of an event from CTS or EventGrid. Throws InvalidRequest if there is one event and it has none. */
export function trace(): Middleware {
  return {
    before(request) {
      const traces = readTraces(request.event);
      const [first] = traces;
      if (traces.length === 1) {
        if (first instanceof SnapshotError) throw first;
        request.context.eventTime = first?.time;
      }
      request.event = traces;
    },
  };
}
