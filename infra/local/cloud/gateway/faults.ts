/** Defines the faults that a test can inject, and selects the fault that hits a request. */
import type { Window } from "./throttle.ts";

/**
 * A fault. With `after: true` the service executes the call before the fault: a snapshot exists, but the caller does not learn
 * about it. With `after: false` the service does not execute the call.
 */
export type Fault<Cloud = unknown> =
  /** Delays the normal response by `ms` real milliseconds. The service executes the call after the delay or before it. */
  | { type: "delay"; ms: number; after?: boolean }
  /** Responds with 429 APIGW.0308. */
  | { type: "throttle"; retryAfter?: number; window?: Window; limit?: number }
  /** Responds with a status. Default body: the error of the gateway (502 and 504) or of the service (all other statuses). */
  | { type: "status"; status: number; body?: unknown; headers?: Record<string, string>; after?: boolean }
  /** Resets the connection (RST) without a response. */
  | { type: "reset"; after: boolean }
  /** Sends valid headers with a content-length and half of the body, and then closes the connection. */
  | { type: "cut"; after: boolean }
  /** Sends the success status with a body that is not JSON: an HTML page if `html` is true, otherwise truncated JSON. */
  | { type: "notJson"; after: boolean; html?: boolean }
  /** Sends the success status without a body. */
  | { type: "emptyBody"; after: boolean }
  /** Never responds. The connection stays open until the caller or `close()` closes it. */
  | { type: "hang"; after: boolean }
  /** Sends the headers and the first bytes of the body, then nothing more. The connection stays open. */
  | { type: "stall"; after: boolean }
  /** Sends the normal response slowly: one byte of the body every `ms` real milliseconds. */
  | { type: "drip"; ms: number }
  /**
   * Sends `101 Switching Protocols` and leaves the connection open. `headers` replaces `Connection: Upgrade` and
   * `Upgrade: websocket`. Without an `Upgrade` header, some clients treat the 101 as the final response.
   */
  | { type: "upgrade"; headers?: Record<string, string>; after?: boolean }
  /** Sends `count` responses, alternating between `100 Continue` and `103 Early Hints`, and then the normal response. */
  | { type: "informational"; count: number }
  /**
   * Responds as if the service had executed a create, delete, attachment, report or invocation, but executes nothing. Refuses
   * a call that the service would refuse.
   */
  | { type: "acknowledge" }
  /** Redirects to `location`. Default status: 307. */
  | { type: "redirect"; location: string; status?: 301 | 302 | 307 | 308 }
  /** Responds with 401 APIGW.0301, as if the temporary keys had expired. */
  | { type: "expiredToken" }
  /** Moves the cloud's wall clock for this request: ahead by `ms` milliseconds, or back if `ms` is negative. */
  | { type: "clockSkew"; ms: number }
  /**
   * Executes the call and passes the response body to `edit`. Sends the value that `edit` returns. If `edit` returns
   * `undefined`, sends the body that `edit` changed in place.
   */
  // biome-ignore lint/suspicious/noExplicitAny: an edit reads responses of every shape
  | { type: "edit"; edit: (body: any) => unknown }
  /** Calls `mutate` before the response is sent, so a list changes between two of its pages. */
  | { type: "mutatePage"; mutate: (cloud: Cloud) => void }
  /** Writes these bytes instead of an HTTP response and closes the connection. For binary bodies and broken headers. */
  | { type: "raw"; bytes: Buffer; after: boolean }
  /** Sends exactly this response. The service does not execute the call. */
  | { type: "answer"; status: number; headers?: Record<string, string>; body: string };

/** Selects the requests that a fault hits. A request must match every given field. */
export interface FaultMatch {
  /** The operation, such as `evs.createSnapshot`, or a pattern. */
  operation?: string | RegExp;
  method?: string;
  path?: RegExp;
  /** An id that occurs in the path, the query or the body. */
  resource?: string;
  /** The first matching request that the fault hits. The first request has the number 1. */
  nth?: number;
  /** How many requests the fault hits. Default: 1 if `nth` is given, otherwise unlimited. */
  times?: number;
  /** The probability with which the fault hits a matching request. */
  probability?: { value: number; random: () => number };
}

export interface FaultHandle {
  /** The number of requests that matched. */
  readonly seen: number;
  /** The number of requests that the fault hit. */
  readonly hits: number;
  remove(): void;
}

export interface FaultSubject {
  operation: string;
  method: string;
  path: string;
  rawQuery: string;
  text: string;
}

interface Armed<Cloud> extends FaultHandle {
  match: FaultMatch;
  fault: Fault<Cloud>;
  seen: number;
  hits: number;
}

export class Faults<Cloud> {
  readonly #armed: Armed<Cloud>[] = [];

  arm(match: FaultMatch, fault: Fault<Cloud>): FaultHandle {
    const armed: Armed<Cloud> = {
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
   * Returns the first fault of the wanted types that hits this request. The other faults count the request as seen. A request
   * that failed authentication or the rate limit never reaches this method.
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

/** Matches with `search`, because `search` ignores the `lastIndex` of a pattern with the flag `g`. */
function matchesPattern(pattern: RegExp, text: string): boolean {
  return text.search(pattern) >= 0;
}
