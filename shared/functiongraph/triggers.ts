import { isObject } from "../snapshots/json.ts";

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

/** What came in place of the event that was expected, for a message. */
export const whatCame = (event: unknown): string =>
  isObject(event) ? `an event of the trigger "${triggerOf(event)}"` : shown(event);

/** The beginning of a value, for a message: enough to recognise it. */
export function shown(value: unknown): string {
  // A text is cut before it is put in quotes, so that the second one is there too.
  if (typeof value === "string" && value.length > 80) return JSON.stringify(`${value.slice(0, 80)}…`);
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
