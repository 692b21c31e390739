import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { BodyTooLarge, createLongBodyLock, MAX_PAGE_BYTES, type ResponseBody, readBody } from "./response-body.ts";
import { createRowSplitter } from "./row-splitter.ts";

/** One HTTP request to a Huawei Cloud service. */
export interface HttpRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string;
  /** The maximum time in milliseconds from opening the connection to the last byte of the response. */
  timeoutMs: number;
  /** The maximum size of a success response body, in bytes; default 4 MiB. */
  maxBytes?: number;
  /** The name of an array in the response body. If the body is long, the objects in this array are returned in `rows`. */
  rowsOf?: string;
}

/** One HTTP response with any status. */
export interface HttpResponse extends ResponseBody {
  status: number;
  headers: IncomingMessage["headers"];
}

/**
 * Sends one HTTP request exactly once. The transport never retries a request and never follows a redirect. The promise settles
 * within `timeoutMs`. It rejects with a TransportFailure.
 */
export type Transport = (request: HttpRequest) => Promise<HttpResponse>;

interface FailureDetails {
  /** True if the request may have reached the service, so the service may have executed it. */
  requestSent: boolean;
  /** True if at least the headers of a response arrived. */
  answered?: boolean;
  /** True if the response was longer than `maxBytes`. */
  tooLarge?: boolean;
}

/** The error for an HTTP request without a complete response. */
export class TransportFailure extends Error {
  readonly requestSent: boolean;
  readonly answered: boolean;
  readonly tooLarge: boolean;
  constructor(message: string, { requestSent, answered = false, tooLarge = false }: FailureDetails) {
    super(message);
    this.name = "TransportFailure";
    this.requestSent = requestSent;
    this.answered = answered;
    this.tooLarge = tooLarge;
  }
}

interface Client {
  request(options: RequestOptions): ClientRequest;
  agent: Agent;
}

async function loadClient(protocol: string): Promise<Client> {
  const secure = protocol === "https:";
  const { request, Agent } = secure ? await import("node:https") : await import("node:http");
  return { request, agent: new Agent({ keepAlive: true, ...(secure ? { rejectUnauthorized: true } : {}) }) };
}

/**
 * Creates a transport that uses the HTTP client of Node.js. The transport keeps connections open. It limits the time and the size
 * of each response. It verifies TLS certificates even if the variable `NODE_TLS_REJECT_UNAUTHORIZED` turns the verification off.
 * It does not follow redirects. The SDK's HTTP client is not used, because it would send the security token to the address in a
 * redirect (SOURCES.md#sdk-redirects-leak-token). `node:http` and `node:https` are loaded when they are first used, because
 * loading `node:https` takes 6 ms.
 */
export function nodeTransport(): Transport {
  const clients = new Map<string, Promise<Client>>();
  const longBodyLock = createLongBodyLock();
  const clientFor = (protocol: string): Promise<Client> => {
    const loaded = clients.get(protocol);
    if (loaded !== undefined) return loaded;
    const client = loadClient(protocol);
    clients.set(protocol, client);
    return client;
  };

  return async ({ method, url, headers, body, timeoutMs, maxBytes = MAX_PAGE_BYTES, rowsOf }) => {
    const { request, agent } = await clientFor(url.protocol);
    return new Promise<HttpResponse>((resolve, reject) => {
      let requestSent = false;
      let answered = false;
      const outgoing = request({
        method,
        protocol: url.protocol,
        hostname: url.hostname.replace(/^\[|\]$/g, ""),
        port: url.port,
        path: `${url.pathname}${url.search}`,
        agent,
      });
      // Rejects immediately instead of waiting for a socket event, because the event may never occur.
      const fail = (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        const code = error.code === undefined ? "" : `${error.code}: `;
        const details = { requestSent, answered, tooLarge: error instanceof BodyTooLarge };
        reject(new TransportFailure(`${code}${error.message}`, details));
        outgoing.destroy();
      };
      const timer = setTimeout(() => fail(new Error(`no response within ${timeoutMs} ms`)), timeoutMs);
      outgoing.on("error", fail);
      outgoing.on("close", () => {
        if (!answered) fail(new Error("the connection was closed without a response"));
      });
      const failOnUpgrade = () => {
        answered = true;
        fail(new Error("the server switched protocols (101) without a request"));
      };
      outgoing.on("upgrade", (_incoming, socket) => {
        socket.destroy();
        failOnUpgrade();
      });
      outgoing.on("socket", (socket) => {
        // A new connection sends data only after it is established, and with TLS only after the handshake.
        const onConnected = () => {
          requestSent = true;
        };
        if (!socket.connecting) onConnected();
        else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", onConnected);
      });
      outgoing.on("response", (incoming) => {
        // If a response with the status 101 has no header `Upgrade`, Node.js reports it as a response whose body never ends.
        if (incoming.statusCode === 101) return failOnUpgrade();
        answered = true;
        const reader = rowsOf === undefined ? undefined : createRowSplitter(rowsOf);
        readBody(incoming, maxBytes, longBodyLock, reader).then((responseBody) => {
          clearTimeout(timer);
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, ...responseBody });
        }, fail);
      });
      try {
        // The headers are not part of the options, because a kept-alive connection would keep the options with the token.
        for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
        if (body !== undefined) outgoing.setHeader("content-length", Buffer.byteLength(body));
      } catch (thrown) {
        // Node.js throws if a header value is invalid. Its error message does not contain the value.
        return fail(thrown as Error);
      }
      outgoing.end(body);
    });
  };
}
