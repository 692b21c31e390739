import type { FoundSnapshot } from "../kinds/kind.ts";
import { foreignReason } from "../ownership.ts";

/**
 * Returns why a snapshot is never deleted, or undefined if it may be deleted. If a member of a snapshot group is held, the
 * group is held, too, because EVS may delete the members together with the group.
 */
export function holdReason(
  snapshot: FoundSnapshot,
  hold: ReadonlySet<string>,
  latestCredible: number,
): string | undefined {
  const { members, created } = snapshot;
  const ownHold = userHold(snapshot, hold);
  if (ownHold !== undefined) return ownHold;
  const heldMember = heldMemberReason(members ?? [], hold);
  if (heldMember !== undefined) return heldMember;
  const foreign = foreignReason(snapshot);
  if (foreign !== undefined) return foreign;
  // Hold a snapshot without a correct creation time, because a rule could keep it in place of another snapshot.
  if (created === undefined) return "its creation time is unknown";
  return created > latestCredible ? "its creation time is in the future" : undefined;
}

/** Returns which member of a snapshot group is held and why, or undefined if no member is held. */
export function heldMemberReason(members: readonly FoundSnapshot[], hold: ReadonlySet<string>): string | undefined {
  for (const member of members) {
    const held = userHold(member, hold);
    if (held !== undefined) return `its member ${member.id} is ${held}`;
  }
  return undefined;
}

/**
 * Returns where a user has set `hold` for a snapshot: in the policy, in a label or in the description. Returns undefined if no
 * user has set it. People spell `hold` by hand, so the comparison ignores case and spaces.
 */
function userHold(snapshot: FoundSnapshot, hold: ReadonlySet<string>): string | undefined {
  const { description, labels } = snapshot;
  if (isNamedIn(hold, snapshot)) return "held by the policy";
  for (const key in labels) {
    if (key.trim().toLowerCase() === "hold" && labels[key] !== "false") return "held by its label";
  }
  if (description?.match(/^\s*hold(?![a-z0-9])/i)) return "held by its description";
  return undefined;
}

/** Returns the ids and names in the field `hold` of a policy, in lower case and without outer spaces, for comparison. */
export const namesIn = (hold: readonly string[]): Set<string> =>
  new Set(hold.map((idOrName) => idOrName.trim().toLowerCase()));

/** Returns whether the field `hold` of a policy contains the id or the name of a snapshot. */
export const isNamedIn = (hold: ReadonlySet<string>, { id, name }: FoundSnapshot): boolean =>
  // Stryker disable next-line ConditionalExpression,EqualityOperator: this condition only saves time
  hold.size > 0 && (hold.has(id.toLowerCase()) || (name !== "" && hold.has(name.toLowerCase())));
