import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** What a dedicated gateway sends to an event function (functiongraph.md 2.3). */
export interface ApigEvent {
  body: string;
  requestContext: { apiId: string; requestId: string; stage: string };
  queryStringParameters: Record<string, string>;
  httpMethod: string;
  pathParameters: Record<string, string>;
  headers: Record<string, string>;
  path: string;
  isBase64Encoded: boolean;
}

/** 32 hex digits, as the gateway's ids are. */
export const gatewayId = () => randomUUID().replaceAll("-", "");

export function apigEvent(request: IncomingMessage, url: URL, body: Buffer, requestId: string): ApigEvent {
  const headers: Record<string, string> = {};
  // Node has them in lower case already, as the gateway passes them on.
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    body: body.toString("base64"),
    requestContext: { apiId: gatewayId(), requestId, stage: "RELEASE" },
    queryStringParameters: Object.fromEntries(url.searchParams),
    httpMethod: request.method ?? "GET",
    pathParameters: {},
    headers,
    path: url.pathname,
    isBase64Encoded: true,
  };
}
