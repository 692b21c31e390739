/** Servers on loopback that answer as no cloud would, and the connection of a client to them. */
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

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

export interface Listening {
  origin: string;
  /** Connections that were opened so far. */
  connections: Socket[];
}

export interface Answering extends Listening {
  /** Requests whose body has come. */
  seen: Seen[];
}

async function listen(server: Server, scheme: string): Promise<Listening> {
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

/** An HTTP server; with `tls` an HTTPS one. `answer` runs once the request is there as a whole. */
export async function answering(answer: RequestListener, tls?: { key: string; cert: string }): Promise<Answering> {
  const seen: Seen[] = [];
  const listener: RequestListener = (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "", url = "", headers } = incoming;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString("utf8") });
      answer(incoming, response);
    });
  };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  server.keepAliveTimeout = 60_000;
  // So that a client which turns away in the middle of a handshake is no fault of the test.
  server.on("tlsClientError", () => {});
  return { ...(await listen(server, tls ? "https" : "http")), seen };
}

/** A server that speaks bytes. */
export async function speaking(talk: (socket: Socket) => void): Promise<Listening> {
  const server = createTcpServer();
  server.on("connection", talk);
  return listen(server, "http");
}

/** The embedded cloud behind TLS. */
export const behindTls = async (url: string, tls: { key: string; cert: string }): Promise<Listening> => {
  const server = createSecureServer(tls, (incoming, response) => {
    const { method, headers } = incoming;
    incoming.pipe(
      request(`${url}${incoming.url}`, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  server.on("tlsClientError", () => {});
  return listen(server, "https");
};

/** What a client of a service needs, towards one address. */
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
