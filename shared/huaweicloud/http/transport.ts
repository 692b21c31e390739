import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { type Body, BodyTooLarge, longBodies, MAX_PAGE_BYTES, readBody } from "./response-body.ts";
import { rowSplitter } from "./row-splitter.ts";

/** One HTTP request as it goes out. */
export interface HttpRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string;
  /** For the whole attempt, connect to last byte. */
  timeoutMs: number;
  /** The longest body of a success, in bytes; default 4 MiB. */
  maxBytes?: number;
  /** The array of a long list, whose rows are taken out of the body. */
  rowsOf?: string;
}

export interface HttpResponse extends Body {
  status: number;
  headers: IncomingMessage["headers"];
}

/** Sends one request, once: no retries, no redirects. Always settles within `timeoutMs`; rejects with a TransportFailure. */
export type Transport = (request: HttpRequest) => Promise<HttpResponse>;

/** No answer came. `sent`: the request may have reached the cloud, so that the cloud may have acted on it. */
export class TransportFailure extends Error {
  readonly sent: boolean;
  readonly answered: boolean;
  /** The answer was longer than `maxBytes`. */
  readonly tooLarge: boolean;
  constructor(
    message: string,
    { sent, answered = false, tooLarge = false }: { sent: boolean; answered?: boolean; tooLarge?: boolean },
  ) {
    super(message);
    this.name = "TransportFailure";
    this.sent = sent;
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
 * A transport on Node's own client: a connection kept open between requests, TLS verified whatever the environment
 * says, no redirects (the SDK's own layer carries the security token along, cloud-apis.md 5.4.8), a bound on time and
 * size. `node:https` costs 6 ms to load, so each protocol is loaded when it is first used.
 */
export function nodeTransport(): Transport {
  const clients = new Map<string, Promise<Client>>();
  const long = longBodies();
  const clientFor = (protocol: string): Promise<Client> => {
    const known = clients.get(protocol);
    if (known !== undefined) return known;
    const client = loadClient(protocol);
    clients.set(protocol, client);
    return client;
  };

  return async ({ method, url, headers, body, timeoutMs, maxBytes = MAX_PAGE_BYTES, rowsOf }) => {
    const { request, agent } = await clientFor(url.protocol);
    return new Promise<HttpResponse>((resolve, reject) => {
      let sent = false;
      let answered = false;
      const outgoing = request({
        method,
        protocol: url.protocol,
        hostname: url.hostname.replace(/^\[|\]$/g, ""),
        port: url.port,
        path: `${url.pathname}${url.search}`,
        agent,
      });
      // Settles by itself, whatever the socket does next: a request without an event would be waited for for ever.
      const fail = (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        const code = error.code === undefined ? "" : `${error.code}: `;
        reject(
          new TransportFailure(`${code}${error.message}`, { sent, answered, tooLarge: error instanceof BodyTooLarge }),
        );
        outgoing.destroy();
      };
      const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      outgoing.on("error", fail);
      outgoing.on("close", () => {
        if (!answered) fail(new Error("the connection was closed without an answer"));
      });
      const switched = () => {
        answered = true;
        fail(new Error("the server answered 101 and changed the protocol, which was not asked for"));
      };
      outgoing.on("upgrade", (_incoming, socket) => {
        socket.destroy();
        switched();
      });
      outgoing.on("socket", (socket) => {
        // A socket that is being connected has carried nothing yet; over TLS nothing is sent before the handshake.
        const ready = () => {
          sent = true;
        };
        if (!socket.connecting) ready();
        else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", ready);
      });
      outgoing.on("response", (incoming) => {
        // Without the header Upgrade, Node gives a 101 as a response whose body never ends.
        if (incoming.statusCode === 101) return switched();
        answered = true;
        readBody(incoming, maxBytes, long, rowsOf === undefined ? undefined : rowSplitter(rowsOf)).then((body) => {
          clearTimeout(timer);
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, ...body });
        }, fail);
      });
      try {
        // Not among the options: a connection keeps those of the request that opened it, and with them its token.
        for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
        if (body !== undefined) outgoing.setHeader("content-length", Buffer.byteLength(body));
      } catch (thrown) {
        // A value that no header takes; Node's message does not repeat it.
        return fail(thrown as Error);
      }
      outgoing.end(body);
    });
  };
}
