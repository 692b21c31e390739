import { SnapshotError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { type GatewayResponse, gatewayResponse, readHttp } from "../functiongraph/read-http.ts";
import { describeEvent } from "../functiongraph/triggers.ts";
import type { Invocation, Middleware } from "./invocation.ts";

/** What the handler of an HTTP function answers with. */
export interface JsonAnswer {
  status: number;
  body: JsonObject;
  headers?: Record<string, string>;
}

/** Reads the body of a call over HTTP, and writes the answer as the gateway wants it. */
export function httpCall(): Middleware {
  return {
    before(request) {
      const { trigger }: Invocation = request.context;
      if (trigger !== "http") {
        const came = describeEvent(request.event);
        throw new SnapshotError("InvalidRequest", `Expected an HTTP request from the API gateway, got ${came}.`);
      }
      request.event = { body: readHttp(request.event).body };
    },
    after(request) {
      const { requestId, redact }: Invocation = request.context;
      const { status, body, headers }: JsonAnswer = request.response;
      const answer: GatewayResponse = gatewayResponse(status, redact(JSON.stringify(body)), {
        "x-request-id": requestId,
        ...headers,
      });
      request.response = answer;
    },
  };
}
