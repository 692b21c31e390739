import type { Instant } from "../../core/instant.ts";
import { DAY_MS, dayOf, monthOf, type WallClock, weekOf, yearOf } from "../../core/time-zone.ts";
import type { FoundSnapshot } from "../kinds/kind.ts";
import { foreignReason } from "../ownership.ts";
import type { Retention } from "../policy.ts";

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
  /** Ids or names of what is never deleted. */
  hold: readonly string[];
  /** What is dated later than this is of no known age. Undefined: every time is taken as it is. */
  now?: Instant;
}

/** How far the cloud's clock may be ahead of ours. */
const AHEAD_MS = 3_600_000;

/** Whether a retention keeps anything by a rule; one that does not would delete all but `min_keep`. */
export const keepsSomething = ({ min_keep: _, ...rules }: Retention): boolean =>
  Object.values(rules).some((count = 0) => count > 0);

/** What a snapshot is of: the disk, server or cluster; for a group of single disks these, from its members. */
export const resourceOf = ({ resource, members }: FoundSnapshot): string | undefined =>
  resource ??
  (members
    ?.map((member) => member.resource)
    .sort()
    .join(",") ||
    undefined);

/** Snapshots by what they are of. Groups whose disks cannot be named any more: those that were asked for alike. */
export function byResource(found: readonly FoundSnapshot[]): FoundSnapshot[][] {
  const lists = new Map<string, FoundSnapshot[]>();
  for (const snapshot of found) {
    // Stryker disable next-line OptionalChaining: all of ours have one, which their type does not say
    const resource = resourceOf(snapshot) ?? `content ${snapshot.marker?.requestHash}`;
    const list = lists.get(resource);
    if (list === undefined) lists.set(resource, [snapshot]);
    else list.push(snapshot);
  }
  return [...lists.values()];
}

/**
 * What is to become of the snapshots of one resource that one policy made, as restic's `forget` has it: each rule keeps
 * what it keeps, and what no rule keeps goes. Pure; the order of the list changes nothing.
 *
 * Only available snapshots are good: they count, and they go by the rules. A failed one counts for nothing and goes once a
 * newer good one exists. What is being created or deleted, or is in a status that we do not know, neither counts nor goes.
 * What is held neither counts nor goes: others take its place. The newest `min_keep` (at least 1) good ones always stay, and
 * so does the newest good group with each disk: a disk may have left its server, and newer groups do not have it.
 */
export function planRetention(snapshots: readonly FoundSnapshot[], options: RetentionOptions): Verdict[] {
  const hold = namesIn(options.hold);
  const latest = (options.now ?? Number.POSITIVE_INFINITY) + AHEAD_MS;
  const duplicates = youngerDuplicates(snapshots.filter(isAvailable));
  const newestFirst = snapshots
    .map((snapshot) => entryOf(snapshot, latest, whyHeld(snapshot, hold, latest), duplicates.get(snapshot)))
    .sort((a, b) => b.time - a.time || byAge(a.snapshot, b.snapshot));
  const good: Entry[] = [];
  const spare: Entry[] = [];
  for (const entry of newestFirst) {
    if (entry.available && entry.held === undefined) (entry.twin === undefined ? good : spare).push(entry);
  }
  applyRules(good, spare, options);
  const lastOfDisks = keepLastOfDisks([...good, ...spare]);
  const newestGood = newestFirst.find(({ available, twin, time }) => available && !twin && time < Infinity);

  return newestFirst.map(({ snapshot, available, time, held, twin, rules }): Verdict => {
    if (held !== undefined) return { snapshot, decision: "held", rule: held };
    if (rules !== undefined) return { snapshot, decision: "kept", rule: rules.join(", ") };
    if (snapshot.state === "failed") {
      const only = goodDisksOf(snapshot).find((disk) => !lastOfDisks.has(disk));
      if (newestGood === undefined || newestGood.time <= time) {
        return { snapshot, decision: "kept", rule: "failed, and no newer good one exists" };
      }
      return only === undefined
        ? { snapshot, decision: "deleted", rule: "failed, and a newer good one exists" }
        : { snapshot, decision: "kept", rule: `failed, but it has the only good one of disk ${only}` };
    }
    if (!available) return { snapshot, decision: "kept", rule: `in the status ${snapshot.status}` };
    return { snapshot, decision: "deleted", rule: twin === undefined ? "kept by no rule" : `twin of ${twin.id}` };
  });
}

/** What is known of a snapshot before the rules, and by which of them it stays. */
interface Entry {
  snapshot: FoundSnapshot;
  available: boolean;
  time: number;
  held: string | undefined;
  /** The older one, where this is a twin. */
  twin: FoundSnapshot | undefined;
  rules: string[] | undefined;
}

const entryOf = (
  snapshot: FoundSnapshot,
  latest: number,
  held: string | undefined,
  twin: FoundSnapshot | undefined,
): Entry => ({
  snapshot,
  available: isAvailable(snapshot),
  // Stryker disable next-line EqualityOperator: whether it is that very moment changes nothing
  time: timeOf(snapshot) > latest ? Number.POSITIVE_INFINITY : timeOf(snapshot),
  held,
  twin,
  rules: undefined,
});

const isAvailable = ({ state }: FoundSnapshot): boolean => state === "available";

/** One without a time is taken for new. */
const timeOf = ({ created }: FoundSnapshot): number => created ?? Number.POSITIVE_INFINITY;

/** Newest first; at the same time by id, so that the order is always the same. */
const byAge = (a: FoundSnapshot, b: FoundSnapshot): number =>
  // Two without a time are NaN apart.
  // Stryker disable next-line EqualityOperator: an id is there once
  timeOf(b) - timeOf(a) || (a.id < b.id ? 1 : -1);

/** What is never deleted, whoever made it (DESIGN 5.4). A group goes with its members, so what holds one of them holds it. */
function whyHeld(snapshot: FoundSnapshot, hold: ReadonlySet<string>, latest: number): string | undefined {
  const { members, created } = snapshot;
  const own = howHeld(snapshot, hold);
  if (own !== undefined) return own;
  for (const member of members ?? []) {
    const how = howHeld(member, hold);
    if (how !== undefined) return `its member ${member.id} is ${how}`;
  }
  const notOurs = foreignReason(snapshot);
  if (notOurs !== undefined) return notOurs;
  // Without a time it cannot be told what it is kept or goes by, and a wrong one would push out the others.
  if (created === undefined) return "its time cannot be read";
  return created > latest ? "its time is in the future" : undefined;
}

/** How somebody holds a snapshot. Who writes it by hand writes it in more than one way: what looks like a hold is one. */
function howHeld(snapshot: FoundSnapshot, hold: ReadonlySet<string>): string | undefined {
  const { description, labels } = snapshot;
  if (isNamedIn(hold, snapshot)) return "held by the policy";
  for (const key in labels) {
    if (key.trim().toLowerCase() === "hold" && labels[key] !== "false") return "held by its label";
  }
  if (description?.match(/^\s*hold(?![a-z0-9])/i)) return "held by its description";
  return undefined;
}

/** The ids and names in a policy's `hold`, as they are compared. */
export const namesIn = (hold: readonly string[]): Set<string> => new Set(hold.map((text) => text.trim().toLowerCase()));

/** Whether a policy's `hold` has the id or the name of a snapshot. */
export const isNamedIn = (hold: ReadonlySet<string>, { id, name }: FoundSnapshot): boolean =>
  // Stryker disable next-line ConditionalExpression,EqualityOperator: only saves work
  hold.size > 0 && (hold.has(id.toLowerCase()) || (name !== "" && hold.has(name.toLowerCase())));

/**
 * Two first deliveries at once can make two of one (DESIGN 4.4). Younger twin -> the oldest one, which stays.
 *
 * @param standing the snapshots of one resource that stand for what was asked for
 */
export function youngerDuplicates(standing: readonly FoundSnapshot[]): Map<FoundSnapshot, FoundSnapshot> {
  const oldest = new Map<string, FoundSnapshot>();
  const duplicates = new Map<FoundSnapshot, FoundSnapshot>();
  const marked = standing.filter(
    (snapshot) =>
      snapshot.marker !== undefined && snapshot.created !== undefined && foreignReason(snapshot) === undefined,
  );
  for (const snapshot of marked.sort(byAge).reverse()) {
    // Created for one event: then also the same was asked for.
    const identity = `${snapshot.marker?.idempotencyKey} ${snapshot.marker?.requestHash}`;
    const first = oldest.get(identity);
    if (first === undefined) oldest.set(identity, snapshot);
    else duplicates.set(snapshot, first);
  }
  return duplicates;
}

/** Says of good snapshots, newest first, by which rules they stay; of twins only where there is nothing else to keep. */
function applyRules(
  good: readonly Entry[],
  duplicates: readonly Entry[],
  { retention, wallClock }: Pick<RetentionOptions, "retention" | "wallClock">,
): void {
  const keep = (entry: Entry, rule: string) => {
    entry.rules = [...(entry.rules ?? []), rule];
  };
  const wallTime = (entry: Entry | undefined) => wallClock((entry?.time ?? 0) as Instant);

  for (const entry of good.slice(0, retention.keep_last ?? 0)) keep(entry, "keep_last");

  const days = retention.keep_within_days ?? 0;
  const since = wallTime(good[0]) - days * DAY_MS;
  for (const entry of good) {
    if (wallTime(entry) <= since) break;
    keep(entry, "keep_within_days");
  }

  for (const [rule, periodOf] of Object.entries(PERIODS)) {
    let left = retention[rule as keyof typeof PERIODS] ?? 0;
    let day: number | undefined;
    // A clock that is set back over midnight comes to a day twice: its newest is kept once.
    const seen = new Set<number>();
    for (let index = 0; index < good.length && left > 0; index += 1) {
      const entry = good[index] as Entry;
      const oldest = index === good.length - 1;
      const its = dayOf(wallTime(entry));
      // Stryker disable next-line ConditionalExpression: only saves work
      if (its === day && !oldest) continue;
      day = its;
      const period = periodOf(its);
      // The newest of each period; and, as restic does, the oldest of all where there are fewer periods than asked for.
      if (seen.has(period) && !oldest) continue;
      keep(entry, seen.has(period) ? `oldest ${rule}` : rule);
      seen.add(period);
      left -= 1;
    }
  }

  // Not only where the rules keep fewer: else a further rule could cost a snapshot that stayed without it.
  const least = Math.max(1, retention.min_keep ?? 1);
  for (const entry of [...good.slice(0, least), ...duplicates.slice(0, Math.max(0, least - good.length))]) {
    if (entry.rules === undefined) keep(entry, "min_keep");
  }
}

/** The disks of which a group has a good snapshot. */
const goodDisksOf = ({ members }: FoundSnapshot): string[] =>
  members?.flatMap(({ resource, state }) => (state === "available" && resource !== undefined ? [resource] : [])) ?? [];

/**
 * Has the last good group with a disk stay, whatever the rules say. Returns disk -> that group.
 *
 * @param good newest first; twins after all others, for the disks that only they have
 */
function keepLastOfDisks(good: readonly Entry[]): Map<string, Entry> {
  const last = new Map<string, Entry>();
  const alone = new Map<Entry, string[]>();
  for (const entry of good) {
    // Stryker disable next-line ConditionalExpression: only saves work
    if (entry.snapshot.members === undefined) continue;
    for (const disk of goodDisksOf(entry.snapshot)) {
      if (last.has(disk)) continue;
      last.set(disk, entry);
      if (entry.rules === undefined) alone.set(entry, [...(alone.get(entry) ?? []), disk]);
    }
  }
  for (const [entry, disks] of alone) entry.rules = [`the last good one of disk ${disks.join(" and ")}`];
  return last;
}

/** Rule -> the period that a day is in. */
const PERIODS = {
  keep_daily: (day: number) => day,
  keep_weekly: weekOf,
  keep_monthly: monthOf,
  keep_yearly: yearOf,
} as const;
