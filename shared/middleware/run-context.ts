import { readInteger } from "../functiongraph/variables.ts";
import { cloudOf } from "../huaweicloud/services.ts";
import { toLine } from "../results/record-line.ts";
import type { RunContext } from "../snapshots/create/create-all.ts";
import type { Cloud } from "../snapshots/ports.ts";
import type { Invocation } from "./invocation.ts";

/** A line of a log is cut where it is too long: 200 deletions are about 40 KB. */
const DELETIONS_A_LINE = 200;

/** What Node.js and the program need, in MB. The other figures say how much fits into each MB beyond. */
const BASE_MB = 64;
const SNAPSHOTS_A_MB = 700;
/** Snapshots that are to be created or deleted have records, requests and errors as well. */
const TARGETS_A_MB = 300;
/** The smallest function that Terraform makes. */
const MEMORY_BY_DEFAULT_MB = 128;

/** What this invocation gives a use case to work with, over every kind. */
export const createRunContext = (invocation: Invocation): RunContext =>
  createRunContextWith(invocation, cloudOf(invocation.connection));

/** The same for a function that knows which kinds it needs, and has nothing of the others. */
export const createRunContextWith = (invocation: Invocation, cloud: Cloud): RunContext => {
  const { retryBudget, platform, records, runtime, variables } = invocation;
  const freeMb = (platform.memoryMb ?? MEMORY_BY_DEFAULT_MB) - BASE_MB;
  return {
    cloud,
    retryBudget,
    report: records.openRecord,
    addNotice: records.addNotice,
    announceDeletions(deletions) {
      const { functionName, requestId, redact } = invocation;
      for (let from = 0; from < deletions.length; from += DELETIONS_A_LINE) {
        const plan = deletions.slice(from, from + DELETIONS_A_LINE);
        // On stderr, as it is no result: a snapshot has one record, when it is known what became of it.
        runtime.warn(redact(toLine({ level: "info", function: functionName, request_id: requestId, plan })));
      }
    },
    inFlight: runtime.inFlight,
    maxSnapshots: Math.max(10_000, freeMb * SNAPSHOTS_A_MB),
    maxTargets: Math.max(10_000, freeMb * TARGETS_A_MB),
    concurrency: readInteger(variables, "MAX_CONCURRENCY", { defaultValue: 8, min: 1, max: 256 }),
  };
};
