import { isObject } from "../core/json.ts";
import { preview } from "../core/preview.ts";

/** The trigger of an invocation, as in the field `trigger` of records. */
export type Trigger = "timer" | "cts" | "eventgrid" | "http" | "direct";

/**
 * Returns the trigger of an event. Checks only the fields that every event of a trigger has
 * (SOURCES.md#functiongraph-event-shapes), because the trigger's own reader validates the rest.
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

/** Describes an unexpected event for an error message. */
export const describeEvent = (event: unknown): string =>
  isObject(event) ? `an event of the trigger "${triggerOf(event)}"` : preview(event);
