import type middy from "@middy/core";
import type { Instant } from "../core/instant.ts";
import type { RetryBudget } from "../core/retry.ts";
import type { PlatformContext } from "../functiongraph/platform-context.ts";
import type { Trigger } from "../functiongraph/triggers.ts";
import type { Variables } from "../functiongraph/variables.ts";
import type { Connection } from "../huaweicloud/http/sdk-client.ts";
import type { Topic } from "../huaweicloud/lts.ts";
import type { Delivery } from "../results/log-delivery.ts";
import type { Records } from "../results/records.ts";
import type { Runtime } from "./runtime.ts";

/**
 * The data of one invocation before its configuration is read. Code that writes records or reports errors accepts this
 * type, because it must also work if the configuration is invalid.
 */
export interface BaseInvocation {
  functionName: string;
  requestId: string;
  trigger: Trigger;
  /** The time of the event. Undefined if the event contains no time. */
  eventTime?: Instant;
  startedAt: Instant;
  /** The time until which the platform accepts a response. */
  endsAt: Instant;
  platform: PlatformContext;
  variables: Variables;
  runtime: Runtime;
  records: Records;
  /** Delivers the records to the logging topic. */
  delivery: Delivery;
  /** The logging topic and the connection to it. Undefined if records are only printed on stdout. */
  logging?: { topic: Topic; connection: Connection };
  /** Whether the logging topic received all records. `off` means that no logging topic is configured. */
  topicState: "delivered" | "failed" | "off";
  /** The credentials that `redact` removes. */
  secrets: string[];
  /** Replaces every secret in a text by `***`. */
  redact(text: string): string;
  /** The fields in the response of an event function, except the number of targets for each outcome. */
  summary: { policy?: string; targets: number; deferredTo: string[] };
}

/** The data of one invocation after its configuration is read. Every handler receives it as its second argument. */
export interface Invocation extends BaseInvocation {
  /** The endpoints, project and credentials for requests to the cloud. */
  connection: Connection;
  /** How long the handler may work, and how long it may retry a call that fails because a resource is busy. */
  retryBudget: RetryBudget;
}

/** A middy middleware that receives the invocation as its context. */
export type Middleware = middy.MiddlewareObj<unknown, unknown, Error, BaseInvocation>;
