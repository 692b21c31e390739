import { SnapshotError } from "../core/errors.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { createGatewayResponse, readHttpQuery } from "../functiongraph/read-http.ts";
import { describeEvent } from "../functiongraph/triggers.ts";
import { createErrorResponder } from "./error-responses.ts";
import { summary } from "./run-summary.ts";
import { timerEvent } from "./timer-event.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/** A request of a caller or of a timer to a function that only reads. */
export interface QueryRequest<Query> {
  body: Query;
  /** The value of the `Accept` header. Empty if the request has none. */
  accept: string;
}

/** A response with any type of body. */
export interface TextResponse {
  body: string;
  /** Contains at least the content type. */
  headers: Record<string, string>;
}

/**
 * Returns the trigger reader of functions that accept HTTP GET requests and timer events. The query parameters of a request
 * have the names of the fields in the `user_event` of a timer. A function responds to a timer event with a summary.
 *
 * @param readQuery converts query parameters or the fields of a `user_event`, and throws InvalidRequest
 */
export const queryRequest = <Query>(
  readQuery: (given: JsonObject, source: "http" | "timer") => Query,
): TriggerReader<QueryRequest<Query>, TextResponse | undefined> => ({
  read(event, invocation) {
    const { trigger } = invocation;
    if (trigger === "http" && isObject(event)) {
      const { query, accept } = readHttpQuery(event);
      return { body: readQuery(query, trigger), accept };
    }
    if (trigger !== "timer") {
      throw new SnapshotError(
        "InvalidRequest",
        `Expected an HTTP request from the API gateway or a TIMER event, got ${describeEvent(event)}.`,
      );
    }
    return { body: readQuery(timerEvent.read(event, invocation).body, trigger), accept: "" };
  },
  respond(response, { requestId, redact }) {
    if (response === undefined) return undefined;
    const { body, headers } = response;
    return createGatewayResponse(200, redact(body), {
      ...headers,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": requestId,
    });
  },
  respondToError: createErrorResponder("GET"),
  summary: {
    after: (request) => (request.context.trigger === "http" ? undefined : summary.after?.(request)),
    onError: (request) => summary.onError?.(request),
  },
});
