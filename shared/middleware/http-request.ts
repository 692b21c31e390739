import { SnapshotError } from "../core/errors.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { gatewayResponse, readHttp } from "../functiongraph/read-http.ts";
import { describeEvent } from "../functiongraph/triggers.ts";
import { respondToError } from "./error-responses.ts";
import type { TriggerReader } from "./trigger-reader.ts";

/** What the handler of an HTTP function returns. */
export interface JsonAnswer {
  status: number;
  body: JsonObject;
  headers?: Record<string, string>;
}

/** Reads a request over HTTP, and responds with JSON. */
export const httpRequest: TriggerReader<{ body: unknown }, JsonAnswer> = {
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
    return gatewayResponse(status, redact(JSON.stringify(body)), { "x-request-id": requestId, ...headers });
  },
  respondToError,
};
