/** Defines the faults that a test can inject, and selects the fault that applies to a request. */
import type { RateWindow } from "./throttle.ts";

/**
 * A fault that a test can inject. With `after: true` the service executes the call before the fault occurs: for example, the
 * service creates a snapshot, but the caller receives no response. With `after: false` the service does not execute the call.
 */
export type Fault<Cloud = unknown> =
  /** Delays the normal response by `ms` real milliseconds. With `after: true` the service executes the call before the delay. */
  | { type: "delay"; ms: number; after?: boolean }
  /** Responds with 429 APIGW.0308, the rate limit error of the API gateway. */
  | { type: "throttle"; retryAfter?: number; window?: RateWindow; limit?: number }
  /** Responds with a status. Default body: the error of the API gateway (502 and 504) or of the service (other statuses). */
  | { type: "status"; status: number; body?: unknown; headers?: Record<string, string>; after?: boolean }
  /** Resets the connection (RST) without a response. */
  | { type: "reset"; after: boolean }
  /**
   * Sends the headers and the first half of the body, and then closes the connection. The content-length is the length of the
   * whole body.
   */
  | { type: "cut"; after: boolean }
  /** Sends the success status with a body that is not JSON: an HTML page if `html` is true, otherwise truncated JSON. */
  | { type: "notJson"; after: boolean; html?: boolean }
  /** Sends the success status without a body. */
  | { type: "emptyBody"; after: boolean }
  /** Never responds. The connection stays open until the caller or `close()` closes it. */
  | { type: "hang"; after: boolean }
  /** Sends the headers and the first 8 bytes of the body, and then leaves the connection open without sending more. */
  | { type: "stall"; after: boolean }
  /** Sends the normal response slowly: one byte of its body every `ms` real milliseconds. */
  | { type: "drip"; ms: number }
  /**
   * Sends `101 Switching Protocols` and leaves the connection open. `headers` replaces `Connection: Upgrade` and
   * `Upgrade: websocket`. Without an `Upgrade` header, some clients treat the 101 as the final response.
   */
  | { type: "upgrade"; headers?: Record<string, string>; after?: boolean }
  /** Sends `count` responses, alternating between `100 Continue` and `103 Early Hints`, and then the normal response. */
  | { type: "informational"; count: number }
  /**
   * Responds as if the service had executed the call (a create, delete, attachment, log report or invocation), but changes
   * nothing. Rejects a call that the service would reject.
   */
  | { type: "acknowledge" }
  /** Redirects to `location`. Default status: 307. */
  | { type: "redirect"; location: string; status?: 301 | 302 | 307 | 308 }
  /** Responds with 401 APIGW.0301, as if the temporary keys had expired. */
  | { type: "expiredToken" }
  /** Sets the wall clock of the embedded cloud ahead by `ms` milliseconds during this request, or back if `ms` is negative. */
  | { type: "clockSkew"; ms: number }
  /**
   * Executes the call and passes the response body to `edit`. Sends the value that `edit` returns. If `edit` returns
   * `undefined`, sends the body that `edit` changed in place.
   */
  // biome-ignore lint/suspicious/noExplicitAny: tests edit responses of every shape
  | { type: "edit"; edit: (body: any) => unknown }
  /** Calls `mutate` before the response is sent, so the listed resources change between two pages of a list response. */
  | { type: "mutatePage"; mutate: (cloud: Cloud) => void }
  /** Writes these bytes instead of a response, such as a binary body or broken headers, and closes the connection. */
  | { type: "raw"; bytes: Buffer; after: boolean }
  /** Sends exactly this response, without executing the call. */
  | { type: "answer"; status: number; headers?: Record<string, string>; body: string };

/** Selects the requests to which a fault applies. A request must match every given field. */
export interface FaultMatch {
  /** The name of the operation, such as `evs.createSnapshot`, or a pattern that the name must match. */
  operation?: string | RegExp;
  method?: string;
  path?: RegExp;
  /** An id that must occur in the path, the query or the body of the request. */
  resource?: string;
  /** The number of the first matching request to which the fault applies, counted from 1. */
  nth?: number;
  /** The maximum number of requests to which the fault applies. Default: 1 if `nth` is given, otherwise unlimited. */
  times?: number;
  /** The probability, from 0 to 1, that the fault applies to a matching request. */
  probability?: { value: number; random: () => number };
}

/** Counts the requests that an injected fault matched. `remove` removes the fault. */
export interface FaultHandle {
  /** The number of requests that matched the fault. */
  readonly seen: number;
  /** The number of requests to which the fault was applied. */
  readonly hits: number;
  remove(): void;
}

/** The parts of a request that a fault can match. */
export interface FaultSubject {
  operation: string;
  method: string;
  path: string;
  rawQuery: string;
  text: string;
}

interface ArmedFault<Cloud> extends FaultHandle {
  match: FaultMatch;
  fault: Fault<Cloud>;
  seen: number;
  hits: number;
}

/** Stores the injected faults. */
export class Faults<Cloud> {
  readonly #armed: ArmedFault<Cloud>[] = [];

  arm(match: FaultMatch, fault: Fault<Cloud>): FaultHandle {
    const armed: ArmedFault<Cloud> = {
      match,
      fault,
      seen: 0,
      hits: 0,
      remove: () => {
        const index = this.#armed.indexOf(armed);
        if (index >= 0) this.#armed.splice(index, 1);
      },
    };
    this.#armed.push(armed);
    return armed;
  }

  clear(): void {
    this.#armed.length = 0;
  }

  /**
   * Returns the first injected fault that applies to this request. Ignores the fault types for which `isWanted` returns false.
   * Increments `seen` of every fault that matches the request, even if this method does not return that fault. The server calls
   * this method for the fault `clockSkew` before it authenticates the request, and for all other faults after it has checked the
   * rate limit.
   */
  pick(subject: FaultSubject, isWanted: (type: Fault["type"]) => boolean): Fault<Cloud> | undefined {
    let picked: Fault<Cloud> | undefined;
    for (const armed of this.#armed) {
      if (!isWanted(armed.fault.type) || !matches(armed.match, subject)) continue;
      armed.seen += 1;
      const { nth, times = nth === undefined ? Number.POSITIVE_INFINITY : 1, probability } = armed.match;
      if (picked || armed.seen < (nth ?? 1) || armed.hits >= times) continue;
      if (probability && probability.random() >= probability.value) continue;
      armed.hits += 1;
      picked = armed.fault;
    }
    return picked;
  }
}

function matches(match: FaultMatch, { operation, method, path, rawQuery, text }: FaultSubject): boolean {
  if (match.method !== undefined && match.method.toUpperCase() !== method) return false;
  if (typeof match.operation === "string" && match.operation !== operation) return false;
  if (match.operation instanceof RegExp && !matchesPattern(match.operation, operation)) return false;
  if (match.path && !matchesPattern(match.path, path)) return false;
  const { resource } = match;
  return resource === undefined || path.includes(resource) || rawQuery.includes(resource) || text.includes(resource);
}

/**
 * Returns whether a text matches a pattern. Uses `search`, because `test` keeps a `lastIndex` between calls if the pattern has
 * the flag `g`.
 */
function matchesPattern(pattern: RegExp, text: string): boolean {
  return text.search(pattern) >= 0;
}
