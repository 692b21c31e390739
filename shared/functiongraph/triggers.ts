import { isObject } from "../core/json.ts";
import { preview } from "../core/preview.ts";

/** What started an invocation, as result records name it. */
export type Trigger = "timer" | "cts" | "eventgrid" | "http" | "direct";

/**
 * Tells the trigger by the shape of its event (functiongraph.md 2). Only the names that each event always has are
 * looked at; whether the rest is right is for the trigger's reader to say.
 */
export function triggerOf(event: unknown): Trigger {
  if (Array.isArray(event) && event.some((one) => isObject(one) && "specversion" in one)) return "eventgrid";
  if (!isObject(event)) return "direct";
  if ("httpMethod" in event) return "http";
  if ("cts" in event) return "cts";
  if (event.trigger_type === "TIMER") return "timer";
  if ("specversion" in event) return "eventgrid";
  return "direct";
}

/** Describes the event that came instead of the expected one, for an error message. */
export const describeEvent = (event: unknown): string =>
  isObject(event) ? `an event of the trigger "${triggerOf(event)}"` : preview(event);
