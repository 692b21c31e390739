import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { after, type Instant, instant } from "../core/instant.ts";
import { retryRead } from "../core/retry.ts";
import { boundText, escapeControls } from "../core/untrusted.ts";
import { reportLogs } from "../huaweicloud/lts.ts";
import type { TargetFields } from "../results/record.ts";
import { toLine } from "../results/record-line.ts";
import { withTexts } from "./error-responses.ts";
import type { BaseInvocation, Middleware } from "./invocation.ts";
import { PartialFailureError } from "./run-summary.ts";

/** The time that each batch of records has for its delivery. */
const DELIVERY_MS = 2_000;
/** Room for a message that names 200 faults of a request. */
const MAX_THROWN_CHARACTERS = 64 * 1024;

/**
 * Completes the records of an invocation, however it ends, and delivers them to the logging topic. If the topic does not
 * accept them, they are on stdout nevertheless, one line on stderr reports the loss, and the invocation does not fail.
 *
 * @param target what the record of a rejected request contains about the target
 */
export function results(target: TargetFields): Middleware {
  const finish = async (invocation: BaseInvocation, thrown?: unknown) => {
    const { records } = invocation;
    // If only targets failed, their own records have the errors. The run itself has none.
    const error = thrown && !(thrown instanceof PartialFailureError) ? asSnapshotError(thrown) : undefined;
    if (error?.reason === "InvalidRequest" && !records.hasTargets) {
      records.openRecord({ ...target, policy: invocation.summary.policy })({ outcome: "rejected", error });
    }
    records.close(error);
    await deliver(invocation);
  };
  return {
    after: ({ context }) => finish(context),
    async onError(request) {
      await finish(request.context, request.error);
      // The records have the original strings. The platform prints a thrown error without any change.
      if (request.error instanceof SnapshotError) {
        request.error = withTexts(request.error, (text) => escapeControls(boundText(text, MAX_THROWN_CHARACTERS)));
      }
    },
  };
}

async function deliver(invocation: BaseInvocation): Promise<void> {
  const { logging, delivery, runtime, redact, functionName, requestId } = invocation;
  if (logging === undefined) return;
  const { lines, lost, why } = await delivery.end((calls) => {
    const deadline = deliveryDeadline(invocation, calls);
    return (batch) => sendRecords(invocation, batch, deadline);
  });
  invocation.topicState = lost === 0 ? "delivered" : "failed";
  if (lost === 0) return;
  const { reason, message: cause } = asSnapshotError(why);
  const message = `The logging topic did not take ${lost} of ${lines} records, which are on stdout: ${cause}`;
  runtime.warn(redact(toLine({ level: "error", function: functionName, request_id: requestId, reason, message })));
}

/**
 * Sends a batch of records to the logging topic. A batch whose response was lost is sent again, so a record can be in the topic
 * twice, but is never missing.
 */
export async function sendRecords(
  invocation: BaseInvocation,
  batch: string[],
  deadline: Instant = deliveryDeadline(invocation, 1),
): Promise<void> {
  const { logging, runtime } = invocation;
  if (logging === undefined) return;
  const report = () => reportLogs({ ...logging.connection, deadline }, logging.topic, batch);
  await retryRead(report, { time: runtime.time, deadline });
}

/** Time for the response itself, and for a request that has to be aborted. */
const RESPONSE_MS = 150;

/** Returns the deadline of a number of deliveries that follow each other. */
const deliveryDeadline = ({ endsAt, runtime }: BaseInvocation, calls: number): Instant =>
  instant(Math.min(after(endsAt, -RESPONSE_MS), after(runtime.time.now(), DELIVERY_MS * calls)));
