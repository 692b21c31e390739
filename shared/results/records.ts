import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { formatInstant, type Instant } from "../core/instant.ts";
import { type EndFields, errorFields, OUTCOMES, type Outcome, type RunFields, type TargetFields } from "./record.ts";
import { toRecordLine } from "./record-line.ts";

/** The result records of one invocation: each is written when it ends. */
export interface Records {
  /** Work on a target begins; the function that is returned writes its one terminal record. */
  openRecord(target: TargetFields): (end: EndFields) => void;
  /** How many targets ended how. */
  counts(): Partial<Record<Outcome, number>>;
  /** Ends what is still open with `error`, then writes the record of the run itself. */
  close(error: SnapshotError | undefined): void;
  /** True once a target failed. */
  readonly hasFailed: boolean;
  /** Something about the run that deserves a look: its record says it, as a warning. */
  addNotice(detail: string): void;
  /** True once work on a target has begun. */
  readonly hasTargets: boolean;
}

/**
 * @param run    what every record of this invocation has; read when a record is written, as more is known by then
 * @param print  takes a record's line: to stdout, and on its way to the logging topic
 * @param redact takes the secrets out of a line
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
  let begun = false;
  let failed = false;
  let remark: string | undefined;
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

  const begin = (target: TargetFields) => {
    // Work that was given up at the deadline may still go on: the run's record is the last one.
    if (closed) return () => {};
    begun = true;
    const since = now();
    const end = ({ error, ...ended }: EndFields) => {
      // The first end counts: a target has one terminal record, whatever comes after it.
      if (!open.delete(end)) return;
      counts[ended.outcome] = (counts[ended.outcome] ?? 0) + 1;
      // That a snapshot failed is what verify is there to find: its work is done.
      const finding = target.action === "verify" && error?.reason === "SnapshotFailed";
      if ((ended.outcome === "failed" && !finding) || ended.outcome === "rejected") failed = true;
      const known = Object.fromEntries(Object.entries(ended).filter(([, value]) => value !== undefined));
      write({ ...target, ...known, outcome: ended.outcome, ...(error ? { error: errorFields(error) } : {}) }, since);
    };
    open.add(end);
    return end;
  };

  return {
    openRecord: begin,
    addNotice(detail) {
      remark = remark === undefined ? detail : `${remark} ${detail}`;
    },
    get hasFailed() {
      return failed;
    },
    get hasTargets() {
      return begun;
    },
    counts: () => counts,
    close(error) {
      const unfinished = error ?? new SnapshotError("CloudError", "The invocation ended before this target did.");
      for (const end of [...open]) end({ outcome: "failed", error: unfinished });
      closed = true;
      const ended = failed || error !== undefined ? "failed" : "done";
      write(
        {
          action: "run",
          policy: run().policy,
          outcome: ended,
          outcomes: { ...counts },
          ...(ended === "done" && (remark !== undefined || counts.unverified) ? { level: "warn" } : {}),
          ...(remark === undefined ? {} : { detail: remark }),
          ...(error === undefined ? {} : { error: errorFields(error) }),
        },
        started,
      );
    },
  };
}

/** Work on one target, from its beginning to its record; an error is recorded and thrown on. */
export async function recorded<Result>(
  records: Records,
  target: TargetFields,
  work: () => Promise<{ result: Result; end: EndFields }>,
): Promise<Result> {
  const end = records.openRecord(target);
  try {
    const done = await work();
    end(done.end);
    return done.result;
  } catch (thrown) {
    const error = asSnapshotError(thrown);
    end({ outcome: "failed", attempts: error.attempts, error });
    throw error;
  }
}
