/**
 * The middleware that, at the end of an invocation, completes its result records and delivers them to the logging topic.
 */

import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { after, type Instant, instant } from "../core/instant.ts";
import { retryRead } from "../core/retry.ts";
import { boundText, escapeControls } from "../core/untrusted.ts";
import { reportLogs } from "../huaweicloud/lts.ts";
import type { TargetFields } from "../results/record.ts";
import { toLine } from "../results/record-line.ts";
import { changeStrings } from "./error-responses.ts";
import type { BaseInvocation, Middleware } from "./invocation.ts";
import { PartialFailureError } from "./run-summary.ts";

/** The maximum time for the delivery of one batch of records, in milliseconds. */
const DELIVERY_MS = 2_000;
/**
 * The maximum length of a thrown error's message in characters. A message with the maximum of 200 faults in a request fits
 * into this length.
 */
const MAX_THROWN_CHARACTERS = 64 * 1024;

/**
 * Returns a middleware that completes the records of an invocation, whether it succeeded or failed, and delivers them to
 * the logging topic. If the delivery fails, the function reports the loss in one line on stderr and does not fail, because
 * the records are also on stdout.
 *
 * @param target the fields of the record that the middleware writes about an invalid request
 */
export function createRecordMiddleware(target: TargetFields): Middleware {
  const finish = async (invocation: BaseInvocation, thrown?: unknown) => {
    const { records } = invocation;
    // A PartialFailureError means that targets failed, but that the run itself has no error. The records of the failed targets
    // contain the errors.
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
      // Shorten and escape the strings of the error, because the platform prints a thrown error unchanged. Do this only after
      // the records are written, because the records contain the original strings.
      if (request.error instanceof SnapshotError) {
        request.error = changeStrings(request.error, (text) => escapeControls(boundText(text, MAX_THROWN_CHARACTERS)));
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
  const message = `The logging topic did not accept ${lost} of ${lines} records. All records are on stdout. Cause: ${cause}`;
  runtime.warn(redact(toLine({ level: "error", function: functionName, request_id: requestId, reason, message })));
}

/**
 * Sends a batch of records to the logging topic, and retries if the request fails. If the topic accepted the records but
 * its response was lost, the retry delivers the records a second time.
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

/**
 * How long before the end of the invocation the delivery must finish, in milliseconds. The function needs this time to
 * abort a request and to respond.
 */
const RESPONSE_MS = 150;

/** Returns the deadline for `calls` requests to the logging topic, one after the other. */
const deliveryDeadline = ({ endsAt, runtime }: BaseInvocation, calls: number): Instant =>
  instant(Math.min(after(endsAt, -RESPONSE_MS), after(runtime.time.now(), DELIVERY_MS * calls)));
