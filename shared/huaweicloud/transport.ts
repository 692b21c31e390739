import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";

/** One HTTP request as it goes out. */
export interface WireRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string;
  /** For the whole attempt, connect to last byte. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface WireAnswer {
  status: number;
  headers: IncomingMessage["headers"];
  text: string;
}

/** Sends one request, once: no retries, no redirects. Rejects with a TransportFailure. */
export type Transport = (request: WireRequest) => Promise<WireAnswer>;

/** No answer came. `sent`: the request may have reached the cloud, so that the cloud may have acted on it. */
export class TransportFailure extends Error {
  readonly sent: boolean;
  readonly answered: boolean;
  constructor(message: string, { sent, answered = false }: { sent: boolean; answered?: boolean }) {
    super(message);
    this.name = "TransportFailure";
    this.sent = sent;
    this.answered = answered;
  }
}

/** A list page of 1,000 is about 1 MB; more than this is no answer of these APIs. */
const LARGEST_ANSWER = 16 * 1024 * 1024;

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
  const clientFor = (protocol: string): Promise<Client> => {
    const known = clients.get(protocol);
    if (known !== undefined) return known;
    const client = loadClient(protocol);
    clients.set(protocol, client);
    return client;
  };

  return async ({ method, url, headers, body, timeoutMs, signal }) => {
    const { request, agent } = await clientFor(url.protocol);
    return new Promise<WireAnswer>((resolve, reject) => {
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
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const abort = () => outgoing.destroy(new Error("the invocation's time ran out"));
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort, { once: true });
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      const fail = (error: NodeJS.ErrnoException) => {
        done();
        const code = error.code === undefined ? "" : `${error.code}: `;
        reject(new TransportFailure(`${code}${error.message}`, { sent, answered }));
      };
      outgoing.on("error", fail);
      outgoing.on("socket", (socket) => {
        // A socket that is being connected has carried nothing yet; over TLS nothing is sent before the handshake.
        const ready = () => {
          sent = true;
        };
        if (!socket.connecting) ready();
        else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", ready);
      });
      outgoing.on("response", (incoming) => {
        answered = true;
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > LARGEST_ANSWER) outgoing.destroy(new Error(`an answer of more than ${LARGEST_ANSWER} bytes`));
          else chunks.push(chunk);
        });
        incoming.on("error", fail);
        incoming.on("close", () => {
          if (!incoming.complete) fail(new Error("the answer was cut off"));
        });
        incoming.on("end", () => {
          if (!incoming.complete) return;
          done();
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text: Buffer.concat(chunks).toString("utf8"),
          });
        });
      });
      try {
        // Not among the options: a connection keeps those of the request that opened it, and with them its token.
        for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
        if (body !== undefined) outgoing.setHeader("content-length", Buffer.byteLength(body));
      } catch (thrown) {
        // A value that no header takes; Node's message does not repeat it.
        outgoing.destroy(thrown as Error);
        return;
      }
      outgoing.end(body);
    });
  };
}
