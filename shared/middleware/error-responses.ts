import { asSnapshotError, REASONS, SnapshotError } from "../core/errors.ts";
import { gatewayResponse, MethodNotAllowed } from "../functiongraph/read-http.ts";
import type { Invocation, Middleware } from "./invocation.ts";
import { PartialFailureError } from "./run-summary.ts";

/**
 * Gives a failure its form: over HTTP the API's own envelope with a status by reason, never a throw (the gateway would
 * answer 500 with nothing in it); else an error whose message says all, because that is what the platform shows.
 *
 * @param answers "event": of a function that no gateway waits for, whatever event it was given
 */
export function errors(answers: "http" | "event" = "http"): Middleware {
  return {
    onError(request) {
      if (request.error instanceof PartialFailureError) return;
      const error = asSnapshotError(request.error);
      const invocation = request.context as Invocation;
      const clean = withoutSecrets(error, invocation.redact);
      request.error = clean;
      if (answers === "event" || invocation.trigger !== "http") return;
      const { requestId } = invocation;
      const body = {
        error: {
          code: error.code ?? error.reason,
          message: error.message,
          reason: error.reason,
          request_id: requestId,
        },
      };
      const refused = error instanceof MethodNotAllowed;
      const status = refused ? error.httpStatus : REASONS[error.reason].httpStatus;
      request.response = gatewayResponse(status, invocation.redact(JSON.stringify(body)), {
        "x-request-id": requestId,
        ...(refused ? { allow: error.allow } : {}),
        ...(error.retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(error.retryAfterMs / 1000)) }),
      });
    },
  };
}

/** The same error, clean: without its cause and stack, of which the platform may print either, like any field. */
function withoutSecrets(error: SnapshotError, redact: (text: string) => string): SnapshotError {
  const { reason, status, retryAfterMs, attempts } = error;
  const [code, requestId] = [error.code, error.requestId].map((text) => (text === undefined ? text : redact(text)));
  const clean = new SnapshotError(reason, redact(error.message), { code, status, requestId, retryAfterMs, attempts });
  clean.stack = `${clean.name}: ${clean.message}`;
  return clean;
}
