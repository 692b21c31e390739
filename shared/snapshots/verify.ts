import { SnapshotError } from "../core/errors.ts";
import { type Instant, parseInstant } from "../core/instant.ts";
import { missingSnapshotNotices } from "./deployed-policies.ts";
import { cannotBeDeleted, type FoundSnapshot, isLive, type Kind } from "./kinds/kind.ts";
import { listByKind } from "./list-by-kind.ts";
import { foreignReason, groupIdOf, toCompactSnapshot } from "./ownership.ts";
import type { EndFields } from "./reporting.ts";
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
  const groupIds = new Set<string>();
  const groupIdsOfMembers = new Set<string>();
  let areGroupsListed = false;
  const policiesByKind = new Map<string, Set<string | undefined>>();
  // Remembers which snapshots `isDue` selected. `isDue` needs all API fields, but only compact copies stay in memory, because it
  // can select 100,000 snapshots.
  const due = new WeakSet<FoundSnapshot>();
  const keepOwn = (found: FoundSnapshot, kind: Kind) => {
    const groupId = groupIdOf(found);
    if (groupId !== undefined && found.state !== "deleting") groupIdsOfMembers.add(groupId);
    // Stryker disable next-line ConditionalExpression: a snapshot of another kind never has the id of a group
    if (kind.hasMembers) groupIds.add(found.id);
    if (found.marker === undefined || foreignReason(found) !== undefined) return undefined;
    const kept = toCompactSnapshot(found);
    if (isDue(kind, found, options)) due.add(kept);
    return kept;
  };
  await listByKind({ action: "verify" }, runContext, keepOwn, async (kind, found, pause) => {
    if (kind.hasMembers) areGroupsListed = true;
    policiesByKind.set(kind.name, new Set(found.map(({ marker }) => marker?.policy)));
    const duplicates = new Map(
      groupByResource(found.filter(isLive)).flatMap((snapshots) => [...youngerDuplicates(snapshots)]),
    );
    for (const snapshot of found.filter((kept) => due.has(kept))) {
      await pause();
      const result = assessSnapshot(kind, snapshot, options);
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
      const detail = detailOf(result.detail, snapshot, original);
      complete({ ...result, detail, ...(original && { level: "warn" }) });
    }
  });
  const deletedGroups = [...groupIdsOfMembers].filter((id) => !groupIds.has(id));
  if (areGroupsListed && deletedGroups.length > 0) runContext.addNotice(leftoverNotice(deletedGroups));
  const { deployed, retryBudget } = runContext;
  missingSnapshotNotices(deployed, policiesByKind, retryBudget.time.now()).forEach(runContext.addNotice);
  return count;
}

/** The maximum number of group ids in the notice about deleted groups. */
const MAX_NAMED = 20;

/**
 * Returns the notice about standard snapshots that remain although their snapshot group was deleted. It is UNCONFIRMED whether
 * EVS deletes the members together with the group (SOURCES.md#evs-groups-delete-members). The remaining members have no
 * snapshot marker, so this project must not delete them.
 */
function leftoverNotice(groups: readonly string[]): string {
  const named = groups.slice(0, MAX_NAMED).join(", ");
  const more = groups.length > MAX_NAMED ? ` and ${groups.length - MAX_NAMED} more` : "";
  return `Standard snapshots of deleted groups remain. Delete them by hand. Their snapshot_group_id: ${named}${more}.`;
}

/**
 * Returns whether verify must check a snapshot. One of these conditions is enough:
 *
 * - The snapshot was created or changed within the lookback.
 * - The snapshot is still in creation, its deletion failed, or its creation time is unknown.
 * - The snapshot is not available, and it was created at most `stuckAfterMinutes` before the lookback. It may have failed after
 *   the previous run, which skipped it because it was still in creation. It is UNCONFIRMED whether EVS updates `updated_at` when
 *   a snapshot fails.
 *
 * A snapshot group must also be checked if one of its members was created recently, is in creation, or could not be deleted.
 */
function isDue(kind: Kind, snapshot: FoundSnapshot, options: VerifyOptions): boolean {
  const { raw, members = [] } = snapshot;
  const since = options.time - options.lookbackMinutes * MINUTE_MS;
  const changed = parseInstant(raw.updated_at) ?? parseInstant(raw.finished) ?? parseInstant(raw.updated);
  if ((changed ?? Number.NEGATIVE_INFINITY) >= since) return true;
  const earliest = snapshot.state === "available" ? since : since - stuckAfterMs(kind, options);
  return [snapshot, ...members].some((candidate) => {
    const { state, created } = candidate;
    // If a snapshot has no creation time, it may be recent, so it is checked.
    return state === "creating" || cannotBeDeleted(candidate) || created === undefined || created >= earliest;
  });
}

const stuckAfterMs = (kind: Kind, { stuckAfterMinutes }: VerifyOptions): number =>
  (stuckAfterMinutes ?? kind.stuckAfterMinutes) * MINUTE_MS;

/**
 * Returns the fields that complete a snapshot's result record. Returns undefined while the snapshot is in creation or deletion
 * and not stuck.
 */
function assessSnapshot(kind: Kind, snapshot: FoundSnapshot, options: VerifyOptions): EndFields | undefined {
  const { id, state, status, created } = snapshot;
  switch (state) {
    case "available":
      return { outcome: "available" };
    case "failed": {
      const error = new SnapshotError(
        "SnapshotFailed",
        `Expected the ${kind.name} ${id} of ${resourceOf(snapshot) ?? "several disks"} to become available; its status is ${statusOf(snapshot)}.`,
      );
      return { outcome: "failed", error };
    }
    case "creating": {
      if (created === undefined) {
        return {
          outcome: "unverified",
          detail: "The snapshot is in creation, and its creation time cannot be read.",
        };
      }
      const since = options.time - created;
      return since > stuckAfterMs(kind, options)
        ? {
            outcome: "unverified",
            detail: `Stuck: the snapshot has been in creation for ${Math.floor(since / MINUTE_MS)} minutes.`,
          }
        : undefined;
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
      return { outcome: "unverified", detail: `The snapshot has the unknown status ${statusOf(snapshot)}.` };
  }
}

/**
 * Returns the status of a snapshot in quotation marks. For a snapshot group, appends the statuses of the members, because the
 * states of the members decide the state of the group.
 */
function statusOf({ status, members }: FoundSnapshot): string {
  const ofMembers = [...new Set(members?.map((member) => `"${member.status}"`))].join(", ");
  return `"${status}"${ofMembers && ` (members: ${ofMembers})`}`;
}

function detailOf(detail: string | undefined, snapshot: FoundSnapshot, original: FoundSnapshot | undefined) {
  const { members } = snapshot;
  const parts = [
    detail,
    original && duplicateDetail(snapshot, original),
    members && `Members: ${members.map(({ id, status }) => `${id} ${status}`).join(", ") || "none"}.`,
  ];
  return parts.filter((part) => part !== undefined).join(" ") || undefined;
}

function duplicateDetail({ created }: FoundSnapshot, { id, created: originalCreated }: FoundSnapshot): string {
  const apart = (created ?? 0) - (originalCreated ?? 0);
  return apart > MAX_APART_MS
    ? `Duplicate of ${id}, but created more than 1 hour later: prune does not delete this snapshot as a duplicate.`
    : `Duplicate of ${id}: prune deletes this snapshot once ${id} is available.`;
}
