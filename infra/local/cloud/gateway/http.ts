/** Defines what every service receives and returns. Nothing in this file depends on a particular service. */
import type { IncomingHttpHeaders } from "node:http";
import type { CloudState } from "../cloud-state.ts";

export type Query = Map<string, string[]>;

export interface Call {
  requestId: string;
  method: string;
  /** The decoded path, such as `/v2/{project}/cloudsnapshots`. */
  path: string;
  params: Record<string, string>;
  query: Query;
  headers: IncomingHttpHeaders;
  text: string;
  /** The parsed body, or `undefined` if the body is absent or not JSON. */
  json: unknown;
}

export interface ApiResponse {
  status: number;
  body?: unknown;
  /** Runs after the response has been sent. */
  afterwards?: () => void;
}

/** Reports that a service refuses a call. The server converts it to the error body of that service. */
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
  /** A path with parameters, such as `/v2/{project_id}/cloudsnapshots/{snapshot_id}`. */
  path: string;
  /** The status of a successful call. Default: 200 for GET and PUT, otherwise 202. */
  success?: number;
  handle(call: Call, cloud: CloudState): ApiResponse;
}

export interface Service {
  name: string;
  routes: Route[];
  /** The error codes of a 500 and a 503 response if the fault `status` defines no body. */
  failure: { 500: string; 503: string };
  /** Returns the error body of the service. */
  envelope(refusal: Refusal, route: Route, cloud: CloudState): unknown;
  /** Whether the rate limit of the API gateway applies to the service. */
  behindGateway: boolean;
  /** The resources of which this service creates snapshots, unless they are servers and disks. */
  resource?: {
    /** The word for such a resource, such as `cluster`. */
    type: string;
    /** The field of a create request that names the resource, such as `cluster_id`. */
    idField: string;
    add(resource: { id: string; name: string; tags: Record<string, string> }, cloud: CloudState): void;
  };
}

export const ok = (body: unknown): ApiResponse => ({ status: 200, body });
export const accepted = (body?: unknown): ApiResponse => ({ status: 202, body });

/**
 * Parses a query. It decodes percent encoding only: `+` stays `+`, because the signature covers `+`
 * (SOURCES.md#signature-canonical-query).
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
