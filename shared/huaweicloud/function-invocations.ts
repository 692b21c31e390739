import type { JsonObject } from "../core/json.ts";
import { textAt } from "../core/json.ts";
import { type Connection, sendOptions, unusable } from "./http/sdk-client.ts";

/** The most that an asynchronous invocation takes (functiongraph.md 1.7), less what the envelope of a call may cost. */
export const LARGEST_PAYLOAD = 250 * 1024;

/**
 * Invokes a function asynchronously with an event (functiongraph.md 8) and returns the id under which it runs. It counts
 * as handed on only with that id: like a create, a call without an answer may or may not have had its effect, so that
 * the error is `open` then.
 */
export async function invokeAsync(connection: Connection, functionUrn: string, event: JsonObject): Promise<string> {
  const answer = await sendOptions(connection, "FUNCTIONGRAPH", "create", {
    method: "POST",
    url: "/v2/{project_id}/fgs/functions/{function_urn}/invocations-async",
    pathParams: { function_urn: functionUrn },
    data: event,
  });
  const requestId = textAt(answer.body, "request_id");
  if (!requestId) throw unusable("a request_id", answer, true);
  return requestId;
}
