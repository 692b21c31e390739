import { SnapshotError } from "../core/errors.ts";
import { after } from "../core/instant.ts";
import { checkId, readInteger, type Variables } from "../functiongraph/variables.ts";
import { readCredentials, secretsOf } from "../huaweicloud/http/credentials.ts";
import { endpointOf } from "../huaweicloud/http/endpoints.ts";
import { createRateLimiter } from "../huaweicloud/http/rate-limiter.ts";
import type { Connection } from "../huaweicloud/http/sdk-client.ts";
import type { Topic } from "../huaweicloud/lts.ts";
import type { BaseInvocation, Invocation } from "./invocation.ts";

/**
 * How long before the end of the invocation the handler must finish, in milliseconds. The function then creates its
 * response.
 */
const RESPONSE_RESERVE_MS = 250;
/** How much earlier the handler must finish if the records are delivered to a logging topic, in milliseconds. */
const TOPIC_RESERVE_MS = 2_000;
/**
 * How long a function retries a call that fails with Busy or Throttled if a caller waits for the response, in milliseconds.
 */
const CALLER_WAIT_MS = 15_000;
/** The default timeout of one request to a cloud service, in milliseconds. */
const DEFAULT_HTTP_TIMEOUT_MS = 10_000;

/**
 * The default timeout of one create request while no caller waits, in milliseconds. EVS and DWS can create a snapshot long after
 * they received the request. A function that stops waiting earlier might create a second snapshot.
 */
const EVENT_CREATE_TIMEOUT_MS = 30_000;

/**
 * Reads the variables and credentials of a function and adds the results to the invocation.
 *
 * @returns the same object, with the connection to the cloud and the deadline of the handler
 * @throws SnapshotError Misconfigured
 */
export function configureInvocation(invocation: BaseInvocation): Invocation {
  const { variables, platform, runtime, startedAt, endsAt, trigger } = invocation;
  const { time, environment, transport } = runtime;
  const credentials = readCredentials(platform.agency, environment);
  invocation.secrets.push(...secretsOf(credentials));
  const connection: Connection = {
    transport,
    credentials,
    projectId: readProjectId(variables, platform.projectId || environment.RUNTIME_PROJECT_ID || ""),
    endpoint: (service) => endpointOf(service, variables),
    timeoutMs: DEFAULT_HTTP_TIMEOUT_MS,
    now: () => time.now(),
    sleep: time.sleep,
    limiter: createRateLimiter(time),
    deadline: endsAt,
  };
  // Read the logging topic first. If one of the remaining variables is invalid, the record about this error is sent to the
  // topic.
  const topic = readTopic(variables);
  if (topic !== undefined) invocation.logging = { topic, connection };
  connection.timeoutMs = readInteger(variables, "HTTP_TIMEOUT_MS", {
    defaultValue: DEFAULT_HTTP_TIMEOUT_MS,
    min: 1,
    max: 600_000,
  });
  const deadline = after(endsAt, -RESPONSE_RESERVE_MS - (topic === undefined ? 0 : TOPIC_RESERVE_MS));
  connection.deadline = deadline;
  const hasCaller = trigger === "http" || trigger === "direct";
  if (!hasCaller && variables("HTTP_TIMEOUT_MS") === undefined) connection.createTimeoutMs = EVENT_CREATE_TIMEOUT_MS;
  const maxWait = hasCaller ? { maxWait: after(startedAt, CALLER_WAIT_MS) } : {};
  return Object.assign(invocation, { connection, retryBudget: { time, deadline, ...maxWait } });
}

function readProjectId(variables: Variables, fromContext: string): string {
  const projectId = variables("PROJECT_ID") ?? fromContext;
  if (projectId === "") {
    throw new SnapshotError(
      "Misconfigured",
      "PROJECT_ID: expected a project id, but the variable is not set and the context has no project id.",
    );
  }
  return checkId("PROJECT_ID", projectId);
}

/** Reads the logging topic from its three variables. Returns undefined if none of the three is set. */
function readTopic(variables: Variables): Topic | undefined {
  const names = ["LTS_ENDPOINT", "LTS_LOG_GROUP_ID", "LTS_LOG_STREAM_ID"] as const;
  const missing = names.filter((name) => variables(name) === undefined);
  if (missing.length === names.length) return undefined;
  if (missing.length > 0) {
    throw new SnapshotError(
      "Misconfigured",
      `Expected all of ${names.join(", ")} (the logging topic) or none; ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not set.`,
    );
  }
  endpointOf("LTS", variables);
  const [, group, stream] = names;
  return {
    logGroupId: checkId(group, String(variables(group))),
    logStreamId: checkId(stream, String(variables(stream))),
  };
}
