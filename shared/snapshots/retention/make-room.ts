import { asSnapshotError, REASONS, SnapshotError } from "../../core/errors.ts";
import { type Instant, instant } from "../../core/instant.ts";
import type { JsonObject } from "../../core/json.ts";
import { type RetryBudget, retryRead, startCutoff } from "../../core/retry.ts";
import type { MakeRoom, SnapshotRequest } from "../create/request.ts";
import { type FoundSnapshot, isBeingDeleted, type Kind } from "../kinds/kind.ts";
import { countTowardsLimit } from "../ownership.ts";
import type { EndFields } from "../reporting.ts";
import type { RunContext } from "../run-context.ts";
import {
  openPruneRecord,
  type PendingDeletion,
  type PlannedVerdict,
  planChanged,
  toAnnouncement,
  toConfirmation,
  toPendingDeletion,
  toUnconfirmed,
  UNMARKED_VERDICT,
  waitBeforeRetry,
} from "./pending-deletion.ts";
import { collectVerdicts, type PrunePolicy, toRetentionOptions } from "./prune.ts";

/**
 * The waits while a snapshot is being deleted, in milliseconds. `first` is the wait before the first list request. The wait doubles
 * with each list request up to `max`. `total` is the maximum sum of all waits.
 */
const POLL_MS = { first: 1_000, max: 10_000, total: 180_000 };

/**
 * Creates the function that makes room for another snapshot of a resource after EVS rejected a create request because of a quota.
 * If the resource has the maximum number of snapshots, the created function deletes the oldest snapshot that prune would delete,
 * writes its record, and waits until list responses no longer contain it. If EVS rejects this deletion, it tries the next snapshot.
 * It throws QuotaExceeded if no snapshot may be deleted, and DeadlineExceeded if the deletion takes too long.
 *
 * It deletes only one snapshot, because a later create request can fail for another reason, and no duplicates, because prune has
 * further rules for them.
 *
 * @param policy its retention decides which snapshots may be deleted
 */
export function makeRoomBy(policy: PrunePolicy, runContext: RunContext): MakeRoom {
  const { cloud } = runContext;
  /** The ids of the snapshots that have a record, because a snapshot has at most one record in a run. */
  const tried = new Set<string>();
  return async (kind, options, { maxWait, ...retryBudget }) => {
    const { time, deadline } = retryBudget;
    const until = instant(Math.min(startCutoff(retryBudget), maxWait ?? deadline, time.now() + POLL_MS.total));
    const waits: RetryBudget = { ...retryBudget, deadline: until };
    const list = () => retryRead(() => cloud(kind).listFor(options), waits);
    const plan = () => planRoom(policy, kind, found, time.now());
    const findListed = (id: string) => found.find((snapshot) => snapshot.id === id);
    const hasNoRoom = () => countTowardsLimit(found) >= (kind.maxPerResource ?? Infinity);
    if (kind.maxPerResource === undefined) return false;
    // The last list response of `createOnce` is older than the rejection.
    let found = await list();
    // A later plan can delete no snapshot that the first plan keeps.
    const candidates = deletedIds(plan());
    const keptIds = found.filter(({ id, state }) => state !== "deleting" && !candidates.has(id)).map(({ id }) => id);

    /**
     * Sends delete requests for a snapshot until one is accepted. Returns undefined, or the fields that complete the record of the
     * snapshot if no delete request was accepted.
     */
    const remove = async (deletion: PendingDeletion): Promise<EndFields | undefined> => {
      for (;;) {
        try {
          deletion.tries += 1;
          await cloud(kind).remove(deletion.id);
          deletion.error = undefined;
          return undefined;
        } catch (thrown) {
          const error = asSnapshotError(thrown);
          deletion.error = error;
          if (error.reason === "NotFound") return undefined;
          const mayRetry = await waitBeforeRetry(deletion, waits);
          found = await list();
          const listed = findListed(deletion.id);
          const { verdict = UNMARKED_VERDICT } = plan().find(({ verdict: { snapshot } }) => snapshot === listed) ?? {};
          if (listed === undefined || isBeingDeleted(listed)) return undefined;
          if (verdict.decision !== "deleted")
            return { outcome: verdict.decision, rule: verdict.rule, detail: planChanged(deletion.rule) };
          if (mayRetry) continue;
          // EVS may still execute the delete request, so the function tries no other snapshot.
          if (REASONS[error.reason].retryClass === "transient") throw error;
          return { outcome: "failed", error };
        }
      }
    };
    /** Lists the snapshots until `isDone` returns true. Throws DeadlineExceeded if this takes too long. */
    const listUntil = async (isDone: () => boolean) => {
      for (let wait = POLL_MS.first; ; wait = Math.min(wait * 2, POLL_MS.max)) {
        found = await list();
        if (isDone()) return;
        if (time.now() + wait >= until) throw noRoomYetError(kind.resourceOf(options), found);
        await time.sleep(wait);
      }
    };

    while (isFull(kind, found)) {
      const planned = plan();
      const deletion = oldestDeletion(planned, (id) => candidates.has(id) && !tried.has(id));
      if (deletion === undefined) throw noRoomError(policy, kind, options, found, deletedIds(planned).size > 0);
      tried.add(deletion.id);
      runContext.announceDeletions([toAnnouncement(deletion)]);
      const complete = openPruneRecord(deletion, policy, runContext);
      let end: EndFields | undefined;
      try {
        end = await remove(deletion);
        if (end !== undefined) continue;
        // A list response that lacks other snapshots, too, is incomplete.
        await listUntil(() => findListed(deletion.id) === undefined && keptIds.every(findListed));
        return true;
      } catch (thrown) {
        const error = asSnapshotError(thrown);
        if (error.reason !== "DeadlineExceeded" || !keptIds.every(findListed)) end = toUnconfirmed(deletion, error);
        throw error;
      } finally {
        complete({ rule: deletion.rule, ...(end ?? toConfirmation(deletion, findListed(deletion.id))) });
      }
    }
    // When no deletion is in progress any more, either the disk has room, or another process has used the room.
    if (hasNoRoom()) await listUntil(() => !hasNoRoom() || !found.some(isBeingDeleted));
    return true;
  };
}

/**
 * Writes a record for the snapshot that `makeRoomBy` would delete first, if the resource of a create request has the maximum number
 * of snapshots. Sends no delete request.
 *
 * @throws SnapshotError QuotaExceeded if no snapshot may be deleted
 */
export async function announceRoom(
  policy: PrunePolicy,
  runContext: RunContext,
  { kind, options }: Pick<SnapshotRequest, "kind" | "options">,
): Promise<void> {
  const { cloud, retryBudget } = runContext;
  if (kind.maxPerResource === undefined) return;
  const found = await retryRead(() => cloud(kind).listFor(options), retryBudget);
  if (!isFull(kind, found)) return;
  const plan = planRoom(policy, kind, found, retryBudget.time.now());
  const deletion = oldestDeletion(plan);
  if (deletion === undefined) throw noRoomError(policy, kind, options, found, false);
  openPruneRecord(deletion, policy, runContext)({ outcome: "planned", rule: deletion.rule, detail: "deleted" });
}

/** Returns whether a resource has no room even after all its deletions in progress. */
const isFull = ({ maxPerResource = Number.POSITIVE_INFINITY }: Kind, found: readonly FoundSnapshot[]): boolean =>
  countTowardsLimit(found.filter((snapshot) => !isBeingDeleted(snapshot))) >= maxPerResource;

/**
 * Plans the retention of one resource. If the plan deletes nothing and the resource has no room, plans the deletion of its failed
 * snapshots. Normally, retention keeps a failed snapshot until a newer good snapshot exists, but there is no room for a newer one.
 */
function planRoom(policy: PrunePolicy, kind: Kind, found: readonly FoundSnapshot[], now: Instant): PlannedVerdict[] {
  const plan = collectVerdicts(kind, found, policy, toRetentionOptions(policy, now)).filter(
    ({ verdict }) => !verdict.isDuplicate,
  );
  if (!isFull(kind, found) || plan.some(({ verdict }) => verdict.decision === "deleted")) return plan;
  return plan.map((planned) =>
    planned.verdict.decision === "kept" && planned.verdict.snapshot.state === "failed"
      ? { kind, verdict: { ...planned.verdict, decision: "deleted", rule: FAILED_WITHOUT_ROOM } }
      : planned,
  );
}

const FAILED_WITHOUT_ROOM = "failed, and the disk has no room for a newer snapshot";

/** Returns the ids of the snapshots that a plan deletes. */
const deletedIds = (plan: readonly PlannedVerdict[]): Set<string> =>
  new Set(plan.flatMap(({ verdict: { decision, snapshot } }) => (decision === "deleted" ? [snapshot.id] : [])));

/** Returns the pending deletion of the oldest snapshot that a plan deletes and that `isCandidate` accepts. */
function oldestDeletion(
  plan: readonly PlannedVerdict[],
  isCandidate: (id: string) => boolean = () => true,
): PendingDeletion | undefined {
  const planned = plan.findLast(
    ({ verdict: { decision, snapshot } }) => decision === "deleted" && isCandidate(snapshot.id),
  );
  return planned && toPendingDeletion(planned);
}

function noRoomError(
  { policy }: PrunePolicy,
  kind: Kind,
  options: JsonObject,
  found: readonly FoundSnapshot[],
  hasPlan: boolean,
): SnapshotError {
  const { maxPerResource = 0 } = kind;
  const kept = found.filter(({ marker }) => marker?.policy === policy).length;
  const advice = hasPlan
    ? "The snapshots to delete still exist. Check their records and their status"
    : `The policy "${policy}" keeps ${kept} of these snapshots. Lower its retention until at most ${maxPerResource - 1} remain in total`;
  return new SnapshotError(
    "QuotaExceeded",
    `Expected fewer than ${maxPerResource} snapshots of ${kind.resourceOf(options)}, got ${countTowardsLimit(found)}. ${advice}, or delete snapshots by hand.`,
  );
}

const noRoomYetError = (resource: string, found: readonly FoundSnapshot[]) =>
  new SnapshotError(
    "DeadlineExceeded",
    `There is no room for a snapshot of ${resource} yet: ${found.filter(isBeingDeleted).length} of its ${found.length} snapshots are being deleted. Repeat the request later.`,
  );
