import { SnapshotError } from "../core/errors.ts";
import { type Instant, parseInstant } from "../core/instant.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { parseJson } from "../core/parse-json.ts";
import { preview } from "../core/preview.ts";
import { describeEvent } from "./triggers.ts";

/** The parts of a timer event that the functions use. */
export interface TimerEvent {
  /** The scheduled time of the event, which is the same in every redelivery. */
  time: Instant;
  /** The JSON object in the event's `user_event`. */
  body: JsonObject;
  /**
   * The event without fields that contain objects or arrays, because the events of real timers have no such fields.
   * scheduled-snapshots copies this event to start further invocations (shards).
   */
  event: JsonObject;
}

const EXPECTED_EVENT =
  'a TIMER event: {"version","time":"2023-06-01T08:30:00+08:00","trigger_type":"TIMER","trigger_name","user_event":"<JSON>"}';

/**
 * Reads and validates a timer event (SOURCES.md#functiongraph-timer-event).
 *
 * @throws SnapshotError InvalidRequest
 */
export function readTimer(event: unknown): TimerEvent {
  if (!isObject(event) || event.trigger_type !== "TIMER") {
    throw new SnapshotError("InvalidRequest", `Expected ${EXPECTED_EVENT}, got ${describeEvent(event)}.`);
  }
  const time = parseInstant(event.time);
  if (time === undefined) {
    throw new SnapshotError(
      "InvalidRequest",
      `time: expected a time such as 2023-06-01T08:30:00+08:00, got ${preview(event.time)}.`,
    );
  }
  const flatEvent = Object.fromEntries(Object.entries(event).filter(([, value]) => typeof value !== "object"));
  return { time, body: readUserEvent(event.user_event), event: flatEvent };
}

function readUserEvent(given: unknown): JsonObject {
  // If a user types JSON as the user event, some consoles send an object instead of a string.
  if (isObject(given)) return given;
  let parsed: unknown;
  let cause = "";
  try {
    parsed = typeof given === "string" ? parseJson(given) : undefined;
  } catch (thrown) {
    cause = `: ${(thrown as Error).message}`;
  }
  if (isObject(parsed)) return parsed;
  const got = `${preview(given)}${cause}`;
  throw new SnapshotError("InvalidRequest", `user_event: expected a string with a JSON object, got ${got}.`);
}
