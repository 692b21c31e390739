/** Defines the calls that every service of the embedded cloud receives, and the responses that it returns. */
import type { IncomingHttpHeaders } from "node:http";
import type { CloudState } from "../cloud-state.ts";

/** The decoded query parameters of a request, by name. */
export type Query = Map<string, string[]>;

/** One API request, as a service receives it. */
export interface Call {
  requestId: string;
  method: string;
  /** The path without percent encoding, such as `/v2/<project id>/cloudsnapshots`. */
  path: string;
  params: Record<string, string>;
  query: Query;
  headers: IncomingHttpHeaders;
  text: string;
  /** The parsed body, or `undefined` if the request has no body or the body is not JSON. */
  json: unknown;
}

/** The response of a service. */
export interface ApiResponse {
  status: number;
  body?: unknown;
  /** Runs after the response has been sent. */
  afterwards?: () => void;
}

/** Reports that a service rejects a call. The server converts this error to the error body of that service. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** One API operation of a service. */
export interface Route {
  operation: string;
  method: string;
  /** A path with parameters, such as `/v2/{project_id}/cloudsnapshots/{snapshot_id}`. */
  path: string;
  /** The HTTP status of a successful call. Default: 200 for GET and PUT, otherwise 202. */
  success?: number;
  handle(call: Call, cloud: CloudState): ApiResponse;
}

/** One service of the embedded cloud, such as EVS. */
export interface Service {
  name: string;
  routes: Route[];
  /**
   * The error codes that the service sends with the HTTP statuses 500 and 503. If a test injects the fault `status` without a
   * `body`, the embedded cloud sends the code of 503 with the status 503, and the code of 500 with all other statuses except 502
   * and 504. The API gateway sends its own codes with 502 and 504.
   */
  failure: { 500: string; 503: string };
  /** Returns the error body that the service sends for a rejected call. */
  envelope(refusal: Refusal, route: Route, cloud: CloudState): unknown;
  /** Whether the rate limit of the API gateway applies to the service. */
  behindGateway: boolean;
  /**
   * The type of resource that the service creates snapshots of. Undefined if the service creates no snapshots, or only snapshots
   * of servers and disks.
   */
  resource?: {
    /** The name of the resource type, such as `cluster`. */
    type: string;
    /** The field of a create request that names the resource, such as `cluster_id`. */
    idField: string;
    add(resource: { id: string; name: string; tags: Record<string, string> }, cloud: CloudState): void;
  };
}

/** Returns a response with the status 200. */
export const ok = (body: unknown): ApiResponse => ({ status: 200, body });
/** Returns a response with the status 202. */
export const accepted = (body?: unknown): ApiResponse => ({ status: 202, body });

/**
 * Parses a query string and decodes its percent encoding. Does not decode `+` to a space, because signed requests encode a space
 * as `%20` (SOURCES.md#signature-canonical-query).
 */
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
