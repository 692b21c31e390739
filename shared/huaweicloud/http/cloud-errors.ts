import { REASONS, type Reason, SnapshotError } from "../../core/errors.ts";
import { isObject, type JsonObject } from "../../core/json.ts";

/** An error answer, in the one shape that all of the cloud's envelopes are read into. */
export interface CloudFault {
  status: number;
  code?: string;
  message?: string;
}

/** How much of a message of the cloud is passed on, in characters: a log line has room for 1 MB, a reader for less. */
const MAX_MESSAGE = 2_000;
/** The longest code that is documented has 20 characters. */
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
 * Reads code and message from every envelope seen (cloud-apis.md 4.1, first match wins): EVS `{"error":{...}}`,
 * OpenStack `{"itemNotFound":{"code":404,...}}`, gateway `{"error_code","error_msg"}`, DWS's doubled fields, LTS
 * `{"errorCode",...}`, top-level `{"code","message"}`. What is no object has neither: a load balancer's HTML, no body.
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
  // Not all entries at once: a body may have 100,000.
  for (const fault in body) {
    const inner = body[fault];
    if (!isObject(inner) || scalar(inner.message) === undefined) continue;
    // OpenStack names the fault by the key; its `code` repeats the status, or is one of the service's own (seed 002).
    const code = firstOf(inner, ...CODES) ?? "";
    return { code: /\D/.test(code) ? code : fault, message: scalar(inner.message) };
  }
  return {};
}

type Rule = [reason: Reason, ...codes: RegExp[]];

/** Codes that say more than the status does (cloud-apis.md 3, 4.2, 4.3). First match wins. */
const BY_CODE: Rule[] = [
  ["Throttled", /^APIGW?\.0308$/],
  ["AccountSuspended", /^EVS\.(2144|2145)$/, /^APIGW?\.0310$/],
  ["AccessDenied", /^APIGW?\.030[1-7]$/, /^EVS\.(0001|0002|0003|1027|2056|5401|5403)$/],
  ["Busy", /^EVS\.(1047|2043|2068|2130|2409)$/, /^DWS\.7023$/, /^conflictingRequest$/],
  // A matter of "not found" that DWS does not always answer with 404.
  ["NotFound", /^EVS\.5404$/, /^DWS\.(0015|0047|3027|5149)$/, /^itemNotFound$/],
  ["QuotaExceeded", /^EVS\.(5413|1034|1042)$/, /^overLimit$/],
  // 400, but "failed to query the quota": the service's own fault.
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
 * Of a snapshot that is missing, in each service's own way (cloud-apis.md 3, 4.2). Every other "not found" can be of
 * something else: the cluster, the project, the path.
 */
const GONE = /^(EVS\.5404|itemNotFound|DWS\.(0001|5149))$/;
/** The same codes are used for these, too. */
const OTHERS = /\b(volume|disk|cluster|project|tenant|resource)\b/i;

/** A proxy may repeat such a code under a status of its own. */
const isGone = ({ status, code = "", message = "" }: CloudFault): boolean =>
  status === (code.startsWith("DWS.") ? 400 : 404) &&
  GONE.test(code) &&
  (/snapshot/i.test(message) || !OTHERS.test(message));

/**
 * Matches the message of a refusal that ends by itself, because another operation on the disk is under way or the service
 * asks for another try. *EVS API Reference, "EVS Disk Status" (evs_04_0040)* has the statuses that end by themselves. The
 * statuses of errors and deletions do not. "Correct it and try again" asks for another request, so it does not match.
 */
const PASSES = new RegExp(
  [
    String.raw`\bstatus(?: is| of)?\s*[:=]?\s*["'\`[({]{0,3}(?!deleting|error|string|missing|existing|nothing)(?:[a-z-]*ing\b|backing-up|reserved|maintenance)`,
    String.raw`(?<!\b(?:and|then) )\btry(?:ing)? (?:it )?again\b`,
    String.raw`\b(?:re)?try (?:it )?(?:again )?(?:later|in \d)`,
  ].join("|"),
  "i",
);
/** Whatever their words are, these do not end by themselves. */
const LASTING = [401, 403, 404, 413];

/** What the call was, where the same code means different things. */
export type Operation = "create" | "read" | "delete";

/** The reason of an error answer. Retrying follows it, never the bare status. */
// Stryker disable next-line StringLiteral: a text that is no known one says as little as none
export function reasonOf({ status, code = "", message = "" }: CloudFault, operation: Operation): Reason {
  // Seen as 500 DWS.9999 with the real code in the message (cloud-apis.md 3).
  if (code === "DWS.9999" && message.includes("DWS.7023")) return "Busy";
  // Already gone, for a delete; a malformed id elsewhere.
  if (code === "DWS.0001" && operation === "delete") return "NotFound";
  if (/^APIGW?\.0101$/.test(code)) return "Unsupported";
  if (/^APIGW?\.0201$/.test(code) && status === 413) return "InvalidRequest";
  // OpenStack says `overLimit` of a quota (413) and of a rate (429).
  if (status === 429) return "Throttled";
  for (const [reason, ...codes] of BY_CODE) if (codes.some((pattern) => pattern.test(code))) return reason;
  if (status >= 400 && status < 500 && !LASTING.includes(status) && PASSES.test(message)) return "Busy";
  // UNCONFIRMED: the code with which a region refuses new legacy snapshots (cloud-apis.md 9); so its words are read.
  if (status < 500 && operation === "create" && /\b(not|un)[ -]?support/i.test(message)) return "Unsupported";
  // A page of a proxy says nothing of the snapshot: that it is gone takes the service's own word.
  if (operation === "delete" && status === 404 && code === "") return "BadResponse";
  const byStatus = BY_STATUS[status];
  if (byStatus !== undefined) return byStatus;
  // A failure that comes with a success status (DWS) says nothing of whose fault it is.
  return status >= 400 && status < 500 ? "InvalidRequest" : "CloudError";
}

const WINDOW = /time:\s*(\d+)\s*(second|minute)/i;

/** A longer pause is a mistake; written in seconds, 10^22 would not even be a number that a header takes. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * How long to wait, in ms, at most a day: `Retry-After` (UNCONFIRMED, used when present), else the window in APIGW's
 * message.
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

/** Matches the refusal of a delete because another delete of the snapshot is under way. */
const UNDER_WAY = /\bstatus\b[^a-z]*(?:is\b)?[^a-z]*deleting\b/i;

/**
 * Returns whether the service itself refused the call: the error has its code, or a rate limit stopped the call. A code that
 * is a number only repeats the status, as proxies do.
 */
const isRefusal = ({ status, code = "" }: CloudFault): boolean => status === 429 || (status >= 400 && /\D/.test(code));

const FORCE =
  'The disk is attached, and a legacy snapshot of it was asked for without "force": true: set it in the request or the target.';

/** A disk in use is refused unless the create forces it (cloud-apis.md 1.1); the cloud's words do not say so. */
const isAttached = ({ code, message }: CloudFault, operation: Operation): boolean =>
  operation === "create" && ["EVS.5400", "badRequest"].includes(String(code)) && /\bin-use\b/.test(String(message));

/**
 * Returns the error for an error response of the cloud. Whether a create was carried out stays open after a fault of the
 * service's own, and after a refusal without a code, which may be a proxy's: the service may have acted before it. A delete is left open
 * by a "not found" that is not about the snapshot, and by a refusal because the snapshot is being deleted.
 */
export function faultError(
  what: string,
  fault: CloudFault,
  details: { operation: Operation; requestId?: string; retryAfterMs?: number },
): SnapshotError {
  const reason = reasonOf(fault, details.operation);
  const said = (fault.message ?? "no message that could be read").slice(0, MAX_MESSAGE);
  const advice = isAttached(fault, details.operation) ? FORCE : REASONS[reason].advice;
  const message = `${what}: ${fault.status} ${fault.code ?? "without a code"}: ${said.replace(/\.$/, "")}. ${advice}`;
  return new SnapshotError(reason, message, {
    code: fault.code,
    cloudMessage: fault.message?.slice(0, MAX_MESSAGE),
    status: fault.status,
    requestId: details.requestId,
    retryAfterMs: details.retryAfterMs,
    ambiguous:
      (details.operation === "create" && (reason === "CloudError" || !isRefusal(fault))) ||
      (details.operation === "delete" &&
        ((reason === "NotFound" && !isGone(fault)) || UNDER_WAY.test(String(fault.message)))),
  });
}
