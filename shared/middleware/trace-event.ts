import { SnapshotError } from "../core/errors.ts";
import { readTraces, type Trace } from "../functiongraph/read-trace.ts";
import { summary } from "./run-summary.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/** The traces of an event, one per event of a batch. An event without a trace has an error in place of the trace. */
export interface TraceRequest {
  body: readonly (Trace | SnapshotError)[];
}

/** Reads the traces of an event from CTS or EventGrid. If a single event has no trace, reading it throws InvalidRequest. */
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
