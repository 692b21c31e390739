/**
 * Serves all services of the embedded cloud from one HTTP server. The server handles each request in this order: routing,
 * authentication, rate limit, injected faults, service.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { CloudState } from "../cloud-state.ts";
import type { Keyring } from "./authentication.ts";
import { applyFault, type RequestScope } from "./fault-effects.ts";
import type { Fault, Faults } from "./faults.ts";
import { type ApiResponse, type Call, parseQuery, type Query, Refusal, type Service } from "./http.ts";
import { createRequestView, type RequestCounter, type RequestView, readBody } from "./requests.ts";
import { gatewayError, gatewayResponse, send, throttledResponse, type WireResponse } from "./responses.ts";
import { createRouter } from "./routes.ts";
import type { ExceededLimit } from "./throttle.ts";

/** The parts of the embedded cloud that its HTTP server uses. */
export interface ServerParts<Cloud> {
  services: readonly Service[];
  cloudState: CloudState;
  keyring: Keyring;
  faults: Faults<Cloud>;
  throttle: () => ExceededLimit | undefined;
  latencyMs: () => number;
  requests: RequestView[];
  keepRequests: boolean;
  requestCounter: RequestCounter;
  refusedSignatures: string[];
  /** Returns the embedded cloud, which the fault `mutatePage` passes to the test. */
  facade: () => Cloud;
}

/** Creates the HTTP server, which the caller must start with `listen`. */
export function createCloudServer<Cloud>(parts: ServerParts<Cloud>): Server {
  const findRoute = createRouter(parts.services);
  let requestCount = 0;

  const server = createServer((request, response) => {
    requestCount += 1;
    receive(requestCount, request, response).catch((error: unknown) => {
      // Ignore the error if the caller closed the connection early. Any other error is a bug in the embedded cloud.
      if (!request.complete) return;
      console.error("Bug in the embedded cloud:", error);
      send(response, { status: 500, text: JSON.stringify(gatewayError("APIGW.0201", String(error), "")) });
    });
  });
  // Close an idle connection only after 10 minutes. Every caller closes its idle connections earlier, so the server never closes
  // a connection that a caller is about to reuse.
  server.keepAliveTimeout = 10 * 60 * 1000;
  return server;

  async function receive(n: number, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const text = body?.toString("utf8") ?? "";
    const json = parseJson(text);
    const view = createRequestView(n, request, json ?? (text || undefined), parts.cloudState.clock);
    if (parts.keepRequests) parts.requests.push(view);
    response.setHeader("X-Request-Id", view.requestId);
    const reject = (status: number, code: string, message: string) =>
      respond(response, view, gatewayResponse(status, code, message, view));

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

    const match = findRoute(view.method, view.path);
    const isAbsent = parts.cloudState.behavior.withoutStandardSnapshots && view.path.startsWith("/v5/");
    if (!match || isAbsent) {
      return reject(404, "APIGW.0101", "The API does not exist or has not been published in the environment");
    }
    view.service = match.service.name;
    view.operation = match.route.operation;
    parts.requestCounter.addRequest(view.operation);
    const scope: RequestScope = { request, response, view, text, json, rawQuery, query, match };

    const skew = pickFault(scope, (type) => type === "clockSkew");
    const authenticationError = authenticate(scope, body, skew?.type === "clockSkew" ? skew.ms : 0);
    if (authenticationError) return respond(response, view, authenticationError);
    const throttled = match.service.behindGateway ? parts.throttle() : undefined;
    if (throttled) return respond(response, view, throttledResponse(throttled, view));

    const latency = parts.latencyMs();
    if (latency > 0) await sleep(latency, undefined, { ref: false });
    const fault = pickFault(scope, (type) => type !== "clockSkew");
    if (!fault) return respond(response, view, callService(scope, parts.cloudState));
    await applyFault(fault, scope, {
      cloudState: parts.cloudState,
      call: (cloudState = parts.cloudState) => callService(scope, cloudState),
      respond: (wire, truncate) => respond(response, view, wire, truncate),
      recordStatus: (status) => recordStatus(view, status),
      facade: parts.facade,
    });
  }

  function pickFault({ view, text, rawQuery, match }: RequestScope, isWanted: (type: Fault["type"]) => boolean) {
    const subject = { operation: match.route.operation, method: view.method, path: view.path, rawQuery, text };
    const fault = parts.faults.pick(subject, isWanted);
    if (fault) view.fault = fault.type;
    return fault;
  }

  /** Authenticates a request. Returns an error response, or `undefined` if authentication succeeds. */
  function authenticate(scope: RequestScope, body: Buffer, skewMs: number): WireResponse | undefined {
    const { request, response, view, match, query } = scope;
    const wallTime = Date.now() + skewMs;
    if (skewMs !== 0) response.setHeader("Date", new Date(wallTime).toUTCString());
    const { method, path } = view;
    const pathProject = match.params.project_id;
    const signedRequest = { method, path, query, headers: request.headers, body, pathProject };
    const verdict = parts.keyring.verifySignature(signedRequest, wallTime);
    view.signed = verdict.signed;
    if (!("reason" in verdict)) return undefined;
    const isIntended = verdict.fault === "expired" || (verdict.fault === "skew" && skewMs !== 0);
    if (!isIntended) parts.refusedSignatures.push(`${method} ${path}: ${verdict.reason}`);
    const { service } = match;
    const isForeign = pathProject !== undefined && pathProject !== parts.cloudState.projectId;
    if (service.name === "lts" && isForeign) {
      // This is the only authentication error that LTS documents (SOURCES.md#lts-project-error).
      const refusal = new Refusal(401, "SVCSTG.ALS.403.105", "Project id is invalid.");
      return { status: 401, text: JSON.stringify(service.envelope(refusal, match.route, parts.cloudState)) };
    }
    return gatewayResponse(401, "APIGW.0301", `Incorrect IAM authentication information: ${verdict.reason}`, view);
  }

  function respond(response: ServerResponse, view: RequestView, wire: WireResponse, truncate = false): void {
    recordStatus(view, wire.status);
    if (wire.afterwards && response.destroyed) setImmediate(wire.afterwards);
    else if (wire.afterwards) response.once("close", wire.afterwards);
    send(response, wire, truncate);
  }

  function recordStatus(view: RequestView, status: number): void {
    view.status = status;
    if (view.operation) parts.requestCounter.addResponse(view.operation, status);
  }
}

/** Calls the service, and converts a `Refusal` to the error body of the service. */
function callService({ match, view, request, query, text, json }: RequestScope, cloudState: CloudState): WireResponse {
  const { service, route, params } = match;
  cloudState.inventory.removeDeleted();
  const { requestId, method, path } = view;
  const call: Call = { requestId, method, path, params, query, headers: request.headers, text, json };
  let result: ApiResponse;
  try {
    result = route.handle(call, cloudState);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    result = { status: error.status, body: service.envelope(error, route, cloudState) };
  }
  if (method !== "GET") view.answer = result.body;
  const body = result.body === undefined ? "" : JSON.stringify(result.body);
  return { status: result.status, text: body, afterwards: result.afterwards };
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
