import type { FunctionError } from "./instance.ts";

/** A finished invocation. Has an `error` if the invocation failed, otherwise a `result`. */
export interface Invocation {
  function: string;
  requestId: string;
  result?: unknown;
  error?: FunctionError;
  /** Whether the invocation started a new instance (a cold start). */
  cold: boolean;
  durationMs: number;
}
