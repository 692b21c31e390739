import { SnapshotError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import { createGatewayResponse, readHttp } from "../functiongraph/read-http.ts";
import { describeEvent } from "../functiongraph/triggers.ts";
import type { CreateResult } from "../snapshots/create/request.ts";
import { deriveKey } from "../snapshots/marker.ts";
import { createErrorResponder } from "./error-responses.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/** A request to a `create-*` function. */
export interface CreateRequest<Body = unknown> {
  body: Body;
  /**
   * Identifies the request. Derived from the `Idempotency-Key` header if the caller sends one, or else from the request id
   * of the invocation.
   */
  idempotencyKey: string;
}

/**
 * The trigger reader of the `create-*` functions. Accepts an HTTP request, or a request body as the event of a direct call,
 * and responds in the format of the cloud's API.
 */
export const createRequest: TriggerReader<CreateRequest, CreateResult> = {
  read(event, { trigger, requestId }) {
    if (trigger === "direct") return { body: event, idempotencyKey: deriveKey("request", requestId) };
    if (trigger !== "http" || !isObject(event)) {
      throw new SnapshotError(
        "InvalidRequest",
        `Expected an HTTP request from the API gateway, or its JSON body alone, got ${describeEvent(event)}.`,
      );
    }
    const { body, idempotencyKey } = readHttp(event);
    return {
      body,
      idempotencyKey:
        idempotencyKey === undefined ? deriveKey("request", requestId) : deriveKey("http", idempotencyKey),
    };
  },
  respond({ status, body, outcome }, { trigger, requestId, redact }) {
    // Return the body of the cloud's response unchanged, except for secrets.
    const text = redact(body);
    return trigger === "http"
      ? createGatewayResponse(status, text, { "x-request-id": requestId, "x-snapshot-outcome": outcome })
      : JSON.parse(text);
  },
  respondToError: createErrorResponder("POST"),
};
