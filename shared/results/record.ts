/** Defines the fields of a result record, and describes each field for functions/README.md. Writes nothing. */

import type { SnapshotError } from "../core/errors.ts";
import type { EndFields, TargetFields } from "../snapshots/reporting.ts";

export * from "../snapshots/reporting.ts";

/** The fields that all records of an invocation have in common. */
export interface RunFields {
  function: string;
  request_id: string;
  trigger: string;
  event_time?: string;
  /** The policy of the run. The record of the run contains this field even if the policy selects no resource. */
  policy?: string;
}

/** Returns the object `error` of a record. */
export const errorFields = (error: SnapshotError) => ({
  reason: error.reason,
  code: error.code,
  message: error.message,
  status: error.status,
  request_id: error.requestId,
});

type Field =
  | "version"
  | "time"
  | "level"
  | "outcomes"
  | "duration_ms"
  | keyof RunFields
  | keyof TargetFields
  | Exclude<keyof EndFields, "error">
  | `error.${keyof ReturnType<typeof errorFields>}`;

/**
 * Describes each field of a record. A test compares the descriptions with the table in functions/README.md. The bundles do not
 * contain them.
 */
export const FIELD_DESCRIPTIONS: Record<Field, string> = {
  version: "version of the record format: 1",
  time: "time at which the function wrote the record, in UTC",
  level: "`info`, `warn` or `error`; see [Outcomes](#outcomes)",
  function: "name of the function",
  request_id: "request id of the invocation",
  trigger: "`timer`, `cts`, `eventgrid`, `http` or `direct`",
  event_time: "time of the event, identical in every redelivery",
  action: "`create`, `verify`, `prune`, `coverage` or `run`",
  kind: "kind of snapshot, such as `standard-snapshot`",
  resource_id: "id of the disk, server or cluster",
  policy: "name of the policy of the snapshot or of the run",
  deployment_id: "`deployment_id` of the pre-deploy request",
  outcome: "result of the target or run; see [Outcomes](#outcomes)",
  outcomes: "number of targets or resources with each outcome",
  name: "name of the snapshot",
  snapshot_id: "id of the snapshot or of the snapshot group",
  job_id: "id of the EVS v5 job that creates the snapshot",
  rule: "why prune-snapshots keeps or deletes the snapshot",
  /**
   * Tells the operator what happened and what to do, in addition to `outcome` and `error`.
   *
   * - In the record of a target, the function that completes the record writes `detail`:
   *   - `createHandler`, `createAll`, `passGate`: the status of a snapshot is unknown, or why it is not created yet
   *   - `snapshotAttachedDisks`: why a trace is skipped
   *   - `runSchedule`, `listByKind`: what cannot be listed
   *   - `fanOut`: which invocation processes the target
   *   - `verify`: what is wrong with a snapshot
   *   - `prune`, `executeDeletions`: why a snapshot is or is not deleted
   * - In the record of a run, `detail` joins the notices that `createHandler`, `runSchedule`, `listByKind`, `verify`,
   *   `prune`, and the handlers of verify-snapshots and prune-snapshots pass to `addNotice`.
   */
  detail: "what happened, and what the operator should do",
  attempts: "number of times the function sent the create request",
  duration_ms: "how long the target or the run took, in milliseconds",
  "error.reason": "why the target or run failed; see [Reasons](#reasons)",
  "error.code": "error code in the cloud's response, such as `EVS.5404`",
  "error.message": "what failed, the cloud's error message, and what to do",
  "error.status": "HTTP status of the cloud's response",
  "error.request_id": "request id in the cloud's response, for support",
};
