import type { SnapshotError } from "../core/errors.ts";

/** What became of a target, or of the run (DESIGN 4.6), and the level of its record. */
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

/** What each says. Not loaded at run time: README.md repeats it, and a test holds the two together. */
// Stryker disable all: for people; a test of the project holds the README against it
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

/** The fields that a target's record begins with. */
export interface TargetFields {
  action: Exclude<Action, "run">;
  kind?: string;
  resource_id?: string;
  name?: string;
  snapshot_id?: string;
  policy?: string;
  deployment_id?: string;
}

/** The fields that are known once it has ended. */
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

/** Begins the record of a target; the function that is returned ends it. Implemented in shared/results. */
export type ResultReporter = (target: TargetFields) => (end: EndFields) => void;

/** What is said of a run beside the records of its targets. Implemented in shared/middleware. */
export interface RunNotices {
  /** What deserves a look: the record of the run says it, as a warning. */
  addNotice(detail: string): void;
  /** What is about to be deleted, before the first of it is. */
  announceDeletions(deletions: readonly Deletion[]): void;
}

export interface Deletion {
  kind: string;
  resource_id?: string;
  snapshot_id: string;
  rule: string;
}
