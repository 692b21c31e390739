import { HcClient, type HttpRequestOptions } from "@huaweicloud/huaweicloud-sdk-core/HcClient";
import type { HttpClient } from "@huaweicloud/huaweicloud-sdk-core/http/HttpClient";
import type { IHttpRequest } from "@huaweicloud/huaweicloud-sdk-core/http/IHttpRequest";
import type { Time } from "../../core/clock.ts";
import { REASONS, SnapshotError } from "../../core/errors.ts";
import { after, type Instant, instant } from "../../core/instant.ts";
import { isObject, type JsonObject, textAt } from "../../core/json.ts";
import { preview } from "../../core/preview.ts";
import { raceDeadline } from "../../core/retry.ts";
import type { Kind } from "../../snapshots/kinds/kind.ts";
import type { Created } from "../../snapshots/ports.ts";
import { faultError, type Operation, readFault, retryAfterMs } from "./cloud-errors.ts";
import { type Credentials, sdkCredential } from "./credentials.ts";
import type { Service } from "./endpoints.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { MAX_PAGE_BYTES, MAX_SMALL_BYTES } from "./response-body.ts";
import { hasTooManyValues, parseResponse } from "./response-json.ts";
import { type HttpResponse, type Transport, TransportFailure } from "./transport.ts";

/** What every client of a service needs; one for each invocation. */
export interface Connection {
  transport: Transport;
  credentials: Credentials;
  projectId: string;
  /** Origin of a service, such as `https://evs.eu-west-101.myhuaweicloud.com`; throws Misconfigured. */
  endpoint(service: Service): string;
  timeoutMs: number;
  now(): Instant;
  sleep: Time["sleep"];
  limiter: RateLimiter;
  /** Nothing is in flight after this moment. */
  deadline: Instant;
  /** A refusal that concerns the whole account: the cloud gets no further call, each one is refused with this. */
  suspended?: SnapshotError;
}

export interface ApiResponse {
  status: number;
  text: string;
  body: JsonObject;
  /** The rows of `rowsOf`, which the body has no more. */
  rows?: string[];
}

/** Left of the deadline for a create, so that its outcome can still be looked up once when no answer comes. */
const LOOK_RESERVE_MS = 1_500;

/** Time after the deadline in which a call can still fail by itself, because its own error says more. */
const GRACE_MS = 50;

/**
 * Sends one request through the SDK: `call` gets an HcClient that builds and signs it, our transport carries it.
 * The exchange is made for this one request, so nothing of it is shared with a concurrent one or outlives it
 * (the SDK keeps its last request in static fields, cloud-apis.md 5.4.12). Always ends, at the deadline at the latest,
 * whatever the SDK or a socket does.
 */
export async function send(
  connection: Connection,
  service: Service,
  operation: Operation,
  call: (client: HcClient) => Promise<unknown>,
  rowsOf?: string,
): Promise<ApiResponse> {
  const exchange = new SdkTransportAdapter(connection, service, operation, rowsOf);
  const client = new HcClient(exchange)
    .withCredential(sdkCredential(connection.credentials, connection.projectId))
    .withEndpoints([connection.endpoint(service)]);
  const hung = () =>
    new SnapshotError(
      "DeadlineExceeded",
      `${service}: the call did not end by itself before the invocation's time ran out.`,
      {
        ambiguous: operation === "create",
      },
    );
  try {
    await raceDeadline(call(client), connection, after(connection.deadline, GRACE_MS), hung);
  } catch (thrown) {
    // The SDK turns every failure into an exception of its own that has lost the cause: the exchange has kept it.
    throw exchange.failure ?? thrown;
  }
  if (exchange.answer === undefined) throw new Error("Expected the SDK to send a request; it sent none.");
  return exchange.answer;
}

/** A call that the SDK has no method for (EVS v5, DWS, LTS, FunctionGraph): the same path through `sendRequest`. */
export const sendOptions = (
  connection: Connection,
  service: Service,
  operation: Operation,
  options: Pick<HttpRequestOptions, "method" | "url"> & Partial<HttpRequestOptions>,
  rowsOf?: string,
): Promise<ApiResponse> => {
  const call = (client: HcClient) =>
    client.sendRequest({
      contentType: "application/json",
      pathParams: {},
      headers: {},
      ...options,
      queryParams: copyOf(options.queryParams),
    });
  return send(connection, service, operation, call, rowsOf);
};

/** The signer sorts lists in place. */
const copyOf = (queryParams: JsonObject = {}): JsonObject =>
  Object.fromEntries(
    Object.entries(queryParams).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]),
  );

class SdkTransportAdapter implements HttpClient {
  answer?: ApiResponse;
  failure?: SnapshotError;
  readonly #connection: Connection;
  readonly #service: Service;
  readonly #operation: Operation;
  readonly #rowsOf: string | undefined;

  constructor(connection: Connection, service: Service, operation: Operation, rowsOf: string | undefined) {
    this.#connection = connection;
    this.#service = service;
    this.#operation = operation;
    this.#rowsOf = rowsOf;
  }

  async sendRequest<T>(request: IHttpRequest): Promise<{ data: T; statusCode: number; headers: object }> {
    try {
      this.answer = await this.#exchange(request);
    } catch (thrown) {
      if (thrown instanceof SnapshotError) this.failure = thrown;
      // The shape that the SDK expects of a failed request.
      throw { data: {}, message: thrown instanceof Error ? thrown.message : String(thrown) };
    }
    // Nobody reads what the SDK makes of it.
    return { data: {} as T, statusCode: this.answer.status, headers: {} };
  }

  async #exchange(request: IHttpRequest): Promise<ApiResponse> {
    const { transport, timeoutMs, deadline, now, limiter } = this.#connection;
    const create = this.#operation === "create";
    const url = new URL(`${originOf(request)}${request.url}${queryOf(request)}`);
    const what = `${request.method} ${url.pathname}`;
    const api = `${request.method} ${url.pathname.replace(IDS, "{id}")}`;
    const limit = deadline - (create ? LOOK_RESERVE_MS : 0);
    // The logging topic has an address and a limit of its own, and what was done is to be told in time.
    if (this.#service !== "LTS") await limiter.acquire(api, instant(limit));
    const rest = limit - now();
    if (rest <= 0) {
      throw new SnapshotError("DeadlineExceeded", `${what}: not sent, because the invocation's time has run out.`, {
        requestSent: false,
      });
    }
    const { suspended } = this.#connection;
    // What was done before is still to be told.
    if (suspended !== undefined && this.#service !== "LTS") {
      const { reason, message, code, cloudMessage: said, status, requestId } = suspended;
      throw new SnapshotError(reason, message, { code, cloudMessage: said, status, requestId, requestSent: false });
    }
    let wire: HttpResponse;
    try {
      wire = await transport({
        method: String(request.method),
        url,
        headers: { accept: "application/json", "user-agent": "snapshot-functions", ...request.headers },
        // The signer hashed JSON.stringify(data): the same text goes out.
        body: request.data === undefined ? undefined : JSON.stringify(request.data),
        timeoutMs: Math.min(timeoutMs, rest),
        maxBytes: maxBytesOf(this.#service, this.#operation),
        rowsOf: this.#rowsOf,
      });
    } catch (thrown) {
      const failure = thrown instanceof TransportFailure ? thrown : undefined;
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      const reason = failure?.answered ? "BadResponse" : "Unreachable";
      const kind = failure?.tooLarge ? PageTooLarge : SnapshotError;
      throw new kind(reason, `${what}: ${message}. ${REASONS[reason].advice}`, {
        ambiguous: create && (failure?.sent ?? true),
        cause: thrown,
      });
    }
    try {
      const answer = readAnswer(what, wire, this.#operation, now());
      limiter.onSuccess(api);
      return answer;
    } catch (thrown) {
      if (thrown instanceof SnapshotError && thrown.reason === "Throttled")
        limiter.onThrottled(api, thrown.cloudMessage);
      if (thrown instanceof SnapshotError && thrown.reason === "AccountSuspended") this.#connection.suspended = thrown;
      throw thrown;
    }
  }
}

/** A page of a list is too large for a function's memory. The reader requests it again with fewer rows. */
export class PageTooLarge extends SnapshotError {}

/** The list of all snapshots of DWS has no pages. */
const MAX_WHOLE_LIST_BYTES = 16 * 1024 * 1024;

function maxBytesOf(service: Service, operation: Operation): number {
  if (operation !== "read" || service === "LTS") return MAX_SMALL_BYTES;
  return service === "DWS" ? MAX_WHOLE_LIST_BYTES : MAX_PAGE_BYTES;
}

/** Ids in a path, which do not make it another API. */
const IDS = /[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/gi;

const originOf = (request: IHttpRequest): string => new URL(String(request.endpoint)).origin;

/** The query as the signer hashed it: RFC 3986, a space is `%20` and never `+`, a list each value with the name. */
const queryOf = ({ queryParams = {} }: IHttpRequest): string => {
  const pairs = Object.entries(queryParams as Record<string, unknown>).flatMap(([name, value]) =>
    [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(String(one))}`),
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
};

/** An answer of the cloud, or the error that it is. */
function readAnswer(what: string, wire: HttpResponse, operation: Operation, now: Instant): ApiResponse {
  const { status, headers } = wire;
  const text = wire.text.replace(/^\ufeff/, "");
  const requestId = typeof headers["x-request-id"] === "string" ? headers["x-request-id"] : undefined;
  const open = operation === "create";
  if (status >= 300 && status < 400) {
    throw new SnapshotError(
      "BadResponse",
      `${what}: expected an answer of the API, got ${status}, a redirect, which is not followed.`,
      {
        status,
        requestId,
        ambiguous: open,
      },
    );
  }
  if (operation === "read" && hasTooManyValues(text)) {
    const message = `${what}: expected a page of a list, got more values than there is memory for.`;
    throw new PageTooLarge("BadResponse", message, { status, requestId });
  }
  const body = parseResponse(text);
  const fault = readFault(body);
  const failed = status >= 400 || status < 200 || namesFailure(body, fault.code);
  if (failed) {
    throw faultError(
      what,
      { status, ...fault },
      { operation, requestId, retryAfterMs: retryAfterMs(headers["retry-after"], fault.message, now) },
    );
  }
  if (text.trim() === "") return { status, text, body: {} };
  if (!isObject(body)) {
    const shown = JSON.stringify(text.slice(0, 80));
    throw new SnapshotError("BadResponse", `${what}: expected a JSON object with the ${status}, got ${shown}.`, {
      status,
      requestId,
      ambiguous: open,
    });
  }
  return { status, text, body, rows: wire.rows };
}

/**
 * DWS answers some failures with 200 and a code other than `DWS.0000`. No success of any service has a code of EVS or of the
 * gateway in it, or an `error` that says anything.
 */
const namesFailure = (body: unknown, code: string | undefined): boolean =>
  (code !== undefined && /^[A-Z]{2,8}\.\d{4,8}$/.test(code) && code !== "DWS.0000") ||
  (isObject(body) && [body.error].flatMap((error) => (isObject(error) ? Object.values(error) : [error])).some(says));

const says = (value: unknown): boolean => (typeof value === "string" ? value.trim() !== "" : Boolean(value));

/** For a success without what we rely on. After a create the cloud may well have acted: `open`. */
export const unusable = (
  what: string,
  { status, text }: Pick<ApiResponse, "status" | "text">,
  open = false,
): SnapshotError =>
  new SnapshotError(
    "BadResponse",
    `Expected ${what} in the answer, got ${status} ${JSON.stringify(text.slice(0, 200))}.`,
    {
      status,
      ambiguous: open,
    },
  );

/** Returns the error for a list entry that lacks a required field. Omits values, because they can be nested deeply. */
export const unusableRow = (what: string, row: JsonObject): SnapshotError =>
  unusable(what, { status: 200, text: `an entry with the fields ${Object.keys(row).slice(0, 20).join(", ")}` });

/** A UUID, or as the examples of the API documents have it: `XXXXXX`. The nil UUID stands for a missing id. */
const ID = /^(?=.{5,64}$)(?![0-]*$)[0-9a-fx]+(-[0-9a-fx]+)*$/i;

/**
 * Reads the response to a create. A success that has no id, or that is about another resource, leaves it open whether the
 * snapshot exists.
 *
 * @throws SnapshotError BadResponse, `open`; SnapshotFailed where the snapshot is in an error state already
 */
export function readCreated(kind: Kind, options: JsonObject, answer: ApiResponse): Created {
  const snapshotId = kind.createdId(answer.body);
  const expected = kind.resourceOf(options);
  if (snapshotId === undefined || !ID.test(snapshotId) || snapshotId.toLowerCase() === expected) {
    throw unusable(`the id of the new ${kind.name}`, answer, true);
  }
  // The responses of EVS v5 have no object around their fields.
  const { [kind.envelope]: wrapped, ...bare } = answer.body;
  const row = isObject(wrapped) ? wrapped : bare;
  if (namesFailure(row, readFault(row).code)) throw unusable(`a ${kind.name} without an error`, answer, true);
  const read = kind.read({ ...row, id: snapshotId, status: textAt(row, "status") || "creating" });
  const { resource, state, status } = read ?? {};
  if (resource !== undefined && resource !== expected) throw unusable(`a ${kind.name} of ${expected}`, answer, true);
  if (state === "failed" || state === "deleting") {
    throw new SnapshotError(
      "SnapshotFailed",
      `The ${kind.name} ${snapshotId} was created and is in the status "${status}" at once. ${REASONS.SnapshotFailed.advice}`,
    );
  }
  return { snapshotId, jobId: textAt(answer.body, "job_id"), status: answer.status, body: answer.text, state };
}

/** Whether a list's text can be an id: the SDK puts ids into paths as they are (cloud-apis.md 5.4.15). */
export const isId = (text: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(text);

/** An id that the cloud gave, before it goes into a path. */
export function checkSnapshotId(id: string): string {
  if (isId(id)) return id;
  throw new SnapshotError(
    "BadResponse",
    `Expected the cloud to give an id of letters, digits, - and _, got ${preview(id)}.`,
  );
}

/** Deletes a snapshot by a call that the SDK has no method for. */
export const removeAt = async (connection: Connection, service: Service, url: string, id: string): Promise<void> => {
  const pathParams = { snapshot_id: checkSnapshotId(id) };
  await sendOptions(connection, service, "delete", { method: "DELETE", url: `${url}/{snapshot_id}`, pathParams });
};
