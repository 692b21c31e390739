import { readInteger } from "../functiongraph/variables.ts";
import { cloudOf } from "../huaweicloud/services.ts";
import type { Means } from "../snapshots/take.ts";
import type { Invocation } from "./invocation.ts";

/** What this invocation gives a use case to work with. */
export const meansOf = ({ connection, patience, records, runtime, variables }: Invocation): Means => ({
  cloud: cloudOf(connection),
  patience,
  report: records.begin,
  inFlight: runtime.inFlight,
  concurrency: readInteger(variables, "MAX_CONCURRENCY", { byDefault: 8, from: 1, to: 256 }),
});
