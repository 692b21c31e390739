/** Applies an injected fault to one request: fails the request, or delays or changes its response. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { CloudState } from "../cloud-state.ts";
import { sendInformational, sendRaw, sendSlowly, sendStalled, sendUpgrade } from "./broken-responses.ts";
import type { Fault } from "./faults.ts";
import { type Query, Refusal, type Route } from "./http.ts";
import type { RequestView } from "./requests.ts";
import { gatewayError, gatewayResponse, throttledResponse, type WireResponse } from "./responses.ts";
import type { RouteMatch } from "./routes.ts";

/** One request with the data that the server has derived from it, such as its route. */
export interface RequestScope {
  request: IncomingMessage;
  response: ServerResponse;
  view: RequestView;
  text: string;
  json: unknown;
  rawQuery: string;
  query: Query;
  match: RouteMatch;
}

/** The functions that `applyFault` needs to handle a request. */
export interface FaultActions<Cloud> {
  cloudState: CloudState;
  /** Calls the service and returns its response. If `cloudState` is absent, uses the state of the embedded cloud. */
  call(cloudState?: CloudState): WireResponse;
  respond(wire: WireResponse, truncate?: boolean): void;
  /** Records the response status. A fault calls this function if it sends the response itself instead of calling `respond`. */
  recordStatus(status: number): void;
  /** Returns the embedded cloud, which the fault `mutatePage` passes to the test. */
  facade(): Cloud;
}

/** Sends the response that the fault causes. */
export async function applyFault<Cloud>(
  fault: Fault<Cloud>,
  scope: RequestScope,
  { cloudState, call, respond, recordStatus, facade }: FaultActions<Cloud>,
): Promise<void> {
  const { request, response, view, match } = scope;
  const callIf = (after: boolean | undefined) => (after ? call() : undefined);
  switch (fault.type) {
    case "clockSkew":
      return respond(call());
    case "delay": {
      const early = callIf(fault.after);
      await sleep(fault.ms, undefined, { ref: false });
      return respond(early ?? call());
    }
    case "throttle": {
      const { limit = 10, window = "1 second", retryAfter } = fault;
      return respond(throttledResponse({ limit, window }, view, retryAfter));
    }
    case "expiredToken":
      return respond(
        gatewayResponse(401, "APIGW.0301", "Incorrect IAM authentication information: token expired", view),
      );
    case "redirect":
      return respond({ status: fault.status ?? 307, headers: { location: fault.location }, text: "" });
    case "answer":
      return respond({ status: fault.status, headers: fault.headers ?? {}, text: fault.body });
    case "mutatePage": {
      const page = call();
      fault.mutate(facade());
      return respond(page);
    }
    case "edit": {
      const done = call();
      const body = done.text === "" ? undefined : JSON.parse(done.text);
      const edited = fault.edit(body);
      // If `edit` returns `undefined`, it has changed `body` in place. If `edit` returns `null`, the new body is `null`.
      const text = JSON.stringify(edited === undefined ? body : edited) ?? "";
      return respond({ ...done, text });
    }
    case "acknowledge":
      return respond(acknowledge(match.route, cloudState, call));
    case "status": {
      const done = callIf(fault.after);
      const text = failureText(fault.status, fault.body, match, view, cloudState);
      return respond({ status: fault.status, headers: fault.headers ?? {}, text, afterwards: done?.afterwards });
    }
    case "informational":
      sendInformational(response, fault.count);
      return respond(call());
    case "drip": {
      const done = call();
      recordStatus(done.status);
      await sendSlowly(response, done, fault.ms);
      done.afterwards?.();
      return;
    }
    case "cut":
    case "notJson":
    case "emptyBody": {
      const done = callIf(fault.after);
      const status = done?.status ?? successStatus(match.route);
      const corrupted = corruptBody(fault, done?.text);
      return respond({ status, ...corrupted, afterwards: done?.afterwards }, fault.type === "cut");
    }
    default: {
      const done = callIf(fault.after);
      if (fault.type === "reset") request.socket.resetAndDestroy();
      else if (fault.type === "raw") sendRaw(response, fault.bytes);
      else if (fault.type === "upgrade") {
        recordStatus(101);
        sendUpgrade(response, fault.headers ?? { connection: "Upgrade", upgrade: "websocket" });
      } else if (fault.type === "stall") {
        const status = done?.status ?? successStatus(match.route);
        recordStatus(status);
        sendStalled(response, { status, text: done?.text || PLACEHOLDER });
      }
      if (done?.afterwards) setImmediate(done.afterwards);
    }
  }
}

/** Returns the response of a successful call, but discards the changes that the call made. */
function acknowledge(
  { operation }: Route,
  cloudState: CloudState,
  call: (cloudState: CloudState) => WireResponse,
): WireResponse {
  if (/\.(update|add.*Tags|remove.*Tags)/.test(operation)) {
    throw new Error(
      `The fault "acknowledge" does not support ${operation}, because the changes of this operation cannot be discarded.`,
    );
  }
  const discarded = { ...cloudState, logs: [], lostLogs: [], invocations: [] };
  const { afterwards: _, ...response } = cloudState.inventory.discardChanges(() => call(discarded));
  return response;
}

/** Returns `body` as text. If `body` is undefined, returns the error body of the API gateway (502 and 504) or of the service. */
function failureText(
  status: number,
  body: unknown,
  { service, route }: RouteMatch,
  view: RequestView,
  cloudState: CloudState,
): string {
  if (typeof body === "string") return body;
  if (body !== undefined) return JSON.stringify(body);
  if (status === 502 || status === 504) {
    return JSON.stringify(
      gatewayError("APIGW.0201", status === 502 ? "Backend unavailable" : "Backend timeout", view.requestId),
    );
  }
  const code = status === 503 ? service.failure[503] : service.failure[500];
  const message = status === 503 ? "Service unavailable." : "Internal server error.";
  return JSON.stringify(service.envelope(new Refusal(status, code, message), route, cloudState));
}

/** The body that a fault corrupts if the service did not execute the call, or if the service sent no body. */
const PLACEHOLDER = JSON.stringify({ snapshot: { id: "00000000-0000-0000-0000-000000000000", status: "creating" } });

/** Returns the corrupted body that the fault sends instead of the normal body, and the headers that the fault changes. */
function corruptBody(
  fault: Fault & { type: "cut" | "notJson" | "emptyBody" },
  text: string | undefined,
): Pick<WireResponse, "text" | "headers"> {
  if (fault.type === "emptyBody") return { text: "" };
  const whole = text || PLACEHOLDER;
  if (fault.type === "cut") return { text: whole };
  if (fault.html) {
    return { text: "<html><body><h1>200 OK</h1></body></html>", headers: { "content-type": "text/html" } };
  }
  return { text: whole.slice(0, Math.ceil(whole.length / 2)) };
}

const successStatus = ({ success, method }: Route) => success ?? (method === "GET" || method === "PUT" ? 200 : 202);
