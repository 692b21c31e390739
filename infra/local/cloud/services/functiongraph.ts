/** Implements asynchronous invocations of FunctionGraph (SOURCES.md#functiongraph-async-invocation). */

import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, type Call, Refusal, type Service } from "../gateway/http.ts";
import { isObject } from "./constraints.ts";

/** The maximum size of the event of an asynchronous invocation, in bytes (SOURCES.md#functiongraph-limits). */
const MAX_PAYLOAD = 256 * 1024;

export const service: Service = {
  name: "functiongraph",
  behindGateway: true,
  failure: { 500: "FSS.0500", 503: "FSS.0503" },
  routes: [
    {
      operation: "functiongraph.invokeAsync",
      method: "POST",
      path: "/v2/{project_id}/fgs/functions/{function_urn}/invocations-async",
      handle: invoke,
    },
  ],
  envelope: ({ code, message }) => ({ error_code: code, error_msg: message }),
};

/** Responds with 202, and starts the function after the response has been sent. */
function invoke(call: Call, cloud: CloudState): ApiResponse {
  const urn = call.params.function_urn ?? "";
  const parts = /^urn:fss:([^:]+):([^:]+):function:([^:]+):([^:]+)(:[^:]+)?$/.exec(urn);
  if (!parts) throw new Refusal(400, "FSS.0400", "Invalid function urn.");
  const [, region, project, , name, version = ""] = parts;
  const known = cloud.behavior.functions?.some(
    (known) => known === urn || known === urn.slice(0, -version.length || undefined),
  );
  if (region !== cloud.region || project !== cloud.projectId || known === false) {
    throw new Refusal(404, "FSS.0404", `function '${name}' not exist`);
  }
  if (Buffer.byteLength(call.text) > MAX_PAYLOAD) throw new Refusal(413, "FSS.0413", "The request body is too large.");
  if (!isObject(call.json)) throw new Refusal(400, "FSS.0406", "The request body must be a JSON object.");
  const invocation = { urn, payload: call.json, requestId: call.requestId };
  cloud.invocations.push(invocation);
  return { status: 202, body: { request_id: call.requestId }, afterwards: () => cloud.invoke(invocation) };
}
