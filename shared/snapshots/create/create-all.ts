import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError, SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { pauses } from "../../core/retry.ts";
import type { FoundSnapshot } from "../kinds/kind.ts";
import type { Target } from "../policy.ts";
import { type Run, type RunContext, targetFields } from "../run-context.ts";
import { createOnce } from "./create-once.ts";
import { indexExistingSnapshots, type SnapshotIndex } from "./existing-snapshots.ts";
import { serializeRuns } from "./in-flight.ts";
import { toRecordFields } from "./request.ts";

/** A run that has created nothing for 20 s has ended: a create takes at most 10 s, and a list is up to 5 s late. */
const QUIET_MS = 20_000;

/** A list shows after 10 s what another process started at the same time. */
const STARTED_MS = 10_000;

/**
 * Creates a snapshot of each target, several at a time, and writes a record for each. The error of a target does not stop the
 * others.
 *
 * @param until the last moment at which work on a target may start. If it is before the deadline, the targets that were not
 *   started are returned. If it is the deadline, they fail.
 * @param index the existing snapshots of the run; without it, `createOnce` lists the snapshots of each target
 * @returns the targets that were not started
 */
export async function createAll(
  targets: readonly Target[],
  run: Run,
  runContext: RunContext,
  until: Instant,
  index?: SnapshotIndex,
): Promise<Target[]> {
  const { cloud, retryBudget, inFlight, report, concurrency } = runContext;
  const notStarted: Target[] = [];
  const pause = pauses(retryBudget.time);
  const create = async (target: Target, from?: SnapshotIndex) => {
    await pause();
    const isLate = retryBudget.time.now() >= until;
    if (isLate && until < retryBudget.deadline) {
      notStarted.push(target);
      return;
    }
    const end = report(targetFields(target, run));
    try {
      if (isLate) throw outOfTime();
      const { kind, options } = target;
      const listed = await from?.(target);
      const created = await createOnce({ ...run, kind, options }, cloud(kind), retryBudget, inFlight, listed);
      end(toRecordFields(created));
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      end({ outcome: "failed", attempts: error.attempts, error });
    }
  };
  const createEach = (from?: SnapshotIndex) =>
    forEachConcurrent(targets, concurrency, (target) => create(target, from));
  if (index === undefined) {
    await createEach();
    return notStarted;
  }
  try {
    await serializeRuns(runName(run, targets), inFlight, retryBudget, async (isRepeated) =>
      createEach(isRepeated ? index : await waitForConcurrentRun(targets, run, runContext, index)),
    );
  } catch (thrown) {
    const error = asSnapshotError(thrown);
    for (const target of targets) report(targetFields(target, run))({ outcome: "failed", error });
  }
  return notStarted;
}

/**
 * Waits while another instance may still create snapshots of the same targets. After a failed run, the platform delivers the
 * event again, and the function starts its shards again, although the first shards may still be running.
 *
 * - If the list shows a recent snapshot of the run, waits until the run has created nothing for 20 s. If the deadline is
 *   earlier, continues, because a missing snapshot is worse than a duplicate.
 * - If `run.again` is set and the list shows no snapshot, waits once, because the other instance may be about to start.
 * - If all targets are started at the same time, does not wait, because no target is left for the other instance to reach.
 *
 * @returns the index from the last list
 */
async function waitForConcurrentRun(
  targets: readonly Target[],
  run: Run,
  runContext: RunContext,
  index: SnapshotIndex,
): Promise<SnapshotIndex> {
  const { time, deadline } = runContext.retryBudget;
  if (targets.length <= runContext.concurrency && !run.again) return index;
  let previous = run.again ? undefined : 0;
  for (let latest = index; ; latest = indexExistingSnapshots(run, runContext)) {
    const created = await createdByRun(targets, run, latest);
    const now = time.now();
    const newest = created.flat().reduce((max, { created: at }) => Math.max(max, at ?? now), 0);
    const wait = created.length === 0 ? STARTED_MS : Math.min(QUIET_MS, newest + QUIET_MS - now);
    const isUnchanged = created.length === previous || created.length === targets.length;
    if (isUnchanged || wait <= 0 || now + wait >= deadline) return latest;
    await time.sleep(wait);
    previous = created.length;
  }
}

/** Returns the existing snapshots of a run, one array for each target that has any. */
async function createdByRun(targets: readonly Target[], run: Run, index: SnapshotIndex): Promise<FoundSnapshot[][]> {
  const ofTarget = async (target: Target) => {
    // Stryker disable next-line ArrayDeclaration: anything without a marker does not count
    const found = await index(target).catch(() => []);
    return found.filter(
      ({ marker, resource }) => marker?.idempotencyKey === run.idempotencyKey && resource === target.resource,
    );
  };
  return (await Promise.all(targets.map(ofTarget))).filter(({ length }) => length > 0);
}

/** Returns whether an earlier delivery has created a snapshot of any of the targets. */
export const hasBegun = async (targets: readonly Target[], run: Run, index: SnapshotIndex): Promise<boolean> =>
  (await createdByRun(targets, run, index)).length > 0;

const outOfTime = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before this target was started. Raise the function's timeout or lower SHARD_SIZE.",
  );

/** Names a run within the process. Shards of a run have different first targets, so their names differ. */
const runName = ({ projectId, idempotencyKey }: Run, [first]: readonly Target[]): string =>
  // Stryker disable next-line StringLiteral,OptionalChaining: any unique name works, and a run without targets does nothing
  JSON.stringify(["run", projectId, idempotencyKey, first?.kind.name, first?.resource]);
