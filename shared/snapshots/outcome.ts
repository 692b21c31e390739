import type { SnapshotError } from "./reasons.ts";

/** What became of a target, or of the run (DESIGN 4.6). README.md repeats them; a test holds the two together. */
export const OUTCOMES = {
  accepted: { level: "info", says: "the cloud took it" },
  existing: { level: "info", says: "an earlier delivery of the same request made it" },
  available: { level: "info", says: "it can be restored from" },
  failed: { level: "error", says: "it was not taken, or it ended in an error state" },
  rejected: { level: "error", says: "the input was refused; nothing reached the cloud" },
  skipped: { level: "info", says: "there was nothing to do; `detail` says why" },
  deferred: { level: "info", says: "handed on to a further invocation, which acknowledged it" },
  unverified: { level: "warn", says: "verify: stuck, or in a status that is not known" },
  missing: { level: "warn", says: "verify: reserved" },
  planned: { level: "info", says: "dry run: it would have been done" },
  kept: { level: "info", says: "prune: the retention keeps it, by `rule`" },
  deleted: { level: "info", says: "prune: deleted" },
  held: { level: "info", says: "prune: held back from deletion" },
  done: { level: "info", says: "the run: every target ended well" },
} as const satisfies Record<string, { level: "info" | "warn" | "error"; says: string }>;

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
export type Report = (target: TargetFields) => (end: EndFields) => void;
