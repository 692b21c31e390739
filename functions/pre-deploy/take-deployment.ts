import { SnapshotError } from "../../shared/core/errors.ts";
import { after, instant } from "../../shared/core/instant.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import { startCutoff } from "../../shared/core/retry.ts";
import type { JsonAnswer } from "../../shared/middleware/http-request.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import { createRunContext } from "../../shared/middleware/run-context.ts";
import { errorFields } from "../../shared/results/record.ts";
import { type Progress, passGate } from "../../shared/snapshots/create/deployment-gate.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import type { Retention, Selector } from "../../shared/snapshots/policy.ts";
import { checkMakeRoom, makeRoomBy } from "../../shared/snapshots/retention/make-room.ts";
import { selectTargets } from "../../shared/snapshots/select.ts";

export interface Deployment {
  deployment_id: string;
  targets: Selector[];
  wait_seconds?: number;
  retry_failed?: boolean;
  max_age_minutes?: number;
  policy?: string;
  /** Prune a full disk by `retention` before its snapshot. */
  make_room?: boolean;
  retention?: Retention;
}

const ANSWERS = {
  ready: { status: 200 },
  pending: { status: 202, headers: { "retry-after": "5" } },
  failed: { status: 502 },
} as const;

const MINUTE_MS = 60_000;
/** A throttled account is waited for so long even where the caller does not wait. */
const LEAST_PATIENCE_MS = 1_000;

/** A gateway passes on at most 4 MB, and a target takes up to 800 bytes of the response. */
const MAX_TARGETS = 5_000;

/** What a gate's snapshots are marked with, where its body does not say. */
const OWN_POLICY = "pre-deploy";

/** A snapshot of every target of a deployment, and how far they are: `ready`, `pending` or `failed`. */
export async function takeDeployment({ body }: { body: Deployment }, invocation: Invocation): Promise<JsonAnswer> {
  const { deployment_id, targets: selectors, wait_seconds = 0, retry_failed = false, max_age_minutes = 1_440 } = body;
  const { connection, startedAt, retryBudget } = invocation;
  const policy = body.policy ?? OWN_POLICY;
  invocation.summary.policy = policy;
  // What another policy made is thinned out by that policy, which has a hold and a zone that a caller of this knows nothing of.
  if (body.make_room && policy !== OWN_POLICY) {
    throw new SnapshotError(
      "InvalidRequest",
      `make_room: expected the policy ${OWN_POLICY}, got ${JSON.stringify(policy)}: a gate deletes only snapshots that gates created. Omit policy or make_room.`,
    );
  }
  checkMakeRoom(body);
  const run = {
    idempotencyKey: deriveKey("deployment", deployment_id),
    policy,
    label: `d-${deployment_id.replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 36)}`,
    projectId: connection.projectId,
    deploymentId: deployment_id,
  };
  const waitUntil = instant(Math.min(after(startedAt, wait_seconds * 1000), retryBudget.deadline));
  const runContext = createRunContext({
    ...invocation,
    retryBudget: { ...retryBudget, maxWait: after(startedAt, Math.max(wait_seconds * 1000, LEAST_PATIENCE_MS)) },
  });
  const { targets, failures, empty } = await selectTargets(selectors, runContext);
  // A gate that did not see what it is to protect says so, whatever else it could start.
  for (const { error } of failures) throw error;
  if (empty.length > 0) {
    throw new SnapshotError(
      "NotFound",
      `${empty.join(" and ")}: expected to select at least one resource; none has these tags, or all that have are excluded.`,
    );
  }
  if (targets.length > MAX_TARGETS) {
    throw new SnapshotError(
      "InvalidRequest",
      `targets: expected to select at most ${MAX_TARGETS} resources, got ${targets.length}. Divide them among calls with different deployment_ids.`,
    );
  }
  const makeRoom = body.make_room ? makeRoomBy({ policy, retention: body.retention }, runContext) : undefined;
  const progress = await passGate(targets, { ...run, makeRoom }, runContext, {
    retryFailed: retry_failed,
    maxAgeMs: max_age_minutes * MINUTE_MS,
    waitUntil,
    beginUntil: startCutoff(retryBudget),
  });
  const status = statusOf(progress);
  return { ...ANSWERS[status], body: { status, deployment_id, snapshots: progress.map(entryOf) } };
}

/** Failed as soon as one failed, else pending, else ready. */
function statusOf(progress: Progress[]): keyof typeof ANSWERS {
  if (progress.some(({ outcome }) => outcome === "failed")) return "failed";
  const available = progress.filter(({ outcome }) => outcome === "available");
  return progress.length > 0 && available.length === progress.length ? "ready" : "pending";
}

function entryOf({ target, outcome, name, snapshot_id, detail, error }: Progress): JsonObject {
  const pending = outcome !== "available" && outcome !== "failed";
  return {
    kind: target.kind.name,
    resource_id: target.resource,
    name,
    snapshot_id,
    outcome,
    detail: detail ?? (pending ? target.kind.caution : undefined),
    ...(error === undefined ? {} : { error: errorFields(error) }),
  };
}
