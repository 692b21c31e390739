import { readStringField } from "../core/json.ts";
import { unexpectedResponse } from "./http/api-response.ts";
import { type Connection, sendOptions } from "./http/sdk-client.ts";

/** An LTS log stream that receives result records. */
export interface Topic {
  logGroupId: string;
  logStreamId: string;
}

/**
 * Sends log lines to an LTS log stream (SOURCES.md#lts-report).
 *
 * @param lines at most 500 lines and 512 KB in total
 * @throws SnapshotError BadResponse unless the response has the status 200 and an error code that ends in `.200.200`
 */
export async function reportLogs(connection: Connection, topic: Topic, lines: string[]): Promise<void> {
  const response = await sendOptions(connection, "LTS", "read", {
    method: "POST",
    url: "/v2/{project_id}/lts/groups/{log_group_id}/streams/{log_stream_id}/tenant/contents",
    pathParams: { log_group_id: topic.logGroupId, log_stream_id: topic.logStreamId },
    // A time in nanoseconds is greater than 2^53. JSON.stringify still writes all its digits correctly, because the time is a
    // whole number of milliseconds. The field `labels` is mandatory (SOURCES.md#lts-body).
    data: { log_time_ns: connection.now() * 1_000_000, contents: lines, labels: { source: "snapshot-functions" } },
  });
  const code = readStringField(response.body, "errorCode") ?? readStringField(response.body, "error_code");
  if (response.status !== 200 || !code?.endsWith(".200.200")) {
    throw unexpectedResponse('the status 200 and an error code that ends with ".200.200"', response);
  }
}

/** The API calls in this file, each with the IAM actions that the call requires. Log reports to LTS require no action. */
export const calls = { "lts.reportLogs": [] };
