import type { Reason } from "../../shared/core/errors.ts";
import { isObject, type JsonObject, readStringField } from "../../shared/core/json.ts";
import type { HttpResponse } from "../../shared/huaweicloud/http/transport.ts";
import { adviceFor, CALL_AGAIN_ADVICE, CHECK_ID_ADVICE, COMPARE_TAGS_ADVICE } from "./advice.ts";
import type { GateOptions } from "./options.ts";
import { findDoubt, idsOf, lowerCase } from "./readiness.ts";

/** What the client does after one request to pre-deploy. */
export interface CallVerdict {
  /**
   * `ready`: start the deployment. `wait`: send another request, unless the client has timed out. `failed`, `badInput`: do not
   * start the deployment.
   */
  decision: "ready" | "failed" | "wait" | "badInput";
  /** A description of the response in one line, for the pipeline log. */
  summary: string;
  /** The `snapshots` of the response, or an empty array if pre-deploy did not send the response. */
  snapshots: JsonObject[];
  /**
   * True if the failure may disappear without a correction by the user. The client then repeats the request a few times before
   * it gives up.
   */
  isTransient?: boolean;
  /** One line of advice for each error reason in the response. The client prints these lines last. */
  advice?: string[];
  retryAfterMs?: number;
}

/**
 * The decision for each error reason: `badInput` if the user must correct the request, `failed` if another request would fail
 * too, and `wait` if the client must repeat the request.
 */
const DECISIONS: Record<Reason, CallVerdict["decision"]> = {
  InvalidRequest: "badInput",
  Unsupported: "badInput",
  NotFound: "badInput",
  Conflict: "badInput",
  QuotaExceeded: "failed",
  AccessDenied: "failed",
  AccountSuspended: "failed",
  SnapshotFailed: "failed",
  Misconfigured: "failed",
  Busy: "wait",
  Throttled: "wait",
  CloudError: "wait",
  Unreachable: "wait",
  BadResponse: "wait",
  OutcomeUnknown: "wait",
  DeadlineExceeded: "wait",
};
/**
 * Maps an error reason to a decision. This is a Map instead of an object, because the reason comes from a response, and every
 * object also has inherited keys such as `constructor`.
 */
export const DECISION_BY_REASON = new Map<unknown, CallVerdict["decision"]>(Object.entries(DECISIONS));

/** The decision for each HTTP status and body `status` that pre-deploy sends, such as `200 ready`. */
const DECISION_BY_STATUS = new Map<unknown, CallVerdict["decision"]>([
  ["200 ready", "ready"],
  ["202 pending", "wait"],
  ["502 failed", "failed"],
]);

/**
 * The gateway's error code for an API that does not exist or is not published (SOURCES.md#gateway-error-codes). The API is
 * also briefly unpublished while Terraform applies a change.
 */
const API_NOT_PUBLISHED = "APIG.0101";

/**
 * Decides what a response means for the deployment. The deployment can start only if the response has the status `ready` and
 * the id of the deployment, and lists an available snapshot for every entry of the targets file. A 502 or 504 without a
 * `status` in the body comes from the gateway and does not describe the snapshots.
 */
export function interpretResponse(
  { status, headers, text }: HttpResponse,
  request: GateOptions["request"],
): CallVerdict {
  const body = parseObject(text);
  const snapshots = Array.isArray(body.snapshots) ? body.snapshots.filter(isObject) : [];
  const retryAfter = Number(headers["retry-after"]);
  const verdict = (decision: CallVerdict["decision"], summary: string, advice: string[]): CallVerdict => ({
    decision,
    summary,
    snapshots,
    advice: [...new Set(advice)],
    ...(retryAfter > 0 ? { retryAfterMs: Math.max(retryAfter * 1_000, MIN_PAUSE_MS) } : {}),
  });

  const decision = typeof body.status === "string" ? DECISION_BY_STATUS.get(`${status} ${body.status}`) : undefined;
  if (decision !== undefined) {
    const { hasFailed, isWrongCall, advice } = summarizeFailures(snapshots, request);
    if (decision === "failed") return verdict(isWrongCall ? "badInput" : "failed", "failed", advice);
    if (decision === "wait") return verdict("wait", "pending", advice);
    const doubt = findDoubt(body, text, request);
    if (doubt === undefined) return verdict("ready", "ready", []);
    return verdict(hasFailed ? "failed" : "wait", `ignored a "ready" response ${doubt}`, advice);
  }

  const error = errorIn(body);
  const summary = describeFailure(status, text, body);
  // With the status 403, the caller may not use the policy of the request. With other statuses, AccessDenied means that the
  // function lacks a permission.
  const errorDecision =
    status === 403 && error.reason === "AccessDenied" ? "badInput" : DECISION_BY_REASON.get(error.reason);
  if (errorDecision !== undefined) {
    // If all targets have ids, NotFound means that an id is wrong. If a target has tags, NotFound can also mean that no
    // resource has these tags.
    const hasOnlyIds = request.targets.every(
      ({ tags, exclude_tags }) => tags === undefined && exclude_tags === undefined,
    );
    return verdict(errorDecision, summary, adviceFor(error.reason, hasOnlyIds ? CHECK_ID_ADVICE : COMPARE_TAGS_ADVICE));
  }
  if (status === 408 || status === 429 || status >= 500) return verdict("wait", summary, []);
  if (status === 404 && body.error_code === API_NOT_PUBLISHED) {
    return {
      ...verdict("badInput", `${summary}. Check --url. While Terraform changes the API, it is briefly missing.`, []),
      isTransient: true,
    };
  }
  if (status === 401 || status === 403)
    return verdict("badInput", `${summary}. Check the credentials, and whether the API authorizes this caller.`, []);
  return verdict("badInput", `${summary}. pre-deploy did not send this response: check --url.`, []);
}

/** The minimum pause between two requests, in milliseconds, even if `Retry-After` is shorter. */
const MIN_PAUSE_MS = 1_000;

/**
 * Summarizes the failed snapshots of a response: `hasFailed` is true if at least one snapshot failed. `isWrongCall` is true if
 * mistakes in the request caused all failures. `advice` contains lines for the pipeline log.
 */
function summarizeFailures(snapshots: JsonObject[], { targets }: GateOptions["request"]) {
  const ids = new Set(targets.flatMap(idsOf).map(lowerCase));
  const failed = snapshots.filter(({ outcome }) => outcome === "failed");
  const failures = failed.map(({ error, resource_id }) => ({
    reason: isObject(error) ? error.reason : undefined,
    isSelectedById: ids.has(lowerCase(resource_id)),
  }));
  const haveAllFailed = failures.length === snapshots.length;
  const isCallersMistake = ({ reason, isSelectedById }: (typeof failures)[number]): boolean => {
    if (reason === "Conflict") return true;
    if (reason === "NotFound") return isSelectedById;
    // If pre-deploy created at least one snapshot, the request itself was valid.
    return haveAllFailed && DECISION_BY_REASON.get(reason) === "badInput";
  };
  return {
    hasFailed: failures.length > 0,
    isWrongCall: failures.length > 0 && failures.every(isCallersMistake),
    advice: failures.flatMap(({ reason, isSelectedById }) =>
      DECISION_BY_REASON.get(reason) === "wait"
        ? [`${reason}: ${CALL_AGAIN_ADVICE}`]
        : adviceFor(reason, isSelectedById ? CHECK_ID_ADVICE : CALL_AGAIN_ADVICE),
    ),
  };
}

/**
 * Matches an error message that begins with an OpenSSL or Node.js code for an invalid certificate (nodejs.org/api/tls.html,
 * "X509 certificate error codes"). A retry cannot fix such an error.
 */
const CERTIFICATE_ERROR =
  /^(\w*CERT\w*|\w*CRL\w*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)): /;

/**
 * Decides what to do after a request without a response. The decision depends on the error message of Node.js. The client
 * usually repeats the request, because pre-deploy may have received it and created the snapshots.
 */
export function interpretFailedCall(message: string): CallVerdict {
  const badInput = (advice: string): CallVerdict => ({
    decision: "badInput",
    summary: `${message}. ${advice}`,
    snapshots: [],
  });
  if (CERTIFICATE_ERROR.test(message)) {
    return badInput(
      "The certificate of --url is not trusted: bind a certificate for this domain to the API group, or set NODE_EXTRA_CA_CERTS to the certificate file of your own certificate authority.",
    );
  }
  if (message.startsWith("ENOTFOUND: ")) {
    return {
      ...badInput(
        "The domain has no address: check --url. The debugging domain of the API group resolves only inside the gateway's VPC, unless the gateway has a public address. The client does not use HTTPS_PROXY.",
      ),
      isTransient: true,
    };
  }
  return { decision: "wait", summary: message, snapshots: [] };
}

/** Describes a response that is not a success in one line: its status, its error code and its message. */
export function describeFailure(status: number, text: string, body: JsonObject): string {
  const error = errorIn(body);
  const message = readStringField(error, "message") || readStringField(body, "error_msg") || text.slice(0, 200);
  const code =
    readStringField(error, "reason") ?? readStringField(error, "code") ?? readStringField(body, "error_code");
  return `${status} ${code === undefined ? "" : `${code}: `}${message.trim()}`.trim();
}

/** Returns the error in a response body, or an empty object. */
export const errorIn = ({ error }: JsonObject): JsonObject => (isObject(error) ? error : {});

/** Parses a JSON object. Returns an empty object for any other text. */
export function parseObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    // The text may be an HTML page from a proxy.
    return {};
  }
}
