import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { apigEvent, gatewayId } from "./apig-event.ts";
import { type ApigResult, resultFaults } from "./apig-result.ts";
import type { Host } from "./host.ts";
import type { Invocation } from "./invocation.ts";
import { MAX_GATEWAY_BODY, MAX_SYNC_PAYLOAD } from "./limits.ts";

export interface GatewayOptions {
  host: Pick<Host, "invoke">;
  port?: number;
  /** The names of the functions that the gateway serves, each at the path `/<function>`. */
  routes: readonly string[];
  /**
   * How long the gateway waits for a function, in milliseconds. Default: 60,000, which is the value in the Terraform module and
   * the maximum of the platform (SOURCES.md#functiongraph-backend-timeout).
   */
  backendTimeoutMs?: number;
  /**
   * The app code that each request must have in the header `X-Apig-AppCode`, as behind a gateway with the authentication `APP`.
   * Default: the gateway checks no credentials.
   */
  appCode?: string;
}

export interface Gateway {
  url: string;
  routes: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts a local substitute for the dedicated API gateway. It serves each function at `/<function>` on the loopback interface:
 * it sends the function an event in the format of the real gateway, and checks the shape of the result. It has the same size
 * limits and the same timeout as the real gateway. The error codes of the gateway itself begin with `APIG`
 * (SOURCES.md#gateway-error-codes).
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { routes, backendTimeoutMs = 60_000, appCode } = options;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = gatewayId();
    const refuse = (status: number, code: string, message: string) =>
      send(response, requestId, status, { error_msg: message, error_code: code, request_id: requestId });

    const url = new URL(request.url ?? "/", "http://gateway");
    const name = url.pathname.slice(1);
    if (!routes.includes(name)) {
      request.resume();
      const known = routes.map((route) => `/${route}`).join(", ");
      return refuse(404, "APIG.0101", `The API does not exist. Known APIs: ${known}`);
    }
    if (appCode !== undefined && request.headers["x-apig-appcode"] !== appCode) {
      request.resume();
      return refuse(401, "APIG.0301", "Incorrect app authentication information");
    }
    const body = await readBody(request, MAX_GATEWAY_BODY);
    if (!body) return refuse(413, "APIG.0201", "Request entity too large");

    const invocation = await withTimeout(
      backendTimeoutMs,
      options.host.invoke(name, apigEvent(request, url, body, requestId)),
    );
    if (!invocation) return refuse(504, "APIG.0201", "Backend timeout.");
    // The result of a failed invocation contains no `statusCode`, so the gateway sends the error for an invalid result.
    if (invocation.error) return refuse(500, "FSS.1202", formatFailure(invocation));
    const faults = resultFaults(invocation.result);
    if (faults.length > 0) return refuse(500, "FSS.1202", `Invalid result of the function: ${faults.join("; ")}`);
    sendResult(response, requestId, invocation.result as ApigResult);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: Error) => {
      const body = { error_msg: error.message, error_code: "APIG.0201" };
      if (!response.headersSent) send(response, gatewayId(), 502, body);
      else response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    routes,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/**
 * Returns the request body, or undefined if the body is larger than `limit`. Reads the whole body even if it is too large,
 * because the caller reads the response only after it has sent the whole body.
 */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  return size <= limit ? Buffer.concat(chunks) : undefined;
}

/**
 * Returns the result of `work`, or undefined after a timeout. After a timeout the function continues to run, as it does behind
 * the real gateway.
 */
function withTimeout<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function formatFailure({ error }: Invocation): string {
  return `${error?.errorType}: ${error?.errorMessage}`;
}

function sendResult(response: ServerResponse, requestId: string, result: ApigResult): void {
  const body = Buffer.from(result.body, result.isBase64Encoded ? "base64" : "utf8");
  if (body.length > MAX_SYNC_PAYLOAD)
    throw new Error(`FSS.1201: the result has ${body.length} bytes, the limit is ${MAX_SYNC_PAYLOAD} bytes`);
  response.setHeader("x-request-id", requestId);
  // Set the headers of the function last, so its `x-request-id` replaces the request id of the gateway. Callers need the
  // function's request id, because the function writes it to its log lines.
  for (const [name, value] of Object.entries(result.headers)) response.setHeader(name, value);
  response.statusCode = result.statusCode;
  response.end(body);
}

function send(response: ServerResponse, requestId: string, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "x-request-id": requestId });
  response.end(JSON.stringify(body));
}
