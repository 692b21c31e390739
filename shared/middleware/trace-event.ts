import { SnapshotError } from "../core/errors.ts";
import { readTraces, type Trace } from "../functiongraph/read-trace.ts";
import { summary } from "./run-summary.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/** The request to disk-attached: one trace for each event in a batch, or an error if the event contains no trace. */
export interface TraceRequest {
  body: readonly (Trace | SnapshotError)[];
}

/** The trigger reader of CTS and EventGrid events. Throws InvalidRequest if a single event contains no trace. */
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
