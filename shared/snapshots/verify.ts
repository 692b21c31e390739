import { SnapshotError } from "../core/errors.ts";
import { type Instant, parseInstant } from "../core/instant.ts";
import { cannotBeDeleted, type FoundSnapshot, isLive, type Kind } from "./kinds/kind.ts";
import { listByKind } from "./list-by-kind.ts";
import { compact, foreignReason, groupOf } from "./ownership.ts";
import type { EndFields } from "./reporting.ts";
import { byResource, resourceOf, youngerDuplicates } from "./retention/plan.ts";
import type { RunContext } from "./run-context.ts";

export interface VerifyOptions {
  /** The time of the event. */
  time: Instant;
  lookbackMinutes: number;
  /** The minutes after which a snapshot in creation counts as stuck. Default: `stuckAfterMinutes` of its kind. */
  stuckAfterMinutes?: number;
}

const MINUTE_MS = 60_000;

/**
 * Reports for each recent snapshot of this project whether it is usable. Recent snapshots are those that `isDue` selects. A
 * snapshot that is still being created, and not stuck, is left for the next run. There is no database, so the next run may
 * repeat a record, but no record is lost. The record of a group lists its members. If members of a deleted group remain, adds a
 * notice to the record of the run.
 *
 * @returns the number of checked snapshots
 */
export async function verify(options: VerifyOptions, runContext: RunContext): Promise<number> {
  let count = 0;
  const groups = new Set<string>();
  const ofMembers = new Set<string>();
  let areGroupsListed = false;
  // Filled while each snapshot still has all its fields. Only compact copies are kept, because 100,000 can be due.
  const due = new WeakSet<FoundSnapshot>();
  const keepOwn = (found: FoundSnapshot, kind: Kind) => {
    const group = groupOf(found);
    if (group !== undefined && found.state !== "deleting") ofMembers.add(group);
    // Stryker disable next-line ConditionalExpression: ids of other kinds are never ids of groups
    if (kind.hasMembers) groups.add(found.id);
    if (found.marker === undefined || foreignReason(found) !== undefined) return undefined;
    const kept = compact(found);
    if (isDue(kind, found, options)) due.add(kept);
    return kept;
  };
  await listByKind({ action: "verify" }, runContext, keepOwn, async (kind, found, pause) => {
    if (kind.hasMembers) areGroupsListed = true;
    const duplicates = new Map(
      byResource(found.filter(isLive)).flatMap((snapshots) => [...youngerDuplicates(snapshots)]),
    );
    for (const snapshot of found.filter((one) => due.has(one))) {
      await pause();
      const end = assessSnapshot(kind, snapshot, options);
      count += 1;
      if (end === undefined) continue;
      const { id, name, marker } = snapshot;
      const complete = runContext.report({
        action: "verify",
        kind: kind.name,
        resource_id: resourceOf(snapshot),
        name,
        snapshot_id: id,
        // Stryker disable next-line OptionalChaining: all of these have a marker, which the type does not express
        policy: marker?.policy,
      });
      complete({ ...end, detail: detailOf(end.detail, snapshot, duplicates.get(snapshot)) });
    }
  });
  const deletedGroups = [...ofMembers].filter((id) => !groups.has(id));
  if (areGroupsListed && deletedGroups.length > 0) runContext.addNotice(leftoverNotice(deletedGroups));
  return count;
}

/** How many ids of groups a notice lists. */
const MAX_NAMED = 20;

/**
 * Returns the notice about members of deleted groups. It is UNCONFIRMED whether EVS deletes the members with their group
 * (SOURCES.md#evs-groups-delete-members). The remaining members have no marker, so this project cannot know whether it may delete them.
 */
function leftoverNotice(groups: readonly string[]): string {
  const named = groups.slice(0, MAX_NAMED).join(", ");
  const more = groups.length > MAX_NAMED ? ` and ${groups.length - MAX_NAMED} more` : "";
  return `Standard snapshots are left of groups that are gone, and nothing deletes them but you. Their snapshot_group_id: ${named}${more}.`;
}

/**
 * Returns whether to check a snapshot. A group is checked if one of its members meets a condition. The conditions are:
 *
 * - it was created or changed within the lookback;
 * - it is still being created, or its deletion failed;
 * - it is not available and was created at most `stuckAfter` before the lookback. It is UNCONFIRMED that the time of the
 *   change moves when a snapshot fails, and the previous run may have skipped it because it was still being created.
 */
function isDue(kind: Kind, snapshot: FoundSnapshot, options: VerifyOptions): boolean {
  const { raw, members = [] } = snapshot;
  const since = options.time - options.lookbackMinutes * MINUTE_MS;
  const changed = parseInstant(raw.updated_at) ?? parseInstant(raw.finished) ?? parseInstant(raw.updated);
  if ((changed ?? Number.NEGATIVE_INFINITY) >= since) return true;
  const earliest = snapshot.state === "available" ? since : since - stuckAfter(kind, options);
  return [snapshot, ...members].some((one) => {
    const { state, created } = one;
    // A snapshot without a time may be recent.
    return state === "creating" || cannotBeDeleted(one) || created === undefined || created >= earliest;
  });
}

const stuckAfter = (kind: Kind, { stuckAfterMinutes }: VerifyOptions): number =>
  (stuckAfterMinutes ?? kind.stuckAfterMinutes) * MINUTE_MS;

/** Returns the result for a snapshot. Returns undefined while it is being created or deleted as usual. */
function assessSnapshot(kind: Kind, snapshot: FoundSnapshot, options: VerifyOptions): EndFields | undefined {
  const { id, state, status, created } = snapshot;
  switch (state) {
    case "available":
      return { outcome: "available" };
    case "failed": {
      const error = new SnapshotError(
        "SnapshotFailed",
        `Expected the ${kind.name} ${id} of ${resourceOf(snapshot) ?? "several disks"} to become available; it ended in the status ${statusOf(snapshot)}.`,
      );
      return { outcome: "failed", error };
    }
    case "creating": {
      if (created === undefined) {
        return {
          outcome: "unverified",
          detail: "The snapshot is being created, and its creation time cannot be read.",
        };
      }
      const since = options.time - created;
      return since > stuckAfter(kind, options)
        ? { outcome: "unverified", detail: `Stuck: it has been creating for ${Math.floor(since / MINUTE_MS)} minutes.` }
        : undefined;
    }
    case "deleting":
      // A snapshot that cannot be deleted counts against the quota.
      return cannotBeDeleted(snapshot)
        ? {
            outcome: "unverified",
            detail: `The status is "${status}": only the cloud's support can delete the snapshot.`,
          }
        : undefined;
    default:
      return { outcome: "unverified", detail: `The status ${statusOf(snapshot)} is unknown.` };
  }
}

/** Returns the status of a snapshot in words. For a group, includes the statuses of its members, which decide its state. */
function statusOf({ status, members }: FoundSnapshot): string {
  const ofMembers = [...new Set(members?.map((member) => `"${member.status}"`))].join(", ");
  return `"${status}"${ofMembers && ` (members: ${ofMembers})`}`;
}

function detailOf(detail: string | undefined, { members }: FoundSnapshot, original: FoundSnapshot | undefined) {
  const parts = [
    detail,
    original && `Twin of ${original.id}: prune deletes this snapshot when that one is available.`,
    members && `Members: ${members.map(({ id, status }) => `${id} ${status}`).join(", ") || "none"}.`,
  ];
  return parts.filter((part) => part !== undefined).join(" ") || undefined;
}
