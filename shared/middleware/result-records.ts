import { asSnapshotError } from "../core/errors.ts";
import { after, type Instant, instant } from "../core/instant.ts";
import { retryRead } from "../core/retry.ts";
import { boundText, escapeControls } from "../core/untrusted.ts";
import { reportLogs } from "../huaweicloud/lts.ts";
import type { TargetFields } from "../results/record.ts";
import { toLine } from "../results/record-line.ts";
import type { Invocation, Middleware } from "./invocation.ts";
import { PartialFailureError } from "./run-summary.ts";

/** For each batch of records. */
const DELIVERY_MS = 2_000;

/**
 * Ends the records of an invocation, however it ends, and delivers them to the logging topic. Where the topic does not
 * take them they are on stdout all the same, a line on stderr says so, and the work is not undone.
 *
 * @param refused what the record of an input that was refused says it would have been
 */
export function results(refused: TargetFields): Middleware {
  const finish = async (request: { context: unknown; error?: unknown }) => {
    const invocation = request.context as Invocation;
    const { records } = invocation;
    // Targets that failed are said by their own records: they are no error of the run itself.
    const error =
      request.error && !(request.error instanceof PartialFailureError) ? asSnapshotError(request.error) : undefined;
    if (error?.reason === "InvalidRequest" && !records.hasTargets) {
      records.openRecord({ ...refused, policy: invocation.summary.policy })({ outcome: "rejected", error });
    }
    records.close(error);
    await deliver(invocation);
  };
  return {
    after: finish,
    async onError(request) {
      await finish(request);
      // The records have the original strings. The platform prints what is thrown as it is.
      for (const field of THROWN) {
        const text = request.error[field];
        if (typeof text === "string") request.error[field] = escapeControls(boundText(text, LONGEST_THROWN));
      }
    },
  };
}

/** The strings of an error that a platform may print. */
const THROWN = ["message", "stack", "code", "requestId"];
/** Room for a message that names 200 faults of a request. */
const LONGEST_THROWN = 64 * 1024;

async function deliver(invocation: Invocation): Promise<void> {
  const { topic, delivery, runtime, redact, functionName, requestId } = invocation;
  if (topic === undefined) return;
  const { lines, lost, why } = await delivery.end((calls) => {
    const until = timeFor(invocation, calls);
    return (batch) => sendRecords(invocation, batch, until);
  });
  invocation.topicState = lost === 0 ? "delivered" : "failed";
  if (lost === 0) return;
  const { reason, message } = asSnapshotError(why);
  const said = `The logging topic did not take ${lost} of ${lines} records, which are on stdout: ${message}`;
  runtime.warn(
    redact(toLine({ level: "error", function: functionName, request_id: requestId, reason, message: said })),
  );
}

/** Sends a batch of records. One whose answer was lost is sent again: a record may be there twice, never not at all. */
export async function sendRecords(
  invocation: Invocation,
  batch: string[],
  until: Instant = timeFor(invocation, 1),
): Promise<void> {
  const { topic, connection, runtime } = invocation;
  if (topic === undefined) return;
  const report = () => reportLogs({ ...connection, deadline: until }, topic, batch);
  await retryRead(report, { time: runtime.time, deadline: until });
}

/** Kept for the answer itself, and for a call that has to be given up. */
const ANSWER_MS = 150;

/** Until when so many calls may take. */
const timeFor = ({ endsAt, runtime }: Invocation, calls: number): Instant =>
  instant(Math.min(after(endsAt, -ANSWER_MS), after(runtime.time.now(), DELIVERY_MS * calls)));
