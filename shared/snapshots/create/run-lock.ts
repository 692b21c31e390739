import { createSlots } from "../../core/concurrency.ts";
import { SnapshotError } from "../../core/errors.ts";
import { before, type Instant } from "../../core/instant.ts";
import { acquireBefore, LISTED_AFTER_MS } from "../../core/retry.ts";
import { type FoundSnapshot, isLive } from "../kinds/kind.ts";
import type { Target } from "../policy.ts";
import type { SnapshotCreator } from "../ports.ts";
import type { RunContext } from "../run-context.ts";
import type { SnapshotIndex } from "./existing-snapshots.ts";
import { byCreation } from "./match.ts";

/**
 * A process without the run lock continues its run only after no other process has created a snapshot for this long, in milliseconds.
 * A process that holds the run lock creates snapshots at shorter intervals; see `LOCK_MS`.
 */
const QUIET_MS = 20_000;
/** The maximum random addition to `QUIET_MS`, so two waiting processes do not continue at the same moment. */
const JITTER_MS = 4_000;
/**
 * How long a process of a further delivery waits for the first snapshots of an earlier delivery, in milliseconds. If the earlier
 * delivery starts at the same moment as this process, list responses show its first snapshots within this time.
 */
const STARTED_MS = 10_000;
/** The time between two list requests while another process creates snapshots, in milliseconds. */
const POLL_MS = 5_000;
/**
 * How long a process holds the run lock after its last create request that succeeded, in milliseconds. `QUIET_MS` is longer: if
 * the process creates a snapshot just before it loses the run lock, the waiting processes still see this snapshot in time.
 */
const LOCK_MS = 12_000;
/** The time that acquiring the run lock takes, in milliseconds: the wait after the first snapshot, and two list requests. */
const ACQUIRE_MS = LISTED_AFTER_MS + 4_000;

/**
 * Decides which of several processes creates the snapshots of one run. The platform can deliver an event several times, so
 * several processes can have the same idempotency key and the same targets at the same time. A list response can omit a snapshot
 * for 5 s after its creation, so a list request before each create request cannot separate these processes.
 *
 * **The first snapshot is the lock.** A process creates the snapshot of one target alone, waits until list responses must show
 * it, and lists the snapshots. If the oldest new snapshot of the run is its own, the process holds the run lock and creates the
 * other snapshots. Any other process waits until 20 s pass without a new snapshot, by its own clock, and then tries again.
 *
 * **Guarantee.** If all calls succeed, each process without the run lock creates at most one snapshot. If the process with the
 * run lock creates no snapshot for 12 s, for example because it is throttled, it must acquire the run lock again.
 *
 * **Cost.** 6 s per run, and up to 24 s after another process has stopped.
 */
export interface RunLock {
  /**
   * Wraps the function that creates a snapshot of a target. If this process holds the run lock, the wrapped function calls `create`
   * at once. Otherwise, it waits until no other process creates snapshots, calls `create` while no other call is in progress, and
   * tries to acquire the run lock.
   *
   * @throws SnapshotError DeadlineExceeded if the cutoff passes before the wait ends
   */
  guard(target: Target, create: SnapshotCreator["create"]): SnapshotCreator["create"];
  /** Returns whether list responses have shown snapshots that another process created for these targets. */
  hasSeenOthers(): boolean;
}

/**
 * Creates the object with which one process takes and releases the run lock, which all processes of a run share. At first, the
 * process does not hold the lock.
 *
 * @param targets the targets of this process. Other shards of the run have the same idempotency key but other targets.
 * @param again true if an earlier delivery of the event may have started the same targets. The process then waits 10 s before its
 *   first snapshot, so list responses can show the first snapshots of the earlier delivery.
 * @param cutoff the time after which no work on a target may start
 */
export function createRunLock(
  targets: readonly Target[],
  again: boolean,
  { retryBudget: { time } }: Pick<RunContext, "retryBudget">,
  index: SnapshotIndex,
  cutoff: Instant,
): RunLock {
  const known = new Set<string>();
  let heldUntil = Number.NEGATIVE_INFINITY;
  const quietMs = QUIET_MS + time.random() * JITTER_MS;
  /** When another process was last known or expected to create a snapshot. */
  let lastActivity = again ? before(time.now(), quietMs - STARTED_MS) : undefined;
  let others = 0;
  /** Returns the snapshots of other processes that appeared since the last call. */
  const newOthers = (): FoundSnapshot[] => {
    const found = index.listed(targets).filter(({ id }) => !index.isOwn(id) && !known.has(id));
    for (const { id } of found) known.add(id);
    others += found.length;
    if (found.length > 0) lastActivity = time.now();
    return found;
  };
  /** Lists the snapshots again. Returns false if a list request failed. */
  const refresh = (some: readonly Target[]) =>
    index.refresh(targets, some).then(
      () => true,
      () => false,
    );
  const hold = () => {
    heldUntil = time.now() + LOCK_MS;
  };
  /** The number of create requests that were sent with the run lock and have no response. If it is not 0, the lock is held. */
  let sending = 0;
  const isHeld = () => sending > 0 || time.now() < heldUntil;
  const isListed = (target: Target) => index.listed([target]).some(isLive);
  const alone = createSlots(1);

  /** Returns false if the wait would take too long. */
  const waitForQuiet = async (next: Target): Promise<boolean> => {
    for (;;) {
      newOthers();
      const remaining = lastActivity === undefined ? 0 : lastActivity + quietMs - time.now();
      if (remaining <= 0 || isListed(next)) return true;
      // A missing snapshot is worse than a duplicate, so the process continues if the wait would take too long.
      const wait = Math.min(POLL_MS, remaining);
      if (time.now() + wait + ACQUIRE_MS >= cutoff) return false;
      await time.sleep(wait);
      // If the list request fails, `lastActivity` remains, so the wait ends.
      await refresh([next]);
    }
  };
  /** Tries to acquire the run lock with the snapshot that this process has just created. */
  const acquire = async (target: Target, createdId: string) => {
    if (time.now() + ACQUIRE_MS >= cutoff) return hold();
    await time.sleep(LISTED_AFTER_MS);
    if (!(await refresh([target]))) return;
    const rivals = newOthers();
    const mine = index.listed([target]).filter(({ id }) => id === createdId);
    const [oldest] = [...rivals, ...mine].sort(byCreation);
    if (oldest === undefined || oldest.id === createdId) hold();
  };

  return {
    hasSeenOthers: () => others > 0,
    guard: (target, create) => async (options, beforeSend) => {
      for (;;) {
        const isAlone = !isHeld();
        if (isAlone) {
          if (!(await acquireBefore(alone, time, cutoff))) throw outOfTimeError();
          if (isHeld()) {
            alone.release();
            continue;
          }
        }
        let isLost = false;
        let isSent = false;
        try {
          const isQuiet = isAlone && (await waitForQuiet(target));
          const created = await create(options, async () => {
            await beforeSend?.();
            // While the request waited for the rate limiter and the list response, this process can lose the lock.
            isLost = isAlone ? isQuiet && newOthers().length > 0 : !isHeld();
            if (isLost) throw outOfTimeError();
            isSent = !isAlone;
            if (isSent) sending += 1;
          });
          index.addCreated(target.kind, created.snapshotId);
          if (isAlone) await acquire(target, created.snapshotId);
          else hold();
          return created;
        } catch (thrown) {
          if (!isLost) throw thrown;
        } finally {
          if (isSent) sending -= 1;
          if (isAlone) alone.release();
        }
      }
    },
  };
}

/** Returns the error for a target for which no create request was sent. */
export const outOfTimeError = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before work on this target started. Raise the function's timeout or lower SHARD_SIZE.",
    { requestSent: false },
  );
