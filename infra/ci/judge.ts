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

/**
 * Judges an answer. Only `status` of the gate itself lets a deployment go on: a 200 without it is not ready, and a 502 or 504
 * without it is the gateway's own, which says nothing about the snapshots.
 */
export function judge({ status, headers, text }: WireAnswer): Verdict {
  const body = parsed(text);
  const snapshots = Array.isArray(body.snapshots) ? body.snapshots.filter(isObject) : [];
  const retryAfter = Number(headers["retry-after"]);
  const verdict = (means: Verdict["means"], says: string): Verdict => ({
    means,
    says,
    snapshots,
    ...(retryAfter > 0 ? { retryAfterMs: retryAfter * 1_000 } : {}),
  });

  const own = OWN[`${status} ${body.status}`];
  if (own !== undefined) return verdict(own, String(body.status));

  const error = isObject(body.error) ? body.error : {};
  const message = String(error.message ?? body.error_msg ?? text.slice(0, 200)).trim();
  const code = error.reason ?? error.code ?? body.error_code;
  const says = `${status} ${code === undefined ? "" : `${String(code)}: `}${message}`.trim();
  const refusal = REFUSALS[error.reason as Reason];
  if (refusal !== undefined) return verdict(refusal, says);
  if (status === 429 || status >= 500) return verdict("wait", says);
  if (status === 401 || status === 403)
    return verdict("badInput", `${says}. Check the credentials, and who may call the API.`);
  return verdict("badInput", `${says}. This is no answer of pre-deploy: check --url.`);
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
