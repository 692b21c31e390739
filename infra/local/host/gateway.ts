import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ApigAnswer, answerFaults } from "./apig-answer.ts";
import { apigEvent, gatewayId } from "./apig-event.ts";
import type { Host, Invocation } from "./host.ts";
import { APIG_BODY, SYNC_PAYLOAD } from "./limits.ts";

export interface GatewayOptions {
  host: Pick<Host, "invoke" | "functions">;
  port?: number;
  /** The functions that have an API. Default: those that are triggered by HTTP (DESIGN 4.3). */
  routes?: readonly string[];
  /** func_info.timeout of the API; Terraform sets 60 s (functiongraph.md 8: at most 60,000 ms). */
  backendTimeoutMs?: number;
}

export interface Gateway {
  url: string;
  routes: readonly string[];
  close(): Promise<void>;
}

/** What of our functions is triggered by HTTP (DESIGN 4.3). */
export const isHttpFunction = (name: string) => name.startsWith("create-") || name === "pre-deploy";

/**
 * A stand-in for the dedicated API gateway: `/<function>` on loopback. It makes the real event, checks the answer's
 * shape, and has the gateway's limits. Error codes as in cloud-apis.md 4.3, prefixed APIG on a gateway of one's own.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const routes = options.routes ?? options.host.functions.filter(isHttpFunction);
  const backendTimeoutMs = options.backendTimeoutMs ?? 60_000;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = gatewayId();
    const refuse = (status: number, code: string, message: string) =>
      send(response, requestId, status, { error_msg: message, error_code: code, request_id: requestId });

    const url = new URL(request.url ?? "/", "http://gateway");
    const name = url.pathname.slice(1);
    if (!routes.includes(name)) {
      request.resume();
      const there = routes.map((route) => `/${route}`).join(", ");
      return refuse(404, "APIG.0101", `The API does not exist; there are: ${there}`);
    }
    const body = await readBody(request, APIG_BODY);
    if (!body) return refuse(413, "APIG.0201", "Request entity too large");

    const invocation = await within(
      backendTimeoutMs,
      options.host.invoke(name, apigEvent(request, url, body, requestId)),
    );
    if (!invocation) return refuse(504, "APIG.0201", "Backend timeout.");
    // A failed execution's {errorMessage, errorType} has no statusCode: to the gateway it is an invalid answer too.
    if (invocation.error) return refuse(500, "FSS.1202", failure(invocation));
    const faults = answerFaults(invocation.result);
    if (faults.length > 0) return refuse(500, "FSS.1202", `Invalid answer of the function: ${faults.join("; ")}`);
    pass(response, requestId, invocation.result as ApigAnswer);
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

/** Undefined when it is over the limit: the rest is read and dropped, so that the caller can read the refusal. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  return size <= limit ? Buffer.concat(chunks) : undefined;
}

/** Undefined when the time is over; the function runs on, as it does behind the real gateway. */
function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function failure({ error }: Invocation): string {
  return `${error?.errorType}: ${error?.errorMessage}`;
}

function pass(response: ServerResponse, requestId: string, answer: ApigAnswer): void {
  const body = Buffer.from(answer.body, answer.isBase64Encoded ? "base64" : "utf8");
  if (body.length > SYNC_PAYLOAD) throw new Error("FSS.1201: the answer is too large");
  response.setHeader("x-request-id", requestId);
  // After ours: the function's own x-request-id is the one that its log lines carry.
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  response.statusCode = answer.statusCode;
  response.end(body);
}

function send(response: ServerResponse, requestId: string, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "x-request-id": requestId });
  response.end(JSON.stringify(body));
}
