import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The event that a dedicated API gateway sends to a function (SOURCES.md#functiongraph-apig-event). */
export interface ApigEvent {
  body: string;
  requestContext: { apiId: string; requestId: string; stage: string };
  /** An array contains the values of a repeated parameter (SOURCES.md#functiongraph-apig-query). */
  queryStringParameters: Record<string, string | string[]>;
  httpMethod: string;
  pathParameters: Record<string, string>;
  headers: Record<string, string>;
  path: string;
  isBase64Encoded: boolean;
}

/** Returns a random id in the gateway's format: 32 hexadecimal digits. */
export const gatewayId = () => randomUUID().replaceAll("-", "");

/** Converts an HTTP request to the event that the API gateway would send to the function. */
export function apigEvent(request: IncomingMessage, url: URL, body: Buffer, requestId: string): ApigEvent {
  const headers: Record<string, string> = {};
  // Node.js converts header names to lower case, as the gateway does.
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    body: body.toString("base64"),
    requestContext: { apiId: gatewayId(), requestId, stage: "RELEASE" },
    queryStringParameters: readQuery(url.searchParams),
    httpMethod: request.method ?? "GET",
    pathParameters: {},
    headers,
    path: url.pathname,
    isBase64Encoded: true,
  };
}

function readQuery(parameters: URLSearchParams): Record<string, string | string[]> {
  const values = [...new Set(parameters.keys())].map((name): [string, string | string[]] => {
    const [first = "", ...others] = parameters.getAll(name);
    return [name, others.length === 0 ? first : [first, ...others]];
  });
  return Object.fromEntries(values);
}
