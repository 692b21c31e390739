/** What the services see of a request and give back; nothing here knows a service. */
import type { IncomingHttpHeaders } from "node:http";
import type { CloudState } from "../cloud-state.ts";

export type Query = Map<string, string[]>;

export interface Call {
  requestId: string;
  method: string;
  /** Decoded path, e.g. `/v2/{project}/cloudsnapshots`. */
  path: string;
  params: Record<string, string>;
  query: Query;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body as JSON; `undefined` when there is none or it is not JSON. */
  json: unknown;
}

export interface Answer {
  status: number;
  body?: unknown;
  /** Runs once the answer is on the wire. */
  afterwards?: () => void;
}

/** A service says no: turned into that service's own error envelope. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Route {
  operation: string;
  method: string;
  /** `/v2/{project_id}/cloudsnapshots/{snapshot_id}` */
  path: string;
  /** Default 200 for GET and PUT, else 202. */
  success?: number;
  handle(call: Call, cloud: CloudState): Answer;
}

export interface Service {
  name: string;
  routes: Route[];
  /** The code of an answer 500 or 503 that a scripted fault asks for without a body. */
  failure: { 500: string; 503: string };
  envelope(refusal: Refusal, route: Route, cloud: CloudState): unknown;
  /** Whether the API gateway (authentication envelope, rate limit) stands before it. */
  behindGateway: boolean;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const accepted = (body?: unknown): Answer => ({ status: 202, body });

/** The API gateway's envelope (cloud-apis.md 4.1, number 3). */
export function gatewayError(code: string, message: string, requestId: string): unknown {
  return { error_msg: message, error_code: code, request_id: requestId };
}

/** Percent-decoding only: `+` stays `+`, as the signature has it (cloud-apis.md 5.1). */
export function parseQuery(raw: string): Query {
  const query: Query = new Map();
  for (const part of raw.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const key = decodeURIComponent(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? "" : decodeURIComponent(part.slice(equals + 1));
    const values = query.get(key);
    if (values) values.push(value);
    else query.set(key, [value]);
  }
  return query;
}
