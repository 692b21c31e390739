import type { Invocation } from "./invocation.ts";

/** The retry settings of asynchronous events (SOURCES.md#functiongraph-async-retries). Terraform sets them for each function. */
export interface AsyncSettings {
  /** The maximum number of retries of one event, from 0 to 3. */
  retries: number;
  /** The maximum age of an event. The platform drops an older event instead of retrying it. */
  maxEventAgeSeconds: number;
  /** The delay before the first retry. The delay doubles with every retry. FunctionGraph does not document its delays. */
  retryDelayMs: number;
}

/** The message that the platform sends after the last retry of an event failed (SOURCES.md#functiongraph-destinations). */
export interface FailureNotice {
  timestamp: string;
  request_context: {
    request_id: string;
    function_urn: string;
    condition: "RetriesExhausted" | "EventAgeExceeded";
    approximate_invoke_count: number;
  };
  request_payload: unknown;
  response_context: { status_code: number; function_error: string };
  response_payload: unknown;
}

interface AsyncEvent {
  requestId: string;
  functionUrn: string;
  event: unknown;
  attempt(): Promise<Invocation>;
}

/** Creates a queue that runs asynchronous events, and retries an event whose invocation fails. */
export function createAsyncQueue(settings: AsyncSettings, onFailure: (notice: FailureNotice) => void) {
  const pending = new Set<Promise<void>>();
  const closing = new AbortController();

  /** Waits for `ms` milliseconds and resolves to true. If the queue is closed during this time, resolves to false immediately. */
  const pause = (ms: number) =>
    new Promise<boolean>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        closing.signal.removeEventListener("abort", done);
        resolve(!closing.signal.aborted);
      };
      const timer = setTimeout(done, ms);
      closing.signal.addEventListener("abort", done);
    });

  async function runWithRetries(item: AsyncEvent): Promise<void> {
    const acceptedAt = Date.now();
    for (let count = 1; !closing.signal.aborted; count++) {
      const invocation = await item.attempt();
      if (!invocation.error || closing.signal.aborted) return;
      const delay = settings.retryDelayMs * 2 ** (count - 1);
      const isTooOld = Date.now() + delay - acceptedAt > settings.maxEventAgeSeconds * 1000;
      if (count > settings.retries || isTooOld) {
        onFailure({
          timestamp: new Date().toISOString(),
          request_context: {
            request_id: item.requestId,
            function_urn: item.functionUrn,
            condition: count > settings.retries ? "RetriesExhausted" : "EventAgeExceeded",
            approximate_invoke_count: count,
          },
          request_payload: item.event,
          response_context: { status_code: 200, function_error: invocation.error.errorType },
          response_payload: invocation.error,
        });
        return;
      }
      if (!(await pause(delay))) return;
    }
  }

  return {
    add(item: AsyncEvent): void {
      const done = runWithRetries(item).finally(() => pending.delete(done));
      pending.add(done);
    },
    /** Waits until no event is queued, running or waiting for a retry. Also waits for events that these events cause. */
    async idle(): Promise<void> {
      while (pending.size > 0) await Promise.all(pending);
    },
    close(): void {
      closing.abort();
    },
  };
}
