import type { Instant } from "../../core/instant.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { isEmptyGroup } from "../kinds/snapshot-group.ts";
import type { Verdict } from "./plan.ts";

/** Rules of prune for some kinds of snapshots. `makeRoomBy` does not need them, because it deletes only legacy snapshots. */

/**
 * Returns which type a snapshot has if the service does not report that a user created the snapshot. DWS reports the type in the
 * field `type`. EVS v5 reports the type in the field `snapshot_type`, but no page promises that every list response contains this
 * field (SOURCES.md#evs-v5-snapshot-type).
 */
export const foreignTypeReason = ({ raw }: FoundSnapshot, { requiredType }: Kind): string | undefined =>
  (requiredType === undefined ? undefined : typeOtherThan(requiredType, raw.type)) ??
  typeOtherThan("user", raw.snapshot_type ?? "user");

const typeOtherThan = (expected: string, type: unknown): string | undefined => {
  if (typeof type !== "string") return "its type is unknown";
  return type.toLowerCase() === expected ? undefined : `its type is ${type}`;
};

/**
 * Deletes a snapshot group that EVS reports as available although it has no members, `stuckAfterMinutes` after the creation of the
 * group. Such a group contains no data. An incomplete list of members can make every group look empty, so the group is kept unless
 * another group of the same resource is good in the same list.
 *
 * @param hasGoodGroup true if the list shows a good group of the same resource, with its members
 */
export function applyEmptyGroupRule(
  verdict: Verdict,
  { stuckAfterMinutes }: Kind,
  now: Instant,
  hasGoodGroup: boolean,
): Verdict {
  const { snapshot, decision } = verdict;
  if (decision !== "kept" || !isEmptyGroup(snapshot)) return verdict;
  // Retention holds a group without a creation time.
  if (now - (snapshot.created ?? now) <= stuckAfterMinutes * 60_000)
    return { ...verdict, rule: "it has no members yet" };
  return hasGoodGroup
    ? { ...verdict, decision: "deleted", rule: "it has no members" }
    : {
        ...verdict,
        rule: "it seems to have no members, but the list of members may be incomplete: it has no members of any available group of this resource",
      };
}
