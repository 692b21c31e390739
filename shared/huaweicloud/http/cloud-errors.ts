import { REASONS, type Reason, SnapshotError } from "../../core/errors.ts";
import { isObject, type JsonObject } from "../../core/json.ts";

/** The parts of an error response that all Huawei Cloud services have in common. */
export interface CloudFault {
  status: number;
  code?: string;
  message?: string;
}

/** The maximum length of a service's error message in characters. A longer message is cut. */
const MAX_MESSAGE_CHARACTERS = 2_000;
/** The maximum length of a service's error code in characters. The longest documented code has 20 characters. */
const MAX_CODE_CHARACTERS = 64;

const toScalarString = (value: unknown): string | undefined =>
  (typeof value === "string" && value !== "") || typeof value === "number" ? String(value) : undefined;

const readFirstScalar = (from: JsonObject, ...names: string[]): string | undefined => {
  for (const name of names) {
    const value = toScalarString(from[name]);
    if (value !== undefined) return value;
  }
  return undefined;
};

const CODE_FIELDS = ["code", "error_code", "errCode", "errorCode"];
const MESSAGE_FIELDS = ["message", "error_msg", "externalMessage", "errorMessage"];

/**
 * Reads the error code and the message from the body of an error response. The services use six different shapes for them
 * (SOURCES.md#error-envelopes).
 *
 * @param body the parsed body; undefined if the body is not JSON, such as the HTML page of a load balancer
 * @returns the code and the message. Both are undefined if the body is not a JSON object.
 */
export function readFault(body: unknown): { code?: string; message?: string } {
  const { code, message } = findFault(body);
  return { code: code?.slice(0, MAX_CODE_CHARACTERS), message: message?.slice(0, MAX_MESSAGE_CHARACTERS) };
}

function findFault(body: unknown): { code?: string; message?: string } {
  if (!isObject(body)) return {};
  const direct = { code: readFirstScalar(body, ...CODE_FIELDS), message: readFirstScalar(body, ...MESSAGE_FIELDS) };
  if (direct.code !== undefined || direct.message !== undefined) return direct;
  if (isObject(body.error))
    return {
      code: readFirstScalar(body.error, ...CODE_FIELDS),
      message: readFirstScalar(body.error, ...MESSAGE_FIELDS),
    };
  // `Object.entries` would copy all entries, and a body can have 100,000.
  for (const fault in body) {
    const inner = body[fault];
    if (!isObject(inner) || toScalarString(inner.message) === undefined) continue;
    // In an OpenStack error response, the name of the outer field is the error code, such as `itemNotFound`. The inner field
    // `code` contains the HTTP status or the service's own code (SOURCES.md#openstack-faults).
    const code = readFirstScalar(inner, ...CODE_FIELDS) ?? "";
    return { code: /\D/.test(code) ? code : fault, message: toScalarString(inner.message) };
  }
  return {};
}

type ReasonRule = [reason: Reason, ...codes: RegExp[]];

/**
 * Maps error codes to reasons. The first matching rule applies. If a rule matches, the HTTP status is ignored, because the error
 * code is more specific. The codes are documented for EVS (SOURCES.md#evs-error-codes), the gateway
 * (SOURCES.md#gateway-error-codes) and DWS (SOURCES.md#dws-not-found-codes).
 */
const REASON_RULES: ReasonRule[] = [
  ["Throttled", /^APIGW?\.0308$/],
  ["AccountSuspended", /^EVS\.(2144|2145)$/, /^APIGW?\.0310$/],
  ["AccessDenied", /^APIGW?\.030[1-7]$/, /^EVS\.(0001|0002|0003|1027|2056|5401|5403)$/],
  ["Busy", /^EVS\.(1047|2043|2068|2130|2409)$/, /^DWS\.7023$/, /^conflictingRequest$/],
  // DWS reports some missing resources with another status than 404.
  ["NotFound", /^EVS\.5404$/, /^DWS\.(0015|0047|3027|5149)$/, /^itemNotFound$/],
  ["QuotaExceeded", /^EVS\.(5413|1034|1042)$/, /^overLimit$/],
  // "Failed to query the quota" is an internal error of EVS, although its HTTP status is 400.
  ["CloudError", /^EVS\.1033$/],
];

const REASON_BY_STATUS: Record<number, Reason> = {
  401: "AccessDenied",
  403: "AccessDenied",
  404: "NotFound",
  408: "CloudError",
  409: "Conflict",
  413: "QuotaExceeded",
};

/**
 * Matches the error codes that EVS (SOURCES.md#evs-error-codes), older regions (SOURCES.md#openstack-faults) and DWS
 * (SOURCES.md#dws-not-found-codes) return for a snapshot that does not exist.
 */
const SNAPSHOT_NOT_FOUND = /^(EVS\.5404|itemNotFound|DWS\.(0001|5149))$/;
/** Matches messages about a missing resource that is not a snapshot. The services use the same error codes for all resources. */
const OTHER_RESOURCES = /\b(volume|disk|cluster|project|tenant|resource)\b/i;

/**
 * Returns whether an error response proves that the snapshot does not exist. Checks the HTTP status in addition to the error
 * code, because a proxy can repeat a code with another status.
 */
const isSnapshotNotFound = ({ status, code = "", message = "" }: CloudFault): boolean =>
  status === (code.startsWith("DWS.") ? 400 : 404) &&
  SNAPSHOT_NOT_FOUND.test(code) &&
  (/snapshot/i.test(message) || !OTHER_RESOURCES.test(message));

/**
 * Matches error messages about a temporary problem: another operation on the disk is in progress (SOURCES.md#evs-disk-statuses
 * lists the statuses), or the service asks the caller to try again. Messages with an error status or a deletion status do not
 * match, because these statuses are permanent. "Correct it and try again" does not match, because the same request would fail
 * again.
 */
const TEMPORARY_PROBLEM = new RegExp(
  [
    String.raw`\bstatus(?: is| of)?\s*[:=]?\s*["'\`[({]{0,3}(?!deleting|error|string|missing|existing|nothing)(?:[a-z-]*ing\b|backing-up|reserved|maintenance)`,
    String.raw`(?<!\b(?:and|then) )\btry(?:ing)? (?:it )?again\b`,
    String.raw`\b(?:re)?try (?:it )?(?:again )?(?:later|in \d)`,
  ].join("|"),
  "i",
);
/** Error responses with these HTTP statuses are permanent, whatever their message says. */
const PERMANENT_STATUSES = [401, 403, 404, 413];

/** The type of an API request. The same error code can mean different things for a create, a read and a delete request. */
export type Operation = "create" | "read" | "delete";

/**
 * Returns the field `reason` of the SnapshotError for an error response. Retries depend on this reason and never on the HTTP
 * status alone.
 */
// Stryker disable next-line StringLiteral: an unknown code or message has the same effect as an empty one
export function reasonOf({ status, code = "", message = "" }: CloudFault, operation: Operation): Reason {
  // If a cluster is busy, DWS can return the general code DWS.9999 with the specific code DWS.7023 in the message
  // (SOURCES.md#dws-cluster-busy).
  if (code === "DWS.9999" && message.includes("DWS.7023")) return "Busy";
  // In the response to a delete request, DWS.0001 means that the snapshot does not exist. In other responses, DWS.0001 means that
  // the id is malformed.
  if (code === "DWS.0001" && operation === "delete") return "NotFound";
  if (/^APIGW?\.0101$/.test(code)) return "Unsupported";
  if (/^APIGW?\.0201$/.test(code) && status === 413) return "InvalidRequest";
  // OpenStack uses `overLimit` for a quota (413) and for a rate limit (429).
  if (status === 429) return "Throttled";
  for (const [reason, ...codes] of REASON_RULES) if (codes.some((pattern) => pattern.test(code))) return reason;
  if (status >= 400 && status < 500 && !PERMANENT_STATUSES.includes(status) && TEMPORARY_PROBLEM.test(message))
    return "Busy";
  // The error code for a region without legacy snapshots is UNCONFIRMED (SOURCES.md#evs-legacy-regions).
  if (status < 500 && operation === "create" && /\b(not|un)[ -]?support/i.test(message)) return "Unsupported";
  // Only an error code of the service proves that the snapshot is deleted. A proxy can send a 404 without a code.
  if (operation === "delete" && status === 404 && code === "") return "BadResponse";
  const byStatus = REASON_BY_STATUS[status];
  if (byStatus !== undefined) return byStatus;
  // DWS can report a failure with a success status. Such a failure counts as an error of the service.
  return status >= 400 && status < 500 ? "InvalidRequest" : "CloudError";
}

/** Matches the time window of a rate limit in a gateway message, such as `time:1 minute`. */
const RATE_LIMIT_WINDOW = /time:\s*(\d+)\s*(second|minute)/i;

/**
 * The maximum time that a response can ask the caller to wait: one day, in milliseconds. A longer time is a mistake. A huge time
 * would also not be a valid value of the header `Retry-After` in this project's own error responses.
 */
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * Returns how long an error response asks the caller to wait before a retry.
 *
 * @param header the header `Retry-After`, which has precedence over the message. It is UNCONFIRMED whether the gateway sends
 *   this header (SOURCES.md#gateway-retry-after).
 * @param message the error message, which can contain the time window of the rate limit
 * @param now milliseconds since 1970
 * @returns milliseconds, at most one day; undefined if neither the header nor the message contains a time
 */
export function retryAfterMs(header: string | undefined, message: string | undefined, now: number): number | undefined {
  if (header) {
    const seconds = Number(header);
    const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
    if (Number.isFinite(wait) && wait >= 0) return Math.min(wait, MAX_RETRY_AFTER_MS);
  }
  const found = message?.match(RATE_LIMIT_WINDOW);
  if (!found) return undefined;
  return Math.min(Number(found[1]) * (/minute/i.test(found[0]) ? 60_000 : 1_000), MAX_RETRY_AFTER_MS);
}

/** Matches the error message of a delete request that was sent while EVS was already deleting the same snapshot. */
const BEING_DELETED = /\bstatus\b[^a-z]*(?:is\b)?[^a-z]*deleting\b/i;

/**
 * Returns whether the service itself rejected the request. The function assumes this if the HTTP status is 429, or if the error
 * response contains an error code of the service. A numeric code is not a code of the service, because proxies repeat the HTTP
 * status as the code.
 */
const isRejectedByService = ({ status, code = "" }: CloudFault): boolean =>
  status === 429 || (status >= 400 && /\D/.test(code));

const FORCE_ADVICE =
  'The disk is attached, so a legacy snapshot needs "force": true. Set "force" in the request or the target.';

/** Returns whether EVS rejected a legacy snapshot because the disk is attached to a server (SOURCES.md#evs-force-attached). */
const isAttached = ({ code, message }: CloudFault, operation: Operation): boolean =>
  operation === "create" && ["EVS.5400", "badRequest"].includes(String(code)) && /\bin-use\b/.test(String(message));

/**
 * Creates the error for an error response of Huawei Cloud. The error has `ambiguous` set if the effect of the request is
 * unknown:
 *
 * - A create request failed inside the service. The service may have created the snapshot before the failure.
 * - A create request was rejected without an error code. A proxy may have replaced the response of the service.
 * - A delete request got a "not found" error that may be about another resource than the snapshot.
 * - A delete request was sent while the snapshot was already being deleted.
 *
 * @param what the method and path of the request, such as `POST /v2/.../cloudsnapshots`. The message begins with it.
 */
export function faultError(
  what: string,
  fault: CloudFault,
  details: { operation: Operation; requestId?: string; retryAfterMs?: number },
): SnapshotError {
  const reason = reasonOf(fault, details.operation);
  const cloudMessage = fault.message?.slice(0, MAX_MESSAGE_CHARACTERS);
  const text = (cloudMessage ?? "no readable message").replace(/\.$/, "");
  const advice = isAttached(fault, details.operation) ? FORCE_ADVICE : REASONS[reason].advice;
  return new SnapshotError(reason, `${what}: ${fault.status} ${fault.code ?? "without a code"}: ${text}. ${advice}`, {
    code: fault.code,
    cloudMessage,
    status: fault.status,
    requestId: details.requestId,
    retryAfterMs: details.retryAfterMs,
    ambiguous:
      (details.operation === "create" && (reason === "CloudError" || !isRejectedByService(fault))) ||
      (details.operation === "delete" &&
        ((reason === "NotFound" && !isSnapshotNotFound(fault)) || BEING_DELETED.test(String(fault.message)))),
  });
}
