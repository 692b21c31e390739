/** Starts HTTP, HTTPS and TCP servers on 127.0.0.1, and creates connections to them. */
import { createServer, type IncomingMessage, type RequestListener, request } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { after, instant } from "../../shared/core/instant.ts";
import { createRateLimiter } from "../../shared/huaweicloud/http/rate-limiter.ts";
import type { Connection } from "../../shared/huaweicloud/http/sdk-client.ts";
import { nodeTransport } from "../../shared/huaweicloud/http/transport.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";

export const PROJECT = "0123456789abcdef0123456789abcdef";

export interface ReceivedRequest {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

export interface TestServer {
  origin: string;
  /** All connections that clients opened. */
  connections: Socket[];
}

export interface HttpTestServer extends TestServer {
  /** The requests that have arrived completely. */
  received: ReceivedRequest[];
}

async function listen(server: Server, scheme: string): Promise<TestServer> {
  const connections: Socket[] = [];
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    connections.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of connections) socket.destroy();
    return new Promise((resolve) => void server.close(() => resolve()));
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `${scheme}://127.0.0.1:${port}`, connections };
}

/**
 * Starts an HTTP server, or an HTTPS server if `tls` is set.
 *
 * @param respond sends the response to a request whose body has arrived
 */
export async function startHttpServer(
  respond: RequestListener,
  tls?: { key: string; cert: string },
): Promise<HttpTestServer> {
  const received: ReceivedRequest[] = [];
  const listener: RequestListener = (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "", url = "", headers } = incoming;
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString("utf8") });
      respond(incoming, response);
    });
  };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  server.keepAliveTimeout = 60_000;
  // A client that closes the connection during the TLS handshake must not fail the test.
  server.on("tlsClientError", () => {});
  return { ...(await listen(server, tls ? "https" : "http")), received };
}

/** Starts a TCP server. `talk` can send any bytes, including invalid HTTP. */
export async function startTcpServer(talk: (socket: Socket) => void): Promise<TestServer> {
  const server = createTcpServer();
  server.on("connection", talk);
  return listen(server, "http");
}

/** Starts an HTTPS server that forwards every request to the embedded cloud. */
export const startTlsProxy = async (url: string, tls: { key: string; cert: string }): Promise<TestServer> => {
  const server = createSecureServer(tls, (incoming, response) => {
    const { method, headers } = incoming;
    incoming.pipe(
      request(`${url}${incoming.url}`, { method, headers }, (incomingResponse) => {
        response.writeHead(incomingResponse.statusCode ?? 0, incomingResponse.headers);
        incomingResponse.pipe(response);
      }),
    );
  });
  server.on("tlsClientError", () => {});
  return listen(server, "https");
};

/** Returns a connection to a server that replaces every cloud service. */
export function connectionTo(origin: string, changes: Partial<Connection> = {}): Connection {
  const now = () => instant(Date.now());
  return {
    transport: nodeTransport(),
    credentials: { accessKey: "AK", secretKey: "SK", securityToken: "TOKEN" },
    projectId: PROJECT,
    endpoint: () => origin,
    timeoutMs: 5_000,
    now,
    sleep: nodeRuntime().time.sleep,
    limiter: createRateLimiter({ now, sleep: async () => {} }),
    deadline: after(now(), 60_000),
    ...changes,
  };
}
