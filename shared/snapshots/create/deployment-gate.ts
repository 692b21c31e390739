import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError, type Reason, SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { retryRead } from "../../core/retry.ts";
import { type FoundSnapshot, isLive, type State } from "../kinds/kind.ts";
import type { Target } from "../policy.ts";
import type { EndFields } from "../reporting.ts";
import { type Run, type RunContext, targetFields } from "../run-context.ts";
import { createBulkList } from "./bulk-list.ts";
import { createOnce } from "./create-once.ts";
import { createSnapshotFinder } from "./deployment-snapshots.ts";
import { serializeGateCalls } from "./in-flight.ts";
import { toRecordFields } from "./request.ts";

/** The options of one call to the deployment gate. */
export interface GateOptions {
  /** True to create another snapshot for a target whose existing snapshot failed. */
  retryFailed: boolean;
  /**
   * The maximum age of a snapshot that belongs to this deployment, in milliseconds. An older snapshot belongs to an earlier
   * deployment with the same id.
   */
  maxAgeMs: number;
  /** The moment until which this call waits for snapshots to become available. */
  waitUntil: Instant;
  /** The time after which this call starts no target. */
  beginUntil: Instant;
}

/** The progress of one target of the deployment gate. */
export interface TargetProgress extends EndFields {
  target: Target;
  /**
   * `deferred` in a response of the deployment gate: this call did not create the snapshot, because the call ran out of time or
   * was throttled. The next call for the same deployment creates the snapshot. In scheduled runs, `deferred` has another
   * meaning: another invocation creates the snapshot; see `OUTCOME_DESCRIPTIONS`.
   */
  outcome: "accepted" | "existing" | "unverified" | "available" | "failed" | "deferred";
}

/**
 * The error reasons after which the outcome of a target is `deferred`. The next call of the deployment gate then tries to
 * create the snapshot again.
 */
const DEFERRING_REASONS: Reason[] = ["Throttled", "DeadlineExceeded"];
/** The time between two list requests while the deployment gate waits for snapshots, in milliseconds. */
const POLL_MS = 2_000;

/**
 * Creates a snapshot of each target of a deployment, waits until the snapshots are available, and returns the progress of each
 * target. Another call for the same deployment creates only the missing snapshots. The function writes a result record for each
 * target.
 *
 * A target is `available` only if the last list response contained an available snapshot of known age. If the snapshot is a
 * snapshot group, each disk that the group must contain needs a member.
 *
 * @throws SnapshotError Conflict if a snapshot of the deployment is older than `maxAgeMs` or has no known age
 */
export async function passGate(
  targets: readonly Target[],
  run: Run & { deploymentId: string },
  runContext: RunContext,
  { retryFailed, maxAgeMs, waitUntil, beginUntil }: GateOptions,
): Promise<TargetProgress[]> {
  const { cloud, retryBudget, inFlight, report, concurrency } = runContext;
  const { time } = retryBudget;
  // Open the result record of each target first. Each target then has a record, even if a later step of the function fails.
  const completions = new Map(targets.map((target) => [target, report(targetFields(target, run))]));
  const snapshots = createSnapshotFinder(run, runContext, maxAgeMs);
  const listedBefore = new Map<Target, FoundSnapshot[]>();
  const progress = new Map<Target, TargetProgress>();
  const ageErrors: SnapshotError[] = [];
  const list = createBulkList(run, runContext);
  const start = async (target: Target) => {
    const listed = listedBefore.get(target) as FoundSnapshot[];
    const ofDeployment = snapshots.ofDeployment(target, listed);
    const failed = ofDeployment.find(({ state }) => state === "failed");
    try {
      if (!ofDeployment.some(isLive) && failed !== undefined && !retryFailed) {
        progress.set(target, createFinalProgress(target, failed, "failed"));
      } else if (time.now() >= beginUntil) {
        const detail = "Not started, because the time of this call ran out. Repeat the call.";
        progress.set(target, { target, outcome: "deferred", detail });
      } else {
        const { kind, options } = target;
        const showFailed = (found: FoundSnapshot[]) => showIncompleteAsFailed(found, ofDeployment);
        const client = cloud(kind);
        const service = { ...client, listFor: async () => showFailed(await client.listFor(options)) };
        const lookup = {
          find: async () => showFailed(await list.findFresh(target)),
          findAgain: () => retryRead(() => service.listFor(), retryBudget),
        };
        const created = await createOnce({ ...run, kind, options }, service, retryBudget, inFlight, lookup);
        if (created.outcome === "accepted") snapshots.markCreated(created.snapshotId);
        progress.set(target, { target, ...toRecordFields(created) });
      }
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const outcome = DEFERRING_REASONS.includes(error.reason) ? "deferred" : "failed";
      progress.set(target, { target, outcome, attempts: error.attempts, error });
    }
  };
  // Stryker disable next-line StringLiteral: the name must only differ from the names of other callers
  const name = JSON.stringify(["gate", run.projectId, run.idempotencyKey]);
  await serializeGateCalls(name, inFlight, retryBudget, async () => {
    const failures: unknown[] = [];
    await forEachConcurrent(targets, concurrency, async (target) => {
      await snapshots.list(target, list).then(
        (listed) => listedBefore.set(target, listed),
        (thrown) => failures.push(thrown),
      );
    });
    for (const thrown of failures) throw thrown;
    for (const [target, listed] of listedBefore) {
      for (const snapshot of snapshots.ofDeployment(target, listed).filter(isLive)) {
        const error = snapshots.ageErrorOf(snapshot);
        if (error !== undefined) throw error;
      }
    }
    await forEachConcurrent(targets, concurrency, start);
  });

  const firstListOf = (target: Target) => listedBefore.get(target) as FoundSnapshot[];
  // The list response from before the create requests says nothing about a snapshot that it does not contain.
  const isListedBefore = ({ target, snapshot_id }: TargetProgress) =>
    firstListOf(target).some(({ id }) => id === snapshot_id);
  await updateProgress(
    targetsWith((target) => isPending(target) && isListedBefore(target)),
    async (target) => firstListOf(target),
  );
  while (ageErrors.length === 0 && targetsWith(isPending).length > 0 && time.now() < waitUntil) {
    await time.sleep(Math.min(POLL_MS, waitUntil - time.now()));
    const latest = createBulkList(run, runContext);
    const list = (target: Target) => snapshots.list(target, latest);
    const pending = targetsWith(isPending);
    await updateProgress(pending, list);
    // An available snapshot may have been deleted while the function waited for other snapshots. List the available snapshots
    // once more before the function returns.
    const availableBefore = targetsWith(({ target, outcome }) => outcome === "available" && !pending.includes(target));
    if (targetsWith(isPending).length === 0) await updateProgress(availableBefore, list);
  }
  const results = targets.map((target) => progress.get(target) as TargetProgress);
  // Stryker disable next-line OptionalChaining: every target has an open record, which the type does not express
  for (const { target, ...result } of results) completions.get(target)?.(result);
  for (const error of ageErrors) throw error;
  return results;

  function targetsWith(condition: (progress: TargetProgress) => boolean): Target[] {
    return [...progress.values()].filter(condition).map(({ target }) => target);
  }

  /**
   * Updates the progress of targets from a list response. If the list request fails for a target in progress, the target
   * remains in progress.
   */
  async function updateProgress(
    pending: readonly Target[],
    list: (target: Target) => Promise<FoundSnapshot[]>,
  ): Promise<void> {
    await forEachConcurrent(pending, concurrency, async (target) => {
      const before = progress.get(target) as TargetProgress;
      try {
        const snapshot = snapshots.pick(target, await list(target), before);
        progress.set(target, computeProgress(before, snapshot));
      } catch (thrown) {
        const { message } = asSnapshotError(thrown);
        const outcome = before.outcome === "available" ? "unverified" : before.outcome;
        progress.set(target, { ...before, outcome, detail: `The snapshot could not be listed again: ${message}` });
      }
    });
  }

  /**
   * Returns the new progress of a target after the snapshots were listed again.
   *
   * @param before the previous progress
   * @param snapshot the snapshot of the target, or undefined if the list response does not contain it
   */
  function computeProgress(before: TargetProgress, snapshot: FoundSnapshot | undefined): TargetProgress {
    const { target } = before;
    if (snapshot === undefined && before.outcome !== "available") return before;
    if (snapshot === undefined || snapshot.state === "deleting") {
      return { ...before, outcome: "unverified", detail: DELETED_DETAIL };
    }
    const { id, name, status, state, stateDetail } = snapshot;
    const now: TargetProgress = {
      ...before,
      outcome: snapshots.isCreatedHere(id) ? "accepted" : "existing",
      name,
      snapshot_id: id,
      job_id: id === before.snapshot_id ? before.job_id : undefined,
      detail: stateDetail && `It is not known yet whether the group is complete: ${stateDetail}.`,
    };
    switch (state) {
      case "creating":
        return now;
      case "available": {
        const error = snapshots.ageErrorOf(snapshot);
        if (error === undefined) return { ...now, ...createFinalProgress(target, snapshot, state) };
        ageErrors.push(error);
        return { ...now, outcome: "failed", error };
      }
      case "failed":
        return { ...now, ...createFinalProgress(target, snapshot, state) };
      default:
        return {
          ...now,
          outcome: "unverified",
          detail: now.detail ?? `The snapshot has the unknown status "${status}".`,
        };
    }
  }
}

const DELETED_DETAIL = "The snapshot was deleted or is being deleted. Repeat the call to create another snapshot.";

/**
 * Returns a list response in which incomplete snapshot groups have the state `failed`. EVS reports an incomplete group as available,
 * but an earlier assessment of its members found a member missing.
 */
const showIncompleteAsFailed = (listed: readonly FoundSnapshot[], assessed: readonly FoundSnapshot[]) =>
  listed.map((found) => assessed.find(({ id, state }) => id === found.id && state === "failed") ?? found);

const isPending = ({ outcome }: TargetProgress): boolean => ["accepted", "existing", "unverified"].includes(outcome);

/** Returns the final progress of a target whose snapshot is available or failed. */
function createFinalProgress(
  target: Target,
  snapshot: FoundSnapshot,
  state: State & ("available" | "failed"),
): TargetProgress {
  const { id, name, status, stateDetail } = snapshot;
  const problem = stateDetail === undefined ? "" : `, but ${stateDetail}`;
  const error = new SnapshotError(
    "SnapshotFailed",
    `Expected the ${target.kind.name} ${id} to become available; its status is "${status}"${problem}. Check ${target.resource}, then repeat the call with "retry_failed": true.`,
  );
  return { target, outcome: state, name, snapshot_id: id, detail: undefined, ...(state === "failed" ? { error } : {}) };
}
