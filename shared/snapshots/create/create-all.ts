import type { Time } from "../../core/clock.ts";
import { createSlots, type Slots } from "../../core/concurrency.ts";
import { asSnapshotError, SnapshotError } from "../../core/errors.ts";
import { type Instant, instant } from "../../core/instant.ts";
import { createPause, LISTED_AFTER_MS, type RetryBudget, withTime } from "../../core/retry.ts";
import { isLive } from "../kinds/kind.ts";
import { hashRequest } from "../marker.ts";
import type { Target } from "../policy.ts";
import type { EndFields } from "../reporting.ts";
import { type Run, type RunContext, targetFields } from "../run-context.ts";
import { createOnce, toExistingResult } from "./create-once.ts";
import type { SnapshotIndex } from "./existing-snapshots.ts";
import { toRecordFields } from "./request.ts";
import { byCreation, createRunTurn } from "./run-turn.ts";

/** The minimum time before the cutoff in which a run takes the turn (run-turn.ts), in milliseconds. */
const MIN_TURN_MS = 30_000;

/** When and how `createAll` works on its targets. */
export interface CreateAllOptions {
  /** The time after which no work on a target may start, so the work in progress can finish before the deadline. */
  cutoff: Instant;
  /** True if the caller hands over the targets that were not started. Otherwise, they are recorded as failed. */
  canHandOver?: boolean;
  /** The snapshots that the run has already created. Without it, `createOnce` lists the snapshots of each target. */
  index?: SnapshotIndex;
}

/**
 * Creates a snapshot of each target, several at the same time, and writes a result record for each target.
 *
 * **Work queue.** At most `runContext.concurrency` targets are worked on at the same time. A target that must wait (for a busy
 * disk, after a throttled or ambiguous response, or for deletions) does not count during its wait, so other targets start.
 * Waiting ends at the cutoff. If one target fails, the other targets continue.
 *
 * **Two processes.** A run with more targets than `runContext.concurrency` first takes the turn; see `RunTurn`. If
 * `run.again` is set, every run with several targets does.
 *
 * @returns the targets that were not started before the cutoff, if `canHandOver` is set
 */
export async function createAll(
  targets: readonly Target[],
  run: Run,
  runContext: RunContext,
  { cutoff, canHandOver = false, index }: CreateAllOptions,
): Promise<Target[]> {
  const { cloud, inFlight, report, concurrency } = runContext;
  const { time } = runContext.retryBudget;
  const slots = createSlots(concurrency);
  const needsTurn =
    index !== undefined && targets.length > (run.again ? 1 : concurrency) && time.now() + MIN_TURN_MS < cutoff;
  const turn = needsTurn ? createRunTurn(targets, run.again === true, runContext, index, cutoff) : undefined;
  const retryBudget: RetryBudget = {
    ...withTime(runContext.retryBudget, time),
    maxWait: instant(Math.min(cutoff, runContext.retryBudget.maxWait ?? cutoff)),
  };

  /**
   * Works on one target. The caller has acquired a slot.
   *
   * @param onWait is called if the target must wait
   * @returns the id of the snapshot if this call created it
   */
  const create = async (target: Target, onWait?: () => void): Promise<string | undefined> => {
    const complete = report(targetFields(target, run));
    const budget = withTime(retryBudget, releaseWhileWaiting(time, slots, onWait));
    const lookup = index && { find: () => index.find(target), findAgain: () => index.findAgain(target) };
    const { kind, options } = target;
    try {
      const request = { ...run, kind, options, acceptsOtherOptions: index !== undefined };
      const created = await createOnce(request, cloud(kind), budget, inFlight, lookup);
      if (created.outcome === "accepted") {
        index?.addCreated(kind, created.snapshotId);
        turn?.extend();
      }
      complete(toRecordFields(created));
      return created.outcome === "accepted" ? created.snapshotId : undefined;
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      complete(knownResult(target, index) ?? { outcome: "failed", attempts: error.attempts, error });
      return undefined;
    } finally {
      slots.release();
    }
  };

  const started = new Map<Target, Promise<unknown>>();
  /** Starts the next targets alone. Resolves when each of them is finished or must wait. */
  const createFirst = async (first: readonly Target[]): Promise<void> => {
    const created = new Map<string, Target>();
    const isDone = first.map(async (target) => {
      await slots.acquire();
      if (time.now() >= cutoff) return slots.release();
      await new Promise<void>((resolve) => {
        const creating = create(target, resolve).then((createdId) => {
          if (createdId !== undefined) created.set(createdId, target);
          resolve();
        });
        started.set(target, creating);
      });
    });
    await Promise.all(isDone);
    if (created.size > 0) await turn?.take(created);
  };
  const mayStart = async (target: Target) =>
    time.now() < cutoff && (turn === undefined || turn.isHeld() || (await turn.isCreated(target)));

  const pause = createPause(time);
  let position = 0;
  let firstTries = 0;
  while (position < targets.length) {
    await pause();
    if (time.now() >= cutoff) break;
    const target = targets[position] as Target;
    if (turn === undefined || (await mayStart(target))) {
      await slots.acquire();
      // The turn can end while the target waits for a slot.
      if (!(await mayStart(target))) slots.release();
      else {
        position += 1;
        started.set(target, create(target));
      }
      continue;
    }
    await turn.waitForQuiet(target);
    if (await turn.isCreated(target)) continue;
    // If many first targets fail or wait, work on several at the same time. A failed target creates no duplicate.
    const size = firstTries < concurrency ? 1 : concurrency;
    firstTries += 1;
    const first = targets.slice(position, position + size);
    position += first.length;
    await createFirst(first);
  }
  await Promise.all(started.values());
  const notStarted: Target[] = [];
  for (const target of targets.filter((one) => !started.has(one))) {
    const known = knownResult(target, index);
    if (known === undefined) notStarted.push(target);
    else report(targetFields(target, run))(known);
  }
  if (index !== undefined) {
    if (turn?.hasSeenOthers() && time.now() + LISTED_AFTER_MS < cutoff) {
      await time.sleep(LISTED_AFTER_MS);
      await index.refresh(targets, []).catch(() => {});
    }
    reportDuplicates(targets, index, runContext);
  }
  if (canHandOver) return notStarted;
  for (const target of notStarted) {
    await pause();
    report(targetFields(target, run))({ outcome: "failed", error: outOfTimeError() });
  }
  return [];
}

/** A wait of at least this many milliseconds releases the slot of a target. */
const MIN_RELEASED_WAIT_MS = 1_000;

/** Returns a `Time` whose long waits release a slot, so another target can use the slot during the wait. */
const releaseWhileWaiting = (time: Time, slots: Slots, onWait?: () => void): Time => ({
  ...time,
  async sleep(milliseconds, work) {
    if (milliseconds < MIN_RELEASED_WAIT_MS) return time.sleep(milliseconds, work);
    onWait?.();
    slots.release();
    await time.sleep(milliseconds, work);
    await slots.acquire();
  },
});

/**
 * Returns the result of a target whose snapshot was already in a list response, so a target is never recorded as failed although
 * another process created its snapshot.
 */
function knownResult(target: Target, index: SnapshotIndex | undefined): EndFields | undefined {
  const [found] = index?.listed([target]).filter(isLive) ?? [];
  return found && toRecordFields(toExistingResult(target.kind, found, hashRequest(target.kind.name, target.options)));
}

/** Returns whether an earlier delivery of the same event has created a snapshot of any target. */
export async function hasCreatedSnapshots(targets: readonly Target[], index: SnapshotIndex): Promise<boolean> {
  for (const kind of new Set(targets.map((target) => target.kind)))
    await index.find(targets.find((target) => target.kind === kind) as Target);
  return index.listed(targets).length > 0;
}

/** The maximum number of targets that a notice about duplicates names. */
const MAX_NAMED_DUPLICATES = 20;

/** Adds a warning to the record of the run if list responses show several snapshots of the run for one target. */
function reportDuplicates(targets: readonly Target[], index: SnapshotIndex, { addNotice }: RunContext): void {
  const duplicates = targets
    .map((target) => ({
      target,
      ids: index
        .listed([target])
        .filter(isLive)
        .sort(byCreation)
        .map(({ id }) => id),
    }))
    .filter(({ ids }) => ids.length > 1);
  if (duplicates.length === 0) return;
  const named = duplicates
    .slice(0, MAX_NAMED_DUPLICATES)
    .map(({ target, ids }) => `${target.kind.name}s ${ids.join(" and ")} of ${target.resource}`);
  const more = duplicates.length > named.length ? ` and of ${duplicates.length - named.length} more` : "";
  addNotice(
    `This run created duplicate snapshots, because two deliveries of the event overlapped: ${named.join(", ")}${more}. prune-snapshots deletes the younger ones.`,
  );
}

const outOfTimeError = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before work on this target started. Raise the function's timeout or lower SHARD_SIZE.",
  );
