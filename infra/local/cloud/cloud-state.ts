/** Defines the state that the services of the cloud share. */
import type { CloudClock } from "./clock.ts";
import type { CloudBehavior } from "./cloud-behavior.ts";
import type { Inventory } from "./inventory.ts";

export interface LogEntry {
  /** The parsed line if the line is JSON, otherwise the line as a string. */
  line: unknown;
  text: string;
  group: string;
  stream: string;
  labels: Record<string, unknown>;
  /** A string of digits, because a JavaScript number is not precise enough. */
  log_time_ns: string;
  requestId: string;
}

/** An asynchronous invocation that FunctionGraph has accepted. */
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
  /** The lines that LTS accepted and then discarded, because their time was more than two days off. */
  lostLogs: LogEntry[];
  invocations: Invocation[];
  invoke(invocation: Invocation): void;
}
