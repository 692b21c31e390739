import { asSnapshotError, REASONS, SnapshotError } from "../core/errors.ts";
import { createGatewayResponse, type GatewayResponse } from "../functiongraph/read-http.ts";
import type { BaseInvocation, Middleware } from "./invocation.ts";
import { PartialFailureError } from "./run-summary.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/**
 * Returns a middleware that removes secrets from an error and creates the response to the error.
 *
 * @param respond creates the response; without it, the function throws the error
 */
export function createErrorMiddleware(respond?: TriggerReader<{ body: unknown }, never>["respondToError"]): Middleware {
  return {
    onError(request) {
      if (request.error instanceof PartialFailureError) return;
      const { context: invocation } = request;
      const error = asSnapshotError(request.error);
      request.error = changeStrings(error, invocation.redact);
      request.response = respond?.(error, invocation);
    },
  };
}

/**
 * Returns the function that creates the HTTP response to an error, in the error format of the cloud's API and with the HTTP status of the
 * error. An HTTP function must not throw, because the gateway would respond 500 without any detail:
 * SOURCES.md#functiongraph-apig-response
 *
 * @param method the only HTTP method that the function allows
 * @returns a function that returns undefined if the trigger is not HTTP
 */
export const createErrorResponder =
  (method: "GET" | "POST") =>
  (error: SnapshotError, invocation: BaseInvocation): GatewayResponse | undefined => {
    const { trigger, requestId, redact } = invocation;
    if (trigger !== "http") return undefined;
    const { code, reason, message, retryAfterMs, httpStatus = REASONS[reason].httpStatus } = error;
    const body = { error: { code: code ?? reason, message, reason, request_id: requestId } };
    return createGatewayResponse(httpStatus, redact(JSON.stringify(body)), {
      "x-request-id": requestId,
      ...(httpStatus === 405 ? { allow: method } : {}),
      ...(retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1000)) }),
    });
  };

/**
 * Copies an error and applies `change` to each of its strings. The copy has no cause and no stack trace, because the
 * platform may print both.
 */
export function changeStrings(error: SnapshotError, change: (text: string) => string): SnapshotError {
  const { reason, status, retryAfterMs, attempts } = error;
  const [code, requestId] = [error.code, error.requestId].map((text) => (text === undefined ? text : change(text)));
  const message = change(error.message);
  const copy = new SnapshotError(reason, message, { code, status, requestId, retryAfterMs, attempts });
  copy.stack = change(`${copy.name}: ${message}`);
  return copy;
}
