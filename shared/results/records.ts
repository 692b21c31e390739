import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { formatInstant, type Instant } from "../core/instant.ts";
import { type EndFields, errorFields, OUTCOMES, type Outcome, type RunFields, type TargetFields } from "./record.ts";
import { toRecordLine } from "./record-line.ts";

/** The result records of one invocation. Each record is written when its target ends. */
export interface Records {
  /** Starts the work on a target. Returns a function that writes the target's only record. */
  openRecord(target: TargetFields): (end: EndFields) => void;
  /** Returns the number of targets for each outcome. */
  counts(): Partial<Record<Outcome, number>>;
  /** Writes a record with `error` for every open target, and then the record of the run. */
  close(error: SnapshotError | undefined): void;
  /** True after a target failed. */
  readonly hasFailed: boolean;
  /** Adds a note to the record of the run, which becomes a warning. */
  addNotice(detail: string): void;
  /** True after the work on a target started. */
  readonly hasTargets: boolean;
}

/**
 * Creates the records of one invocation.
 *
 * @param run returns the common fields. It is called for each record, because some fields become known during the run
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
  const counts: Partial<Record<Outcome, number>> = {};
  const open = new Set<(end: EndFields) => void>();
  let hasTargets = false;
  let failed = false;
  let notices: string | undefined;
  let closed = false;

  const write = (fields: { outcome: Outcome } & Record<string, unknown>, since: Instant) => {
    const time = now();
    const { function: name, request_id, trigger, event_time } = run();
    const record = {
      version: 1,
      time: formatInstant(time),
      level: OUTCOMES[fields.outcome],
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
    // Work that continues after the deadline writes no record, because the record of the run must be the last one.
    if (closed) return () => {};
    hasTargets = true;
    const since = now();
    const complete = ({ error, ...ended }: EndFields) => {
      // Ignores every call but the first one, because a target has one record.
      if (!open.delete(complete)) return;
      counts[ended.outcome] = (counts[ended.outcome] ?? 0) + 1;
      // The purpose of verify is to find failed snapshots, so a failed snapshot is no failure of the run.
      const isFinding = target.action === "verify" && error?.reason === "SnapshotFailed";
      if ((ended.outcome === "failed" && !isFinding) || ended.outcome === "rejected") failed = true;
      const known = Object.fromEntries(Object.entries(ended).filter(([, value]) => value !== undefined));
      write({ ...target, ...known, outcome: ended.outcome, ...(error ? { error: errorFields(error) } : {}) }, since);
    };
    open.add(complete);
    return complete;
  };

  return {
    openRecord,
    addNotice(detail) {
      notices = notices === undefined ? detail : `${notices} ${detail}`;
    },
    get hasFailed() {
      return failed;
    },
    get hasTargets() {
      return hasTargets;
    },
    counts: () => counts,
    close(error) {
      const unfinished = error ?? new SnapshotError("CloudError", "The invocation ended before this target did.");
      for (const complete of [...open]) complete({ outcome: "failed", error: unfinished });
      closed = true;
      const outcome = failed || error !== undefined ? "failed" : "done";
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
 * Runs the work on one target and writes its record.
 *
 * @throws SnapshotError if the work throws, after the record was written
 */
export async function recorded<Result>(
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
