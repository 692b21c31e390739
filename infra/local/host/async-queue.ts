import type { Invocation } from "./host.ts";

/** How the platform treats an asynchronous event (functiongraph.md 1.6): per function, set in Terraform. */
export interface AsyncSettings {
  /** 0 to 3; the platform does not retry unless this is configured. */
  retries: number;
  /** An event that is older is dropped instead of retried. */
  maxEventAgeSeconds: number;
  /** Before the first retry, doubled for each further one. The platform's own waits are not documented. */
  retryDelayMs: number;
}

/** What a failure destination is sent (functiongraph.md 1.6). */
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

/** Takes events, runs each with the retries that are set, and knows when none is left. */
export function makeAsyncQueue(settings: AsyncSettings, onFailure: (notice: FailureNotice) => void) {
  const open = new Set<Promise<void>>();
  const closing = new AbortController();

  /** False when the host closed meanwhile. */
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

  async function work(item: AsyncEvent): Promise<void> {
    const accepted = Date.now();
    for (let count = 1; !closing.signal.aborted; count++) {
      const invocation = await item.attempt();
      if (!invocation.error || closing.signal.aborted) return;
      const delay = settings.retryDelayMs * 2 ** (count - 1);
      const tooOld = Date.now() + delay - accepted > settings.maxEventAgeSeconds * 1000;
      if (count > settings.retries || tooOld) {
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
      const done = work(item).finally(() => open.delete(done));
      open.add(done);
    },
    /** Resolves when nothing is queued, running or waiting for a retry; what these set off counts too. */
    async idle(): Promise<void> {
      while (open.size > 0) await Promise.all(open);
    },
    close(): void {
      closing.abort();
    },
  };
}
