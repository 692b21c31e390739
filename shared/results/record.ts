import type { SnapshotError } from "../snapshots/reasons.ts";

export * from "../snapshots/outcome.ts";

/** The fields that every record of an invocation has. */
export interface RunFields {
  function: string;
  request_id: string;
  trigger: string;
  event_time?: string;
  /** Of the run's own record: the policy that the run is of, whether or not it selected anything. */
  policy?: string;
}

/** How the error is written into a record. */
export const errorFields = (error: SnapshotError) => ({
  reason: error.reason,
  code: error.code,
  message: error.message,
  status: error.status,
  request_id: error.requestId,
});
