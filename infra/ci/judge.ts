import type { Reason } from "../../shared/core/errors.ts";
import { isObject, type JsonObject, textAt } from "../../shared/core/json.ts";
import type { HttpResponse } from "../../shared/huaweicloud/http/transport.ts";
import { adviceFor, CALL_AGAIN, CHECK_ID, COMPARE_TAGS } from "./advice.ts";
import type { Options } from "./options.ts";
import { doubtAbout, idsOf, lowerCase } from "./readiness.ts";

/** What an answer of the gate means for the deployment. */
export interface Verdict {
  /** `wait`: ask again, as long as there is time. */
  means: "ready" | "failed" | "wait" | "badInput";
  says: string;
  /** One entry a target, where the gate itself answered. */
  snapshots: JsonObject[];
  /** What it means is not certain yet: ask again a few times before it is believed. */
  mayPass?: boolean;
  /** One piece of advice for each reason in the response. The client prints it after the messages of the response. */
  advice?: string[];
  retryAfterMs?: number;
}

/** A refusal of the gate: what the caller can mend, what nobody waits for, and what the same call again may get past. */
const BY_REASON: Record<Reason, Verdict["means"]> = {
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
/** A map, because the keys come from outside: an object also has `constructor`. */
const REFUSALS = new Map<unknown, Verdict["means"]>(Object.entries(BY_REASON));

/** HTTP status and `status` of the gate itself, and what they mean together. */
const OWN = new Map<unknown, Verdict["means"]>([
  ["200 ready", "ready"],
  ["202 pending", "wait"],
  ["502 failed", "failed"],
]);

/** The gateway's own: no such API, or none that is published. While a change is applied it is unpublished for a moment. */
const NOT_PUBLISHED = "APIG.0101";

/**
 * Judges an answer. Only a `ready` of pre-deploy itself, about this deployment and with the available snapshots of every
 * selection, lets the deployment begin. A 502 or 504 without a `status` is the gateway's own and says nothing about the
 * snapshots.
 */
export function interpretResponse({ status, headers, text }: HttpResponse, request: Options["request"]): Verdict {
  const body = parsed(text);
  const snapshots = Array.isArray(body.snapshots) ? body.snapshots.filter(isObject) : [];
  const retryAfter = Number(headers["retry-after"]);
  const verdict = (runContext: Verdict["means"], says: string, advice: string[]): Verdict => ({
    means: runContext,
    says,
    snapshots,
    advice: [...new Set(advice)],
    ...(retryAfter > 0 ? { retryAfterMs: Math.max(retryAfter * 1_000, LEAST_PAUSE_MS) } : {}),
  });

  const own = typeof body.status === "string" ? OWN.get(`${status} ${body.status}`) : undefined;
  if (own !== undefined) {
    const { hasFailed, isWrongCall, advice } = failuresIn(snapshots, request);
    if (own === "failed") return verdict(isWrongCall ? "badInput" : "failed", "failed", advice);
    if (own === "wait") return verdict("wait", "pending", advice);
    const doubt = doubtAbout(body, text, request);
    if (doubt === undefined) return verdict("ready", "ready", []);
    return verdict(hasFailed ? "failed" : "wait", `"ready", but ${doubt}: not believed`, advice);
  }

  const error = isObject(body.error) ? body.error : {};
  const message = (textAt(error, "message") || textAt(body, "error_msg") || text.slice(0, 200)).trim();
  const code = textAt(error, "reason") ?? textAt(error, "code") ?? textAt(body, "error_code");
  const says = `${status} ${code === undefined ? "" : `${code}: `}${message}`.trim();
  const refusal = REFUSALS.get(error.reason);
  if (refusal !== undefined) {
    // A selector that has only ids always selects something. Tags can match nothing.
    const isNamed = request.targets.every((one) => one.tags === undefined && one.exclude_tags === undefined);
    return verdict(refusal, says, adviceFor(error.reason, isNamed ? CHECK_ID : COMPARE_TAGS));
  }
  if (status === 408 || status === 429 || status >= 500) return verdict("wait", says, []);
  if (status === 404 && body.error_code === NOT_PUBLISHED) {
    return {
      ...verdict(
        "badInput",
        `${says}. Check --url; while terraform apply changes the API, it is not there for a moment.`,
        [],
      ),
      mayPass: true,
    };
  }
  if (status === 401 || status === 403)
    return verdict("badInput", `${says}. Check the credentials, and who may call the API.`, []);
  return verdict("badInput", `${says}. This is no answer of pre-deploy: check --url.`, []);
}

/** A smaller `Retry-After` would send calls without a pause. */
const LEAST_PAUSE_MS = 1_000;

/** Returns whether snapshots failed, whether a mistake in the call explains all of these failures, and what to do. */
function failuresIn(snapshots: JsonObject[], { targets }: Options["request"]) {
  const ids = new Set(targets.flatMap(idsOf).map(lowerCase));
  const failed = snapshots.filter(({ outcome }) => outcome === "failed");
  const failures = failed.map(({ error, resource_id }) => ({
    reason: isObject(error) ? error.reason : undefined,
    isNamed: ids.has(lowerCase(resource_id)),
  }));
  const isOnlyFailures = failures.length === snapshots.length;
  const isOfCall = ({ reason, isNamed }: (typeof failures)[number]): boolean => {
    if (reason === "Conflict") return true;
    if (reason === "NotFound") return isNamed;
    // The call was good enough for the other snapshots.
    return isOnlyFailures && REFUSALS.get(reason) === "badInput";
  };
  return {
    hasFailed: failures.length > 0,
    isWrongCall: failures.length > 0 && failures.every(isOfCall),
    advice: failures.flatMap(({ reason, isNamed }) =>
      REFUSALS.get(reason) === "wait"
        ? [`${reason}: ${CALL_AGAIN}`]
        : adviceFor(reason, isNamed ? CHECK_ID : CALL_AGAIN),
    ),
  };
}

/**
 * OpenSSL's and Node's names of what is wrong with a certificate (nodejs.org/api/tls.html, "X509 certificate error codes").
 * It does not mend itself while a pipeline waits.
 */
const CERTIFICATE = /^(\w*CERT\w*|\w*CRL\w*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)): /;

/** Judges that no answer came, by what Node.js says of it: what the call did is found by asking again. */
export function judgeSilence(message: string): Verdict {
  const badInput = (advice: string): Verdict => ({ means: "badInput", says: `${message}. ${advice}`, snapshots: [] });
  if (CERTIFICATE.test(message)) {
    return badInput(
      "The certificate of that address is not trusted: bind one for this domain to the API group, or set NODE_EXTRA_CA_CERTS to the file of your own authority.",
    );
  }
  if (message.startsWith("ENOTFOUND: ")) {
    return {
      ...badInput(
        "Nothing has that name here: check --url; the group's debugging domain is known in the gateway's VPC alone, unless the gateway has a public address. HTTPS_PROXY is not used.",
      ),
      mayPass: true,
    };
  }
  return { means: "wait", says: message, snapshots: [] };
}

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    // A page of something on the way.
    return {};
  }
}
