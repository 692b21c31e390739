import { reportLogs } from "../huaweicloud/lts.ts";
import type { TargetFields } from "../results/record.ts";
import { batchesOf } from "../results/topic.ts";
import { after, instant } from "../snapshots/instant.ts";
import { asSnapshotError } from "../snapshots/reasons.ts";
import { retryRead } from "../snapshots/waiting.ts";
import type { Invocation, Middleware } from "./invocation.ts";
import { TargetsFailed } from "./summary.ts";

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
      request.error && !(request.error instanceof TargetsFailed) ? asSnapshotError(request.error) : undefined;
    if (error?.reason === "InvalidRequest" && !records.begun) {
      records.begin({ ...refused, policy: invocation.summary.policy })({ outcome: "rejected", error });
    }
    await deliver(invocation, records.close(error));
  };
  return { after: finish, onError: finish };
}

async function deliver(invocation: Invocation, lines: string[]): Promise<void> {
  const { topic, connection, runtime, endsAt, redact, functionName, requestId } = invocation;
  if (topic === undefined) return;
  invocation.topicState = "failed";
  const batches = batchesOf(lines);
  const now = runtime.time.now();
  const deadline = instant(Math.min(after(endsAt, -50), after(now, DELIVERY_MS * batches.length)));
  let delivered = 0;
  try {
    for (const batch of batches) {
      // A report whose answer was lost is sent again: a record may be there twice, never not at all.
      await retryRead(() => reportLogs({ ...connection, deadline }, topic, batch), {
        time: runtime.time,
        until: deadline,
      });
      delivered += batch.length;
    }
    invocation.topicState = "delivered";
  } catch (thrown) {
    const { reason, message } = asSnapshotError(thrown);
    const why = `The logging topic did not take ${lines.length - delivered} of ${lines.length} records, which are on stdout: ${message}`;
    runtime.warn(
      redact(JSON.stringify({ level: "error", function: functionName, request_id: requestId, reason, message: why })),
    );
  }
}
