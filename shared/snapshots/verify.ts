import { REASONS, SnapshotError } from "../core/errors.ts";
import { formatInstant, type Instant, instant, parseInstant } from "../core/instant.ts";
import { missingSnapshotNotices } from "./deployed-policies.ts";
import { cannotBeDeleted, type FoundSnapshot, isLive, type Kind } from "./kinds/kind.ts";
import { isEmptyGroup } from "./kinds/snapshot-group.ts";
import { createLeftoverCheck, reportLeftovers } from "./leftover-members.ts";
import { listByKind } from "./list-by-kind.ts";
import { foreignReason, toCompactSnapshot } from "./ownership.ts";
import type { EndFields } from "./reporting.ts";
import { unusableTimeReason } from "./retention/holds.ts";
import { groupByResource, MAX_APART_MS, resourceOf, youngerDuplicates } from "./retention/plan.ts";
import type { RunContext } from "./run-context.ts";

/** The time range and limits of one verification run. */
export interface VerifyOptions {
  /**
   * The event time. The lookback ends at the event time, and the age of a snapshot is the time from its creation to the event
   * time.
   */
  time: Instant;
  /**
   * The length of the lookback in minutes. The lookback is the period before the event time. Snapshots that were created or
   * changed in this period are checked.
   */
  lookbackMinutes: number;
  /**
   * The number of minutes in creation after which a snapshot counts as stuck. Default: `stuckAfterMinutes` of the snapshot
   * kind.
   */
  stuckAfterMinutes?: number;
}

const MINUTE_MS = 60_000;

/**
 * Checks whether each recent snapshot of this project is usable, and writes a result record for each. `isDue` selects the
 * recent snapshots. A snapshot that is still in creation and not stuck gets no record, because the next run checks it again.
 * There is no database, so two runs can write the same record, but no record is lost. The record of a snapshot group lists the
 * members of the group. If EVS deleted a group but not the members, the function adds a notice to the record of the run.
 *
 * @returns the number of checked snapshots
 */
export async function verify(options: VerifyOptions, runContext: RunContext): Promise<number> {
  let count = 0;
  let groupKind: Kind | undefined;
  const leftovers = createLeftoverCheck();
  // A timer event can arrive late, and a replayed event can be older than the snapshots.
  const readNow = () => instant(Math.max(options.time, runContext.retryBudget.time.now()));
  const policiesByKind = new Map<string, Set<string | undefined>>();
  // Remembers which snapshots `isDue` selected. `isDue` needs all API fields, but only compact copies stay in memory, because it
  // can select 100,000 snapshots.
  const due = new WeakSet<FoundSnapshot>();
  const keepOwn = (found: FoundSnapshot, kind: Kind) => {
    leftovers.visit(found, kind);
    if (found.marker === undefined || foreignReason(found) !== undefined) return undefined;
    const kept = toCompactSnapshot(found);
    if (isDue(kind, found, options, readNow())) due.add(kept);
    return kept;
  };
  await listByKind({ action: "verify" }, runContext, keepOwn, async (kind, found, pause) => {
    if (kind.hasMembers) groupKind = kind;
    const now = readNow();
    const comparable = found.filter((kept) => isLive(kept) && unusableTimeReason(kept, now) === undefined);
    const duplicates = new Map(groupByResource(comparable).flatMap((snapshots) => [...youngerDuplicates(snapshots)]));
    policiesByKind.set(kind.name, new Set(found.map(({ marker }) => marker?.policy)));
    for (const snapshot of found.filter((kept) => due.has(kept))) {
      await pause();
      const result = assessSnapshot(kind, snapshot, options, now);
      count += 1;
      if (result === undefined) continue;
      const { id, name, marker } = snapshot;
      const complete = runContext.report({
        action: "verify",
        kind: kind.name,
        resource_id: resourceOf(snapshot),
        name,
        snapshot_id: id,
        // Stryker disable next-line OptionalChaining: `keepOwn` keeps only snapshots with a marker
        policy: marker?.policy,
      });
      const original = duplicates.get(snapshot);
      const timeDetail = unusableTimeDetail(snapshot, now);
      const details = [
        result.detail,
        original && duplicateDetail(snapshot, original),
        timeDetail,
        membersDetail(snapshot),
      ].filter((detail) => detail !== undefined);
      // The record of a failed snapshot has the level error, which a warning must not lower.
      const isWarning = result.outcome !== "failed" && (original !== undefined || timeDetail !== undefined);
      complete({ ...result, detail: details.join(" ") || undefined, ...(isWarning && { level: "warn" }) });
    }
  });
  if (groupKind !== undefined) await reportLeftovers(leftovers, groupKind, runContext);
  const { deployed, retryBudget } = runContext;
  missingSnapshotNotices(deployed, policiesByKind, retryBudget.time.now()).forEach(runContext.addNotice);
  return count;
}

/**
 * Returns whether verify must check a snapshot. One of these conditions is enough:
 *
 * - The snapshot was created or changed within the lookback.
 * - The snapshot is still in creation, its deletion failed, its status is unknown, or its creation time cannot be used.
 * - The snapshot is not available, and it was created at most `stuckAfterMinutes` before the lookback. It may have failed after
 *   the previous run, which skipped it because it was still in creation. It is UNCONFIRMED whether EVS updates `updated_at` when
 *   a snapshot fails.
 *
 * A snapshot group must also be checked if one of these conditions applies to one of its members.
 */
function isDue(kind: Kind, snapshot: FoundSnapshot, options: VerifyOptions, now: Instant): boolean {
  const since = options.time - options.lookbackMinutes * MINUTE_MS;
  const earliest = snapshot.state === "available" ? since : since - stuckAfterMs(kind, options);
  return [snapshot, ...(snapshot.members ?? [])].some((candidate) => {
    const { state, created, raw } = candidate;
    const changed = parseInstant(raw.updated_at) ?? parseInstant(raw.finished) ?? parseInstant(raw.updated);
    if (changed !== undefined && changed >= since) return true;
    if (state === "creating" || state === "unknown" || cannotBeDeleted(candidate)) return true;
    return created === undefined || created >= earliest || unusableTimeReason(candidate, now) !== undefined;
  });
}

const stuckAfterMs = (kind: Kind, { stuckAfterMinutes }: VerifyOptions): number =>
  (stuckAfterMinutes ?? kind.stuckAfterMinutes) * MINUTE_MS;

/**
 * Returns the fields that complete a snapshot's result record. Returns undefined while the snapshot is in creation or deletion
 * and not stuck.
 */
function assessSnapshot(
  kind: Kind,
  snapshot: FoundSnapshot,
  options: VerifyOptions,
  now: Instant,
): EndFields | undefined {
  const { id, state, status, created } = snapshot;
  switch (state) {
    case "available":
      return {
        outcome: "available",
        detail: created === undefined ? undefined : `Created at ${formatInstant(created)}.`,
      };
    case "failed": {
      const error = new SnapshotError(
        "SnapshotFailed",
        `Expected the ${kind.name} ${id} of ${resourceOf(snapshot) ?? "several disks"} to become available; its status is ${statusOf(snapshot)}.`,
      );
      return { outcome: "failed", error, detail: REASONS.SnapshotFailed.advice };
    }
    case "creating": {
      if (created === undefined || unusableTimeReason(snapshot, now) !== undefined) {
        const what = isEmptyGroup(snapshot) ? "The group has no members" : "The snapshot is in creation";
        return { outcome: "unverified", detail: `${what}, and its creation time cannot be read.` };
      }
      const since = options.time - created;
      if (since <= stuckAfterMs(kind, options)) return undefined;
      return { outcome: "unverified", detail: isEmptyGroup(snapshot) ? NO_MEMBERS : stuckDetail(since) };
    }
    case "deleting":
      // If the deletion of a snapshot failed, the snapshot still counts against the snapshot quota.
      return cannotBeDeleted(snapshot)
        ? {
            outcome: "unverified",
            detail: `The status is "${status}": only the support of Huawei Cloud can delete the snapshot.`,
          }
        : undefined;
    default:
      return {
        outcome: "unverified",
        detail: `The snapshot has the unknown status ${statusOf(snapshot)}. Check it on the console: prune neither counts nor deletes it.`,
      };
  }
}

const NO_MEMBERS =
  "The group has no members. Create another snapshot. Prune deletes this group if its policy has a retention and the server has a good group. Otherwise, compare it with the console before you delete it by hand, because the list of members can be incomplete.";

const stuckDetail = (since: number) =>
  `Stuck: the snapshot has been in creation for ${Math.floor(since / MINUTE_MS)} minutes. Check the disk or cluster, and create another snapshot. Delete this snapshot by hand if its creation never ends.`;

/**
 * Returns the status of a snapshot in quotation marks. For a snapshot group, appends the statuses of the members, because the
 * states of the members decide the state of the group.
 */
function statusOf({ status, members }: FoundSnapshot): string {
  const ofMembers = [...new Set(members?.map((member) => `"${member.status}"`))].join(", ");
  return `"${status}"${ofMembers && ` (members: ${ofMembers})`}`;
}

/** Returns the members of a snapshot group with their statuses. Returns undefined if the snapshot is not a group. */
const membersDetail = ({ members }: FoundSnapshot): string | undefined =>
  members && `Members: ${members.map(({ id, status }) => `${id} ${status}`).join(", ") || "none"}.`;

function duplicateDetail({ created }: FoundSnapshot, { id, created: originalCreated }: FoundSnapshot): string {
  const apart = (created ?? 0) - (originalCreated ?? 0);
  return apart > MAX_APART_MS
    ? `Duplicate of ${id}, but created more than 1 hour later: prune does not delete this snapshot as a duplicate.`
    : `Duplicate of ${id}: prune deletes this snapshot once ${id} is available.`;
}

/** Returns what to do with a snapshot whose creation time is unknown, before 2015 or in the future. */
function unusableTimeDetail(snapshot: FoundSnapshot, now: Instant): string | undefined {
  const reason = unusableTimeReason(snapshot, now);
  return reason === undefined
    ? undefined
    : `Prune neither counts nor deletes the snapshot, because ${reason}. Delete it by hand if you do not need it.`;
}
