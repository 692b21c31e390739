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

/** One invocation of a function: what its handler gets in place of the platform's context. Nothing of it outlives it. */
export interface Invocation {
  functionName: string;
  requestId: string;
  trigger: Trigger;
  /** The time of the event, where it has one. */
  eventTime?: Instant;
  startedAt: Instant;
  /** The last moment at which the platform still takes an answer. */
  endsAt: Instant;
  platform: PlatformContext;
  variables: Variables;
  runtime: Runtime;
  records: Records;
  /** The way of the records to the topic. */
  delivery: Delivery;
  redact(text: string): string;
  /** How long work may go on and be waited for. */
  retryBudget: RetryBudget;
  /** The cloud, with this invocation's credentials. */
  connection: Connection;
  /** The logging topic; undefined: stdout alone. */
  topic?: Topic;
  topicState: "delivered" | "failed" | "off";
  /** What the summary of an event function says beyond the counts. */
  summary: { policy?: string; targets: number; deferredTo: string[] };
}

/**
 * A middleware of this project. Each one knows what the one before it made of event and context; middy's types cannot say
 * so, and would name AWS's.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Middleware = middy.MiddlewareObj<any, any, any, any>;
