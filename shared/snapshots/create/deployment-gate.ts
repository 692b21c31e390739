import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError, type Reason, SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { type FoundSnapshot, isLive, type State } from "../kinds/kind.ts";
import type { Target } from "../policy.ts";
import type { SnapshotService } from "../ports.ts";
import type { EndFields } from "../reporting.ts";
import { type Run, type RunContext, targetFields } from "../run-context.ts";
import { createOnce } from "./create-once.ts";
import { deploymentSnapshots } from "./deployment-snapshots.ts";
import { indexExistingSnapshots } from "./existing-snapshots.ts";
import { serializeRuns } from "./in-flight.ts";
import { toRecordFields } from "./request.ts";

export interface GateOptions {
  /** Whether to create another snapshot of a target whose snapshot failed. */
  retryFailed: boolean;
  /** The maximum age of a snapshot of this deployment, in milliseconds. An older one belongs to another deployment. */
  maxAgeMs: number;
  /** Until when the gate waits for snapshots to become available. */
  waitUntil: Instant;
  /** The last moment at which work on a target may start. */
  beginUntil: Instant;
}

/** The progress of one target. */
export interface Progress extends EndFields {
  target: Target;
  outcome: "accepted" | "existing" | "unverified" | "available" | "failed" | "deferred";
}

/** The reasons after which the next call of the gate continues. */
const DEFERRING: Reason[] = ["Throttled", "DeadlineExceeded"];
/** The time between two lists. */
const POLL_MS = 2_000;

/**
 * Creates a snapshot of each target of a deployment, waits for the snapshots, and returns the progress of each target. Another
 * call for the same deployment creates only missing snapshots. Writes a record for each target.
 *
 * A target is `available` only if the last list showed an available snapshot, the age of the snapshot is known, and a group
 * has a member for each disk.
 *
 * @throws SnapshotError Conflict if a snapshot of the deployment is older than `maxAgeMs` or of unknown age
 */
export async function passGate(
  targets: readonly Target[],
  run: Run & { deploymentId: string },
  runContext: RunContext,
  { retryFailed, maxAgeMs, waitUntil, beginUntil }: GateOptions,
): Promise<Progress[]> {
  const { cloud, retryBudget, inFlight, report, concurrency } = runContext;
  const { time } = retryBudget;
  // Open the records before anything can fail, so each target has a record.
  const ends = new Map(targets.map((target) => [target, report(targetFields(target, run))]));
  const snapshots = deploymentSnapshots(run, runContext, maxAgeMs);
  const listedBefore = new Map<Target, FoundSnapshot[]>();
  const progress = new Map<Target, Progress>();
  const stale: SnapshotError[] = [];
  const start = async (target: Target) => {
    const listed = listedBefore.get(target) as FoundSnapshot[];
    const own = snapshots.ofDeployment(target, listed);
    const failed = own.find(({ state }) => state === "failed");
    try {
      if (!own.some(isLive) && failed !== undefined && !retryFailed) {
        progress.set(target, ended(target, failed, "failed"));
      } else if (time.now() >= beginUntil) {
        const detail = "Not started, because the time of this call ran out. Repeat the call.";
        progress.set(target, { target, outcome: "deferred", detail });
      } else {
        const { kind, options } = target;
        const service = withFailed(cloud(kind), own);
        const created = await createOnce({ ...run, kind, options }, service, retryBudget, inFlight, listed);
        if (created.outcome === "accepted") snapshots.markCreated(created.snapshotId);
        progress.set(target, { target, ...toRecordFields(created) });
      }
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      // The target itself has no error, so another call continues.
      const outcome = DEFERRING.includes(error.reason) ? "deferred" : "failed";
      progress.set(target, { target, outcome, attempts: error.attempts, error });
    }
  };
  // Stryker disable next-line StringLiteral: any name that no other use case uses
  await serializeRuns(JSON.stringify(["gate", run.projectId, run.idempotencyKey]), inFlight, retryBudget, async () => {
    const index = indexExistingSnapshots(run, runContext);
    const failures: unknown[] = [];
    await forEachConcurrent(targets, concurrency, async (target) => {
      await snapshots.list(target, index).then(
        (listed) => listedBefore.set(target, listed),
        (thrown) => failures.push(thrown),
      );
    });
    for (const thrown of failures) throw thrown;
    for (const [target, listed] of listedBefore) {
      for (const one of snapshots.ofDeployment(target, listed).filter(isLive)) {
        const error = snapshots.refusalOf(one);
        if (error !== undefined) throw error;
      }
    }
    await forEachConcurrent(targets, concurrency, start);
  });

  await update(targetsThat(isPending), (target) => Promise.resolve(listedBefore.get(target) as FoundSnapshot[]));
  while (stale.length === 0 && targetsThat(isPending).length > 0 && time.now() < waitUntil) {
    await time.sleep(Math.min(POLL_MS, waitUntil - time.now()));
    const index = indexExistingSnapshots(run, runContext);
    const list = (target: Target) => snapshots.list(target, index);
    const pending = targetsThat(isPending);
    await update(pending, list);
    // A snapshot that was available before may have disappeared before the last one became available.
    const earlier = targetsThat(({ target, outcome }) => outcome === "available" && !pending.includes(target));
    if (targetsThat(isPending).length === 0) await update(earlier, list);
  }
  const results = targets.map((target) => progress.get(target) as Progress);
  // Stryker disable next-line OptionalChaining: every target has one, which the type does not express
  for (const { target, ...end } of results) ends.get(target)?.(end);
  for (const error of stale) throw error;
  return results;

  function targetsThat(condition: (progress: Progress) => boolean): Target[] {
    return [...progress.values()].filter(condition).map(({ target }) => target);
  }

  /** Updates the progress of targets from a list. If the list cannot be read, the target is still pending. */
  async function update(pending: readonly Target[], list: (target: Target) => Promise<FoundSnapshot[]>): Promise<void> {
    await forEachConcurrent(pending, concurrency, async (target) => {
      const before = progress.get(target) as Progress;
      try {
        const snapshot = snapshots.pick(target, await list(target), before);
        progress.set(target, progressBy(before, snapshot));
      } catch (thrown) {
        const { message } = asSnapshotError(thrown);
        const outcome = before.outcome === "available" ? "unverified" : before.outcome;
        progress.set(target, { ...before, outcome, detail: `The state of the snapshot could not be read: ${message}` });
      }
    });
  }

  /**
   * Returns the progress of a target.
   *
   * @param snapshot the snapshot of the target, or undefined if the list shows none
   */
  function progressBy(before: Progress, snapshot: FoundSnapshot | undefined): Progress {
    const { target } = before;
    if (snapshot === undefined && before.outcome !== "available") return before;
    if (snapshot === undefined || snapshot.state === "deleting") {
      return { ...before, outcome: "unverified", detail: GONE };
    }
    const { id, name, status, state, stateDetail } = snapshot;
    const now: Progress = {
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
        const error = snapshots.refusalOf(snapshot);
        if (error === undefined) return { ...now, ...ended(target, snapshot, state) };
        stale.push(error);
        return { ...now, outcome: "failed", error };
      }
      case "failed":
        return { ...now, ...ended(target, snapshot, state) };
      default:
        return { ...now, outcome: "unverified", detail: now.detail ?? `The status "${status}" is unknown.` };
    }
  }
}

const GONE = "The snapshot was deleted or is being deleted. Repeat the call to create another one.";

/** Wraps a service so its lists show incomplete groups as failed. The service itself shows them as available. */
const withFailed = (service: SnapshotService, own: readonly FoundSnapshot[]): SnapshotService => ({
  ...service,
  listFor: async (options) =>
    (await service.listFor(options)).map(
      (one) => own.find(({ id, state }) => id === one.id && state === "failed") ?? one,
    ),
});

const isPending = ({ outcome }: Progress): boolean => ["accepted", "existing", "unverified"].includes(outcome);

/** Returns the progress of a target whose snapshot is available or failed. */
function ended(target: Target, snapshot: FoundSnapshot, state: State & ("available" | "failed")): Progress {
  const { id, name, status, stateDetail } = snapshot;
  const actual =
    stateDetail === undefined ? `it ended in the status "${status}"` : `its status is "${status}", but ${stateDetail}`;
  const error = new SnapshotError(
    "SnapshotFailed",
    `Expected the ${target.kind.name} ${id} to become available; ${actual}. Check ${target.resource}, then repeat the call with "retry_failed": true.`,
  );
  return { target, outcome: state, name, snapshot_id: id, detail: undefined, ...(state === "failed" ? { error } : {}) };
}
