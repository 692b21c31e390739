/** The middleware that creates the response of an event function: a summary of the outcomes. It writes no result record. */

import { toLine } from "../results/record-line.ts";
import type { BaseInvocation, Middleware } from "./invocation.ts";

/**
 * Thrown after all targets were processed, if at least one target failed. The invocation then fails, so the platform
 * redelivers the event.
 */
export class PartialFailureError extends Error {}

/**
 * Stores the summary of an event function's run, and makes the invocation fail if a target failed.
 *
 * @param summary the fields of the response, except the number of targets for each outcome
 * @throws PartialFailureError if a target failed
 */
export function finishRun(invocation: BaseInvocation, summary: Partial<BaseInvocation["summary"]>): void {
  Object.assign(invocation.summary, summary);
  if (invocation.records.hasFailed) throw new PartialFailureError();
}

/**
 * The middleware that creates the response of an event function: the number of targets for each outcome, the invocations
 * that received the deferred targets, and whether the logging topic received the records. If a target failed, the function
 * throws an error with this summary as its message, because the platform shows nothing but the message.
 */
export const summary: Middleware = {
  after(request) {
    request.response = JSON.parse(serializeSummary(request.context));
  },
  onError(request) {
    if (!(request.error instanceof PartialFailureError)) return;
    const error = new Error(serializeSummary(request.context));
    error.name = "TargetsFailed";
    error.stack = error.message;
    request.error = error;
  },
};

/**
 * The maximum number of invocation ids in a summary. With more ids, an error message could exceed 64 KiB. The records
 * contain all ids.
 */
const MAX_DEFERRED_TO = 1_000;

/** Returns the summary as JSON. Removes secrets, because the summary can contain strings from the cloud. */
function serializeSummary({ functionName, records, topicState, redact, summary }: BaseInvocation): string {
  const { policy, targets, deferredTo } = summary;
  return redact(
    toLine({
      function: functionName,
      policy,
      targets,
      outcomes: records.counts(),
      deferred_to: deferredTo.slice(0, MAX_DEFERRED_TO),
      topic: topicState,
    }),
  );
}
