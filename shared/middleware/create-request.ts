import { SnapshotError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import { gatewayResponse, readHttp } from "../functiongraph/read-http.ts";
import { describeEvent } from "../functiongraph/triggers.ts";
import type { CreateResult } from "../snapshots/create/request.ts";
import { deriveKey } from "../snapshots/marker.ts";
import { respondToError } from "./error-responses.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/** A request to create one snapshot. */
export interface CreateRequest<Body = unknown> {
  body: Body;
  /** Identifies the request: derived from the caller's `Idempotency-Key`, or else from the id of the invocation. */
  idempotencyKey: string;
}

/** Reads a request to create a snapshot, over HTTP or as a direct call, and responds as the cloud's API does. */
export const createRequest: TriggerReader<CreateRequest, CreateResult> = {
  read(event, { trigger, requestId }) {
    if (trigger === "direct") return { body: event, idempotencyKey: deriveKey("request", requestId) };
    if (trigger !== "http" || !isObject(event)) {
      throw new SnapshotError(
        "InvalidRequest",
        `Expected an HTTP request from the API gateway, or the body of the API's call by itself, got ${describeEvent(event)}.`,
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
    // The body is the API's own, byte for byte, except for secrets.
    const text = redact(body);
    return trigger === "http"
      ? gatewayResponse(status, text, { "x-request-id": requestId, "x-snapshot-outcome": outcome })
      : JSON.parse(text);
  },
  respondToError,
};
