import { readInteger } from "../functiongraph/variables.ts";
import { toLine } from "../results/record-line.ts";
import type { Cloud } from "../snapshots/ports.ts";
import type { RunContext } from "../snapshots/run-context.ts";
import type { Invocation } from "./invocation.ts";

/** A log line has a maximum length: 200 deletions are about 40 KB, and the platform splits at 90 KiB: SOURCES.md#functiongraph-logger */
const DELETIONS_PER_LINE = 200;

/** The memory of Node.js and of the program. The other figures are for each MB in addition to it. */
const BASE_MB = 64;
const SNAPSHOTS_PER_MB = 700;
/** The requests of a run need this much. A snapshot that a function creates or deletes also has a record and an error. */
const REQUESTS_MB = 24;
const TARGETS_PER_MB = 256;
/** The memory that Terraform gives a function. */
const DEFAULT_MEMORY_MB = 128;

/**
 * Makes what a use case over several targets works with.
 *
 * @param cloud the clients of the kinds that the function uses
 */
export function createRunContext(invocation: Invocation, cloud: Cloud): RunContext {
  const { retryBudget, platform, records, runtime, variables } = invocation;
  const freeMb = (platform.memoryMb ?? DEFAULT_MEMORY_MB) - BASE_MB;
  return {
    cloud,
    retryBudget,
    report: records.openRecord,
    addNotice: records.addNotice,
    announceDeletions(deletions) {
      const { functionName, requestId, redact } = invocation;
      for (let from = 0; from < deletions.length; from += DELETIONS_PER_LINE) {
        const plan = deletions.slice(from, from + DELETIONS_PER_LINE);
        // Printed on stderr, because a plan is not a result: each snapshot gets one record, after its deletion.
        runtime.warn(redact(toLine({ level: "info", function: functionName, request_id: requestId, plan })));
      }
    },
    inFlight: runtime.inFlight,
    maxSnapshots: Math.max(10_000, freeMb * SNAPSHOTS_PER_MB),
    maxTargets: Math.max(10_000, (freeMb - REQUESTS_MB) * TARGETS_PER_MB),
    concurrency: readInteger(variables, "MAX_CONCURRENCY", { defaultValue: 8, min: 1, max: 256 }),
  };
}
