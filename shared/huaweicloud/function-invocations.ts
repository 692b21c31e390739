import { type JsonObject, readStringField } from "../core/json.ts";
import { unexpectedResponse } from "./http/api-response.ts";
import { type Connection, sendOptions } from "./http/sdk-client.ts";

/**
 * The maximum size of the event for an asynchronous invocation, in bytes. FunctionGraph accepts 256 KB
 * (SOURCES.md#functiongraph-limits). The other 6 KB are reserved for fields that are added to the event, such as the shard number.
 */
export const LARGEST_PAYLOAD = 250 * 1024;

/**
 * Starts an asynchronous invocation of a function with the given event (SOURCES.md#functiongraph-async-invocation).
 *
 * @param functionUrn such as `urn:fss:eu-west-101:<project>:function:default:scheduled-snapshots:latest`
 * @returns the request id of the new invocation
 * @throws SnapshotError with `ambiguous` set if the invocation may have started, for example after a timeout
 */
export async function invokeAsync(connection: Connection, functionUrn: string, event: JsonObject): Promise<string> {
  const response = await sendOptions(connection, "FUNCTIONGRAPH", "create", {
    method: "POST",
    url: "/v2/{project_id}/fgs/functions/{function_urn}/invocations-async",
    pathParams: { function_urn: functionUrn },
    data: event,
  });
  const requestId = readStringField(response.body, "request_id");
  if (!requestId) throw unexpectedResponse("a request_id", response, true);
  return requestId;
}

/** The API calls in this file, each with the IAM actions that the call requires (infra/README.md, "Rights"). */
export const calls = {
  "functiongraph.invokeAsync": ["functiongraph:function:invokeAsync"],
};
