import { SnapshotError } from "../../shared/core/errors.ts";
import { after, instant } from "../../shared/core/instant.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import { startCutoff } from "../../shared/core/retry.ts";
import { readNames } from "../../shared/functiongraph/variables.ts";
import { createCloud } from "../../shared/huaweicloud/services.ts";
import { createRunContext } from "../../shared/middleware/create-run-context.ts";
import type { JsonResponse } from "../../shared/middleware/http-request.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import { errorFields } from "../../shared/results/record.ts";
import { checkMakeRoom } from "../../shared/snapshots/check-policy.ts";
import { passGate, type TargetProgress } from "../../shared/snapshots/create/deployment-gate.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import type { Retention, Selector } from "../../shared/snapshots/policy.ts";
import { makeRoomBy } from "../../shared/snapshots/retention/make-room.ts";
import { selectTargets } from "../../shared/snapshots/select.ts";

/** The body of a request to pre-deploy. */
export interface Deployment {
  deployment_id: string;
  targets: Selector[];
  wait_seconds?: number;
  retry_failed?: boolean;
  max_age_minutes?: number;
  policy?: string;
  /** True to delete old snapshots of a disk that has the maximum number of snapshots. `retention` decides which ones. */
  make_room?: boolean;
  retention?: Retention;
}

/** The HTTP status and headers of the response for each state of the deployment. */
const RESPONSES = {
  ready: { status: 200 },
  pending: { status: 202, headers: { "retry-after": "5" } },
  failed: { status: 502 },
} as const;

const MINUTE_MS = 60_000;
/**
 * The minimum time during which pre-deploy retries after a "busy" or "throttled" error, in milliseconds. It applies even if
 * `wait_seconds` is 0.
 */
const MIN_WAIT_MS = 1_000;

/**
 * The maximum number of targets of a deployment. The response has up to 800 bytes per target, and a gateway accepts at most
 * 4 MB (SOURCES.md#functiongraph-limits).
 */
const MAX_TARGETS = 5_000;

/** The policy to which the snapshots belong if the request names no policy. */
const DEFAULT_POLICY = "pre-deploy";

/**
 * Checks the rules for a request to pre-deploy that its schema cannot express.
 *
 * @throws SnapshotError InvalidRequest; AccessDenied if callers may not use the policy
 */
export function checkDeployment(body: Deployment, { summary, variables, records }: Invocation): void {
  const { policy = DEFAULT_POLICY, make_room } = body;
  summary.policy = policy;
  // The fields `hold` and `time_zone` of a policy influence which snapshots of the policy may be deleted. A request to
  // pre-deploy contains neither field, so pre-deploy must not delete the snapshots of any other policy.
  if (make_room && policy !== DEFAULT_POLICY) {
    throw new SnapshotError(
      "InvalidRequest",
      `make_room: expected the policy ${DEFAULT_POLICY}, got ${JSON.stringify(policy)}: pre-deploy deletes only its own snapshots. Omit policy or make_room.`,
    );
  }
  checkMakeRoom(body);
  // If a caller could use any policy, its new snapshots would push the good snapshots of that policy out of the retention.
  const accepted = [DEFAULT_POLICY, ...readNames(variables, "PRE_DEPLOY_POLICIES")];
  if (accepted.includes(policy)) return;
  const error = new SnapshotError(
    "AccessDenied",
    `policy: expected ${accepted.join(" or ")}, got ${JSON.stringify(policy)}. Omit it, or ask the operator to add it to PRE_DEPLOY_POLICIES.`,
    { httpStatus: 403 },
  );
  records.openRecord({ action: "create", policy })({ outcome: "rejected", error });
  throw error;
}

/**
 * Creates a snapshot of every target of a deployment, and responds with the progress of each snapshot. The state of the
 * deployment in the response is `ready`, `pending` or `failed`.
 *
 * @throws SnapshotError if the targets cannot be listed, a selector selects no target, or there are too many targets
 */
export async function protectDeployment({ body }: { body: Deployment }, invocation: Invocation): Promise<JsonResponse> {
  const { deployment_id, targets: selectors, wait_seconds = 0, retry_failed = false, max_age_minutes = 1_440 } = body;
  const { connection, startedAt, retryBudget } = invocation;
  const policy = body.policy ?? DEFAULT_POLICY;
  const run = {
    idempotencyKey: deriveKey("deployment", deployment_id),
    policy,
    label: `d-${deployment_id.replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 36)}`,
    projectId: connection.projectId,
    deploymentId: deployment_id,
  };
  const waitUntil = instant(Math.min(after(startedAt, wait_seconds * 1000), retryBudget.deadline));
  const maxWait = after(startedAt, Math.max(wait_seconds * 1000, MIN_WAIT_MS));
  const runContext = createRunContext(
    { ...invocation, retryBudget: { ...retryBudget, maxWait } },
    createCloud(connection),
  );
  const { targets, failures, empty } = await selectTargets(selectors, runContext);
  // Fail if the targets of any kind cannot be listed, because the deployment may begin only if every target has a snapshot.
  for (const { error } of failures) throw error;
  if (empty.length > 0) {
    throw new SnapshotError(
      "NotFound",
      `${empty.join(" and ")}: expected to select at least one resource, but no resource has these tags, or exclude_tags excludes them all.`,
    );
  }
  if (targets.length > MAX_TARGETS) {
    throw new SnapshotError(
      "InvalidRequest",
      `targets: expected to select at most ${MAX_TARGETS} resources, got ${targets.length}. Use several deployment_ids.`,
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
  return { ...RESPONSES[status], body: { status, deployment_id, snapshots: progress.map(toEntry) } };
}

/** Returns the state of the deployment: `failed` if a snapshot failed, `ready` if all are available, or else `pending`. */
function statusOf(progress: TargetProgress[]): keyof typeof RESPONSES {
  const outcomes = new Set(progress.map(({ outcome }) => outcome));
  if (outcomes.has("failed")) return "failed";
  return outcomes.size === 1 && outcomes.has("available") ? "ready" : "pending";
}

/** Returns the entry for one target in the response body. */
function toEntry({ target, outcome, name, snapshot_id, detail, error }: TargetProgress): JsonObject {
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
