import type { WireAnswer } from "../../shared/huaweicloud/transport.ts";
import { isObject, type JsonObject } from "../../shared/snapshots/json.ts";
import type { Reason } from "../../shared/snapshots/reasons.ts";

/** What an answer of the gate means for the deployment. */
export interface Verdict {
  /** `wait`: ask again, as long as there is time. */
  means: "ready" | "failed" | "wait" | "badInput";
  says: string;
  /** One entry a target, where the gate itself answered. */
  snapshots: JsonObject[];
  /** What it means is not certain yet: ask again a few times before it is believed. */
  mayPass?: boolean;
  /** Why it is so, by the catalogue's names: each once. */
  reasons?: string[];
  retryAfterMs?: number;
}

/** A refusal of the gate: what the caller can mend, what nobody waits for, and what the same call again may get past. */
const REFUSALS: Record<Reason, Verdict["means"]> = {
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

/** HTTP status and `status` of the gate itself, and what they mean together. */
const OWN: Record<string, Verdict["means"]> = { "200 ready": "ready", "202 pending": "wait", "502 failed": "failed" };

/** The gateway's own: no such API, or none that is published. While a change is applied it is unpublished for a moment. */
const NOT_PUBLISHED = "APIG.0101";

/**
 * Judges an answer. Only `status` of the gate itself lets a deployment go on, where it is about this deployment and every
 * snapshot is available: a 200 without it is not ready, and a 502 or 504 without it is the gateway's own, which says nothing
 * about the snapshots.
 */
export function judge({ status, headers, text }: WireAnswer, deploymentId: string): Verdict {
  const body = parsed(text);
  const snapshots = Array.isArray(body.snapshots) ? body.snapshots.filter(isObject) : [];
  const failed = snapshots.filter(({ outcome }) => outcome === "failed").map(({ error }) => reasonOf(error));
  const retryAfter = Number(headers["retry-after"]);
  const verdict = (means: Verdict["means"], says: string, reasons = failed): Verdict => ({
    means,
    says,
    snapshots,
    reasons: [...new Set(reasons)].filter((reason) => reason !== ""),
    ...(retryAfter > 0 ? { retryAfterMs: retryAfter * 1_000 } : {}),
  });

  const own = OWN[`${status} ${body.status}`];
  if (own === "ready") return verdict(...readiness(body, snapshots, deploymentId));
  if (own !== undefined) {
    // Each failed by what only the caller can mend, such as an id that stands for other targets: the call is wrong.
    const wrong = failed.length > 0 && failed.every((reason) => REFUSALS[reason as Reason] === "badInput");
    return verdict(own === "failed" && wrong ? "badInput" : own, String(body.status));
  }

  const error = isObject(body.error) ? body.error : {};
  const message = String(error.message ?? body.error_msg ?? text.slice(0, 200)).trim();
  const code = error.reason ?? error.code ?? body.error_code;
  const says = `${status} ${code === undefined ? "" : `${String(code)}: `}${message}`.trim();
  const refusal = REFUSALS[error.reason as Reason];
  if (refusal !== undefined) return verdict(refusal, says, [reasonOf(error)]);
  if (status === 408 || status === 429 || status >= 500) return verdict("wait", says);
  if (status === 404 && body.error_code === NOT_PUBLISHED) {
    return {
      ...verdict(
        "badInput",
        `${says}. Check --url; while terraform apply changes the API, it is not there for a moment.`,
      ),
      mayPass: true,
    };
  }
  if (status === 401 || status === 403)
    return verdict("badInput", `${says}. Check the credentials, and who may call the API.`);
  return verdict("badInput", `${says}. This is no answer of pre-deploy: check --url.`);
}

/** `ready` as it was said, where the rest of the answer says so too. */
function readiness(
  { deployment_id }: JsonObject,
  snapshots: JsonObject[],
  deploymentId: string,
): [Verdict["means"], string] {
  if (deployment_id !== deploymentId) {
    return ["wait", `"ready", but of the deployment ${JSON.stringify(deployment_id)}: not believed`];
  }
  const other = snapshots.find(({ outcome }) => outcome !== "available");
  if (other === undefined) return ["ready", "ready"];
  return [other.outcome === "failed" ? "failed" : "wait", `"ready", but with a snapshot that is ${other.outcome}`];
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

const reasonOf = (error: unknown): string => (isObject(error) ? String(error.reason ?? "") : "");

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    // A page of something on the way.
    return {};
  }
}
