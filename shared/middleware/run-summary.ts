import { toLine } from "../results/record-line.ts";
import type { BaseInvocation, Middleware } from "./invocation.ts";

/** At least one target failed, after all targets were processed. The invocation fails, so the platform redelivers the event. */
export class PartialFailureError extends Error {}

/**
 * Finishes the run of an event function.
 *
 * @param summary what the function's response contains in addition to the counts of outcomes
 * @throws PartialFailureError if a target failed
 */
export function finishRun(invocation: BaseInvocation, summary: Partial<BaseInvocation["summary"]>): void {
  Object.assign(invocation.summary, summary);
  if (invocation.records.hasFailed) throw new PartialFailureError();
}

/**
 * Makes the response of an event function: how many targets had which outcome, which invocations received the deferred ones,
 * and whether the logging topic received the records. If a target failed, the summary is the message of the thrown error,
 * because the platform shows only that.
 */
export const summary: Middleware = {
  after(request) {
    request.response = JSON.parse(summaryOf(request.context));
  },
  onError(request) {
    if (!(request.error instanceof PartialFailureError)) return;
    const error = new Error(summaryOf(request.context));
    error.name = "TargetsFailed";
    error.stack = error.message;
    request.error = error;
  },
};

/** The ids of 1,000 invocations fit into an error message, which is cut at 64 KiB. The records contain all ids. */
const MAX_DEFERRED_TO = 1_000;

/** Returns the summary as JSON without secrets, because the summary can contain strings of the cloud. */
function summaryOf({ functionName, records, topicState, redact, summary }: BaseInvocation): string {
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
