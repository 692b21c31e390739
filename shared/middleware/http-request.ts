import { SnapshotError } from "../core/errors.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { createGatewayResponse, readHttp } from "../functiongraph/read-http.ts";
import { describeEvent } from "../functiongraph/triggers.ts";
import { createErrorResponder } from "./error-responses.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/** A response with a JSON body, as the handler of an HTTP function returns it. */
export interface JsonResponse {
  status: number;
  body: JsonObject;
  headers?: Record<string, string>;
}

/** The trigger reader of functions that only accept HTTP requests. Responds with JSON. */
export const httpRequest: TriggerReader<{ body: unknown }, JsonResponse> = {
  read(event, { trigger }) {
    if (trigger !== "http" || !isObject(event)) {
      throw new SnapshotError(
        "InvalidRequest",
        `Expected an HTTP request from the API gateway, got ${describeEvent(event)}.`,
      );
    }
    return { body: readHttp(event).body };
  },
  respond({ status, body, headers }, { requestId, redact }) {
    return createGatewayResponse(status, redact(JSON.stringify(body)), { "x-request-id": requestId, ...headers });
  },
  respondToError: createErrorResponder("POST"),
};
