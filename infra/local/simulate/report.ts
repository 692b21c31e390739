import type { Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.ts";
import type { Selector } from "../../../shared/snapshots/policy.ts";
import { formatTable } from "../terminal/table.ts";
import { type Day, type Held, RULES, type Rule } from "./simulate.ts";

/** The rules that keep anything on any day. */
export const rulesOf = (days: readonly Day[]): Rule[] =>
  RULES.filter((rule) => days.some(({ held }) => held.some(({ rules }) => rules.includes(rule))));

const by = (held: readonly Held[], rule: Rule) => held.filter(({ rules }) => rules.includes(rule)).length;

/** A line for each day: how many are held, and by which rules; one can be held by several. */
export function daysTable(days: readonly Day[]): string[] {
  const rules = rulesOf(days);
  return formatTable(
    ["day", "taken", "deleted", "held", "oldest", ...rules],
    days.map(({ day, taken, deleted, held }) => [
      day,
      ...[taken, deleted, held.length].map(String),
      held[0]?.day ?? "",
      ...rules.map((rule) => String(by(held, rule))),
    ]),
  );
}

/** What is held on the last day, newest first. */
export function heldTable(days: readonly Day[]): string[] {
  const held = days.at(-1)?.held ?? [];
  return formatTable(
    ["taken on", "kept by"],
    [...held].reverse().map(({ day, rules }) => [day, rules.join(", ")]),
  );
}

/** Returns a sentence about the largest number of snapshots that the policy holds. */
export function remarks(days: readonly Day[]): string[] {
  const most = Math.max(...days.map(({ held }) => held.length));
  const when = days.find(({ held }) => held.length === most)?.day;
  return [`At most ${most} are held, for the first time on ${when}.`];
}

/** How many standard snapshots a disk can have, including members of groups, and how many with instant access. */
const MOST_STANDARD = 256;
const MOST_INSTANT = 7;

function limitOf({ kind: name, instant_access }: Selector): { most?: number; what: string } {
  const { maxPerResource, target: policy }: Kind = KINDS[name];
  if (maxPerResource !== undefined || !("instant_access" in policy.defaults))
    return { most: maxPerResource, what: name };
  return instant_access === true
    ? { most: MOST_INSTANT, what: `${name} with instant access` }
    : { most: MOST_STANDARD, what: name };
}

/** Returns why the policy does not fit: a sentence for each kind whose limit per disk the policy exceeds. */
export function overflows(days: readonly Day[], targets: readonly Selector[]): string[] {
  const sentences = targets.map(limitOf).flatMap(({ most, what }) => {
    const full = most === undefined ? undefined : days.find(({ held }) => held.length >= most);
    if (full === undefined) return [];
    return `A disk takes ${most} of the kind ${what}: with those that are held on ${full.day} there is no room for another one, and its create would end in QuotaExceeded. Keep fewer.`;
  });
  return [...new Set(sentences)];
}
