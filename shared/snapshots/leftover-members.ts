import { joinFirst } from "../core/preview.ts";
import { LISTED_AFTER_MS, retryRead } from "../core/retry.ts";
import type { FoundSnapshot, Kind } from "./kinds/kind.ts";
import { groupIdOf } from "./ownership.ts";
import type { RunContext } from "./run-context.ts";

/** Finds standard snapshots that remain although their snapshot group was deleted. */
export interface LeftoverCheck {
  /** Must be called for every listed snapshot of every kind. */
  visit(found: FoundSnapshot, kind: Kind): void;
  /** Returns the ids of the groups that were not visited although a member of theirs was visited. */
  deletedGroups(): string[];
  /** The kinds of snapshots to list again: those of the groups and members that `visit` received. */
  kinds: ReadonlySet<Kind>;
}

export function createLeftoverCheck(): LeftoverCheck {
  const groupIds = new Set<string>();
  const groupIdsOfMembers = new Set<string>();
  const kinds = new Set<Kind>();
  return {
    kinds,
    visit(found, kind) {
      const groupId = groupIdOf(found);
      if (groupId !== undefined && found.state !== "deleting") groupIdsOfMembers.add(groupId);
      // Stryker disable next-line ConditionalExpression: a snapshot of another kind never has the id of a group
      if (kind.hasMembers) groupIds.add(found.id);
      if (groupId !== undefined || kind.hasMembers) kinds.add(kind);
    },
    deletedGroups: () => [...groupIdsOfMembers].filter((id) => !groupIds.has(id)),
  };
}

/**
 * Adds a notice about the remaining members of deleted groups to the record of the run. It is UNCONFIRMED whether EVS deletes the
 * members together with the group (SOURCES.md#evs-groups-delete-members). The remaining members have no snapshot marker, so this
 * project must not delete them.
 *
 * While EVS deletes a group, a list response can already lack the group and still contain its members. The function therefore lists
 * the snapshots again after 6 s. If this fails, it adds no notice, because the next run checks the members again.
 *
 * @param first the check that visited the snapshots in the first list responses
 * @param groupKind the kind of the groups, which must be listed again even if the first list response contained no group
 */
export async function reportLeftovers(first: LeftoverCheck, groupKind: Kind, runContext: RunContext): Promise<void> {
  const { cloud, retryBudget, addNotice } = runContext;
  const deletedGroups = first.deletedGroups();
  const { time, deadline } = retryBudget;
  if (deletedGroups.length === 0 || time.now() + LISTED_AFTER_MS >= deadline) return;
  await time.sleep(LISTED_AFTER_MS);
  const check = createLeftoverCheck();
  try {
    for (const kind of new Set([...first.kinds, groupKind])) {
      await retryRead(() => cloud(kind).listAll((found) => check.visit(found, kind), true), retryBudget);
    }
  } catch {
    return;
  }
  const remaining = new Set(check.deletedGroups());
  const groups = deletedGroups.filter((id) => remaining.has(id));
  if (groups.length === 0) return;
  addNotice(
    `Standard snapshots of deleted groups remain. Delete them by hand. Their snapshot_group_id: ${joinFirst(groups)}.`,
  );
}
