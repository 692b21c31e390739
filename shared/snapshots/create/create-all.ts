import type { Time } from "../../core/clock.ts";
import { createSlots, type Slots } from "../../core/concurrency.ts";
import { asSnapshotError, REASONS, type SnapshotError } from "../../core/errors.ts";
import { type Instant, instant } from "../../core/instant.ts";
import { joinFirst } from "../../core/preview.ts";
import { acquireBefore, createPause, LISTED_AFTER_MS, withTime } from "../../core/retry.ts";
import { isLive, type Kind } from "../kinds/kind.ts";
import { hashRequest } from "../marker.ts";
import type { Target } from "../policy.ts";
import type { EndFields } from "../reporting.ts";
import { type Run, type RunContext, targetFields } from "../run-context.ts";
import { createOnce, toExistingResult } from "./create-once.ts";
import type { SnapshotIndex } from "./existing-snapshots.ts";
import { byCreation } from "./match.ts";
import { toRecordFields } from "./request.ts";
import { createRunLock, outOfTimeError } from "./run-lock.ts";

/** The maximum number of targets that start at the same time without the run lock (run-lock.ts), whatever the concurrency. */
const MAX_WITHOUT_LOCK = 8;
/** The minimum time before the cutoff in which a run acquires the run lock (run-lock.ts), in milliseconds. */
const MIN_LOCK_MS = 30_000;
/**
 * How long after the cutoff `createAll` passes the targets without a create request to other invocations, in milliseconds. A target stops waiting
 * for the run lock, the work queue or a list response at the cutoff, but the timers of these waits can fire a little later.
 */
const STOP_MS = 100;

/** When and how `createAll` works on its targets. */
export interface CreateAllOptions {
  /** The time after which no work on a target may start, so the work in progress can finish before the deadline. */
  cutoff: Instant;
  /** Receives the targets that were not started before the cutoff. Without it, these targets are recorded as failed. */
  fanOut?: (targets: Target[]) => Promise<void>;
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
 * **Kinds.** The targets of each kind have their own queue and share of the concurrency, so one kind cannot stop another.
 *
 * **Two processes.** If a run has more than 8 targets, or more targets than `runContext.concurrency`, it must hold the run lock to
 * send several create requests at the same time. Without the lock, it sends one create request at a time, and waits for the result before the next one; see `RunLock`. If
 * `run.again` is set, this applies to every run with several targets.
 */
export async function createAll(
  targets: readonly Target[],
  run: Run,
  runContext: RunContext,
  options: CreateAllOptions,
): Promise<void> {
  const kinds = [...new Set(targets.map(({ kind }) => kind))];
  const isLarge = targets.length > (run.again ? 1 : Math.min(runContext.concurrency, MAX_WITHOUT_LOCK));
  const concurrency = Math.max(1, Math.floor(runContext.concurrency / kinds.length));
  const createKind = (kind: Kind) =>
    createAllOfKind(
      targets.filter((target) => target.kind === kind),
      isLarge,
      run,
      { ...runContext, concurrency },
      options,
    );
  await Promise.all(kinds.map(createKind));
}

async function createAllOfKind(
  targets: readonly Target[],
  isLarge: boolean,
  run: Run,
  runContext: RunContext,
  { cutoff, fanOut, index }: CreateAllOptions,
): Promise<void> {
  const { cloud, inFlight, report, concurrency } = runContext;
  const { time } = runContext.retryBudget;
  const slots = createSlots(concurrency);
  const needsLock = index !== undefined && isLarge && targets.length > 1 && time.now() + MIN_LOCK_MS < cutoff;
  const lock = needsLock ? createRunLock(targets, run.again === true, runContext, index, cutoff) : undefined;
  const retryBudget = withTime(runContext.retryBudget, releaseWhileWaiting(time, slots));
  retryBudget.maxWait = instant(Math.min(cutoff, retryBudget.maxWait ?? cutoff));

  /** The targets for which no create request was sent before the cutoff, each with its error. */
  const unsent = new Map<Target, SnapshotError>();
  /** The functions that complete the records of the targets in progress. */
  const open = new Map<Target, ReturnType<typeof report>>();
  /** Works on one target, and releases the slot that the caller has acquired for it. */
  const create = async (target: Target): Promise<void> => {
    const { kind, options } = target;
    const client = cloud(kind);
    const send: typeof client.create = (sent, beforeSend) =>
      client.create(sent, async () => {
        await beforeSend?.();
        openRecord();
      });
    const service = { ...client, create: lock?.guard(target, send) ?? send };
    const lookup = index && { find: () => index.find(target), findAgain: () => index.findAgain(target) };
    const openRecord = () => {
      const complete = open.get(target) ?? report(targetFields(target, run));
      open.set(target, complete);
      return complete;
    };
    if (index === undefined) openRecord();
    try {
      const request = { ...run, kind, options, acceptsOtherOptions: index !== undefined };
      const created = await createOnce(request, service, retryBudget, inFlight, lookup);
      if (created.outcome === "accepted" && !created.isFromList) index?.addCreated(kind, created.snapshotId);
      openRecord()(toRecordFields(created));
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const known = knownResult(target, index);
      if (known !== undefined) openRecord()(known);
      else if (isLarge && !open.has(target) && isNotSent(error)) unsent.set(target, error);
      else openRecord()({ outcome: "failed", attempts: error.attempts, error });
    } finally {
      open.delete(target);
      slots.release();
    }
  };

  const started: Promise<void>[] = [];
  const pause = createPause(time);
  let position = 0;
  while (position < targets.length && time.now() < cutoff) {
    await pause();
    if (!(await acquireBefore(slots, time, cutoff))) break;
    started.push(create(targets[position++] as Target));
  }
  /**
   * Passes the targets in `unsent` to other invocations, or records these targets as failed. If list responses show the snapshot of a target, records
   * the target as existing.
   */
  const giveUp = async () => {
    const some = [...unsent];
    unsent.clear();
    const missing: Target[] = [];
    for (const [target, error] of some) {
      await pause();
      const known = knownResult(target, index);
      if (known !== undefined) report(targetFields(target, run))(known);
      else if (fanOut !== undefined) missing.push(target);
      else report(targetFields(target, run))({ outcome: "failed", error });
    }
    if (missing.length > 0) await fanOut?.(missing);
  };
  const work = Promise.all(started);
  const sleepUntil = (moment: number) => time.sleep(Math.max(0, moment - time.now()), work);
  // Pass the targets in `unsent` to other invocations soon after the cutoff, because work in progress can take until the deadline.
  await sleepUntil(cutoff + STOP_MS);
  for (const target of targets.slice(position)) unsent.set(target, outOfTimeError());
  /** Completes the records of targets whose snapshots are known, because all other open records become `failed` at the deadline. */
  const completeKnown = async () => {
    await sleepUntil(retryBudget.deadline - STOP_MS);
    for (const [target, complete] of open) {
      const known = knownResult(target, index);
      if (known !== undefined) complete(known);
    }
  };
  await Promise.all([work, giveUp(), completeKnown()]);
  await giveUp();
  if (index === undefined) return;
  if (lock?.hasSeenOthers() && time.now() + LISTED_AFTER_MS < cutoff) {
    await time.sleep(LISTED_AFTER_MS);
    await index.refresh(targets, []).catch(() => {});
  }
  reportDuplicates(targets, index, runContext);
}

/** Returns whether no create request was sent, and another invocation may succeed. */
const isNotSent = ({ reason, attempts = 0 }: SnapshotError): boolean =>
  attempts === 0 && (reason === "DeadlineExceeded" || REASONS[reason].retryClass !== "never");

/** The minimum duration of a wait during which another target uses the slot of the waiting target, in milliseconds. */
const MIN_RELEASED_WAIT_MS = 1_000;

/** Returns a `Time` that releases a slot of the work queue during each long wait, so another target can start. */
const releaseWhileWaiting = (time: Time, slots: Slots): Time => ({
  ...time,
  async sleep(milliseconds, work) {
    if (milliseconds < MIN_RELEASED_WAIT_MS) return time.sleep(milliseconds, work);
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

/**
 * Returns whether an earlier delivery of the same event has created a snapshot of any target. Returns true if this is unknown,
 * because the snapshots could not be listed.
 */
export async function hasCreatedSnapshots(targets: readonly Target[], index: SnapshotIndex): Promise<boolean> {
  for (const kind of new Set(targets.map((target) => target.kind))) {
    if (!(await index.isListed(kind).catch(() => false))) return true;
  }
  return index.listed(targets).some(({ id }) => !index.isOwn(id));
}

/** Adds a warning to the record of the run if list responses show several snapshots of the run for one target. */
function reportDuplicates(targets: readonly Target[], index: SnapshotIndex, { addNotice }: RunContext): void {
  const named: string[] = [];
  for (const target of targets) {
    const ids = index
      .listed([target])
      .filter(isLive)
      .sort(byCreation)
      .map(({ id }) => id);
    if (ids.length > 1) named.push(`${target.kind.name}s ${ids.join(" and ")} of ${target.resource}`);
  }
  if (named.length === 0) return;
  addNotice(`Two deliveries created duplicates: ${joinFirst(named)}. prune-snapshots deletes the younger ones.`);
}
