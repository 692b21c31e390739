/** Builds the error responses of the API gateway itself, and writes all responses to the connection. */
import type { ServerResponse } from "node:http";
import type { RequestView } from "./requests.ts";
import { type ExceededLimit, throttleMessage } from "./throttle.ts";

/** A response with a serialized body. */
export interface WireResponse {
  status: number;
  headers?: Record<string, string>;
  text: string;
  /** Runs after the response has been sent. */
  afterwards?: (() => void) | undefined;
}

/** Returns the error body of the API gateway (SOURCES.md#gateway-error-envelope). */
export function gatewayError(code: string, message: string, requestId: string): unknown {
  return { error_msg: message, error_code: code, request_id: requestId };
}

/** Returns an error response of the API gateway. Stores its body in `view.answer`, so tests can read it. */
export function gatewayResponse(status: number, code: string, message: string, view: RequestView): WireResponse {
  const body = gatewayError(code, message, view.requestId);
  view.answer = body;
  return { status, text: JSON.stringify(body) };
}

/** Returns the API gateway's response to a request that exceeds a rate limit. */
export function throttledResponse(limit: ExceededLimit, view: RequestView, retryAfter?: number): WireResponse {
  const response = gatewayResponse(429, "APIGW.0308", throttleMessage(limit), view);
  return { ...response, ...(retryAfter === undefined ? {} : { headers: { "retry-after": String(retryAfter) } }) };
}

/**
 * Writes a response to the connection.
 *
 * @param truncate whether to close the connection after half of the body
 */
export function send(response: ServerResponse, { status, headers, text }: WireResponse, truncate = false): void {
  if (response.destroyed || response.headersSent) return;
  const body = Buffer.from(text);
  response.writeHead(status, {
    ...(body.length > 0 ? { "content-type": "application/json" } : {}),
    ...(status === 204 ? {} : { "content-length": body.length }),
    ...headers,
  });
  if (!truncate) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}
