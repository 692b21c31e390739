import type { SnapshotError } from "../core/errors.ts";
import type { BaseInvocation, Middleware } from "./invocation.ts";

/**
 * Translates between the events of a trigger and a handler.
 *
 * @typeParam Request what `read` makes of an event; `body` is the part that a schema validates
 * @typeParam Result what the handler returns
 */
export interface TriggerReader<Request extends { body: unknown }, Result> {
  /**
   * Reads an event. Also sets the event's time and policy in the invocation, because the records contain them.
   *
   * @throws SnapshotError InvalidRequest
   */
  read(event: unknown, invocation: BaseInvocation): Request;
  /** Makes the function's response from the handler's result. Absent for event functions, whose response is a summary. */
  respond?(result: Result, invocation: BaseInvocation): unknown;
  /** Makes the response to a failure. If it is absent or returns undefined, the function throws the error. */
  respondToError?(error: SnapshotError, invocation: BaseInvocation): unknown;
  /** Makes the summary that an event function returns. Absent for HTTP functions. */
  summary?: Middleware;
}
