import { REASONS, type Reason, SnapshotError } from "../../core/errors.ts";
import { isObject, type JsonObject } from "../../core/json.ts";

/** An error response of the cloud, reduced to one shape. */
export interface CloudFault {
  status: number;
  code?: string;
  message?: string;
}

/** The most characters of a cloud message that are passed on, because people read it. */
const MAX_MESSAGE = 2_000;
/** The longest documented code has 20 characters. */
const MAX_CODE = 64;

const scalar = (value: unknown): string | undefined =>
  (typeof value === "string" && value !== "") || typeof value === "number" ? String(value) : undefined;

const firstOf = (from: JsonObject, ...names: string[]): string | undefined => {
  for (const name of names) {
    const value = scalar(from[name]);
    if (value !== undefined) return value;
  }
  return undefined;
};

const CODES = ["code", "error_code", "errCode", "errorCode"];
const MESSAGES = ["message", "error_msg", "externalMessage", "errorMessage"];

/**
 * Reads the code and the message of an error body. The services use six different shapes: SOURCES.md#error-envelopes.
 *
 * @param body the parsed body; undefined if it is not JSON, such as the HTML of a load balancer
 * @returns neither field if the body is not an object
 */
export function readFault(body: unknown): { code?: string; message?: string } {
  const { code, message } = findFault(body);
  return { code: code?.slice(0, MAX_CODE), message: message?.slice(0, MAX_MESSAGE) };
}

function findFault(body: unknown): { code?: string; message?: string } {
  if (!isObject(body)) return {};
  const direct = { code: firstOf(body, ...CODES), message: firstOf(body, ...MESSAGES) };
  if (direct.code !== undefined || direct.message !== undefined) return direct;
  if (isObject(body.error)) return { code: firstOf(body.error, ...CODES), message: firstOf(body.error, ...MESSAGES) };
  // `Object.entries` would copy all entries, and a body can have 100,000.
  for (const fault in body) {
    const inner = body[fault];
    if (!isObject(inner) || scalar(inner.message) === undefined) continue;
    // The field's name is OpenStack's name of the fault. Its `code` repeats the status or is the service's own code:
    // SOURCES.md#openstack-faults.
    const code = firstOf(inner, ...CODES) ?? "";
    return { code: /\D/.test(code) ? code : fault, message: scalar(inner.message) };
  }
  return {};
}

type Rule = [reason: Reason, ...codes: RegExp[]];

/**
 * Codes that are more specific than the status. The first match wins. The codes are documented for EVS
 * (SOURCES.md#evs-error-codes), for the gateway (SOURCES.md#gateway-error-codes) and for DWS (SOURCES.md#dws-not-found-codes).
 */
const BY_CODE: Rule[] = [
  ["Throttled", /^APIGW?\.0308$/],
  ["AccountSuspended", /^EVS\.(2144|2145)$/, /^APIGW?\.0310$/],
  ["AccessDenied", /^APIGW?\.030[1-7]$/, /^EVS\.(0001|0002|0003|1027|2056|5401|5403)$/],
  ["Busy", /^EVS\.(1047|2043|2068|2130|2409)$/, /^DWS\.7023$/, /^conflictingRequest$/],
  // DWS does not always use the status 404.
  ["NotFound", /^EVS\.5404$/, /^DWS\.(0015|0047|3027|5149)$/, /^itemNotFound$/],
  ["QuotaExceeded", /^EVS\.(5413|1034|1042)$/, /^overLimit$/],
  // "Failed to query the quota", with the status 400 although the service is at fault.
  ["CloudError", /^EVS\.1033$/],
];

const BY_STATUS: Record<number, Reason> = {
  401: "AccessDenied",
  403: "AccessDenied",
  404: "NotFound",
  408: "CloudError",
  409: "Conflict",
  413: "QuotaExceeded",
};

/**
 * The codes for a snapshot that does not exist, of EVS (SOURCES.md#evs-error-codes), of older clouds
 * (SOURCES.md#openstack-faults) and of DWS (SOURCES.md#dws-not-found-codes).
 */
const SNAPSHOT_NOT_FOUND = /^(EVS\.5404|itemNotFound|DWS\.(0001|5149))$/;
/** The services use the same codes if one of these does not exist. */
const OTHER_RESOURCES = /\b(volume|disk|cluster|project|tenant|resource)\b/i;

/** Returns whether the snapshot does not exist. Checks the status too, because a proxy can repeat a code with its own status. */
const isSnapshotNotFound = ({ status, code = "", message = "" }: CloudFault): boolean =>
  status === (code.startsWith("DWS.") ? 400 : 404) &&
  SNAPSHOT_NOT_FOUND.test(code) &&
  (/snapshot/i.test(message) || !OTHER_RESOURCES.test(message));

/**
 * Matches the message of a temporary refusal: another operation on the disk is running, or the service asks the caller to
 * try again. SOURCES.md#evs-disk-statuses lists the statuses of running operations. Error and deletion statuses do not match,
 * because they do not end by themselves. "Correct it and try again" asks for a different request, so it does not match either.
 */
const TEMPORARY = new RegExp(
  [
    String.raw`\bstatus(?: is| of)?\s*[:=]?\s*["'\`[({]{0,3}(?!deleting|error|string|missing|existing|nothing)(?:[a-z-]*ing\b|backing-up|reserved|maintenance)`,
    String.raw`(?<!\b(?:and|then) )\btry(?:ing)? (?:it )?again\b`,
    String.raw`\b(?:re)?try (?:it )?(?:again )?(?:later|in \d)`,
  ].join("|"),
  "i",
);
/** Errors with these statuses are permanent, whatever their message is. */
const PERMANENT_STATUSES = [401, 403, 404, 413];

/** The type of a call, because the same code can mean different things for different calls. */
export type Operation = "create" | "read" | "delete";

/**
 * Returns the reason of an error response. Decisions about retries depend on the reason and never on the status alone.
 */
// Stryker disable next-line StringLiteral: an unknown code or message has the same effect as an empty one
export function reasonOf({ status, code = "", message = "" }: CloudFault, operation: Operation): Reason {
  // DWS can wrap the code of a busy cluster in a general one: SOURCES.md#dws-cluster-busy.
  if (code === "DWS.9999" && message.includes("DWS.7023")) return "Busy";
  // For a delete, the snapshot does not exist. For any other call, the id is malformed.
  if (code === "DWS.0001" && operation === "delete") return "NotFound";
  if (/^APIGW?\.0101$/.test(code)) return "Unsupported";
  if (/^APIGW?\.0201$/.test(code) && status === 413) return "InvalidRequest";
  // OpenStack uses `overLimit` for a quota (413) and for a rate limit (429).
  if (status === 429) return "Throttled";
  for (const [reason, ...codes] of BY_CODE) if (codes.some((pattern) => pattern.test(code))) return reason;
  if (status >= 400 && status < 500 && !PERMANENT_STATUSES.includes(status) && TEMPORARY.test(message)) return "Busy";
  // Reads the message, because the code is UNCONFIRMED: SOURCES.md#evs-legacy-regions.
  if (status < 500 && operation === "create" && /\b(not|un)[ -]?support/i.test(message)) return "Unsupported";
  // An error page of a proxy does not prove that the snapshot is deleted. Only the service's own code does.
  if (operation === "delete" && status === 404 && code === "") return "BadResponse";
  const byStatus = BY_STATUS[status];
  if (byStatus !== undefined) return byStatus;
  // A DWS failure with a success status does not show who is at fault, so it counts as an error of the service.
  return status >= 400 && status < 500 ? "InvalidRequest" : "CloudError";
}

const WINDOW = /time:\s*(\d+)\s*(second|minute)/i;

/** One day. A longer pause is a mistake, and a huge number of seconds would not be a valid header value. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * Returns how long the cloud asks the caller to wait.
 *
 * @param header the `Retry-After` header, which wins over the message. UNCONFIRMED: SOURCES.md#gateway-retry-after
 * @param message the cloud's message, which can contain the window of the rate limit
 * @param now milliseconds since 1970
 * @returns milliseconds, at most one day; undefined if neither contains a time
 */
export function retryAfterMs(header: string | undefined, message: string | undefined, now: number): number | undefined {
  if (header) {
    const seconds = Number(header);
    const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
    if (Number.isFinite(wait) && wait >= 0) return Math.min(wait, MAX_RETRY_AFTER_MS);
  }
  const found = message?.match(WINDOW);
  if (!found) return undefined;
  return Math.min(Number(found[1]) * (/minute/i.test(found[0]) ? 60_000 : 1_000), MAX_RETRY_AFTER_MS);
}

/** Matches the error of a delete call when another delete call for the same snapshot is in progress. */
const BEING_DELETED = /\bstatus\b[^a-z]*(?:is\b)?[^a-z]*deleting\b/i;

/**
 * Returns whether the service itself refused the call: the error has a code of the service, or a rate limit stopped the call.
 * A numeric code does not count, because proxies repeat the status as the code.
 */
const isRefusal = ({ status, code = "" }: CloudFault): boolean => status === 429 || (status >= 400 && /\D/.test(code));

const FORCE_ADVICE =
  'The disk is attached; a legacy snapshot of it needs "force": true. Set it in the request or the target.';

/** Returns whether EVS refused a legacy snapshot because the disk is in use: SOURCES.md#evs-force-attached. */
const isAttached = ({ code, message }: CloudFault, operation: Operation): boolean =>
  operation === "create" && ["EVS.5400", "badRequest"].includes(String(code)) && /\bin-use\b/.test(String(message));

/**
 * Returns the error for an error response of the cloud. The error is `ambiguous` if the effect of the call is unknown:
 * - for a create after an error of the service, because the service may have created the snapshot before it failed;
 * - for a create after a refusal without a code, because a proxy may have replaced the response of the service;
 * - for a delete after a "not found" that can be about another resource than the snapshot;
 * - for a delete while the snapshot is already being deleted.
 *
 * @param what the call, such as `POST /v2/.../cloudsnapshots`, which begins the message
 */
export function faultError(
  what: string,
  fault: CloudFault,
  details: { operation: Operation; requestId?: string; retryAfterMs?: number },
): SnapshotError {
  const reason = reasonOf(fault, details.operation);
  const cloudMessage = fault.message?.slice(0, MAX_MESSAGE);
  const shown = (cloudMessage ?? "no message that could be read").replace(/\.$/, "");
  const advice = isAttached(fault, details.operation) ? FORCE_ADVICE : REASONS[reason].advice;
  return new SnapshotError(reason, `${what}: ${fault.status} ${fault.code ?? "without a code"}: ${shown}. ${advice}`, {
    code: fault.code,
    cloudMessage,
    status: fault.status,
    requestId: details.requestId,
    retryAfterMs: details.retryAfterMs,
    ambiguous:
      (details.operation === "create" && (reason === "CloudError" || !isRefusal(fault))) ||
      (details.operation === "delete" &&
        ((reason === "NotFound" && !isSnapshotNotFound(fault)) || BEING_DELETED.test(String(fault.message)))),
  });
}
