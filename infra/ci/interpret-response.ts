import type { Reason } from "../../shared/core/errors.ts";
import { isObject, type JsonObject, textAt } from "../../shared/core/json.ts";
import type { HttpResponse } from "../../shared/huaweicloud/http/transport.ts";
import { adviceFor, CALL_AGAIN, CHECK_ID, COMPARE_TAGS } from "./advice.ts";
import type { Options } from "./options.ts";
import { findDoubt, idsOf, lowerCase } from "./readiness.ts";

/** What the client concludes from a response. */
export interface Verdict {
  /** `wait`: call again until the timeout. */
  decision: "ready" | "failed" | "wait" | "badInput";
  /** One line for the log. */
  summary: string;
  /** The entries of the response if pre-deploy sent it, otherwise empty. */
  snapshots: JsonObject[];
  /** The cause may disappear without a correction: call again a few times before acting on the decision. */
  isTransient?: boolean;
  /** One piece of advice for each reason in the response. The client prints it after the messages of the response. */
  advice?: string[];
  retryAfterMs?: number;
}

/** What to do about each reason: correct the call (`badInput`), give up (`failed`), or repeat the same call (`wait`). */
const DECISIONS: Record<Reason, Verdict["decision"]> = {
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
/** A map, because the responses supply the keys, and an object also has the key `constructor`. */
const DECISION_BY_REASON = new Map<unknown, Verdict["decision"]>(Object.entries(DECISIONS));

/** The decision for each combination of HTTP status and `status` that pre-deploy sends. */
const DECISION_BY_STATUS = new Map<unknown, Verdict["decision"]>([
  ["200 ready", "ready"],
  ["202 pending", "wait"],
  ["502 failed", "failed"],
]);

/**
 * The gateway's code for an API that does not exist or is not published (SOURCES.md#gateway-error-codes). Terraform
 * unpublishes the API for a moment when it applies a change.
 */
const NOT_PUBLISHED = "APIG.0101";

/**
 * Decides what a response means for the deployment. The deployment can begin only after a `ready` of pre-deploy that names
 * this deployment and has the available snapshots of every selection. A 502 or 504 without a `status` comes from the gateway
 * and does not describe the snapshots.
 */
export function interpretResponse({ status, headers, text }: HttpResponse, request: Options["request"]): Verdict {
  const body = parseObject(text);
  const snapshots = Array.isArray(body.snapshots) ? body.snapshots.filter(isObject) : [];
  const retryAfter = Number(headers["retry-after"]);
  const verdict = (decision: Verdict["decision"], summary: string, advice: string[]): Verdict => ({
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
    return verdict(hasFailed ? "failed" : "wait", `"ready", but ${doubt}: not believed`, advice);
  }

  const error = isObject(body.error) ? body.error : {};
  const message = (textAt(error, "message") || textAt(body, "error_msg") || text.slice(0, 200)).trim();
  const code = textAt(error, "reason") ?? textAt(error, "code") ?? textAt(body, "error_code");
  const summary = `${status} ${code === undefined ? "" : `${code}: `}${message}`.trim();
  const refusal = DECISION_BY_REASON.get(error.reason);
  if (refusal !== undefined) {
    // A selector that has only ids always selects something. Tags can match nothing.
    const isNamed = request.targets.every((one) => one.tags === undefined && one.exclude_tags === undefined);
    return verdict(refusal, summary, adviceFor(error.reason, isNamed ? CHECK_ID : COMPARE_TAGS));
  }
  if (status === 408 || status === 429 || status >= 500) return verdict("wait", summary, []);
  if (status === 404 && body.error_code === NOT_PUBLISHED) {
    return {
      ...verdict(
        "badInput",
        `${summary}. Check --url; while terraform apply changes the API, it does not exist for a moment.`,
        [],
      ),
      isTransient: true,
    };
  }
  if (status === 401 || status === 403)
    return verdict("badInput", `${summary}. Check the credentials, and which callers the API authorizes.`, []);
  return verdict("badInput", `${summary}. pre-deploy did not send this response: check --url.`, []);
}

/** The shortest pause between two calls, whatever `Retry-After` a response has. */
const MIN_PAUSE_MS = 1_000;

/** Returns whether snapshots failed, whether a mistake in the call explains all of these failures, and what to do. */
function summarizeFailures(snapshots: JsonObject[], { targets }: Options["request"]) {
  const ids = new Set(targets.flatMap(idsOf).map(lowerCase));
  const failed = snapshots.filter(({ outcome }) => outcome === "failed");
  const failures = failed.map(({ error, resource_id }) => ({
    reason: isObject(error) ? error.reason : undefined,
    isNamed: ids.has(lowerCase(resource_id)),
  }));
  const haveAllFailed = failures.length === snapshots.length;
  const isCallersMistake = ({ reason, isNamed }: (typeof failures)[number]): boolean => {
    if (reason === "Conflict") return true;
    if (reason === "NotFound") return isNamed;
    // If another snapshot was created, the call itself was valid.
    return haveAllFailed && DECISION_BY_REASON.get(reason) === "badInput";
  };
  return {
    hasFailed: failures.length > 0,
    isWrongCall: failures.length > 0 && failures.every(isCallersMistake),
    advice: failures.flatMap(({ reason, isNamed }) =>
      DECISION_BY_REASON.get(reason) === "wait"
        ? [`${reason}: ${CALL_AGAIN}`]
        : adviceFor(reason, isNamed ? CHECK_ID : CALL_AGAIN),
    ),
  };
}

/**
 * Matches the codes of OpenSSL and Node.js for an invalid certificate (nodejs.org/api/tls.html, "X509 certificate error
 * codes"). Waiting does not help against these errors.
 */
const CERTIFICATE = /^(\w*CERT\w*|\w*CRL\w*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)): /;

/**
 * Decides what a call without a response means, by the error message of Node.js. The call may have reached pre-deploy, so the
 * client usually repeats it.
 */
export function interpretFailedCall(message: string): Verdict {
  const badInput = (advice: string): Verdict => ({
    decision: "badInput",
    summary: `${message}. ${advice}`,
    snapshots: [],
  });
  if (CERTIFICATE.test(message)) {
    return badInput(
      "The certificate of that address is not trusted: bind one for this domain to the API group, or set NODE_EXTRA_CA_CERTS to the certificate file of your own certificate authority.",
    );
  }
  if (message.startsWith("ENOTFOUND: ")) {
    return {
      ...badInput(
        "No address was found for this name: check --url. The debugging domain of the API group resolves only inside the gateway's VPC, unless the gateway has a public address. The client does not use HTTPS_PROXY.",
      ),
      isTransient: true,
    };
  }
  return { decision: "wait", summary: message, snapshots: [] };
}

function parseObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    // For example an HTML page of a proxy.
    return {};
  }
}
