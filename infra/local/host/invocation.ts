import type { FunctionError } from "./instance.ts";

/** One finished invocation. `error` is undefined if and only if the function succeeded. */
export interface Invocation {
  function: string;
  requestId: string;
  result?: unknown;
  error?: FunctionError;
  /** Whether the invocation started a new instance. */
  cold: boolean;
  durationMs: number;
}
