/**
 * One HTTP server for all services: reads a request, finds its route, asks who calls, throttles, does the work, and does
 * to the answer what a fault wants done to it.
 */
import { randomBytes } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { CloudState } from "../cloud-state.ts";
import type { Keyring, Signed } from "./authentication.ts";
import { sendInformational, sendRaw, sendSlowly, sendStalled, sendUpgrade } from "./broken-responses.ts";
import type { Fault, Faults } from "./faults.ts";
import {
  type Answer,
  type Call,
  gatewayError,
  parseQuery,
  type Query,
  Refusal,
  type Route,
  type Service,
} from "./http.ts";
import { createRouter, type Match } from "./routes.ts";
import { type Throttled, throttleMessage, type Window } from "./throttle.ts";

/** One request as it came in. */
export interface RequestView {
  /** From 1. */
  n: number;
  /** On the states' clock. */
  time: number;
  wallTime: number;
  requestId: string;
  method: string;
  path: string;
  query: Record<string, string | string[]>;
  /** Secrets are replaced by `***`. */
  headers: Record<string, string>;
  /** Parsed where it is JSON, else text; `undefined` when there is none. */
  body: unknown;
  /** `undefined` while there is no answer, and for ever when a fault left none. */
  status: number | undefined;
  service: string | undefined;
  operation: string | undefined;
  signed: Signed;
  /** The fault that hit it. */
  fault: Fault["type"] | undefined;
  /** The answer's body as the service gave it, before a fault spoilt it; not kept for GET, as lists are long. */
  answer: unknown;
}

/** How many requests came in, by operation, and how they were answered. */
export class RequestCounter {
  readonly #arrived = new Map<string, number>();
  readonly #answered = new Map<string, number>();

  arrived(operation: string): void {
    this.#arrived.set(operation, (this.#arrived.get(operation) ?? 0) + 1);
  }

  answered(operation: string, status: number): void {
    const key = `${operation} ${status}`;
    this.#answered.set(key, (this.#answered.get(key) ?? 0) + 1);
  }

  count(wanted: string | RegExp, status: number | undefined): number {
    let sum = 0;
    for (const [operation, arrived] of this.#arrived) {
      if (typeof wanted === "string" ? operation !== wanted : operation.search(wanted) < 0) continue;
      sum += status === undefined ? arrived : (this.#answered.get(`${operation} ${status}`) ?? 0);
    }
    return sum;
  }
}

export interface ServerParts<Cloud> {
  services: readonly Service[];
  inside: CloudState;
  keyring: Keyring;
  faults: Faults<Cloud>;
  throttle: () => Throttled | undefined;
  latencyMs: () => number;
  requests: RequestView[];
  keepRequests: boolean;
  tally: RequestCounter;
  refusedSignatures: string[];
  /** What a fault that changes the estate gets to see. */
  facade: () => Cloud;
}

/** The gateway's limit of a body (cloud-apis.md 4.3). */
const BODY_LIMIT = 12 * 1024 * 1024;

const SECRETS = ["authorization", "x-auth-token", "x-security-token", "cookie"];

/** A status, headers and a text: what goes onto the wire. */
interface Reply {
  status: number;
  headers?: Record<string, string>;
  text: string;
  afterwards?: (() => void) | undefined;
}

/** A request on its way through. */
interface RequestScope {
  request: IncomingMessage;
  response: ServerResponse;
  view: RequestView;
  text: string;
  json: unknown;
  rawQuery: string;
  query: Query;
  match: Match;
}

export function createCloudServer<Cloud>(parts: ServerParts<Cloud>): Server {
  const route = createRouter(parts.services);
  let count = 0;

  const server = createServer((request, response) => {
    count += 1;
    receive(count, request, response).catch((error: unknown) => {
      // A caller that hung up half way is no fault of the cloud's; anything else is a bug in here and has to be seen.
      if (!request.complete) return;
      console.error("The embedded cloud failed:", error);
      send(response, { status: 500, text: JSON.stringify(gatewayError("APIGW.0201", String(error), "")) });
    });
  });
  // Longer than any caller keeps an idle connection, so that the cloud never closes one just as it is used again.
  server.keepAliveTimeout = 10 * 60 * 1000;
  return server;

  async function receive(n: number, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const text = body?.toString("utf8") ?? "";
    const json = parseJson(text);
    const view = viewOf(n, request, json === undefined && text !== "" ? text : json);
    if (parts.keepRequests) parts.requests.push(view);
    response.setHeader("X-Request-Id", view.requestId);
    const reject = (status: number, code: string, message: string) =>
      reply(response, view, gatewayReply(status, code, message, view));

    if (body === undefined) return reject(413, "APIGW.0201", "Request entity too large");
    const [rawPath = "", rawQuery = ""] = (request.url ?? "").split(/\?(.*)/s);
    let query: Query;
    try {
      view.path = decodeURIComponent(rawPath);
      query = parseQuery(rawQuery);
    } catch {
      return reject(400, "APIGW.0201", "Bad request");
    }
    view.query = Object.fromEntries(
      [...query].map(([key, values]) => [key, values.length > 1 ? values : (values[0] ?? "")]),
    );

    const match = route(view.method, view.path);
    const missing = parts.inside.choices.withoutStandardSnapshots && view.path.startsWith("/v5/");
    if (!match || missing) {
      return reject(404, "APIGW.0101", "The API does not exist or has not been published in the environment");
    }
    view.service = match.service.name;
    view.operation = match.route.operation;
    parts.tally.arrived(view.operation);
    const passage: RequestScope = { request, response, view, text, json, rawQuery, query, match };

    const skew = pick(passage, (type) => type === "clockSkew");
    const refused = authenticate(passage, body, skew?.type === "clockSkew" ? skew.ms : 0);
    if (refused) return reply(response, view, refused);
    const throttled = match.service.behindGateway ? parts.throttle() : undefined;
    if (throttled) return reply(response, view, throttledReply(throttled, view));

    const latency = parts.latencyMs();
    if (latency > 0) await sleep(latency, undefined, { ref: false });
    await applyFault(
      passage,
      pick(passage, (type) => type !== "clockSkew"),
    );
  }

  function pick({ view, text, rawQuery, match }: RequestScope, wanted: (type: Fault["type"]) => boolean) {
    const subject = { operation: match.route.operation, method: view.method, path: view.path, rawQuery, text };
    const fault = parts.faults.pick(subject, wanted);
    if (fault) view.fault = fault.type;
    return fault;
  }

  /** The refusal, or nothing. */
  function authenticate(passage: RequestScope, body: Buffer, skewMs: number): Reply | undefined {
    const { request, response, view, match, query } = passage;
    const wallTime = Date.now() + skewMs;
    if (skewMs !== 0) response.setHeader("Date", new Date(wallTime).toUTCString());
    const { method, path } = view;
    const pathProject = match.params.project_id;
    const verdict = parts.keyring.judge({ method, path, query, headers: request.headers, body, pathProject }, wallTime);
    view.signed = verdict.signed;
    if (!("reason" in verdict)) return undefined;
    const arranged = verdict.fault === "expired" || (verdict.fault === "skew" && skewMs !== 0);
    if (!arranged) parts.refusedSignatures.push(`${method} ${path}: ${verdict.reason}`);
    const { service } = match;
    const foreign = pathProject !== undefined && pathProject !== parts.inside.projectId;
    if (service.name === "lts" && foreign) {
      // The one refusal that LTS documents (cloud-apis.md 6.1).
      const refusal = new Refusal(401, "SVCSTG.ALS.403.105", "Project id is invalid.");
      return { status: 401, text: JSON.stringify(service.envelope(refusal, match.route, parts.inside)) };
    }
    return gatewayReply(401, "APIGW.0301", `Incorrect IAM authentication information: ${verdict.reason}`, view);
  }

  /** Returns the response of a successful call without carrying the call out. */
  function acknowledge(passage: RequestScope): Reply {
    const { operation } = passage.match.route;
    if (/\.(update|add.*Tags|remove.*Tags)/.test(operation)) {
      throw new Error(`The fault "acknowledge" cannot hit ${operation}: its changes cannot be discarded.`);
    }
    const nowhere = { ...parts.inside, logs: [], lostLogs: [], invocations: [] };
    const { afterwards: _, ...answer } = parts.inside.estate.discard(() => work(passage, nowhere));
    return answer;
  }

  /** What the service says, with its refusals in its own envelope. */
  function work({ match, view, request, query, text, json }: RequestScope, inside = parts.inside): Reply {
    const { service, route: matched, params } = match;
    inside.estate.settle();
    const { requestId, method, path } = view;
    const call: Call = {
      requestId,
      method,
      path,
      params,
      query,
      headers: request.headers,
      text,
      json,
    };
    let answer: Answer;
    try {
      answer = matched.handle(call, inside);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer = { status: error.status, body: service.envelope(error, matched, inside) };
    }
    if (method !== "GET") view.answer = answer.body;
    const body = answer.body === undefined ? "" : JSON.stringify(answer.body);
    return { status: answer.status, text: body, afterwards: answer.afterwards };
  }

  async function applyFault(passage: RequestScope, fault: Fault<Cloud> | undefined): Promise<void> {
    const { request, response, view, match } = passage;
    if (fault === undefined || fault.type === "clockSkew") return reply(response, view, work(passage));
    switch (fault.type) {
      case "delay": {
        const early = fault.after ? work(passage) : undefined;
        await sleep(fault.ms, undefined, { ref: false });
        return reply(response, view, early ?? work(passage));
      }
      case "throttle": {
        const { limit = 10, window = "1 second", retryAfter } = fault;
        return reply(response, view, throttledReply({ limit, window }, view, retryAfter));
      }
      case "expiredToken":
        return reply(
          response,
          view,
          gatewayReply(401, "APIGW.0301", "Incorrect IAM authentication information: token expired", view),
        );
      case "redirect":
        return reply(response, view, { status: fault.status ?? 307, headers: { location: fault.location }, text: "" });
      case "answer":
        return reply(response, view, { status: fault.status, headers: fault.headers ?? {}, text: fault.body });
      case "mutatePage": {
        const page = work(passage);
        fault.mutate(parts.facade());
        return reply(response, view, page);
      }
      case "edit": {
        const done = work(passage);
        const body = parseJson(done.text);
        const edited = fault.edit(body);
        // `edit` returns undefined if it changed the body in place. `null` is a body.
        const text = JSON.stringify(edited === undefined ? body : edited) ?? "";
        return reply(response, view, { ...done, text });
      }
      case "upgrade": {
        const done = fault.after ? work(passage) : undefined;
        answered(view, 101);
        sendUpgrade(response, fault.headers ?? { connection: "Upgrade", upgrade: "websocket" });
        if (done?.afterwards) setImmediate(done.afterwards);
        return;
      }
      case "acknowledge":
        return reply(response, view, acknowledge(passage));
      case "raw": {
        const done = fault.after ? work(passage) : undefined;
        sendRaw(response, fault.bytes);
        if (done?.afterwards) setImmediate(done.afterwards);
        return;
      }
      case "informational": {
        sendInformational(response, fault.count);
        return reply(response, view, work(passage));
      }
      case "drip": {
        const done = work(passage);
        answered(view, done.status);
        await sendSlowly(response, done, fault.ms);
        done.afterwards?.();
        return;
      }
      case "status": {
        const done = fault.after ? work(passage) : undefined;
        const text = failureText(fault.status, fault.body, match, view);
        return reply(response, view, {
          status: fault.status,
          headers: fault.headers ?? {},
          text,
          afterwards: done?.afterwards,
        });
      }
      default: {
        const done = fault.after ? work(passage) : undefined;
        if (fault.type === "hang" || fault.type === "reset") {
          if (fault.type === "reset") request.socket.resetAndDestroy();
          if (done?.afterwards) setImmediate(done.afterwards);
          return;
        }
        const status = done?.status ?? successOf(match.route);
        if (fault.type === "stall") {
          answered(view, status);
          sendStalled(response, { status, text: done?.text || PLACEHOLDER });
          if (done?.afterwards) setImmediate(done.afterwards);
          return;
        }
        return reply(
          response,
          view,
          { status, ...spoilt(fault, done?.text), afterwards: done?.afterwards },
          fault.type === "cut",
        );
      }
    }
  }

  function failureText(status: number, body: unknown, { service, route: matched }: Match, view: RequestView): string {
    if (typeof body === "string") return body;
    if (body !== undefined) return JSON.stringify(body);
    if (status === 502 || status === 504) {
      return JSON.stringify(
        gatewayError("APIGW.0201", status === 502 ? "Backend unavailable" : "Backend timeout", view.requestId),
      );
    }
    const code = status === 503 ? service.failure[503] : service.failure[500];
    const message = status === 503 ? "Service unavailable." : "Internal server error.";
    return JSON.stringify(service.envelope(new Refusal(status, code, message), matched, parts.inside));
  }

  function reply(response: ServerResponse, view: RequestView, out: Reply, cut = false): void {
    answered(view, out.status);
    if (out.afterwards && response.destroyed) setImmediate(out.afterwards);
    else if (out.afterwards) response.once("close", out.afterwards);
    send(response, out, cut);
  }

  function answered(view: RequestView, status: number): void {
    view.status = status;
    if (view.operation) parts.tally.answered(view.operation, status);
  }

  function viewOf(n: number, request: IncomingMessage, body: unknown): RequestView {
    return {
      n,
      time: parts.inside.clock.now(),
      wallTime: Date.now(),
      requestId: randomBytes(16).toString("hex"),
      method: request.method ?? "",
      path: request.url ?? "",
      query: {},
      headers: withoutSecrets(request.headers),
      body,
      status: undefined,
      service: undefined,
      operation: undefined,
      signed: "none",
      fault: undefined,
      answer: undefined,
    };
  }
}

function send(response: ServerResponse, { status, headers, text }: Reply, cut = false): void {
  if (response.destroyed || response.headersSent) return;
  const body = Buffer.from(text);
  response.writeHead(status, {
    ...(body.length > 0 ? { "content-type": "application/json" } : {}),
    ...(status === 204 ? {} : { "content-length": body.length }),
    ...headers,
  });
  if (!cut) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}

/** The body that a fault corrupts if the call was not carried out or its response has no body. */
const PLACEHOLDER = JSON.stringify({ snapshot: { id: "00000000-0000-0000-0000-000000000000", status: "creating" } });

function spoilt(
  fault: Fault & { type: "cut" | "notJson" | "emptyBody" },
  text: string | undefined,
): Pick<Reply, "text" | "headers"> {
  if (fault.type === "emptyBody") return { text: "" };
  const whole = text || PLACEHOLDER;
  if (fault.type === "cut") return { text: whole };
  if (fault.html) {
    return { text: "<html><body><h1>200 OK</h1></body></html>", headers: { "content-type": "text/html" } };
  }
  return { text: whole.slice(0, Math.ceil(whole.length / 2)) };
}

const successOf = ({ success, method }: Route) => success ?? (method === "GET" || method === "PUT" ? 200 : 202);

function gatewayReply(status: number, code: string, message: string, view: RequestView): Reply {
  const body = gatewayError(code, message, view.requestId);
  view.answer = body;
  return { status, text: JSON.stringify(body) };
}

function throttledReply(
  { limit, window }: { limit: number; window: Window },
  view: RequestView,
  retryAfter?: number,
): Reply {
  const reply = gatewayReply(429, "APIGW.0308", throttleMessage({ limit, window }), view);
  return { ...reply, ...(retryAfter === undefined ? {} : { headers: { "retry-after": String(retryAfter) } }) };
}

function withoutSecrets(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, SECRETS.includes(name) ? "***" : String(value)]),
  );
}

/** `undefined`: larger than the gateway takes. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= BODY_LIMIT) chunks.push(chunk);
  }
  return size > BODY_LIMIT ? undefined : Buffer.concat(chunks);
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
