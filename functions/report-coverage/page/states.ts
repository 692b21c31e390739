import type { Coverage, CoverageState, ResourceCoverage } from "../../../shared/coverage/coverage.ts";
import { formatCount, formatNumber } from "./html.ts";

/** The states from worst to best, each with the class of its rows and its meaning in a few words. */
export const STATES: readonly { state: CoverageState; className: string; meaning: string }[] = [
  { state: "unprotected", className: "u", meaning: "no good snapshot" },
  { state: "failing", className: "f", meaning: "attempts have failed since the last good snapshot" },
  { state: "stale", className: "s", meaning: "the newest good snapshot is too old" },
  { state: "unknown", className: "k", meaning: "could not be judged" },
  { state: "protected", className: "p", meaning: "a recent good snapshot" },
  { state: "excluded", className: "e", meaning: "has an excluded tag" },
];

const RANKS = new Map(STATES.map(({ state }, rank) => [state, rank]));
const CLASSES = new Map(STATES.map(({ state, className }) => [state, className]));

/** Returns the class of a table row with this state. The style and the script of the page use it. */
export const classOf = (state: CoverageState): string => CLASSES.get(state) ?? "k";

/**
 * Sorts resources so the worst are first: by state, then by the age of the newest good snapshot, oldest first. Keeps the order
 * of equal resources.
 */
export const worstFirst = (resources: readonly ResourceCoverage[]): ResourceCoverage[] =>
  [...resources].sort(
    (a, b) =>
      (RANKS.get(a.state) ?? 0) - (RANKS.get(b.state) ?? 0) || (a.newest?.created ?? 0) - (b.newest?.created ?? 0),
  );

/** Returns the conclusion of the report in one line, such as `3 of 42 resources are not protected`. */
export function formatVerdict({ counts, complete }: Pick<Coverage, "counts" | "complete">): string {
  const bad = counts.unprotected + counts.failing + counts.stale;
  const total = bad + counts.unknown + counts.protected;
  const are = (count: number) => (count === 1 ? "is" : "are");
  const of = (count: number) => `${formatNumber(count)} of ${formatCount(total, "resource")}`;
  if (total === 0) {
    if (!complete) return "No resource could be judged";
    return counts.excluded === 0 ? "No disk or cluster was found" : "Every resource is excluded by its tags";
  }
  const judged = counts.unknown === 0 ? "" : `${of(counts.unknown)} could not be judged`;
  if (bad === 0) {
    if (judged !== "") return judged;
    if (complete)
      return total === 1 ? "The only resource is protected" : `All ${formatCount(total, "resource")} are protected`;
    return `${formatCount(total, "resource")} ${are(total)} protected, but the report is incomplete`;
  }
  const more = counts.unknown === 0 ? "" : `, and ${formatNumber(counts.unknown)} could not be judged`;
  return `${of(bad)} ${are(bad)} not protected${more}`;
}
