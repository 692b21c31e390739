import { textAt } from "../core/json.ts";
import { type Connection, sendOptions, unusable } from "./http/sdk-client.ts";

export interface Topic {
  logGroupId: string;
  logStreamId: string;
}

/**
 * Reports lines to a log stream (cloud-apis.md 6.1): at most 500 lines or 512 KB a call (DESIGN 4.6). Delivered means
 * 200 and a code that ends in `.200.200`; anything else rejects.
 */
export async function reportLogs(connection: Connection, topic: Topic, lines: string[]): Promise<void> {
  const answer = await sendOptions(connection, "LTS", "read", {
    method: "POST",
    url: "/v2/{project_id}/lts/groups/{log_group_id}/streams/{log_stream_id}/tenant/contents",
    pathParams: { log_group_id: topic.logGroupId, log_stream_id: topic.logStreamId },
    // Nanoseconds are beyond 2^53, but a whole number of milliseconds times 10^6 prints right. The labels are mandatory.
    data: { log_time_ns: connection.now() * 1_000_000, contents: lines, labels: { source: "snapshot-functions" } },
  });
  const code = textAt(answer.body, "errorCode") ?? textAt(answer.body, "error_code");
  if (answer.status !== 200 || !code?.endsWith(".200.200")) {
    throw unusable("200 and a code that ends in .200.200", answer);
  }
}
