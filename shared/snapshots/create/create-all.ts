import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError, SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { createPause } from "../../core/retry.ts";
import type { FoundSnapshot } from "../kinds/kind.ts";
import type { Target } from "../policy.ts";
import { type Run, type RunContext, targetFields } from "../run-context.ts";
import { createOnce } from "./create-once.ts";
import { indexExistingSnapshots, type SnapshotIndex } from "./existing-snapshots.ts";
import { serializeRuns } from "./in-flight.ts";
import { toRecordFields } from "./request.ts";

/**
 * If no new snapshot of a run appears for this number of milliseconds, the run in the other process counts as finished. One
 * create request takes at most 10 s, and a new snapshot can appear in list responses up to 5 s late.
 */
const QUIET_MS = 20_000;

/**
 * How long to wait for the first snapshot of a run that another process may have started at the same moment, in milliseconds.
 */
const STARTED_MS = 10_000;

/**
 * Creates a snapshot of each target, several at the same time, and writes a result record for each target. If one target fails,
 * the other targets continue.
 *
 * @param until no target starts after this time. If `until` is before the deadline, the function returns the targets that it
 *   did not start. If `until` is the deadline, the function writes a record with the outcome `failed` for each of these
 *   targets.
 * @param index finds the snapshots that the run has already created. Without an index, `createOnce` sends a list request for
 *   each target.
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
  const pause = createPause(retryBudget.time);
  const create = async (target: Target, usableIndex?: SnapshotIndex) => {
    await pause();
    const isLate = retryBudget.time.now() >= until;
    if (isLate && until < retryBudget.deadline) {
      notStarted.push(target);
      return;
    }
    const complete = report(targetFields(target, run));
    try {
      if (isLate) throw outOfTimeError();
      const { kind, options } = target;
      const listed = await usableIndex?.(target);
      const created = await createOnce({ ...run, kind, options }, cloud(kind), retryBudget, inFlight, listed);
      complete(toRecordFields(created));
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      complete({ outcome: "failed", attempts: error.attempts, error });
    }
  };
  const createEach = (usableIndex?: SnapshotIndex) =>
    forEachConcurrent(targets, concurrency, (target) => create(target, usableIndex));
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
 * Waits while another instance of the function may still create snapshots of the same targets. This can happen after a failed
 * run: the platform redelivers the event, and the function starts its shards a second time, although the first shards may still
 * be running. A shard is an invocation for a part of the targets.
 *
 * - If the list response contains a recent snapshot of the run, the function waits until no new snapshot of the run has
 *   appeared for 20 s. If the deadline is earlier, the function continues without waiting, because a missing snapshot is worse
 *   than a duplicate.
 * - If `run.again` is set and the list response contains no snapshot of the run, the function waits 10 s once, because the
 *   other instance may be about to create the first snapshot.
 * - If `run.again` is not set and all targets can start at the same time, the function does not wait, because the other
 *   instance has also started all of its targets.
 *
 * @returns the index from the last list request
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

/** Returns the snapshots that a run has already created: one array per target, without targets that have no snapshot. */
async function createdByRun(targets: readonly Target[], run: Run, index: SnapshotIndex): Promise<FoundSnapshot[][]> {
  const ofTarget = async (target: Target) => {
    // Stryker disable next-line ArrayDeclaration: the filter in the return statement removes values without a marker
    const found = await index(target).catch(() => []);
    return found.filter(
      ({ marker, resource }) => marker?.idempotencyKey === run.idempotencyKey && resource === target.resource,
    );
  };
  return (await Promise.all(targets.map(ofTarget))).filter(({ length }) => length > 0);
}

/** Returns whether an earlier delivery of the same event has created a snapshot of any target. */
export const hasCreatedSnapshots = async (
  targets: readonly Target[],
  run: Run,
  index: SnapshotIndex,
): Promise<boolean> => (await createdByRun(targets, run, index)).length > 0;

const outOfTimeError = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before work on this target started. Raise the function's timeout or lower SHARD_SIZE.",
  );

/**
 * Returns a name that identifies a run within the process. The name contains the first target, because each shard of a run has
 * a different first target.
 */
const runName = ({ projectId, idempotencyKey }: Run, [first]: readonly Target[]): string =>
  // Stryker disable next-line StringLiteral,OptionalChaining: any unique name works, and a run without targets does nothing
  JSON.stringify(["run", projectId, idempotencyKey, first?.kind.name, first?.resource]);
