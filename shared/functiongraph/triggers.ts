import { isObject } from "../core/json.ts";
import { preview } from "../core/preview.ts";

/** What started an invocation. Result records contain this value in the field `trigger`. */
export type Trigger = "timer" | "cts" | "eventgrid" | "http" | "direct";

/**
 * Returns which trigger sent an event. Checks only the fields that identify the trigger
 * (SOURCES.md#functiongraph-event-shapes), because the reader of each trigger validates all other fields.
 */
export function triggerOf(event: unknown): Trigger {
  if (Array.isArray(event) && event.some((item) => isObject(item) && "specversion" in item)) return "eventgrid";
  if (!isObject(event)) return "direct";
  if ("httpMethod" in event) return "http";
  if ("cts" in event) return "cts";
  if (event.trigger_type === "TIMER") return "timer";
  if ("specversion" in event) return "eventgrid";
  return "direct";
}

/** Describes an event that a function does not accept, for an error message, such as `an event of the trigger "timer"`. */
export const describeEvent = (event: unknown): string =>
  isObject(event) ? `an event of the trigger "${triggerOf(event)}"` : preview(event);
