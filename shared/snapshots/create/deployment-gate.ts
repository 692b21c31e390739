import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError, type Reason, SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { type FoundSnapshot, isLive, type State } from "../kinds/kind.ts";
import type { Target } from "../policy.ts";
import type { SnapshotService } from "../ports.ts";
import type { EndFields } from "../reporting.ts";
import { indexExistingSnapshots, type Run, type RunContext, targetFields } from "./create-all.ts";
import { createOnce, serializeRuns, toRecordFields } from "./create-once.ts";
import { deploymentSnapshots } from "./deployment-snapshots.ts";

export interface GateOptions {
  /** Start again what ended in an error state. */
  retryFailed: boolean;
  /** A snapshot of this deployment that is older than this belongs to another one. */
  maxAgeMs: number;
  /** Until when it is waited for the snapshots to become available. */
  waitUntil: Instant;
  /** The last moment at which work on a target begins. */
  beginUntil: Instant;
}

/** How far one target is. */
export interface Progress extends EndFields {
  target: Target;
  outcome: "accepted" | "existing" | "unverified" | "available" | "failed" | "deferred";
}

/** What the next call can do that this one could not: the account was busy, or the time was up. */
const LATER: Reason[] = ["Throttled", "DeadlineExceeded"];
/** How long to wait between two looks. */
const LOOK_EVERY_MS = 2_000;

/**
 * A snapshot of every target of a deployment: what is not there yet is started, what is there tells how far it is. The same
 * call again starts nothing twice. Each target has its record. A refusal that concerns the whole account is every target's
 * that was not begun by then.
 *
 * No target is `available` unless the last look showed it so, its age is known, and a group has a member for each disk.
 *
 * Rejects with Conflict if a snapshot of the deployment is too old to be of the same run, or of unknown age.
 */
export async function passGate(
  targets: readonly Target[],
  run: Run & { deploymentId: string },
  runContext: RunContext,
  { retryFailed, maxAgeMs, waitUntil, beginUntil }: GateOptions,
): Promise<Progress[]> {
  const { cloud, retryBudget, inFlight, report, concurrency } = runContext;
  const { time } = retryBudget;
  // Begun before anything can go wrong: each target has its record then too.
  const ends = new Map(targets.map((target) => [target, report(targetFields(target, run))]));
  const snapshots = deploymentSnapshots(run, runContext, maxAgeMs);
  const found = new Map<Target, FoundSnapshot[]>();
  const progress = new Map<Target, Progress>();
  const stale: SnapshotError[] = [];
  const start = async (target: Target) => {
    const listed = found.get(target) as FoundSnapshot[];
    const own = snapshots.ofDeployment(target, listed);
    const failed = own.find(({ state }) => state === "failed");
    try {
      if (!own.some(isLive) && failed !== undefined && !retryFailed) {
        progress.set(target, ended(target, failed, "failed"));
      } else if (time.now() >= beginUntil) {
        const detail = "Not begun yet, as the time of this call ran out: repeat it.";
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
      // Nothing is wrong with the target: the same call again goes on.
      const outcome = LATER.includes(error.reason) ? "deferred" : "failed";
      progress.set(target, { target, outcome, attempts: error.attempts, error });
    }
  };
  // Stryker disable next-line StringLiteral: any name does that no other use case has
  await serializeRuns(JSON.stringify(["gate", run.projectId, run.idempotencyKey]), inFlight, retryBudget, async () => {
    const known = indexExistingSnapshots(run, runContext);
    const failures: unknown[] = [];
    await forEachConcurrent(targets, concurrency, async (target) => {
      await snapshots.list(target, known).then(
        (listed) => found.set(target, listed),
        (thrown) => failures.push(thrown),
      );
    });
    for (const thrown of failures) throw thrown;
    for (const [target, listed] of found) {
      for (const one of snapshots.ofDeployment(target, listed).filter(isLive)) {
        const error = snapshots.refusalOf(one);
        if (error !== undefined) throw error;
      }
    }
    await forEachConcurrent(targets, concurrency, start);
  });

  await look(targetsThat(isUnderWay), (target) => Promise.resolve(found.get(target) as FoundSnapshot[]));
  while (stale.length === 0 && targetsThat(isUnderWay).length > 0 && time.now() < waitUntil) {
    await time.sleep(Math.min(LOOK_EVERY_MS, waitUntil - time.now()));
    const known = indexExistingSnapshots(run, runContext);
    const list = (target: Target) => snapshots.list(target, known);
    const pending = targetsThat(isUnderWay);
    await look(pending, list);
    // A snapshot that an earlier look showed may have disappeared before the last one became available.
    const earlier = targetsThat(({ target, outcome }) => outcome === "available" && !pending.includes(target));
    if (targetsThat(isUnderWay).length === 0) await look(earlier, list);
  }
  const results = targets.map((target) => progress.get(target) as Progress);
  // Stryker disable next-line OptionalChaining: every target has one, which its type does not say
  for (const { target, ...end } of results) ends.get(target)?.(end);
  for (const error of stale) throw error;
  return results;

  function targetsThat(condition: (one: Progress) => boolean): Target[] {
    return [...progress.values()].filter(condition).map(({ target }) => target);
  }

  /** Updates the progress of targets. If the look at a target fails, the target counts as under way. */
  async function look(ones: readonly Target[], list: (target: Target) => Promise<FoundSnapshot[]>): Promise<void> {
    await forEachConcurrent(ones, concurrency, async (target) => {
      const before = progress.get(target) as Progress;
      try {
        const snapshot = snapshots.pick(target, await list(target), before);
        progress.set(target, progressBy(before, snapshot));
      } catch (thrown) {
        const { message } = asSnapshotError(thrown);
        const outcome = before.outcome === "available" ? "unverified" : before.outcome;
        progress.set(target, { ...before, outcome, detail: `Its state could not be read: ${message}` });
      }
    });
  }

  /** Returns how far a target is, by the snapshot that the gate goes by; undefined: the list shows none. */
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
      detail: stateDetail && `Whether it is complete is not known yet: ${stateDetail}.`,
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
        return { ...now, outcome: "unverified", detail: now.detail ?? `The status "${status}" is not known.` };
    }
  }
}

const GONE = "The snapshot is being deleted or does not exist any more: repeat the call to create another one.";

/** Wraps a service, which shows an incomplete group as available, so that what the gate found to be failed stays so. */
const withFailed = (service: SnapshotService, own: readonly FoundSnapshot[]): SnapshotService => ({
  ...service,
  listFor: async (options) =>
    (await service.listFor(options)).map(
      (one) => own.find(({ id, state }) => id === one.id && state === "failed") ?? one,
    ),
});

const isUnderWay = ({ outcome }: Progress): boolean => ["accepted", "existing", "unverified"].includes(outcome);

/** A snapshot that has come to its end. */
function ended(target: Target, snapshot: FoundSnapshot, state: State & ("available" | "failed")): Progress {
  const { id, name, status, stateDetail } = snapshot;
  const how =
    stateDetail === undefined ? `it ended in the status "${status}"` : `its status is "${status}", but ${stateDetail}`;
  const error = new SnapshotError(
    "SnapshotFailed",
    `Expected the ${target.kind.name} ${id} to become available; ${how}. Look at ${target.resource}, then repeat the call with "retry_failed": true.`,
  );
  return { target, outcome: state, name, snapshot_id: id, detail: undefined, ...(state === "failed" ? { error } : {}) };
}
