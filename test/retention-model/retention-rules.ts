/** The retention rules as the checker understands them: with sets and formatted dates, and without calendar arithmetic. */
import { type Facts, generatedEnding, holdOf } from "./facts.ts";
import type { KnownPolicy } from "./history.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The number of create attempts whose generated names belong to a request. */
const MAX_ATTEMPTS = 20;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Formats a time in a zone, such as `2026-11-21 02:00:00`. */
function formatIn(zone: string, time: number): string {
  if (zone === "UTC") return new Date(time).toISOString().slice(0, 19).replace("T", " ");
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
    formats.set(zone, format);
  }
  return format.format(time);
}

/** Maps each rule to a function that returns the name of the period that contains a date. */
const PERIODS: Record<string, (date: string) => string> = {
  keep_daily: (date) => date,
  keep_weekly: (date) => {
    // A week is named by the date of its Thursday.
    const day = new Date(`${date}T00:00:00Z`);
    day.setUTCDate(day.getUTCDate() + 4 - (day.getUTCDay() || 7));
    return day.toISOString().slice(0, 10);
  },
  keep_monthly: (date) => date.slice(0, 7),
  keep_yearly: (date) => date.slice(0, 4),
};

/**
 * Returns the snapshots that a retention rule other than `min_keep` keeps, and the rule. The rules count only the given
 * snapshots. They are those of restic's `forget`.
 *
 * @param good good snapshots of one resource, newest first
 */
export function keptByRules(
  good: readonly Facts[],
  { retention = {}, time_zone = "UTC" }: KnownPolicy,
): Map<string, string> {
  const kept = new Map<string, string>();
  const times = good.map(({ time }) => time as number);
  const texts = times.map((time) => formatIn(time_zone, time));
  const wallTimes = texts.map(
    (text, index) => Date.parse(`${text.replace(" ", "T")}Z`) + ((times[index] as number) % 1_000),
  );
  for (const { id } of good.slice(0, retention.keep_last ?? 0)) kept.set(id, "keep_last");

  const since = (wallTimes[0] ?? 0) - (retention.keep_within_days ?? 0) * DAY_MS;
  for (const [index, { id }] of good.entries()) {
    if ((wallTimes[index] as number) <= since) break;
    if (retention.keep_within_days) kept.set(id, "keep_within_days");
  }

  for (const [rule, nameOf] of Object.entries(PERIODS)) {
    const limit = retention[rule as keyof typeof retention] ?? 0;
    if (limit === 0) continue;
    const periods = new Set<string>();
    for (const [index, { id }] of good.entries()) {
      const period = nameOf((texts[index] as string).slice(0, 10));
      if (periods.has(period) || periods.size >= limit) continue;
      periods.add(period);
      kept.set(id, rule);
    }
    const oldest = good.at(-1);
    const allPeriods = new Set(texts.map((text) => nameOf(text.slice(0, 10))));
    if (oldest !== undefined && limit > allPeriods.size) kept.set(oldest.id, `oldest ${rule}`);
  }
  return kept;
}

/**
 * Finds the duplicates that may be deleted. A snapshot is such a duplicate of an older snapshot if all of this holds: equal
 * markers and resources (groups: the same disks); both are good; their creation times are at most 1 h apart, and the younger is
 * at least 1 h old; neither is held nor foreign; their names are equal, or the request generates both. A snapshot that may itself
 * be deleted as a duplicate has no duplicates.
 *
 * @param snapshots the snapshots of one resource
 * @returns a map from the id of each such duplicate to the id of the older snapshot
 */
export function findDuplicates(snapshots: readonly Facts[], now: number): Map<string, string> {
  const duplicates = new Map<string, string>();
  const families = new Map<string, Facts[]>();
  for (const facts of snapshots) {
    const { marker, time, isGood, foreign, hasOtherType } = facts;
    const isCandidate = marker && time !== undefined && time <= now + HOUR_MS && isGood && !foreign && !hasOtherType;
    if (!isCandidate || holdOf(facts, now) !== undefined) continue;
    const family = `${marker.key} ${marker.content}`;
    families.set(family, [...(families.get(family) ?? []), facts]);
  }
  for (const family of families.values()) {
    const remaining: Facts[] = [];
    for (const facts of family.sort((a, b) => timeIn(a) - timeIn(b) || (a.id < b.id ? -1 : 1))) {
      const original = remaining.find((older) => isDuplicateOf(older, facts, now));
      if (original === undefined) remaining.push(facts);
      else duplicates.set(facts.id, original.id);
    }
  }
  return duplicates;
}

const timeIn = ({ time }: Facts): number => time as number;

function isDuplicateOf(older: Facts, younger: Facts, now: number): boolean {
  const disks = [older, younger].map(({ members }) => members.map(({ resource }) => resource).sort());
  const sameDisks = JSON.stringify(disks[0]) === JSON.stringify(disks[1]) && !disks[0]?.includes(undefined);
  return (
    sameDisks &&
    timeIn(younger) - timeIn(older) <= HOUR_MS &&
    now - timeIn(younger) >= HOUR_MS &&
    (older.name === younger.name || [older, younger].every(hasGeneratedName))
  );
}

const hasGeneratedName = ({ kind, name, resource = "", marker }: Facts): boolean =>
  Array.from({ length: MAX_ATTEMPTS }, (_, index) => index + 1).some((attempt) =>
    name.toLowerCase().endsWith(generatedEnding(kind, resource, marker?.key ?? "", attempt)),
  );
