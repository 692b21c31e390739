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
 * The time in milliseconds after which a run in another process counts as finished if no new snapshot of that run appears. One
 * create request takes at most 10 s, and a new snapshot can appear in list responses up to 5 s late.
 */
const QUIET_MS = 20_000;

/**
 * The time in milliseconds within which the first snapshots of a run appear in list responses, if another process started the
 * run at the same moment as this process.
 */
const STARTED_MS = 10_000;

/**
 * Creates a snapshot of each target, several at the same time, and writes a result record for each target. If one target fails,
 * the other targets continue.
 *
 * @param until the last moment at which work on a target may start. If `until` is before the deadline, the function returns the
 *   targets that it did not start. If `until` is the deadline, the function reports targets that it did not start as failed.
 * @param index finds the snapshots that the run has already created; without it, `createOnce` lists the snapshots of each
 * target separately
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
 * Waits while another instance of the function may still create snapshots of the same targets. This happens after a failed run:
 * the platform redelivers the event, and the function starts its shards (invocations for a part of the targets) again, although
 * the first shards may still be running.
 *
 * - If the list response contains a recent snapshot of the run, the function waits until the run has created nothing for 20 s.
 *   If the deadline is earlier, the function continues without waiting, because a missing snapshot is worse than a duplicate.
 * - If `run.again` is set and the list response contains no snapshot of the run, the function waits once, because the other
 *   instance may be about to start.
 * - If all targets start at the same time, the function does not wait, because the other instance has also started all of its
 *   targets.
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
    // Stryker disable next-line ArrayDeclaration: the filter below removes values without a marker
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
