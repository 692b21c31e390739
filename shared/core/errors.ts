/**
 * Lists every reason why an operation can fail. A test compares this list with the table of reasons in functions/README.md.
 *
 * - `httpStatus`: the HTTP status with which an HTTP function responds, unless the error has another one.
 * - `retryClass`: whether and when the function retries a call. "never" means that a retry cannot succeed. The base delay
 *   before a retry is 50 ms for "transient", 1 s for "throttled" and 10 s for "busy".
 * - `advice`: what the caller or the operator should do. Records, HTTP responses and pipeline logs contain the advice.
 */
export const REASONS = {
  InvalidRequest: {
    httpStatus: 400,
    retryClass: "never",
    advice: "Correct the request. The message names what is invalid.",
  },
  Unsupported: {
    httpStatus: 400,
    retryClass: "never",
    advice:
      "The region or the resource does not support this kind of snapshot. Use standard-snapshot instead of snapshot, or vice versa.",
  },
  NotFound: {
    httpStatus: 404,
    retryClass: "never",
    advice:
      "The project has no disk, server, cluster or snapshot with this id. Check the id, or ask the operator of these functions which project they use.",
  },
  Conflict: {
    httpStatus: 409,
    retryClass: "never",
    advice:
      "A different request already used this Idempotency-Key, deployment_id or snapshot name. Use a new value, or repeat the first request unchanged.",
  },
  Busy: {
    httpStatus: 409,
    retryClass: "busy",
    advice:
      "The resource is busy, for example because a snapshot is being created or the cluster is resizing. Wait, then repeat the request.",
  },
  QuotaExceeded: {
    httpStatus: 413,
    retryClass: "never",
    advice:
      "The maximum number of snapshots is reached. Ask the operator of these functions to delete snapshots, to keep fewer (see infra/README.md) or to raise the quota.",
  },
  Throttled: {
    httpStatus: 429,
    retryClass: "throttled",
    advice:
      "The account sends too many requests. Repeat later. If this persists, ask the operator of these functions to spread their schedules.",
  },
  AccessDenied: {
    httpStatus: 502,
    retryClass: "never",
    advice:
      "These functions lack the permission for this call, or their credentials expired. Ask the operator of these functions to compare their permissions with infra/README.md.",
  },
  AccountSuspended: {
    httpStatus: 502,
    retryClass: "never",
    advice:
      "The account is frozen or suspended, so the function stopped. Ask the account's owner to resolve this with Huawei Cloud.",
  },
  CloudError: {
    httpStatus: 502,
    retryClass: "transient",
    advice:
      "The cloud service failed. Repeat the request. If this persists, ask the operator of these functions to open a ticket with the cloud's request id.",
  },
  Unreachable: {
    httpStatus: 504,
    retryClass: "transient",
    advice:
      "The cloud service did not respond. Repeat the request. If this persists, ask the operator of these functions to check their endpoints and network.",
  },
  BadResponse: {
    httpStatus: 502,
    retryClass: "transient",
    advice:
      "The response is invalid. Repeat the request. If this persists, ask the operator of these functions whether a proxy responds instead of the service.",
  },
  OutcomeUnknown: {
    httpStatus: 504,
    retryClass: "never",
    advice:
      "A snapshot may exist. Repeat the request with the same Idempotency-Key or deployment_id to find it. If the request contained neither value, check the snapshots first.",
  },
  DeadlineExceeded: {
    httpStatus: 504,
    retryClass: "never",
    advice:
      "The invocation ran out of time. Repeat the request. If this persists, ask the operator of these functions to raise the timeout.",
  },
  SnapshotFailed: {
    httpStatus: 502,
    retryClass: "never",
    advice: "The snapshot exists but is in an error state. Check the disk or cluster, then create another snapshot.",
  },
  Misconfigured: {
    httpStatus: 500,
    retryClass: "never",
    advice: "Ask the operator of these functions to correct the named setting.",
  },
} as const satisfies Record<string, { httpStatus: number; retryClass: RetryClass; advice: string }>;

type RetryClass = "never" | "transient" | "throttled" | "busy";
export type Reason = keyof typeof REASONS;

export interface SnapshotErrorDetails {
  /** The error code in the service's response, such as `EVS.5404`. */
  code?: string;
  /** The error message in the service's response, unchanged. */
  cloudMessage?: string;
  /** The HTTP status of the service's response. */
  status?: number;
  /** The request id in the service's response. A support ticket must contain the request id. */
  requestId?: string;
  /** How long the service asks the caller to wait before a retry, in milliseconds. */
  retryAfterMs?: number;
  /**
   * True if the error does not show whether the service executed the request. To find out, the caller must list the
   * snapshots. Two examples: A create request timed out. A delete request got a 404 response that may mean that a resource
   * other than the snapshot does not exist.
   */
  ambiguous?: boolean;
  /** False if the request was never sent. Default: true. */
  requestSent?: boolean;
  /** The number of create requests that were sent for the snapshot. */
  attempts?: number;
  /** The HTTP status with which an HTTP function responds. Default: the HTTP status of the reason. */
  httpStatus?: number;
  cause?: unknown;
}

/** The error class of this project. `reason` is a key of `REASONS`. `message` says what failed and what to do next. */
export class SnapshotError extends Error {
  declare readonly reason: Reason;
  declare readonly code?: string;
  declare readonly cloudMessage?: string;
  declare readonly status?: number;
  declare readonly requestId?: string;
  declare readonly retryAfterMs?: number;
  declare readonly ambiguous: boolean;
  declare readonly requestSent: boolean;
  declare readonly attempts?: number;
  declare readonly httpStatus?: number;

  constructor(reason: Reason, message: string, details: SnapshotErrorDetails = {}) {
    // Create no stack trace, because nothing prints it. The deployment gate keeps one error in memory for each failed target,
    // and 7,000 stack traces would take 16 MB.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, details);
    Error.stackTraceLimit = stackTraceLimit;
    Object.assign(this, { ambiguous: false, requestSent: true }, details, { name: reason, reason });
  }
}

/**
 * Converts any thrown value into a SnapshotError. If the value is not a SnapshotError, this program has a bug. The message
 * of the returned error then says so.
 *
 * @returns `thrown` itself if it is a SnapshotError
 */
export function asSnapshotError(thrown: unknown): SnapshotError {
  if (thrown instanceof SnapshotError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new SnapshotError("CloudError", `Unexpected fault in the function: ${message}`, { cause: thrown });
}

/**
 * Copies an error and sets `attempts`, the number of create requests that were sent.
 *
 * @returns a new error with the same reason, message and other details
 */
export const withAttempts = (error: SnapshotError, attempts: number | undefined): SnapshotError =>
  new SnapshotError(error.reason, error.message, { ...error, cause: error.cause, attempts });
