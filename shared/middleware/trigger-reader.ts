import type { SnapshotError } from "../core/errors.ts";
import type { BaseInvocation, Middleware } from "./invocation.ts";

/**
 * Converts the events of one trigger into requests, and the results of handlers into responses.
 *
 * @typeParam Request the type of a request; a schema validates its `body`
 * @typeParam Result the type that the handler returns
 */
export interface TriggerReader<Request extends { body: unknown }, Result> {
  /**
   * Converts an event into a request. Also stores the event's time and policy in the invocation, because the records
   * contain both.
   *
   * @throws SnapshotError InvalidRequest
   */
  read(event: unknown, invocation: BaseInvocation): Request;
  /**
   * Converts the result of the handler into the response. Absent for event functions, because their response is a summary.
   */
  respond?(result: Result, invocation: BaseInvocation): unknown;
  /** Creates the response to an error. If this method is absent or returns undefined, the function throws the error. */
  respondToError?(error: SnapshotError, invocation: BaseInvocation): unknown;
  /** The middleware that creates the response of an event function. Absent for HTTP functions. */
  summary?: Middleware;
}
