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
 * One invocation of a function before its configuration was read. An invocation without a valid configuration still writes
 * its records and reports its error, so those parts use this type. No part of it outlives the invocation.
 */
export interface BaseInvocation {
  functionName: string;
  requestId: string;
  trigger: Trigger;
  /** The time of the event, if the event has a time. */
  eventTime?: Instant;
  startedAt: Instant;
  /** The last moment at which the platform accepts a response. */
  endsAt: Instant;
  platform: PlatformContext;
  variables: Variables;
  runtime: Runtime;
  records: Records;
  /** Delivers the records to the logging topic. */
  delivery: Delivery;
  /** Where the records are delivered. Absent: the records are on stdout only. */
  logging?: { topic: Topic; connection: Connection };
  topicState: "delivered" | "failed" | "off";
  /** The values that `redact` removes. */
  secrets: string[];
  redact(text: string): string;
  /** What the response of an event function contains in addition to the counts of outcomes. */
  summary: { policy?: string; targets: number; deferredTo: string[] };
}

/** One configured invocation: the second argument of every handler. */
export interface Invocation extends BaseInvocation {
  /** Sends requests to the cloud with the credentials of this invocation. */
  connection: Connection;
  /** How long the handler may work, and how long it may wait for a busy resource. */
  retryBudget: RetryBudget;
}

/** A middy middleware whose context is the invocation. */
export type Middleware = middy.MiddlewareObj<unknown, unknown, Error, BaseInvocation>;
