import { type RetryBudget, retryRead } from "../../core/retry.ts";
import { type FoundSnapshot, isBeingDeleted } from "../kinds/kind.ts";
import type { SnapshotService } from "../ports.ts";
import type { EndFields } from "../reporting.ts";
import { type DuplicateOptions, findBrokenRule, keptRule } from "./duplicates.ts";
import { heldMemberReason } from "./holds.ts";
import { IN_DELETION, memberIdsOf, type PendingDeletion, planChanged } from "./pending-deletion.ts";

/**
 * Reads the snapshots again on which a planned deletion depends, immediately before the delete request. A duplicate depends on the
 * older snapshot, and a snapshot group on its members.
 *
 * @returns undefined if the snapshot may be deleted, and `gone` if it is no longer listed. Otherwise the fields that complete its record
 * @throws SnapshotError if the snapshots could not be listed
 */
export async function recheck(
  deletion: PendingDeletion,
  service: SnapshotService,
  retryBudget: RetryBudget,
  options: DuplicateOptions,
): Promise<EndFields | "gone" | undefined> {
  const { listOptions } = deletion;
  if (listOptions !== undefined) {
    return recheckDuplicate(deletion, await retryRead(() => service.listFor(listOptions), retryBudget), options);
  }
  return deletion.memberIds === undefined || service.membersOf === undefined
    ? undefined
    : recheckMembers(
        deletion,
        await retryRead(() => service.membersOf?.(deletion.id) ?? Promise.resolve([]), retryBudget),
        options,
      );
}

function recheckDuplicate(
  deletion: PendingDeletion,
  listed: readonly FoundSnapshot[],
  options: DuplicateOptions,
): EndFields | "gone" | undefined {
  const { kind, id, rule, originalId = "" } = deletion;
  const [original, younger] = [originalId, id].map((wanted) => listed.find((found) => found.id === wanted));
  const keep = (brokenRule: string): EndFields => ({
    outcome: "kept",
    rule: keptRule(originalId, brokenRule),
    detail: planChanged(rule),
  });
  if (original === undefined) return keep(`${originalId} is no longer listed`);
  if (younger === undefined) return "gone";
  if (isBeingDeleted(younger)) return IN_DELETION;
  const brokenRule = findBrokenRule(kind, original, younger, options);
  return brokenRule === undefined ? undefined : keep(brokenRule);
}

/**
 * Keeps a snapshot group if its members have changed. The first list response may have omitted a member, and with it the hold of this
 * member.
 */
function recheckMembers(
  { memberIds, rule }: PendingDeletion,
  members: readonly FoundSnapshot[],
  { hold }: DuplicateOptions,
): EndFields | undefined {
  const held = heldMemberReason(members, hold);
  if (held !== undefined) return { outcome: "held", rule: held, detail: planChanged(rule) };
  return memberIdsOf(members) === memberIds
    ? undefined
    : { outcome: "kept", rule: "its members have changed since the plan", detail: planChanged(rule) };
}
