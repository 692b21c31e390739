import { toLine } from "../results/record-line.ts";
import type { Invocation, Middleware } from "./invocation.ts";

/** Targets failed, after all the others were done: the invocation fails, so that the platform delivers the event again. */
export class PartialFailureError extends Error {}

/** What a use case for events has done; throws TargetsFailed where a target failed. */
export function finishRun(invocation: Invocation, summary: Partial<Invocation["summary"]>): void {
  Object.assign(invocation.summary, summary);
  if (invocation.records.hasFailed) throw new PartialFailureError();
}

/**
 * The answer of an event function: what became of how many targets, where the rest went, whether the topic took the
 * records. Where a target failed it is the message of the error instead, because the platform shows nothing else.
 */
export function summary(): Middleware {
  return {
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
}

/** The ids of so many shards fit into the message of an error, which is cut at 64 KiB. The records name all of them. */
const MAX_DEFERRED_TO = 1_000;

/** As JSON, in which nothing that the cloud said can carry a secret out. */
const summaryOf = (invocation: Invocation): string => {
  const { functionName, records, topicState, redact } = invocation;
  const { policy, targets, deferredTo } = invocation.summary;
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
};
