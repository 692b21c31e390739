/** Defines the state that all services of the embedded cloud share. */
import type { CloudClock } from "./clock.ts";
import type { CloudBehavior } from "./cloud-behavior.ts";
import type { Inventory } from "./inventory.ts";

/** A log line that a function sent to LTS. */
export interface LogEntry {
  /** The log line as parsed JSON, or as a string if the line is not JSON. */
  line: unknown;
  text: string;
  group: string;
  stream: string;
  labels: Record<string, unknown>;
  /** The time of the line in epoch nanoseconds. This is a string, because a JavaScript number is not precise enough. */
  log_time_ns: string;
  requestId: string;
}

/** An asynchronous invocation that the embedded FunctionGraph has accepted. */
export interface Invocation {
  urn: string;
  payload: unknown;
  requestId: string;
}

export interface CloudState {
  projectId: string;
  region: string;
  clock: CloudClock;
  inventory: Inventory;
  behavior: CloudBehavior;
  logs: LogEntry[];
  /** The log lines that LTS accepted but discarded, because their time differed by more than two days from the current time. */
  lostLogs: LogEntry[];
  invocations: Invocation[];
  invoke(invocation: Invocation): void;
}
