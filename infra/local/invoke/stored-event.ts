/** Converts the content of the file that `npm run invoke` receives into the event of the function. */

import { isObject, type JsonObject } from "../../../shared/core/json.ts";
import { loadDefinitions } from "../../definitions.ts";
import { timerEvent } from "../site/events.ts";
import { BadUsage } from "../terminal/arguments.ts";
import { policyOf } from "./real-cloud.ts";

const DEFINITIONS = await loadDefinitions();

const TIMER_FUNCTIONS = DEFINITIONS.filter(({ trigger }) => trigger.type === "timer").map(({ name }) => name);

/** An event, and a sentence about how the command created the event if the file contains something else. */
export interface StoredEvent {
  event: unknown;
  note?: string;
}

/**
 * Returns the event of a function for the content of a file. An event is returned unchanged. A policy becomes a timer event, and a
 * request body of pre-deploy becomes the event of an HTTP request.
 *
 * @param path the path of the file, for messages
 * @param now the time of a timer event
 * @throws BadUsage if the file contains a policy, but the function does not accept policies
 */
export function toEvent(functionName: string, content: unknown, path: string, now = new Date()): StoredEvent {
  if (functionName === "pre-deploy" && isRequestBody(content)) {
    return {
      event: httpEvent(functionName, content),
      note: "The file contains a request body, so invoke sent the body in an HTTP request.",
    };
  }
  if (!isPolicy(content)) return { event: content };
  if (functionName === "verify-snapshots") {
    return {
      event: { ...timerEvent({ policy: functionName }, now), user_event: "{}" },
      note: "The file contains a policy, but verify-snapshots checks the snapshots of every policy.",
    };
  }
  if (TIMER_FUNCTIONS.includes(functionName)) {
    return {
      event: timerEvent(content, now),
      note: "The file contains a policy, so invoke sent the policy in a timer event.",
    };
  }
  const expected =
    functionName === "pre-deploy"
      ? 'a request body such as {"deployment_id": "release-7", "targets": [...]}'
      : `an event of ${functionName} (see test/events)`;
  throw new BadUsage(
    `Expected ${expected} in ${path}, got a policy. ${TIMER_FUNCTIONS.join(", ")} accept a policy. For pre-deploy, copy "targets" into a file and add "deployment_id".`,
  );
}

/**
 * Returns a sentence about the policy that the event contains, with the rules of prune-snapshots, or about the time window of
 * verify-snapshots. Returns undefined for any other event.
 */
export function describeSettings(functionName: string, event: unknown): string | undefined {
  const { policy, retention, lookback_minutes: minutes } = policyOf(event) ?? {};
  if (functionName === "verify-snapshots" && typeof minutes === "number") {
    return `Checked the last ${minutes % 60 === 0 ? `${minutes / 60} hours` : `${minutes} minutes`} (lookback_minutes ${minutes}).`;
  }
  if (typeof policy !== "string") return undefined;
  const rules = functionName === "prune-snapshots" ? Object.entries(Object(retention)) : [];
  return `Policy ${policy}${rules.length === 0 ? "" : `: ${rules.map((rule) => rule.join(" ")).join(", ")}`}.`;
}

/** Returns whether a value is the body of a request to pre-deploy and not the event of an HTTP request with this body. */
const isRequestBody = (value: unknown): value is JsonObject =>
  isObject(value) && "deployment_id" in value && !("httpMethod" in value);

/** Returns whether a value is a policy and not an event that contains a policy. */
const isPolicy = (value: unknown): value is JsonObject & { policy: string } =>
  isObject(value) && typeof value.policy === "string" && !("trigger_type" in value) && !("user_event" in value);

/** Returns the event that the API gateway sends for a POST request (SOURCES.md#functiongraph-apig-event). */
const httpEvent = (functionName: string, body: JsonObject) => ({
  body: JSON.stringify(body),
  requestContext: { stage: "RELEASE" },
  queryStringParameters: {},
  httpMethod: "POST",
  pathParameters: {},
  headers: { "content-type": "application/json" },
  path: `/${functionName}`,
  isBase64Encoded: false,
});
