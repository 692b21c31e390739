import { after, formatInstant } from "../core/instant.ts";
import { readContext } from "../functiongraph/platform-context.ts";
import { triggerOf } from "../functiongraph/triggers.ts";
import { variablesOf } from "../functiongraph/variables.ts";
import { startDelivery } from "../results/log-delivery.ts";
import { startRecords } from "../results/records.ts";
import { createRedactor } from "../results/redact.ts";
import type { BaseInvocation } from "./invocation.ts";
import { sendRecords } from "./result-records.ts";
import type { Runtime } from "./runtime.ts";

/**
 * The maximum duration of an HTTP invocation in milliseconds. The gateway closes a request after 60 s, so the caller would
 * not receive a later response: SOURCES.md#functiongraph-backend-timeout
 */
const HTTP_LIMIT_MS = 55_000;
/** The time limit of an invocation if neither the context nor RUNTIME_TIMEOUT contains one, in milliseconds. */
const DEFAULT_TIME_LIMIT_MS = 30_000;

/**
 * Creates the invocation for an event: its request id, trigger, time limit and records. Never throws, because a failure
 * before the records exist could not be recorded.
 *
 * The time limit does not come from middy, because middy reads the remaining time with a method that only AWS provides:
 * SOURCES.md#functiongraph-remaining-time
 */
export function startInvocation(
  functionName: string,
  { time: clock, ...others }: Runtime,
  event: unknown,
  context: unknown,
): BaseInvocation {
  const platform = readContext(context);
  const time = clock.anchored?.() ?? clock;
  const runtime: Runtime = { ...others, time };
  const { environment } = runtime;
  const requestId = platform.requestId || runtime.newId();
  const trigger = triggerOf(event);
  const startedAt = time.now();
  const timeLimitMs = Number(environment.RUNTIME_TIMEOUT) * 1000 || DEFAULT_TIME_LIMIT_MS;
  const remainingMs = Math.max(0, platform.remainingMs ?? timeLimitMs);
  const secrets: string[] = [];
  const redact = (text: string) => createRedactor(secrets)(text);
  const records = startRecords(
    () => ({
      function: functionName,
      request_id: requestId,
      trigger,
      ...(invocation.eventTime === undefined ? {} : { event_time: formatInstant(invocation.eventTime) }),
      policy: invocation.summary.policy,
    }),
    () => time.now(),
    (line) => {
      runtime.print(line);
      if (invocation.logging !== undefined) invocation.delivery.add(line);
    },
    redact,
  );
  const invocation: BaseInvocation = {
    functionName,
    requestId,
    trigger,
    startedAt,
    endsAt: after(startedAt, trigger === "http" ? Math.min(remainingMs, HTTP_LIMIT_MS) : remainingMs),
    platform,
    variables: variablesOf(platform.userData, environment),
    runtime,
    records,
    delivery: startDelivery((batch) => sendRecords(invocation, batch)),
    topicState: "off",
    secrets,
    redact,
    summary: { targets: 0, deferredTo: [] },
  };
  return invocation;
}
