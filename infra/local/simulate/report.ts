import type { Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import type { Selector } from "../../../shared/snapshots/policy.ts";
import { formatTable } from "../terminal/table.ts";
import { type RetainedSnapshot, type RetentionRule, RULES, type SimulatedDay } from "./simulate.ts";

/** Returns the retention rules that retain at least one snapshot on any of the days. */
export const rulesOf = (days: readonly SimulatedDay[]): RetentionRule[] =>
  RULES.filter((rule) => days.some(({ retained }) => retained.some(({ rules }) => rules.includes(rule))));

const countByRule = (retained: readonly RetainedSnapshot[], rule: RetentionRule) =>
  retained.filter(({ rules }) => rules.includes(rule)).length;

/**
 * Returns a table with a row for each day. The column of a rule contains the number of snapshots that the rule retains. If
 * several rules retain the same snapshot, each of their columns counts it.
 */
export function formatDays(days: readonly SimulatedDay[]): string[] {
  const rules = rulesOf(days);
  return formatTable(
    ["day", "created", "deleted", "retained", "oldest", ...rules],
    days.map(({ day, created, deleted, retained }) => [
      day,
      ...[created, deleted, retained.length].map(String),
      retained[0]?.day ?? "",
      ...rules.map((rule) => String(countByRule(retained, rule))),
    ]),
  );
}

/** Returns a table of the snapshots that exist at the end of the last day, newest first. */
export function formatRetained(days: readonly SimulatedDay[]): string[] {
  const retained = days.at(-1)?.retained ?? [];
  // Every retention retains at least one snapshot.
  const withoutRule = retained.some(({ rules }) => rules.length > 0)
    ? "(deleted by the next prune run)"
    : "(no retention)";
  return formatTable(
    ["created on", "retained by"],
    [...retained].reverse().map(({ day, rules }) => [day, rules.join(", ") || withoutRule]),
  );
}

/** Returns a sentence that names the maximum number of snapshots at the same time, and the first day on which it occurs. */
export function describePeak(days: readonly SimulatedDay[]): string {
  const max = days.reduce((peak, day) => Math.max(peak, day.peak), 0);
  const firstDay = days.find(({ peak }) => peak === max)?.day;
  return `The number of snapshots reaches its maximum, ${max}, on ${firstDay}. It includes the snapshots that the next prune run deletes.`;
}

/** The maximum number of standard snapshots per disk, including group members (SOURCES.md#evs-standard-per-disk-limit). */
const MAX_STANDARD = 256;
/** The maximum number of standard snapshots with instant access per disk (SOURCES.md#evs-standard-per-disk-limit). */
const MAX_INSTANT = 7;

function limitOf({ kind: name, instant_access }: Selector): { max?: number; label: string } {
  const { maxPerResource, target }: Kind = KINDS[name];
  if (maxPerResource !== undefined || !("instant_access" in target.defaults))
    return { max: maxPerResource, label: name };
  return instant_access === true
    ? { max: MAX_INSTANT, label: `${name} with instant access` }
    : { max: MAX_STANDARD, label: name };
}

/** Returns a sentence for each snapshot limit per disk that the policy exceeds. */
export function describeExceededLimits(days: readonly SimulatedDay[], targets: readonly Selector[]): string[] {
  const sentences = targets.map(limitOf).flatMap(({ max, label }) => {
    const fullDay = max === undefined ? undefined : days.find(({ beforeNextCreate }) => beforeNextCreate >= max);
    if (fullDay === undefined) return [];
    return `A disk can have ${max} snapshots of the kind ${label}. The policy retains ${fullDay.beforeNextCreate} on ${fullDay.day}, so the next create would fail with QuotaExceeded. Retain fewer snapshots, or prune more often.`;
  });
  return [...new Set(sentences)];
}
