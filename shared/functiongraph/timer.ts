import { type Instant, parseInstant } from "../snapshots/instant.ts";
import { isObject, type JsonObject } from "../snapshots/json.ts";
import { SnapshotError } from "../snapshots/reasons.ts";
import { shown, whatCame } from "./triggers.ts";

export interface TimerEvent {
  time: Instant;
  /** What `user_event` holds. */
  body: JsonObject;
  /** As it came: a shard's event is made of it. */
  event: JsonObject;
}

const EXPECTED =
  'a TIMER event: {"version","time":"2023-06-01T08:30:00+08:00","trigger_type":"TIMER","trigger_name","user_event":"<JSON>"}';

/** Reads a TIMER event (functiongraph.md 2.1). Throws InvalidRequest. */
export function readTimer(event: unknown): TimerEvent {
  if (!isObject(event) || event.trigger_type !== "TIMER") {
    throw new SnapshotError("InvalidRequest", `Expected ${EXPECTED}, got ${whatCame(event)}.`);
  }
  const time = parseInstant(event.time);
  if (time === undefined) {
    throw new SnapshotError("InvalidRequest", `time: expected ${EXPECTED}, got ${shown(event.time)}.`);
  }
  return { time, body: readUserEvent(event.user_event), event };
}

function readUserEvent(given: unknown): JsonObject {
  // An object is taken too: some consoles store what was typed as JSON.
  if (isObject(given)) return given;
  let parsed: unknown;
  let why = "";
  try {
    parsed = typeof given === "string" ? JSON.parse(given) : undefined;
  } catch (thrown) {
    why = `: ${(thrown as Error).message}`;
  }
  if (isObject(parsed)) return parsed;
  const got = `${shown(given)}${why}`;
  throw new SnapshotError("InvalidRequest", `user_event: expected a text that is a JSON object, got ${got}.`);
}
