/**
 * Declares what use cases report about a target: outcomes, record fields and callbacks. shared/results implements the
 * callbacks.
 */

import type { SnapshotError } from "../core/errors.ts";

/** The outcomes of targets and runs, with the level of their records. */
export const OUTCOMES = {
  accepted: "info",
  existing: "info",
  available: "info",
  failed: "error",
  rejected: "error",
  skipped: "info",
  deferred: "info",
  unverified: "warn",
  planned: "info",
  kept: "info",
  deleted: "info",
  held: "info",
  done: "info",
} as const satisfies Record<string, "info" | "warn" | "error">;

/** The meaning of each outcome. Not loaded at run time. A test compares it with the table in README.md. */
// Stryker disable all: a test of the project compares it with README.md
export const OUTCOMES_SAY: Record<Outcome, string> = {
  accepted: "the cloud took it",
  existing: "an earlier delivery of the same request made it",
  available: "it can be restored from",
  failed: "it was not taken, or it ended in an error state",
  rejected: "the input was refused; nothing reached the cloud",
  skipped: "there was nothing to do; `detail` says why",
  deferred: "handed on to a further invocation, which acknowledged it",
  unverified: "whether it is usable is not known: stuck, or its status is unknown or unreadable",
  planned: "dry run: it would have been done",
  kept: "prune: the retention keeps it, by `rule`",
  deleted: "prune: deleted",
  held: "prune: held back from deletion",
  done: "the run: every target ended well",
};
// Stryker restore all

export type Outcome = keyof typeof OUTCOMES;
export type Action = "create" | "verify" | "prune" | "run";

/** The fields of a record that are known before the work on the target starts. */
export interface TargetFields {
  action: Exclude<Action, "run">;
  kind?: string;
  resource_id?: string;
  name?: string;
  snapshot_id?: string;
  policy?: string;
  deployment_id?: string;
}

/** The fields of a record that are known when the work on the target is finished. */
export interface EndFields {
  outcome: Outcome;
  name?: string;
  snapshot_id?: string;
  job_id?: string;
  rule?: string;
  detail?: string;
  attempts?: number;
  error?: SnapshotError;
}

/** Opens the record of a target and returns the function that completes it. Implemented in shared/results. */
export type ResultReporter = (target: TargetFields) => (end: EndFields) => void;

/** Adds information to the record of a run. Implemented in shared/middleware. */
export interface RunNotices {
  /** Adds a warning to the record of the run. */
  addNotice(detail: string): void;
  /** Lists the planned deletions in a log line before the first one, in case the invocation ends before their records. */
  announceDeletions(deletions: readonly Deletion[]): void;
}

/** A planned deletion. */
export interface Deletion {
  kind: string;
  resource_id?: string;
  snapshot_id: string;
  rule: string;
}
