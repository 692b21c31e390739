import { type RetryBudget, retryRead } from "../../core/retry.ts";

/**
 * How long a list response is fresh after its arrival, in milliseconds. Its list request was then sent at most this time plus its own
 * duration ago.
 */
export const FRESH_MS = 1_000;

/**
 * Returns a function that sends a list request unless its last response is fresh. Concurrent calls share one list request.
 *
 * @param list sends a list request
 */
export function createFreshLook<Response>(
  list: () => Promise<Response>,
  retryBudget: RetryBudget,
): () => Promise<Response> {
  let last: { freshUntil: number; response: Response } | undefined;
  let reading: Promise<Response> | undefined;
  const { time } = retryBudget;
  const read = async () => {
    const response = await retryRead(list, retryBudget);
    last = { response, freshUntil: time.now() + FRESH_MS };
    return response;
  };
  return async () => {
    if (last !== undefined && time.now() <= last.freshUntil) return last.response;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}
