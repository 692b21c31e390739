/**
 * Declares what use cases report about a target: outcomes, record fields and callbacks. shared/results implements the
 * callbacks.
 */

import type { SnapshotError } from "../core/errors.ts";

/** The log level of a result record by its outcome. If an outcome is not listed, its level is `info`. */
export const LEVELS = {
  failed: "error",
  rejected: "error",
  unverified: "warn",
  failing: "error",
  unprotected: "error",
  stale: "warn",
  unknown: "warn",
} as const satisfies Partial<Record<Outcome, "warn" | "error">>;

/**
 * Describes every outcome of a target or a run. No function loads these descriptions; a test compares them with the table in
 * functions/README.md.
 *
 * `deferred` means that this invocation did not create the snapshot of a target. Two functions use it, with different meanings:
 *
 * - Schedule (`scheduled-snapshots`, functions/scheduled-snapshots/shards.ts): another invocation of the function creates the
 *   snapshot. FunctionGraph has acknowledged that invocation.
 * - Deployment gate (`pre-deploy`, shared/snapshots/create/deployment-gate.ts): nothing creates the snapshot until the caller
 *   repeats the request, because the invocation ran out of time or its API requests were throttled.
 */
// Stryker disable all: a test compares the descriptions with functions/README.md
export const OUTCOME_DESCRIPTIONS = {
  accepted: "EVS or DWS accepted the create request",
  existing: "an earlier attempt of the request created the snapshot",
  available: "the snapshot is available, so it can be restored",
  failed: "the operation failed, or the snapshot has an error status",
  rejected: "the input is invalid; no request was sent to EVS or DWS",
  skipped: "nothing to do for the target; `detail` contains the reason",
  deferred: "a later invocation or request creates the snapshot",
  unverified: "the creation or deletion is unconfirmed; see `detail`",
  planned: "dry run: would create the snapshot, or do as `detail` says",
  kept: "prune: the snapshot is kept; `rule` contains the reason",
  deleted: "a list after the delete request confirmed the deletion",
  held: "prune: never deleted; `rule` contains the reason",
  done: "run: no target failed, and the run itself did not fail",
  protected: "coverage: newest good snapshot at most `max_age_hours` old",
  stale: "coverage: newest good snapshot over `max_age_hours` old",
  failing: "coverage: a snapshot failed, and no newer one is good",
  unprotected: "coverage: the disk or cluster has no good snapshot",
  unknown: "coverage: unclear if a good snapshot exists; see `detail`",
  excluded: "coverage: the disk or cluster has a tag in `exclude_tags`",
  orphaned: "coverage: snapshots of a deleted disk or cluster exist",
} as const satisfies Record<string, string>;
// Stryker restore all

export type Outcome = keyof typeof OUTCOME_DESCRIPTIONS;
export type Action = "create" | "verify" | "prune" | "coverage" | "run";

/** The fields of a target's result record that are known before the work on the target starts. */
export interface TargetFields {
  action: Exclude<Action, "run">;
  kind?: string;
  resource_id?: string;
  name?: string;
  snapshot_id?: string;
  policy?: string;
  deployment_id?: string;
}

/** The fields of a target's result record that are known only when the work on the target is finished. */
export interface EndFields {
  outcome: Outcome;
  /** The level of the record. Default: the level of the outcome in `LEVELS`. */
  level?: "warn";
  name?: string;
  snapshot_id?: string;
  job_id?: string;
  rule?: string;
  detail?: string;
  attempts?: number;
  error?: SnapshotError;
}

/** Opens the result record of a target and returns the function that completes the record. Implemented in shared/results. */
export type ResultReporter = (target: TargetFields) => (end: EndFields) => void;

/** Adds warnings and planned deletions to the log of a run. Implemented in shared/middleware. */
export interface RunNotices {
  /** Adds a warning to the result record of the run. */
  addNotice(detail: string): void;
  /**
   * Logs all planned deletions before the first deletion. If the invocation is killed before it writes a result record for each
   * deletion, the log still lists the deletions.
   */
  announceDeletions(deletions: readonly Deletion[]): void;
}

/** A planned deletion of one snapshot, as the log lists it before the first deletion. */
export interface Deletion {
  kind: string;
  resource_id?: string;
  snapshot_id: string;
  rule: string;
}
