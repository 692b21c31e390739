/** Writes the records of one invocation, exactly one for each target, and counts their outcomes. */

import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { formatInstant, type Instant } from "../core/instant.ts";
import { type EndFields, errorFields, LEVELS, type Outcome, type RunFields, type TargetFields } from "./record.ts";
import { toRecordLine } from "./record-line.ts";

/** The number of targets for each outcome. */
export type OutcomeCounts = Partial<Record<Outcome, number>>;

/**
 * Writes the result records of one invocation. The record of a target is written when the work on the target is finished.
 */
export interface Records {
  /** Opens the record of a target before the work on it starts. Returns a function that completes and writes the record. */
  openRecord(target: TargetFields): (end: EndFields) => void;
  /** Returns the number of targets for each outcome. */
  counts(): OutcomeCounts;
  /** Replaces the counts, for a run that does not write a record for every target. */
  setCounts(counts: OutcomeCounts): void;
  /** Writes a failed record with `error` for every target whose record is still open, and then the record of the run. */
  close(error: SnapshotError | undefined): void;
  /** True if at least one target has failed or was rejected. */
  readonly hasFailed: boolean;
  /** Adds a sentence to the `detail` of the run's record. If no target failed, the level of that record becomes `warn`. */
  addNotice(detail: string): void;
  /** True if at least one record of a target was opened. */
  readonly hasTargets: boolean;
}

/**
 * Starts to collect the records of one invocation.
 *
 * @param run returns the fields that all records of the invocation have in common. Called for each record, because some
 *   fields become known during the run.
 * @param print receives the line of each record
 * @param redact removes the secrets from a line
 */
export function startRecords(
  run: () => RunFields,
  now: () => Instant,
  print: (line: string) => void,
  redact: (text: string) => string,
): Records {
  const started = now();
  const written: OutcomeCounts = {};
  let counts = written;
  const openRecords = new Set<(end: EndFields) => void>();
  let hasTargets = false;
  let hasFailedTarget = false;
  let notices: string | undefined;
  let closed = false;

  const write = (fields: { outcome: Outcome } & Record<string, unknown>, since: Instant) => {
    const time = now();
    const { function: name, request_id, trigger, event_time } = run();
    const record = {
      version: 1,
      time: formatInstant(time),
      level: LEVELS[fields.outcome as keyof typeof LEVELS] ?? "info",
      function: name,
      request_id,
      trigger,
      event_time,
      ...fields,
      duration_ms: time - since,
    };
    print(toRecordLine(record, redact));
  };

  const openRecord = (target: TargetFields) => {
    // Work that continues after `close` writes no record, because the record of the run must be the last record.
    if (closed) return () => {};
    hasTargets = true;
    const since = now();
    const complete = ({ error, ...ended }: EndFields) => {
      // Ignore every call except the first, because a target has exactly one record.
      if (!openRecords.delete(complete)) return;
      written[ended.outcome] = (written[ended.outcome] ?? 0) + 1;
      // A run of verify-snapshots that finds a failed snapshot has done its work, so the run does not fail.
      const isFinding = target.action === "verify" && error?.reason === "SnapshotFailed";
      if ((ended.outcome === "failed" && !isFinding) || ended.outcome === "rejected") hasFailedTarget = true;
      const known = Object.fromEntries(Object.entries(ended).filter(([, value]) => value !== undefined));
      write({ ...target, ...known, outcome: ended.outcome, ...(error ? { error: errorFields(error) } : {}) }, since);
    };
    openRecords.add(complete);
    return complete;
  };

  return {
    openRecord,
    addNotice(detail) {
      notices = notices === undefined ? detail : `${notices} ${detail}`;
    },
    get hasFailed() {
      return hasFailedTarget;
    },
    get hasTargets() {
      return hasTargets;
    },
    counts: () => counts,
    setCounts(replacement) {
      counts = replacement;
    },
    close(error) {
      const unfinished =
        error ?? new SnapshotError("CloudError", "The invocation left the work on this target unfinished.");
      for (const complete of [...openRecords]) complete({ outcome: "failed", error: unfinished });
      closed = true;
      const outcome = hasFailedTarget || error !== undefined ? "failed" : "done";
      write(
        {
          action: "run",
          policy: run().policy,
          outcome,
          outcomes: { ...counts },
          ...(outcome === "done" && (notices !== undefined || counts.unverified) ? { level: "warn" } : {}),
          ...(notices === undefined ? {} : { detail: notices }),
          ...(error === undefined ? {} : { error: errorFields(error) }),
        },
        started,
      );
    },
  };
}

/**
 * Does the work on one target and writes the target's record.
 *
 * @throws SnapshotError if the work fails, after the record was written
 */
export async function runWithRecord<Result>(
  records: Records,
  target: TargetFields,
  work: () => Promise<{ result: Result; end: EndFields }>,
): Promise<Result> {
  const complete = records.openRecord(target);
  try {
    const { result, end } = await work();
    complete(end);
    return result;
  } catch (thrown) {
    const error = asSnapshotError(thrown);
    complete({ outcome: "failed", attempts: error.attempts, error });
    throw error;
  }
}
