import type { Time } from "../../core/clock.ts";
import { asSnapshotError, SnapshotError } from "../../core/errors.ts";
import { LISTED_AFTER_MS, type RetryBudget, raceDeadline } from "../../core/retry.ts";
import type { CreateResult } from "./request.ts";

/**
 * The creates and runs that are in progress in this process, or ended recently. All invocations of a process share the map,
 * so the second of two equal requests waits for the first. A finished request is remembered because a list may not show its
 * snapshot yet. The entries of finished requests are in the order in which the requests ended.
 */
export type InFlight = Map<string, Entry>;

export interface Entry {
  /** The hash of a create request. Runs have none. */
  requestHash?: string;
  /** Set while the request is in progress. */
  pending?: Promise<CreateResult | undefined>;
  /**
   * Set when the request has ended. `at` is a time of `elapsed`. `snapshotId` is missing for runs, and for creates of which it
   * is unknown whether they created a snapshot.
   */
  ended?: { at: number; snapshotId?: string };
}

/** Returns the time in milliseconds on a clock that all invocations of this process share. */
export const elapsed = (time: Time): number => time.elapsed?.() ?? time.now();

/** How long a finished request is remembered, because a list may not show its snapshot yet. */
const REMEMBERED_MS = 10_000;

/** Removes the requests that ended so long ago that a list shows their snapshots. */
function forgetOld(inFlight: InFlight, time: Time): void {
  for (const [name, { ended }] of inFlight) {
    if (ended !== undefined && elapsed(time) - ended.at <= REMEMBERED_MS) return;
    if (ended !== undefined) inFlight.delete(name);
  }
}

/**
 * Calls `create` and registers it as in progress until it ends. Afterwards, the entry remembers the new snapshot. If no
 * snapshot was created, the entry of the earlier create is restored.
 *
 * @param identity identifies the snapshot within the process
 * @param create receives the entry of an earlier create of the same snapshot, if that create ended recently
 */
export async function trackCreate(
  identity: string,
  requestHash: string,
  inFlight: InFlight,
  time: Time,
  create: (earlier: Entry | undefined) => Promise<CreateResult>,
): Promise<CreateResult> {
  forgetOld(inFlight, time);
  const earlier = inFlight.get(identity);
  const pending = create(earlier);
  inFlight.set(identity, { requestHash, pending });
  const remember = (snapshotId?: string) => {
    // Re-insert the entry so the map remains ordered by the time of the end.
    inFlight.delete(identity);
    inFlight.set(identity, { requestHash, ended: { at: elapsed(time), snapshotId } });
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
 * Calls `work` after the previous run of the same name in this process has ended and a list must show its snapshots. Two runs
 * that list and create the same snapshots at the same time could create each snapshot twice.
 *
 * @param name identifies the run within the process
 * @param work receives whether a run of the same name ended in this process recently
 * @throws SnapshotError DeadlineExceeded if the previous run does not end in time
 */
export async function serializeRuns(
  name: string,
  inFlight: InFlight,
  retryBudget: RetryBudget,
  work: (isRepeated: boolean) => Promise<void>,
): Promise<void> {
  const { time } = retryBudget;
  forgetOld(inFlight, time);
  const { pending: previous, ended } = inFlight.get(name) ?? {};
  const listed = previous?.then(() => time.sleep(LISTED_AFTER_MS));
  const working =
    listed === undefined
      ? work(ended !== undefined)
      : waitForConcurrentRequest(listed, retryBudget).then(() => work(true));
  const pending = Promise.allSettled([previous, working]).then(() => undefined);
  const entry: Entry = { pending };
  inFlight.set(name, entry);
  void pending.then(() => {
    if (inFlight.get(name) !== entry) return;
    inFlight.delete(name);
    inFlight.set(name, { ended: { at: elapsed(time) } });
  });
  await working;
}

/**
 * Waits for an equal request of another invocation, until the own deadline.
 *
 * @throws SnapshotError DeadlineExceeded if the other request does not end in time
 */
export const waitForConcurrentRequest = <T>(work: Promise<T>, { time, deadline }: RetryBudget): Promise<T> =>
  raceDeadline(
    work,
    time,
    deadline,
    () => new SnapshotError("DeadlineExceeded", "The same request is still in progress, and the time ran out."),
  );
