import { SnapshotError } from "../core/errors.ts";
import { readTraces, type Trace } from "../functiongraph/read-trace.ts";
import { summary } from "./run-summary.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/**
 * The request to disk-attached. For each event in a batch, the body contains the trace in the event, or an error if the
 * event contains no trace.
 */
export interface TraceRequest {
  body: readonly (Trace | SnapshotError)[];
}

/**
 * The trigger reader of CTS and EventGrid events. Throws InvalidRequest if there is only one event and the event contains
 * no trace.
 */
export const traceEvent: TriggerReader<TraceRequest, void> = {
  read(event, invocation) {
    const traces = readTraces(event);
    const [first] = traces;
    if (traces.length === 1) {
      if (first instanceof SnapshotError) throw first;
      invocation.eventTime = first?.time;
    }
    return { body: traces };
  },
  summary,
};
