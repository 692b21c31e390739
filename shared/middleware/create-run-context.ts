import { readInteger } from "../functiongraph/variables.ts";
import { toLine } from "../results/record-line.ts";
import type { Cloud } from "../snapshots/ports.ts";
import type { RunContext } from "../snapshots/run-context.ts";
import type { Invocation } from "./invocation.ts";

/**
 * The maximum number of planned deletions in one log line. 200 deletions are about 40 KB, and the platform splits a line at
 * 90 KiB: SOURCES.md#functiongraph-logger
 */
const DELETIONS_PER_LINE = 200;

/**
 * The memory that Node.js and the program need, in MB. Only the memory beyond this amount is available for snapshots and
 * targets.
 */
const BASE_MB = 64;
/** How many listed snapshots fit into each MB of memory. 100,000 snapshots fit into a function of 128 MB. */
const SNAPSHOTS_PER_MB = 1_600;
/** The memory that a run needs for its requests to the cloud, in MB. */
const REQUESTS_MB = 24;
/**
 * How many targets or planned deletions fit into each MB of memory. A target takes more memory than a snapshot, because a target
 * also has a record and an error.
 */
const TARGETS_PER_MB = 256;
/** The memory of a function if the context does not report it, in MB. Terraform configures the same amount. */
const DEFAULT_MEMORY_MB = 128;

/**
 * Creates the run context: the clients, limits and callbacks that `createAll`, `prune` and similar functions receive.
 *
 * @param cloud returns the client for a kind of snapshot
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
        // Print the planned deletions on stderr, because stdout is only for result records. The function writes the result
        // record of a deletion when the deletion has finished.
        runtime.warn(redact(toLine({ level: "info", function: functionName, request_id: requestId, plan })));
      }
    },
    inFlight: runtime.inFlight,
    maxSnapshots: Math.max(10_000, freeMb * SNAPSHOTS_PER_MB),
    maxTargets: Math.max(10_000, (freeMb - REQUESTS_MB) * TARGETS_PER_MB),
    concurrency: readInteger(variables, "MAX_CONCURRENCY", { defaultValue: 8, min: 1, max: 256 }),
  };
}
