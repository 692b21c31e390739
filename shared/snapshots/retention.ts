import type { Instant } from "./instant.ts";
import type { FoundSnapshot } from "./kinds/kind.ts";
import type { Retention } from "./policy.ts";
import { DAY_MS, dayOf, monthOf, type WallClock, weekOf, yearOf } from "./zone.ts";

/** What retention says of one snapshot, and by which rule. */
export interface Verdict {
  snapshot: FoundSnapshot;
  decision: "kept" | "deleted" | "held";
  rule: string;
}

export interface RetentionOptions {
  retention: Retention;
  /** Of the zone in which days, weeks, months and years begin. */
  wallClock: WallClock;
  /** Ids that are never deleted. */
  hold: readonly string[];
}

/** Whether a retention keeps anything by a rule; one that does not would delete all but `min_keep`. */
export const keepsSomething = ({ min_keep: _, ...rules }: Retention): boolean =>
  Object.values(rules).some((count) => count !== undefined && count > 0);

/**
 * What is to become of the snapshots of one resource that one policy made, as restic's `forget` has it: each rule keeps
 * what it keeps, and what no rule keeps goes. Pure; the order of the list changes nothing.
 *
 * Only available snapshots are good: they count, and they go by the rules. A failed one counts for nothing and goes once a
 * newer good one exists. What is being created or deleted, or is in a status that we do not know, neither counts nor goes.
 * What is held neither counts nor goes: others take its place. `min_keep` (at least 1) good ones always stay.
 */
export function planRetention(snapshots: readonly FoundSnapshot[], options: RetentionOptions): Verdict[] {
  const { retention, wallClock, hold } = options;
  const newestFirst = [...snapshots].sort(byAge);
  const held = new Map(newestFirst.map((snapshot) => [snapshot, whyHeld(snapshot, hold)]));
  const free = newestFirst.filter((snapshot) => held.get(snapshot) === undefined);
  const twins = youngerTwins(free);
  const good = free.filter((snapshot) => snapshot.state === "available" && !twins.has(snapshot));
  const kept = keptBy(good, retention, wallClock);
  const newestGood = good[0];

  return newestFirst.map((snapshot): Verdict => {
    const why = held.get(snapshot);
    if (why !== undefined) return { snapshot, decision: "held", rule: why };
    const twin = twins.get(snapshot);
    if (twin !== undefined) return { snapshot, decision: "deleted", rule: `twin of ${twin.id}` };
    if (snapshot.state === "failed") {
      const superseded = newestGood !== undefined && byAge(newestGood, snapshot) < 0;
      return superseded
        ? { snapshot, decision: "deleted", rule: "failed, and a newer good one exists" }
        : { snapshot, decision: "kept", rule: "failed, and no newer good one exists" };
    }
    if (snapshot.state !== "available") return { snapshot, decision: "kept", rule: `in the status ${snapshot.status}` };
    const rules = kept.get(snapshot);
    if (rules !== undefined) return { snapshot, decision: "kept", rule: rules.join(", ") };
    return { snapshot, decision: "deleted", rule: "kept by no rule" };
  });
}

/** Newest first; at the same time by id, so that the order is always the same. One without a time is taken for new. */
const byAge = (a: FoundSnapshot, b: FoundSnapshot): number =>
  (b.created ?? Number.MAX_SAFE_INTEGER) - (a.created ?? Number.MAX_SAFE_INTEGER) ||
  (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

/** What is never deleted, whoever made it (DESIGN 5.4). */
function whyHeld(
  { id, name, description, labels, raw, created }: FoundSnapshot,
  hold: readonly string[],
): string | undefined {
  if (hold.includes(id)) return "held by the policy";
  if (Object.hasOwn(labels, "hold") && labels.hold !== "false") return "held by its label";
  if (/^hold\b/i.test(description ?? "")) return "held by its description";
  if (name.startsWith("autobk_snapshot_")) return "made by a backup";
  if (Object.hasOwn(labels, "__system__enableActive")) return "made by the system";
  if (typeof raw.type === "string" && raw.type.toUpperCase() === "AUTO") return "automated";
  if (typeof raw.snapshot_group_id === "string" && raw.snapshot_group_id !== "") return "a member of a group";
  // Without a time it cannot be told what it is kept or goes by.
  if (created === undefined) return "its time cannot be read";
  return undefined;
}

/**
 * Two first deliveries at once can make two of one (DESIGN 4.4): the younger one goes, once the older one is available.
 * Younger twin -> the one that stays.
 */
function youngerTwins(newestFirst: readonly FoundSnapshot[]): Map<FoundSnapshot, FoundSnapshot> {
  const oldest = new Map<string, FoundSnapshot>();
  const twins = new Map<FoundSnapshot, FoundSnapshot>();
  for (const snapshot of [...newestFirst].reverse()) {
    const { marker, state } = snapshot;
    if (marker === undefined || state !== "available") continue;
    const older = oldest.get(marker.key);
    if (older === undefined) oldest.set(marker.key, snapshot);
    else twins.set(snapshot, older);
  }
  return twins;
}

/** Good snapshots, newest first -> those that stay, each with its rules. */
function keptBy(
  good: readonly FoundSnapshot[],
  retention: Retention,
  wallClock: WallClock,
): Map<FoundSnapshot, string[]> {
  const kept = new Map<FoundSnapshot, string[]>();
  const keep = (snapshot: FoundSnapshot, rule: string) => {
    const rules = kept.get(snapshot);
    if (rules === undefined) kept.set(snapshot, [rule]);
    else rules.push(rule);
  };
  const timeOf = ({ created }: FoundSnapshot) => wallClock(created as Instant);

  for (const snapshot of good.slice(0, retention.keep_last ?? 0)) keep(snapshot, "keep_last");

  const days = retention.keep_within_days ?? 0;
  const newest = good[0];
  for (const snapshot of days > 0 ? good : []) {
    if (timeOf(snapshot) <= timeOf(newest as FoundSnapshot) - days * DAY_MS) break;
    keep(snapshot, "keep_within_days");
  }

  for (const [rule, periodOf] of Object.entries(PERIODS)) {
    let left = retention[rule as keyof typeof PERIODS] ?? 0;
    let last: number | undefined;
    for (const [index, snapshot] of good.entries()) {
      if (left === 0) break;
      const period = periodOf(timeOf(snapshot));
      // The newest of each period; and, as restic does, the oldest of all where there are fewer periods than asked for.
      if (period === last && index < good.length - 1) continue;
      keep(snapshot, period === last ? `oldest ${rule}` : rule);
      last = period;
      left -= 1;
    }
  }

  const least = Math.max(1, retention.min_keep ?? 1);
  for (const snapshot of good) {
    if (kept.size >= least) break;
    if (!kept.has(snapshot)) keep(snapshot, "min_keep");
  }
  return kept;
}

/** Rule -> the period that a wall-clock time is in. */
const PERIODS = { keep_daily: dayOf, keep_weekly: weekOf, keep_monthly: monthOf, keep_yearly: yearOf } as const;
