import type { SnapshotError } from "../core/errors.ts";
import type { EndFields, TargetFields } from "../snapshots/reporting.ts";

export * from "../snapshots/reporting.ts";

/** The fields that all records of an invocation have in common. */
export interface RunFields {
  function: string;
  request_id: string;
  trigger: string;
  event_time?: string;
  /** Only in the record of the run: its policy, even if the policy selects no resource. */
  policy?: string;
}

/** Returns the fields of an error in a record. */
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

/** A description of each field. Not part of the bundles. A test compares it with the table in README.md. */
export const FIELD_DESCRIPTIONS: Record<Field, string> = {
  version: "version of this format: 1",
  time: "time at which the record was written: UTC, with milliseconds",
  level: "`info`, `warn` or `error`; a run with `detail` or `unverified` targets: `warn`",
  function: "name of the function",
  request_id: "request id of the invocation",
  trigger: "`timer`, `cts`, `eventgrid`, `http` or `direct`",
  event_time: "time of the timer event or the trace; the same in every redelivery",
  action: "`create`, `verify`, `prune`; `run` in the record of the run",
  kind: "kind of the snapshot",
  resource_id: "id of the disk, server or cluster",
  policy: "policy that created the snapshot, or policy of the run",
  deployment_id: "id of the deployment that the gate protects",
  outcome: "see the outcomes below",
  outcomes: "number of targets for each outcome of a run",
  name: "name of the snapshot",
  snapshot_id: "id of the snapshot or of the group",
  job_id: "v5: id of the job of the create call",
  rule: "prune: the rule by which the snapshot is kept, held or deleted",
  detail: "what the operator should check",
  attempts: "number of times the create call was sent",
  duration_ms: "duration of the work on the target or of the run",
  "error.reason": "see the reasons below",
  "error.code": "the cloud's code, such as `EVS.5404`",
  "error.message": "what failed, the cloud's own message, and what to do",
  "error.status": "the cloud's HTTP status",
  "error.request_id": "the cloud's request id, for a support ticket",
};
