import { SnapshotError } from "../core/errors.ts";
import { after, formatInstant } from "../core/instant.ts";
import { readContext } from "../functiongraph/platform-context.ts";
import { type Trigger, triggerOf } from "../functiongraph/triggers.ts";
import { checkId, readInteger, type Variables, variablesOf } from "../functiongraph/variables.ts";
import { type Credentials, readCredentials, secretsOf } from "../huaweicloud/http/credentials.ts";
import { endpointOf } from "../huaweicloud/http/endpoints.ts";
import { createRateLimiter } from "../huaweicloud/http/rate-limiter.ts";
import type { Connection } from "../huaweicloud/http/sdk-client.ts";
import type { Topic } from "../huaweicloud/lts.ts";
import { startDelivery } from "../results/log-delivery.ts";
import { startRecords } from "../results/records.ts";
import { redactor } from "../results/redact.ts";
import type { Invocation, Middleware } from "./invocation.ts";
import { sendRecords } from "./result-records.ts";
import type { Runtime } from "./runtime.ts";

/** Kept before the platform's deadline: for the logging topic (DESIGN 4.6), and for the answer itself. */
const TOPIC_RESERVE_MS = 2_000;
const ANSWER_RESERVE_MS = 250;
/** The gateway gives up after 60 s (DESIGN 4.3): an answer after that reaches nobody. */
const HTTP_LIMIT_MS = 55_000;
/** How long a busy or throttled resource is waited for while somebody waits for the answer. */
const CALLER_PATIENCE_MS = 15_000;
/** For one attempt. */
const TIMEOUT_BY_DEFAULT_MS = 10_000;
/** Where the context does not say how much time is left and RUNTIME_TIMEOUT does not either. */
const TIME_BY_DEFAULT_MS = 30_000;

/**
 * Turns the platform's context into this project's `Invocation`: who and when, the deadline, the configuration, the
 * cloud with the agency's credentials. middy's own deadline looks for AWS's name of the remaining time
 * (functiongraph.md 1.1), so the deadline is kept here: past it nothing begins, and what is in flight is cut off.
 *
 * Throws Misconfigured, after the invocation is there to record it.
 */
export function context(functionName: string, runtime: Runtime): Middleware {
  return {
    before(request) {
      const { invocation, secrets } = begin(functionName, runtime, request.event, request.context);
      request.context = invocation;
      const credentials = readCredentials(invocation.platform.agency, runtime.environment);
      secrets.push(...secretsOf(credentials));
      configure(invocation, credentials);
    },
  };
}

function begin(functionName: string, { time: clock, ...others }: Runtime, event: unknown, given: unknown) {
  const platform = readContext(given);
  const time = clock.anchored?.() ?? clock;
  const runtime: Runtime = { ...others, time };
  const { environment } = runtime;
  const startedAt = time.now();
  const secrets: string[] = [];
  const trigger: Trigger = triggerOf(event);
  const timeoutMs = Number(environment.RUNTIME_TIMEOUT) * 1000 || TIME_BY_DEFAULT_MS;
  const remaining = Math.max(0, platform.remainingMs ?? timeoutMs);
  const endsAt = after(startedAt, trigger === "http" ? Math.min(remaining, HTTP_LIMIT_MS) : remaining);
  const redact = (text: string) => redactor(secrets)(text);
  const invocation = {
    functionName,
    requestId: platform.requestId || runtime.newId(),
    trigger,
    startedAt,
    endsAt,
    platform,
    variables: variablesOf(platform.userData, environment),
    runtime,
    redact,
    retryBudget: { time, deadline: after(endsAt, -ANSWER_RESERVE_MS) },
    topicState: "off",
    summary: { targets: 0, deferredTo: [] },
  } as unknown as Invocation;
  invocation.delivery = startDelivery((batch) => sendRecords(invocation, batch));
  invocation.records = startRecords(
    () => ({
      function: functionName,
      request_id: invocation.requestId,
      trigger,
      ...(invocation.eventTime === undefined ? {} : { event_time: formatInstant(invocation.eventTime) }),
      policy: invocation.summary.policy,
    }),
    () => time.now(),
    (line) => {
      runtime.print(line);
      if (invocation.topic !== undefined) invocation.delivery.add(line);
    },
    redact,
  );
  return { invocation, secrets };
}

function configure(invocation: Invocation, credentials: Credentials): void {
  const { variables, platform, runtime, startedAt, endsAt, trigger } = invocation;
  const { time, environment } = runtime;
  const connection: Connection = {
    transport: runtime.transport,
    credentials,
    projectId: readProjectId(variables, platform.projectId || environment.RUNTIME_PROJECT_ID || ""),
    endpoint: (service) => endpointOf(service, variables),
    timeoutMs: TIMEOUT_BY_DEFAULT_MS,
    now: () => time.now(),
    sleep: time.sleep,
    limiter: createRateLimiter(time),
    deadline: endsAt,
  };
  invocation.connection = connection;
  // The topic first: the record of what is wrong with the rest goes there too.
  invocation.topic = readTopic(variables);
  connection.timeoutMs = readInteger(variables, "HTTP_TIMEOUT_MS", {
    defaultValue: TIMEOUT_BY_DEFAULT_MS,
    min: 1,
    max: 600_000,
  });
  const reserve = ANSWER_RESERVE_MS + (invocation.topic === undefined ? 0 : TOPIC_RESERVE_MS);
  const until = after(endsAt, -reserve);
  const waited = trigger === "http" || trigger === "direct";
  connection.deadline = until;
  invocation.retryBudget = {
    time,
    deadline: until,
    ...(waited ? { maxWait: after(startedAt, CALLER_PATIENCE_MS) } : {}),
  };
}

function readProjectId(variables: Variables, ofContext: string): string {
  const given = variables("PROJECT_ID") ?? ofContext;
  if (given === "") {
    throw new SnapshotError(
      "Misconfigured",
      "PROJECT_ID: expected the id of a project; it is not set and the context has none.",
    );
  }
  return checkId("PROJECT_ID", given);
}

/** The logging topic: all three variables or none. */
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
