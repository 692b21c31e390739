/** What can be made to go wrong, per call. A fault is chosen here and carried out by the server. */
import type { Window } from "./throttle.ts";

/**
 * `after: true`: the work was done before the fault (the snapshot exists, the caller does not learn it); `after: false`:
 * nothing was done.
 */
export type Fault<Cloud = unknown> =
  /** Answers normally, so many real milliseconds late; the work is done at the end of the wait, or before it. */
  | { type: "delay"; ms: number; after?: boolean }
  /** 429 APIGW.0308. */
  | { type: "throttle"; retryAfter?: number; window?: Window; limit?: number }
  /** Without `body`: what the gateway (502, 504) or the service (everything else) would say. */
  | { type: "status"; status: number; body?: unknown; headers?: Record<string, string>; after?: boolean }
  /** The connection is reset (RST) without an answer. */
  | { type: "reset"; after: boolean }
  /** Valid headers with a content-length, half of the body, then the connection is gone. */
  | { type: "cut"; after: boolean }
  /** The success status of the call, with a body that is not JSON (`html`: a page, else torn JSON). */
  | { type: "notJson"; after: boolean; html?: boolean }
  | { type: "emptyBody"; after: boolean }
  /** Never answers; the connection stays open until the caller or `close()` ends it. */
  | { type: "hang"; after: boolean }
  /** Sends the headers and the first bytes of the body, then nothing more; the connection stays open. */
  | { type: "stall"; after: boolean }
  /** Answers normally, but sends the body byte by byte, one every `ms` real milliseconds. */
  | { type: "drip"; ms: number }
  /**
   * Sends `101 Switching Protocols` and leaves the connection open. `headers` replaces `Connection: Upgrade` and
   * `Upgrade: websocket`; without an `Upgrade` header, some clients take the 101 for the final response.
   */
  | { type: "upgrade"; headers?: Record<string, string>; after?: boolean }
  /** Sends so many `100 Continue` and `103 Early Hints` by turns, and then answers normally. */
  | { type: "informational"; count: number }
  /**
   * Answers as if a create, delete, attachment, report or invocation had been done, and does nothing. A call that the
   * service would refuse is refused.
   */
  | { type: "acknowledge" }
  | { type: "redirect"; location: string; status?: 301 | 302 | 307 | 308 }
  /** 401 APIGW.0301, as when temporary keys ran out. */
  | { type: "expiredToken" }
  /** The cloud's wall clock is off by so much (positive: ahead) for this request. */
  | { type: "clockSkew"; ms: number }
  /**
   * Does the work and sends what `edit` returns for the answer's body, or the body that `edit` has changed in place where
   * it returns nothing.
   */
  // biome-ignore lint/suspicious/noExplicitAny: an edit reaches into answers of every shape
  | { type: "edit"; edit: (body: any) => unknown }
  /** Runs between this answer and the caller's next request: to change a list between two of its pages. */
  | { type: "mutatePage"; mutate: (cloud: Cloud) => void }
  /** Writes these bytes in place of an HTTP response and closes the connection: bodies that are no text, broken headers. */
  | { type: "raw"; bytes: Buffer; after: boolean }
  /** Answers exactly this; the work is not done. */
  | { type: "answer"; status: number; headers?: Record<string, string>; body: string };

export interface FaultMatch {
  /** e.g. `evs.createSnapshot`, or a pattern. */
  operation?: string | RegExp;
  method?: string;
  path?: RegExp;
  /** An id that the path, the query or the body names. */
  resource?: string;
  /** Starts with the nth matching request (from 1). */
  nth?: number;
  /** How many requests it hits; default 1 where `nth` is given, else no end. */
  times?: number;
  /** Each matching request is hit with this probability. */
  probability?: { value: number; random: () => number };
}

export interface FaultHandle {
  /** Requests that matched. */
  readonly seen: number;
  /** Requests that it hit. */
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
   * The first armed fault of the wanted types that hits this request; the others have seen it all the same. Requests
   * that were refused before (signature, rate limit) are not asked about.
   */
  pick(subject: FaultSubject, wanted: (type: Fault["type"]) => boolean): Fault<Cloud> | undefined {
    let picked: Fault<Cloud> | undefined;
    for (const armed of this.#armed) {
      if (!wanted(armed.fault.type) || !matches(armed.match, subject)) continue;
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

/** `search` ignores `lastIndex`, so a pattern with the flag `g` matches every time. */
function matchesPattern(pattern: RegExp, text: string): boolean {
  return text.search(pattern) >= 0;
}
