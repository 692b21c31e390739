import { SnapshotError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { gatewayResponse, readHttp } from "../functiongraph/read-http.ts";
import { describeEvent } from "../functiongraph/triggers.ts";
import type { CreateResult } from "../snapshots/create/create-once.ts";
import { deriveKey } from "../snapshots/marker.ts";
import type { Invocation, Middleware } from "./invocation.ts";

/** A create call as it came in, over HTTP or directly. */
export interface CreateCall<Body = unknown> {
  body: Body;
  /** What makes it one: the caller's Idempotency-Key, else this invocation's request id (DESIGN 4.4). */
  key: string;
}

/** Reads a create call from either trigger, and answers it as the API itself would. */
export function createCall(): Middleware {
  return {
    before(request) {
      const { trigger, requestId } = request.context as Invocation;
      if (trigger !== "http" && trigger !== "direct") {
        throw new SnapshotError(
          "InvalidRequest",
          `Expected an HTTP request from the API gateway, or the body of the API's call by itself, got ${describeEvent(request.event)}.`,
        );
      }
      const { body, idempotencyKey } =
        trigger === "http" ? readHttp(request.event as JsonObject) : { body: request.event, idempotencyKey: undefined };
      const key = idempotencyKey === undefined ? deriveKey("request", requestId) : deriveKey("http", idempotencyKey);
      request.event = { body, key } satisfies CreateCall;
    },
    after(request) {
      const { trigger, requestId, redact } = request.context as Invocation;
      const { status, body: text, outcome } = request.response as CreateResult;
      // As the API said it, to the byte, except for what nobody may see.
      const body = redact(text);
      request.response =
        trigger === "http"
          ? gatewayResponse(status, body, { "x-request-id": requestId, "x-snapshot-outcome": outcome })
          : JSON.parse(body);
    },
  };
}
