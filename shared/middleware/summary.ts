import type { Invocation, Middleware } from "./invocation.ts";

/** Targets failed, after all the others were done: the invocation fails, so that the platform delivers the event again. */
export class TargetsFailed extends Error {}

/** What a use case for events has done; throws TargetsFailed where a target failed. */
export function conclude(invocation: Invocation, summary: Partial<Invocation["summary"]>): void {
  Object.assign(invocation.summary, summary);
  if (invocation.records.failed) throw new TargetsFailed();
}

/**
 * The answer of an event function: what became of how many targets, where the rest went, whether the topic took the
 * records. Where a target failed it is the message of the error instead, because the platform shows nothing else.
 */
export function summary(): Middleware {
  return {
    after(request) {
      request.response = summaryOf(request.context);
    },
    onError(request) {
      if (!(request.error instanceof TargetsFailed)) return;
      const error = new Error(JSON.stringify(summaryOf(request.context)));
      error.name = "TargetsFailed";
      error.stack = error.message;
      request.error = error;
    },
  };
}

const summaryOf = ({ functionName, records, topicState, summary: { policy, targets, deferredTo } }: Invocation) => ({
  function: functionName,
  ...(policy === undefined ? {} : { policy }),
  targets,
  outcomes: records.counts(),
  deferred_to: deferredTo,
  topic: topicState,
});
