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
  version: "of this format: 1",
  time: "when it was written: UTC, milliseconds",
  level: "`info`, `warn` or `error`; a run with `detail` or `unverified` targets: `warn`",
  function: "the function's name",
  request_id: "of the invocation",
  trigger: "`timer`, `cts`, `eventgrid`, `http` or `direct`",
  event_time: "a timer's or trace's own time, which stays the same when it is delivered again",
  action: "`create`, `verify`, `prune`; `run` for the run itself",
  kind: "of the snapshot",
  resource_id: "the disk, server or cluster",
  policy: "what it is marked with; of a run, its policy",
  deployment_id: "of a gate",
  outcome: "below",
  outcomes: "of a run: how many targets ended how",
  name: "of the snapshot",
  snapshot_id: "of the snapshot, or of the group",
  job_id: "v5: the task of the create call",
  rule: "prune: why it is kept, held or deleted",
  detail: "what deserves a look",
  attempts: "how many times the create was sent",
  duration_ms: "of the target or the run",
  "error.reason": "below",
  "error.code": "the cloud's own, such as `EVS.5404`",
  "error.message": "what was expected, what came and what to do, with the cloud's own words",
  "error.status": "the cloud's HTTP status",
  "error.request_id": "the cloud's own: what a ticket needs",
};
