/**
 * Lists every reason for which an operation can fail. Each reason has the HTTP status that an HTTP function responds with, a
 * retry class, and advice. A test compares this catalogue with the table in README.md.
 *
 * Records, HTTP responses and pipeline logs show `advice`. If only the operator can do something, the advice says so.
 *
 * The retry class decides whether and when a call is repeated: "never" means that a retry cannot succeed. The base delays of
 * the other classes are 50 ms for "transient", 1 s for "throttled" and 10 s for "busy".
 */
export const REASONS = {
  InvalidRequest: {
    httpStatus: 400,
    retryClass: "never",
    advice: "Correct the request; the message names each fault with its path, what was expected and what came.",
  },
  Unsupported: {
    httpStatus: 400,
    retryClass: "never",
    advice:
      "The region or resource does not offer this kind of snapshot: try standard-snapshot instead of snapshot, or the reverse.",
  },
  NotFound: {
    httpStatus: 404,
    retryClass: "never",
    advice:
      "The disk, server, cluster or snapshot does not exist in the project of these functions: check the id, or ask their operator which project that is.",
  },
  Conflict: {
    httpStatus: 409,
    retryClass: "never",
    advice:
      "Something else stands under this key or name: use a new Idempotency-Key, deployment_id or name, or repeat the first request unchanged.",
  },
  Busy: {
    httpStatus: 409,
    retryClass: "busy",
    advice:
      "The resource is occupied (a snapshot is being created, the cluster is resizing or restarting): wait for that to end and repeat.",
  },
  QuotaExceeded: {
    httpStatus: 413,
    retryClass: "never",
    advice:
      "No more snapshots are allowed here: ask the operator of these functions to delete some, to keep fewer (infra/README.md says how), or to have the quota raised.",
  },
  Throttled: {
    httpStatus: 429,
    retryClass: "throttled",
    advice:
      "The account makes too many calls: repeat later. If this persists, ask the operator of these functions to spread their schedules.",
  },
  AccessDenied: {
    httpStatus: 502,
    retryClass: "never",
    advice:
      "These functions may not make this call, or their credentials have expired: ask their operator to compare their rights with those in infra/README.md.",
  },
  AccountSuspended: {
    httpStatus: 502,
    retryClass: "never",
    advice:
      "The account is frozen or suspended: ask its owner to settle it with Huawei Cloud; nothing else is tried meanwhile.",
  },
  CloudError: {
    httpStatus: 502,
    retryClass: "transient",
    advice:
      "The service answered with a fault of its own: repeat. If this persists, ask the operator of these functions to open a ticket with the cloud's request id.",
  },
  Unreachable: {
    httpStatus: 504,
    retryClass: "transient",
    advice:
      "The service did not answer: repeat. If this persists, ask the operator of these functions to check their endpoints and their network.",
  },
  BadResponse: {
    httpStatus: 502,
    retryClass: "transient",
    advice:
      "The answer could not be understood: repeat. If this persists, ask the operator of these functions whether a proxy answers in place of the service.",
  },
  OutcomeUnknown: {
    httpStatus: 504,
    retryClass: "never",
    advice:
      "A snapshot may have been created: repeat the request with the same Idempotency-Key or deployment_id, which finds it. Without such a key, look for it first.",
  },
  DeadlineExceeded: {
    httpStatus: 504,
    retryClass: "never",
    advice:
      "The invocation's time ran out first: repeat. If this persists, ask the operator of these functions to raise their timeout.",
  },
  SnapshotFailed: {
    httpStatus: 502,
    retryClass: "never",
    advice: "The snapshot exists but ended in an error state: look at the disk or cluster, then take it again.",
  },
  Misconfigured: {
    httpStatus: 500,
    retryClass: "never",
    advice: "Ask the operator of these functions to correct what the message names.",
  },
} as const satisfies Record<string, { httpStatus: number; retryClass: RetryClass; advice: string }>;

type RetryClass = "never" | "transient" | "throttled" | "busy";
export type Reason = keyof typeof REASONS;

export interface SnapshotErrorDetails {
  /** The cloud's own error code, such as `EVS.5404`. */
  code?: string;
  /** The cloud's own message, word for word. */
  cloudMessage?: string;
  /** The cloud's HTTP status. */
  status?: number;
  /** The cloud's request id, which a support ticket needs. */
  requestId?: string;
  /** How long the cloud asks the caller to wait before a retry, in milliseconds. */
  retryAfterMs?: number;
  /**
   * True if the response does not show whether the cloud acted, so the caller has to list the snapshots. After a create, the
   * cloud may have created the snapshot although no usable response arrived. After a delete, "not found" may be about
   * something other than the snapshot.
   */
  ambiguous?: boolean;
  /** False if the request was not sent at all. Default: true. */
  requestSent?: boolean;
  /** How many create requests were sent. */
  attempts?: number;
  cause?: unknown;
}

/** The error class of this project: a reason from the catalogue and a message for the operator. */
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

  constructor(reason: Reason, message: string, details: SnapshotErrorDetails = {}) {
    // The stack is never printed. A gate keeps one error per failed target, and 7,000 stacks take 16 MB.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, details);
    Error.stackTraceLimit = stackTraceLimit;
    Object.assign(this, { ambiguous: false, requestSent: true }, details, { name: reason, reason });
  }
}

/**
 * Converts a thrown value into a SnapshotError. Any other value than a SnapshotError is a fault of this program, and the
 * message says so.
 *
 * @returns the same object if it is a SnapshotError
 */
export function asSnapshotError(thrown: unknown): SnapshotError {
  if (thrown instanceof SnapshotError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new SnapshotError("CloudError", `Unexpected fault in the function: ${message}`, { cause: thrown });
}

/**
 * Copies an error and adds how many create requests were sent.
 *
 * @returns a new error with the same reason, message and details
 */
export const withAttempts = (error: SnapshotError, attempts: number | undefined): SnapshotError =>
  new SnapshotError(error.reason, error.message, { ...error, cause: error.cause, attempts });
