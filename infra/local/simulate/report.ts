import { KINDS } from "../../../shared/snapshots/kinds/index.ts";
import type { Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { formatTable } from "../tour/table.ts";
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

/** What deserves a look: the most that is held, and whether a disk takes so many. */
export function remarks(days: readonly Day[], kinds: readonly string[]): string[] {
  const most = Math.max(...days.map(({ held }) => held.length));
  const when = days.find(({ held }) => held.length === most)?.day;
  const said = [`At most ${most} are held, for the first time on ${when}.`];
  for (const kind of Object.values<Kind>(KINDS).filter((one) => kinds.includes(one.kind))) {
    const full = kind.most === undefined ? undefined : days.find(({ held }) => held.length >= (kind.most as number));
    if (full === undefined) continue;
    said.push(
      `A disk takes ${kind.most} of the kind ${kind.kind}: with those that are held on ${full.day} there is no room for another one, and its create would end in QuotaExceeded. Keep fewer.`,
    );
  }
  return said;
}
