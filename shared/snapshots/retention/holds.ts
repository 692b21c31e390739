import { credibleTime, type Instant, MAX_CREATED_AHEAD_MS } from "../../core/instant.ts";
import type { FoundSnapshot } from "../kinds/kind.ts";
import { foreignReason } from "../ownership.ts";

/**
 * Returns why a snapshot is never deleted, or undefined if it may be deleted. If a member of a snapshot group is held, the
 * group is held, too, because EVS may delete the members together with the group.
 *
 * @param hold the field `hold` of the policy, as `namesIn` returns it
 * @param now the current time. Undefined in a simulation, which accepts every creation time
 */
export const holdReason = (
  snapshot: FoundSnapshot,
  hold: ReadonlySet<string>,
  now: Instant | undefined,
): string | undefined =>
  userHold(snapshot, hold) ??
  heldMemberReason(snapshot.members ?? [], hold) ??
  foreignReason(snapshot) ??
  unusableTimeReason(snapshot, now);

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
 * user has set it. People spell `hold` by hand, so the comparison uses `normalize`.
 */
function userHold(snapshot: FoundSnapshot, hold: ReadonlySet<string>): string | undefined {
  const { description, labels } = snapshot;
  if (isNamedIn(hold, snapshot)) return "held by the policy";
  for (const key in labels) {
    if (normalize(key) === "hold" && labels[key] !== "false") return "held by its label";
  }
  if (description && /^hold(?![a-z0-9])/.test(normalize(description))) return "held by its description";
  return undefined;
}

/**
 * Returns why the creation time of a snapshot is of no use. Retention holds such a snapshot, because a rule could keep it in place
 * of another snapshot.
 *
 * @param now the current time. Undefined in a simulation, which accepts every creation time
 */
export function unusableTimeReason({ created }: FoundSnapshot, now: Instant | undefined): string | undefined {
  if (created === undefined) return "its creation time is unknown";
  if (now === undefined || credibleTime(created, now, MAX_CREATED_AHEAD_MS)) return undefined;
  return `its creation time is ${created > now ? "in the future" : "before 2015"}`;
}

/**
 * Returns the normalized form of an id or a name. Two names count as equal if they differ only in upper and lower case, outer
 * spaces, invisible characters or Unicode normalization forms. All such names have the same normalized form.
 */
const normalize = (name: string): string =>
  name
    .normalize("NFKC")
    .replace(/\p{Cf}/gu, "")
    .trim()
    .toLowerCase();

/** Returns the ids and names in the field `hold` of a policy in normalized form, for `isNamedIn`. */
export const namesIn = (hold: readonly string[]): Set<string> => new Set(hold.map(normalize));

/** Returns whether the field `hold` of a policy contains the id or the name of a snapshot. */
export const isNamedIn = (hold: ReadonlySet<string>, { id, name }: FoundSnapshot): boolean =>
  // Stryker disable next-line ConditionalExpression,EqualityOperator: this condition only saves time
  hold.size > 0 && (hold.has(normalize(id)) || (name !== "" && hold.has(normalize(name))));

/** The maximum number of similar names that the notice about an item of `hold` contains. */
const MAX_SIMILAR = 3;
/** The number of items of `hold` for which similar names are searched. Each of them is compared with up to 100,000 names. */
const MAX_SEARCHED = 10;
/** The number of characters that a similar name and an item of `hold` must have in common. */
const MIN_COMMON = 4;
/** The maximum length of a name that is compared. EVS and DWS allow shorter names only. */
const MAX_NAME_LENGTH = 255;

/** An entry of the field `hold` of a policy that is not the id or name of any snapshot. */
interface UnmatchedHold {
  idOrName: string;
  /** The most similar ids and names of existing snapshots, the most similar of them first. */
  similar: { shown: string; difference: number }[];
}

/** Finds the entries of the field `hold` of a policy that are not the id or name of any snapshot. */
export interface HoldCheck {
  /** Compares a listed snapshot with the field `hold`. Must be called for every snapshot of the project. */
  visit(found: FoundSnapshot): void;
  /** Returns the notice about the ids and names that no visited snapshot has, or undefined if there are none. */
  notice(): string | undefined;
}

export function createHoldCheck(hold: readonly string[]): HoldCheck {
  const unmatched = new Map(
    hold.map((idOrName): [string, UnmatchedHold] => [normalize(idOrName), { idOrName, similar: [] }]),
  );
  return {
    visit({ id, name }) {
      // Stryker disable next-line ConditionalExpression,EqualityOperator: this condition only saves time
      if (unmatched.size === 0) return;
      for (const shown of [id, name]) {
        if (shown === "" || shown.length > MAX_NAME_LENGTH) continue;
        const normalized = normalize(shown);
        unmatched.delete(normalized);
        let searched = 0;
        for (const [wanted, { similar }] of unmatched) {
          searched += 1;
          if (searched > MAX_SEARCHED) break;
          addIfSimilar(similar, shown, wanted, normalized);
        }
      }
    },
    notice() {
      if (unmatched.size === 0) return undefined;
      const unknown = [...unmatched.values()].map(({ idOrName }) => JSON.stringify(idOrName)).join(", ");
      const hints = [...unmatched.values()]
        .filter(({ similar }) => similar.length > 0)
        .map(
          ({ idOrName, similar }) =>
            ` Similar to ${JSON.stringify(idOrName)}: ${similar.map(({ shown }) => JSON.stringify(shown)).join(", ")}.`,
        );
      return `hold: expected ids or names of existing snapshots, got ${unknown}. Correct or remove them.${hints.join("")}`;
    },
  };
}

/**
 * Adds a name to the most similar names, if it has at least `MIN_COMMON` characters and a third of `wanted` in common with `wanted`.
 * Only characters at the start and at the end of both names count, because this comparison is fast.
 */
function addIfSimilar(similar: UnmatchedHold["similar"], shown: string, wanted: string, name: string): void {
  const common = countCommon(wanted, name);
  if (common < MIN_COMMON || common * 3 < wanted.length) return;
  const difference = Math.max(wanted.length, name.length) - common;
  const last = similar[MAX_SIMILAR - 1];
  if ((last !== undefined && last.difference <= difference) || similar.some((other) => other.shown === shown)) return;
  similar.push({ shown, difference });
  similar.sort((a, b) => a.difference - b.difference);
  similar.splice(MAX_SIMILAR);
}

/** Returns how many characters two names have in common at their start and at their end together. */
function countCommon(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return start + end;
}
