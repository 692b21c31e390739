/**
 * The catalogue of reasons: every way in which something can fail, the HTTP status that an HTTP function answers with,
 * how it is waited for, and what to do. README.md repeats it; a test holds the two together.
 *
 * Records, HTTP responses and pipeline logs show `advice`. If only the operator can do something, the advice says so.
 *
 * `wait`: "never" = trying again changes nothing; "transient" = 50 ms base; "throttled" = 1 s base, the window is in
 * the message; "busy" = 10 s base (peers-and-models.md 4: the Terraform provider's interval for EVS.2409).
 */
export const REASONS = {
  InvalidRequest: {
    httpStatus: 400,
    wait: "never",
    advice: "Correct the request; the message names each fault with its path, what was expected and what came.",
  },
  Unsupported: {
    httpStatus: 400,
    wait: "never",
    advice:
      "The region or resource does not offer this kind of snapshot: try standard-snapshot instead of snapshot, or the reverse.",
  },
  NotFound: {
    httpStatus: 404,
    wait: "never",
    advice:
      "The disk, server, cluster or snapshot does not exist in the project of these functions: check the id, or ask their operator which project that is.",
  },
  Conflict: {
    httpStatus: 409,
    wait: "never",
    advice:
      "Something else stands under this key or name: use a new Idempotency-Key, deployment_id or name, or repeat the first request unchanged.",
  },
  Busy: {
    httpStatus: 409,
    wait: "busy",
    advice:
      "The resource is occupied (a snapshot is being created, the cluster is resizing or restarting): wait for that to end and repeat.",
  },
  QuotaExceeded: {
    httpStatus: 413,
    wait: "never",
    advice:
      "No more snapshots are allowed here: ask the operator of these functions to delete some, to keep fewer (infra/README.md says how), or to have the quota raised.",
  },
  Throttled: {
    httpStatus: 429,
    wait: "throttled",
    advice:
      "The account makes too many calls: repeat later. If this persists, ask the operator of these functions to spread their schedules.",
  },
  AccessDenied: {
    httpStatus: 502,
    wait: "never",
    advice:
      "These functions may not make this call, or their credentials have expired: ask their operator to compare their rights with those in infra/README.md.",
  },
  AccountSuspended: {
    httpStatus: 502,
    wait: "never",
    advice:
      "The account is frozen or suspended: ask its owner to settle it with Huawei Cloud; nothing else is tried meanwhile.",
  },
  CloudError: {
    httpStatus: 502,
    wait: "transient",
    advice:
      "The service answered with a fault of its own: repeat. If this persists, ask the operator of these functions to open a ticket with the cloud's request id.",
  },
  Unreachable: {
    httpStatus: 504,
    wait: "transient",
    advice:
      "The service did not answer: repeat. If this persists, ask the operator of these functions to check their endpoints and their network.",
  },
  BadResponse: {
    httpStatus: 502,
    wait: "transient",
    advice:
      "The answer could not be understood: repeat. If this persists, ask the operator of these functions whether a proxy answers in place of the service.",
  },
  OutcomeUnknown: {
    httpStatus: 504,
    wait: "never",
    advice:
      "A snapshot may have been created: repeat the request with the same Idempotency-Key or deployment_id, which finds it. Without such a key, look for it first.",
  },
  DeadlineExceeded: {
    httpStatus: 504,
    wait: "never",
    advice:
      "The invocation's time ran out first: repeat. If this persists, ask the operator of these functions to raise their timeout.",
  },
  SnapshotFailed: {
    httpStatus: 502,
    wait: "never",
    advice: "The snapshot exists but ended in an error state: look at the disk or cluster, then take it again.",
  },
  Misconfigured: {
    httpStatus: 500,
    wait: "never",
    advice: "Ask the operator of these functions to correct what the message names.",
  },
} as const satisfies Record<string, { httpStatus: number; wait: Wait; advice: string }>;

export type Wait = "never" | "transient" | "throttled" | "busy";
export type Reason = keyof typeof REASONS;

export interface SnapshotErrorDetails {
  /** The cloud's own error code, such as `EVS.5404`. */
  code?: string;
  /** The cloud's own message, word for word. */
  cloudMessage?: string;
  /** The cloud's HTTP status. */
  status?: number;
  /** The cloud's request id: what a support ticket needs. */
  requestId?: string;
  /** How long the cloud asks to wait, in milliseconds. */
  retryAfterMs?: number;
  /**
   * True where the answer leaves open what is there, so that it has to be looked: after a create, as the cloud may have acted
   * although no usable answer came; after a delete, as what was not found may be something else than the snapshot.
   */
  ambiguous?: boolean;
  /** False where the request was not sent at all. */
  requestSent?: boolean;
  /** How many times the create was sent. */
  attempts?: number;
  cause?: unknown;
}

/** The one error of this project: a reason from the catalogue and a message for the operator. */
export class SnapshotError extends Error {
  readonly reason: Reason;
  readonly code?: string;
  readonly cloudMessage?: string;
  readonly status?: number;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  readonly ambiguous: boolean;
  readonly requestSent: boolean;
  attempts?: number;

  constructor(reason: Reason, message: string, details: SnapshotErrorDetails = {}) {
    // Nobody prints the stack. A gate holds an error for each target that failed, and 7,000 stacks take 16 MB.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.name = reason;
    this.reason = reason;
    this.code = details.code;
    this.cloudMessage = details.cloudMessage;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
    this.ambiguous = details.ambiguous ?? false;
    this.requestSent = details.requestSent ?? true;
    this.attempts = details.attempts;
  }
}

/** Any thrown value as a SnapshotError; what is not one of ours is a fault of this program and says so. */
export function asSnapshotError(thrown: unknown): SnapshotError {
  if (thrown instanceof SnapshotError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new SnapshotError("CloudError", `Unexpected fault in the function: ${message}`, { cause: thrown });
}
