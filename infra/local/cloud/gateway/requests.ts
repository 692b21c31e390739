/** Records every request for tests, and counts the requests by operation and response status. */
import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { CloudClock } from "../clock.ts";
import type { AuthenticationMethod } from "./authentication.ts";
import type { Fault } from "./faults.ts";

/** One request that the embedded cloud received, with its response. Tests read these objects from `EmbeddedCloud.requests`. */
export interface RequestView {
  /** The position of the request among all requests, counted from 1. */
  n: number;
  /** When the request arrived, in epoch milliseconds of the embedded cloud's clock. */
  time: number;
  /** When the request arrived, in epoch milliseconds of the wall clock. */
  wallTime: number;
  requestId: string;
  method: string;
  path: string;
  query: Record<string, string | string[]>;
  /** The request headers. The values of secret headers are replaced by `***`. */
  headers: Record<string, string>;
  /** The request body: parsed JSON, a string if the body is not JSON, or `undefined` if the request has no body. */
  body: unknown;
  /** The status of the response. `undefined` until the embedded cloud responds, and if a fault prevents the response. */
  status: number | undefined;
  service: string | undefined;
  operation: string | undefined;
  signed: AuthenticationMethod;
  /** The type of the injected fault that was applied to the request. */
  fault: Fault["type"] | undefined;
  /** The response body before a fault changed it. `undefined` for GET requests, because list responses are long. */
  answer: unknown;
}

/** Counts the requests of each operation, and the responses by status. */
export class RequestCounter {
  readonly #requests = new Map<string, number>();
  readonly #responses = new Map<string, number>();

  addRequest(operation: string): void {
    this.#requests.set(operation, (this.#requests.get(operation) ?? 0) + 1);
  }

  addResponse(operation: string, status: number): void {
    const key = `${operation} ${status}`;
    this.#responses.set(key, (this.#responses.get(key) ?? 0) + 1);
  }

  count(wanted: string | RegExp, status: number | undefined): number {
    let sum = 0;
    for (const [operation, requests] of this.#requests) {
      if (typeof wanted === "string" ? operation !== wanted : operation.search(wanted) < 0) continue;
      sum += status === undefined ? requests : (this.#responses.get(`${operation} ${status}`) ?? 0);
    }
    return sum;
  }
}

const SECRET_HEADERS = ["authorization", "x-auth-token", "x-security-token", "cookie"];

/** Creates the record of a request that has just arrived. */
export function createRequestView(n: number, request: IncomingMessage, body: unknown, clock: CloudClock): RequestView {
  return {
    n,
    time: clock.now(),
    wallTime: Date.now(),
    requestId: randomBytes(16).toString("hex"),
    method: request.method ?? "",
    path: request.url ?? "",
    query: {},
    headers: withoutSecrets(request.headers),
    body,
    status: undefined,
    service: undefined,
    operation: undefined,
    signed: "none",
    fault: undefined,
    answer: undefined,
  };
}

function withoutSecrets(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, SECRET_HEADERS.includes(name) ? "***" : String(value)]),
  );
}

/** The maximum request body that the API gateway accepts, in bytes (SOURCES.md#gateway-body-limit). */
const MAX_BODY_BYTES = 12 * 1024 * 1024;

/** Reads the body of a request. Returns `undefined` if the body is larger than `MAX_BODY_BYTES`. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks);
}
