import type { Time } from "../../core/clock.ts";
import { asSnapshotError, SnapshotError } from "../../core/errors.ts";
import { LISTED_AFTER_MS, type RetryBudget, raceDeadline } from "../../core/retry.ts";
import type { CreateResult } from "./request.ts";

/**
 * The create requests and calls of the deployment gate that are in progress in this process, and the create requests that
 * finished recently. All invocations of a process share this map. If a process receives two equal requests, the second request
 * waits for the first. A finished create request remains in the map for some seconds, because its snapshot may not appear in list
 * responses yet. The map orders finished create requests by their completion time.
 */
export type InFlight = Map<string, InFlightEntry>;

/** A create request or a call of the deployment gate in `InFlight`. */
export interface InFlightEntry {
  /** The hash of a create request. Undefined for a call of the deployment gate. */
  requestHash?: string;
  /** The promise of the create request or the call while it is in progress. Undefined after that. */
  pending?: Promise<CreateResult | undefined>;
  /**
   * Set when the create request is finished. `at` is the value that `elapsedMs` returned at that moment. `snapshotId` is
   * undefined if it is unknown whether the snapshot was created.
   */
  done?: { at: number; snapshotId?: string };
}

/** Returns the milliseconds on a clock that all invocations of this process share. */
export const elapsedMs = (time: Time): number => time.elapsed?.() ?? time.now();

/**
 * How long a finished request remains in the map, in milliseconds. After this time, the new snapshot is certain to appear in
 * list responses.
 */
const REMEMBERED_MS = 10_000;

/** Removes the requests that finished more than 10 s ago from the map. */
function forgetOld(inFlight: InFlight, time: Time): void {
  for (const [name, { done }] of inFlight) {
    if (done !== undefined && elapsedMs(time) - done.at <= REMEMBERED_MS) return;
    if (done !== undefined) inFlight.delete(name);
  }
}

/**
 * Calls `create`. While `create` runs, the map contains the create request as in progress. Afterwards the map contains the id
 * of the new snapshot. If no snapshot was created, the map contains the same entry as before the call.
 *
 * @param identity identifies the requested snapshot within this process
 * @param create receives the entry of an earlier create request for the same snapshot, if that request finished recently
 */
export async function trackCreate(
  identity: string,
  requestHash: string,
  inFlight: InFlight,
  time: Time,
  create: (earlier: InFlightEntry | undefined) => Promise<CreateResult>,
): Promise<CreateResult> {
  forgetOld(inFlight, time);
  const earlier = inFlight.get(identity);
  const pending = create(earlier);
  inFlight.set(identity, { requestHash, pending });
  const remember = (snapshotId?: string) => {
    // Re-insert the entry so the map remains ordered by completion time.
    inFlight.delete(identity);
    inFlight.set(identity, { requestHash, done: { at: elapsedMs(time), snapshotId } });
  };
  const restore = () => {
    if (earlier === undefined) inFlight.delete(identity);
    else inFlight.set(identity, earlier);
  };
  try {
    const created = await pending;
    if (created.outcome === "accepted") remember(created.snapshotId);
    else restore();
    return created;
  } catch (thrown) {
    if (asSnapshotError(thrown).reason === "OutcomeUnknown") remember();
    else restore();
    throw thrown;
  }
}

/**
 * Calls `work` after the previous call of the deployment gate with the same name in this process is finished, and the snapshots
 * of that call are certain to appear in list responses. Without the wait, the list response of the second call could omit
 * snapshots that the first call created.
 *
 * @param name identifies the deployment within this process
 * @throws SnapshotError DeadlineExceeded if the previous call does not finish before the deadline
 */
export async function serializeGateCalls(
  name: string,
  inFlight: InFlight,
  retryBudget: RetryBudget,
  work: () => Promise<void>,
): Promise<void> {
  const { time } = retryBudget;
  const previous = inFlight.get(name)?.pending;
  const previousListed = previous?.then(() => time.sleep(LISTED_AFTER_MS));
  const call = previousListed === undefined ? work() : waitForConcurrentRequest(previousListed, retryBudget).then(work);
  const pending = Promise.allSettled([previous, call]).then(() => undefined);
  const entry: InFlightEntry = { pending };
  inFlight.set(name, entry);
  void pending.then(() => {
    if (inFlight.get(name) === entry) inFlight.delete(name);
  });
  await call;
}

/**
 * Waits until an equal request of another invocation is finished, but not beyond the deadline of this invocation.
 *
 * @throws SnapshotError DeadlineExceeded if the other request is still in progress at the deadline
 */
export const waitForConcurrentRequest = <T>(work: Promise<T>, { time, deadline }: RetryBudget): Promise<T> =>
  raceDeadline(
    work,
    time,
    deadline,
    () => new SnapshotError("DeadlineExceeded", "The time ran out while an equal request was in progress."),
  );
