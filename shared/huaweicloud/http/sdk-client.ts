import { HcClient, type HttpRequestOptions } from "@huaweicloud/huaweicloud-sdk-core/HcClient";
import type { HttpClient } from "@huaweicloud/huaweicloud-sdk-core/http/HttpClient";
import type { IHttpRequest } from "@huaweicloud/huaweicloud-sdk-core/http/IHttpRequest";
import type { Time } from "../../core/clock.ts";
import { REASONS, SnapshotError } from "../../core/errors.ts";
import { after, type Instant, instant } from "../../core/instant.ts";
import type { JsonObject } from "../../core/json.ts";
import { raceDeadline } from "../../core/retry.ts";
import { type ApiResponse, PageTooLarge, readResponse } from "./api-response.ts";
import type { Operation } from "./cloud-errors.ts";
import { type Credentials, sdkCredential } from "./credentials.ts";
import type { Service } from "./endpoints.ts";
import { checkSnapshotId } from "./ids.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { MAX_PAGE_BYTES, MAX_SMALL_BYTES } from "./response-body.ts";
import { type HttpRequest, type HttpResponse, type Transport, TransportFailure } from "./transport.ts";

/** The shared state of all API clients in one invocation. */
export interface Connection {
  transport: Transport;
  credentials: Credentials;
  projectId: string;
  /** Returns the origin of a service, such as `https://evs.eu-west-101.myhuaweicloud.com`. Throws Misconfigured. */
  endpoint(service: Service): string;
  /** The maximum time of one request, in milliseconds. */
  timeoutMs: number;
  /**
   * The maximum time of one create request, in milliseconds. Default: `timeoutMs`. It is longer if no caller waits for a response,
   * because a service can create a snapshot after the function has stopped waiting for the response.
   */
  createTimeoutMs?: number;
  now(): Instant;
  sleep: Time["sleep"];
  limiter: RateLimiter;
  /** The time by which every request must be finished. */
  deadline: Instant;
  /**
   * The error of a response that reported a frozen or suspended account. All later requests except log reports to LTS fail with
   * the same error and are not sent.
   */
  suspended?: SnapshotError;
}

/**
 * A create request must end this long before the deadline, in milliseconds. If the create request times out, the caller uses the
 * remaining time to list the snapshots.
 */
const LIST_RESERVE_MS = 1_500;

/**
 * How long after the deadline `send` still waits for the result of a request, in milliseconds. If the request fails in this time,
 * its own error is more specific than DeadlineExceeded.
 */
const GRACE_MS = 50;

/**
 * The maximum size, in bytes, of a DWS list response. DWS returns all entries in one response, without pages
 * (SOURCES.md#dws-list-has-no-pages).
 */
const MAX_WHOLE_LIST_BYTES = 16 * 1024 * 1024;

/** How `send` sends a request and reads its response. */
interface SendOptions {
  /** The name of an array in the response body. If the body is long, the objects in this array are returned in `rows`. */
  rowsOf?: string;
  /** Is called after the rate limiter. If it rejects, the request is not sent. */
  beforeSend?: (() => Promise<void>) | undefined;
}

/**
 * Sends one request through Huawei Cloud's SDK. The SDK builds and signs the request, and this project's transport sends it. Each
 * request has its own SDK client, because the SDK keeps its last request in static fields (SOURCES.md#sdk-static-state). The
 * promise settles at the deadline at the latest, even if the SDK or a socket does not respond.
 *
 * @param call sends the request with the given SDK client
 * @throws SnapshotError
 * @example await send(connection, "EVS", "read", (client) => new EvsClient(client).listVolumes(request))
 */
export async function send(
  connection: Connection,
  service: Service,
  operation: Operation,
  call: (client: HcClient) => Promise<unknown>,
  options: SendOptions = {},
): Promise<ApiResponse> {
  const adapter = new SdkTransportAdapter(connection, service, operation, options);
  const client = new HcClient(adapter)
    .withCredential(sdkCredential(connection.credentials, connection.projectId))
    .withEndpoints([connection.endpoint(service)]);
  const timedOut = () =>
    new SnapshotError("DeadlineExceeded", `${service}: no response before the invocation's time ran out.`, {
      ambiguous: operation === "create" && adapter.isSent,
      requestSent: adapter.isSent,
    });
  try {
    await raceDeadline(call(client), connection, after(connection.deadline, GRACE_MS), timedOut);
  } catch (thrown) {
    // The SDK replaces every error by an exception without the cause. The adapter has the original error.
    throw adapter.failure ?? thrown;
  }
  if (adapter.response === undefined) throw new Error("Expected the SDK to send a request, but the SDK sent none.");
  return adapter.response;
}

/**
 * Sends a request for which the SDK has no method: to EVS v5, DWS, ECS, LTS or FunctionGraph. Otherwise works like `send`.
 *
 * @example await sendOptions(connection, "EVS", "read", { method: "GET", url: "/v5/{project_id}/snapshots/detail" })
 */
export const sendOptions = (
  connection: Connection,
  service: Service,
  operation: Operation,
  options: Pick<HttpRequestOptions, "method" | "url"> & Partial<HttpRequestOptions>,
  sendOptions?: SendOptions,
): Promise<ApiResponse> => {
  const call = (client: HcClient) =>
    client.sendRequest({
      contentType: "application/json",
      pathParams: {},
      headers: {},
      ...options,
      queryParams: copyQueryParams(options.queryParams),
    });
  return send(connection, service, operation, call, sendOptions);
};

/** Copies query parameters and their arrays, because the SDK's signer sorts arrays in place. */
const copyQueryParams = (queryParams: JsonObject = {}): JsonObject =>
  Object.fromEntries(
    Object.entries(queryParams).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]),
  );

/** Deletes a snapshot with a DELETE request for which the SDK has no method. */
export const sendDelete = async (connection: Connection, service: Service, url: string, id: string): Promise<void> => {
  const pathParams = { snapshot_id: checkSnapshotId(id) };
  await sendOptions(connection, service, "delete", { method: "DELETE", url: `${url}/{snapshot_id}`, pathParams });
};

/**
 * The HTTP client that the SDK uses for one request. Passes the request to this project's transport and keeps the response or
 * the error.
 */
class SdkTransportAdapter implements HttpClient {
  response?: ApiResponse;
  failure?: Error;
  readonly #connection: Connection;
  readonly #service: Service;
  readonly #operation: Operation;
  /** True if the request may have reached the service. */
  isSent = false;
  readonly #options: SendOptions;

  constructor(connection: Connection, service: Service, operation: Operation, options: SendOptions) {
    this.#connection = connection;
    this.#service = service;
    this.#operation = operation;
    this.#options = options;
  }

  async sendRequest<T>(request: IHttpRequest): Promise<{ data: T; statusCode: number; headers: object }> {
    try {
      this.response = await this.#send(request);
    } catch (thrown) {
      if (thrown instanceof Error) this.failure = thrown;
      // The SDK expects a failed request to have this shape.
      throw { data: {}, message: thrown instanceof Error ? thrown.message : String(thrown) };
    }
    // The SDK's own result is not used.
    return { data: {} as T, statusCode: this.response.status, headers: {} };
  }

  async #send(request: IHttpRequest): Promise<ApiResponse> {
    const { deadline, now, limiter } = this.#connection;
    // Result records are sent to LTS even if the account is suspended. LTS has its own rate limit.
    const isDelivery = this.#service === "LTS";
    const url = new URL(`${originOf(request)}${request.url}${queryOf(request)}`);
    const what = `${request.method} ${url.pathname}`;
    const api = `${request.method} ${url.pathname.replace(IDS_IN_PATH, "{id}")}`;
    const limit = deadline - (this.#operation === "create" ? LIST_RESERVE_MS : 0);
    if (!isDelivery) await limiter.acquire(api, instant(limit));
    await this.#options.beforeSend?.();
    const remainingMs = limit - now();
    if (remainingMs <= 0) {
      throw new SnapshotError("DeadlineExceeded", `${what}: not sent, because the invocation's time has run out.`, {
        requestSent: false,
      });
    }
    const { suspended } = this.#connection;
    if (suspended !== undefined && !isDelivery) {
      const { reason, message, code, cloudMessage, status, requestId } = suspended;
      throw new SnapshotError(reason, message, { code, cloudMessage, status, requestId, requestSent: false });
    }
    this.isSent = true;
    const httpResponse = await this.#transmit(what, url, request, remainingMs);
    try {
      const response = readResponse(what, httpResponse, this.#operation, now());
      limiter.onSuccess(api);
      return response;
    } catch (thrown) {
      if (thrown instanceof SnapshotError && thrown.reason === "Throttled")
        limiter.onThrottled(api, thrown.cloudMessage);
      if (thrown instanceof SnapshotError && thrown.reason === "AccountSuspended") this.#connection.suspended = thrown;
      throw thrown;
    }
  }

  async #transmit(what: string, url: URL, request: IHttpRequest, remainingMs: number): Promise<HttpResponse> {
    const { transport, timeoutMs: anyTimeoutMs, createTimeoutMs = anyTimeoutMs } = this.#connection;
    const timeoutMs = this.#operation === "create" ? createTimeoutMs : anyTimeoutMs;
    const httpRequest: HttpRequest = {
      method: String(request.method),
      url,
      headers: { accept: "application/json", "user-agent": "snapshot-functions", ...request.headers },
      // The signer hashed JSON.stringify(data), so the body must be the same string.
      body: request.data === undefined ? undefined : JSON.stringify(request.data),
      timeoutMs: Math.min(timeoutMs, remainingMs),
      maxBytes: maxBytesOf(this.#service, this.#operation),
      rowsOf: this.#options.rowsOf,
    };
    try {
      return await transport(httpRequest);
    } catch (thrown) {
      const failure = thrown instanceof TransportFailure ? thrown : undefined;
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      const reason = failure?.answered ? "BadResponse" : "Unreachable";
      const ErrorClass = failure?.tooLarge ? PageTooLarge : SnapshotError;
      throw new ErrorClass(reason, `${what}: ${message}. ${REASONS[reason].advice}`, {
        ambiguous: this.#operation === "create" && (failure?.requestSent ?? true),
        cause: thrown,
      });
    }
  }
}

function maxBytesOf(service: Service, operation: Operation): number {
  if (operation !== "read" || service === "LTS") return MAX_SMALL_BYTES;
  return service === "DWS" ? MAX_WHOLE_LIST_BYTES : MAX_PAGE_BYTES;
}

/** Matches ids in a URL path. Paths that differ only in ids belong to the same API and have the same rate limit. */
const IDS_IN_PATH = /[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/gi;

const originOf = (request: IHttpRequest): string => new URL(String(request.endpoint)).origin;

/**
 * Returns the query string exactly as the SDK's signer hashed it: encoded by RFC 3986, so a space is `%20` and never `+`. An
 * array becomes one name-value pair per value.
 */
const queryOf = ({ queryParams = {} }: IHttpRequest): string => {
  const pairs = Object.entries(queryParams as Record<string, unknown>).flatMap(([name, value]) =>
    [value].flat().map((item) => `${encodeURIComponent(name)}=${encodeURIComponent(String(item))}`),
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
};
