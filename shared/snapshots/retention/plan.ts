import type { Instant } from "../../core/instant.ts";
import { DAY_MS, type WallClock } from "../../core/time-zone.ts";
import type { FoundSnapshot } from "../kinds/kind.ts";
import { foreignReason } from "../ownership.ts";
import type { Retention } from "../policy.ts";
import { dayOf, PERIODS } from "./calendar.ts";

/** The decision of the retention about a snapshot. */
export interface Verdict {
  snapshot: FoundSnapshot;
  decision: "kept" | "deleted" | "held";
  /** The reason for the decision, for people. */
  rule: string;
  /** True if the snapshot is a younger duplicate of another one. */
  isDuplicate?: boolean;
}

export interface RetentionOptions {
  retention: Retention;
  /** The clock of the zone in which days, weeks, months and years begin. */
  wallClock: WallClock;
  /** The ids or names of snapshots that are never deleted. */
  hold: readonly string[];
  /** The current time. The age of a snapshot with a later time is unknown. Undefined: every time is valid. */
  now?: Instant;
}

/** How far the cloud's clock can be ahead. */
const AHEAD_MS = 3_600_000;

/** Returns whether a retention has a rule that keeps snapshots. Without such a rule, prune would delete all but `min_keep`. */
export const keepsSomething = ({ min_keep: _, ...rules }: Retention): boolean =>
  Object.values(rules).some((count = 0) => count > 0);

/** Returns the disk, server or cluster of a snapshot. For a group of individual disks, returns the disks of its members. */
export const resourceOf = ({ resource, members }: FoundSnapshot): string | undefined =>
  resource ??
  (members
    ?.map((member) => member.resource)
    .sort()
    .join(",") ||
    undefined);

/** Groups snapshots by resource. If the disks of a snapshot group are unknown, the request hash takes their place. */
export function byResource(snapshots: readonly FoundSnapshot[]): FoundSnapshot[][] {
  const lists = new Map<string, FoundSnapshot[]>();
  for (const snapshot of snapshots) {
    // Stryker disable next-line OptionalChaining: all of these have a marker, which the type does not express
    const resource = resourceOf(snapshot) ?? `content ${snapshot.marker?.requestHash}`;
    const list = lists.get(resource);
    if (list === undefined) lists.set(resource, [snapshot]);
    else list.push(snapshot);
  }
  return [...lists.values()];
}

/**
 * Decides which snapshots of one resource and policy to keep, with the rules of restic's `forget`: a snapshot is deleted if no
 * rule keeps it. A pure function. The order of the snapshots does not matter.
 *
 * - Available snapshots are good. Only they count for the rules.
 * - A failed snapshot is deleted if a newer good one exists.
 * - A snapshot that is being created or deleted, or whose status is unknown, is kept and does not count.
 * - A held snapshot is never deleted and does not count, so it does not use up the number of a rule.
 * - The newest `min_keep` good snapshots are always kept, and at least one.
 * - The newest good group with each disk is always kept, because newer groups may lack a disk that left the server.
 *
 * @returns one verdict per snapshot, newest first
 */
export function planRetention(snapshots: readonly FoundSnapshot[], options: RetentionOptions): Verdict[] {
  const hold = namesIn(options.hold);
  const latest = (options.now ?? Number.POSITIVE_INFINITY) + AHEAD_MS;
  const duplicates = youngerDuplicates(snapshots.filter(isAvailable));
  const newestFirst = snapshots
    .map((snapshot) => entryOf(snapshot, latest, holdReason(snapshot, hold, latest), duplicates.get(snapshot)))
    .sort((a, b) => b.time - a.time || byAge(a.snapshot, b.snapshot));
  const good: Entry[] = [];
  const duplicateEntries: Entry[] = [];
  for (const entry of newestFirst) {
    if (!entry.available || entry.held !== undefined) continue;
    (entry.original === undefined ? good : duplicateEntries).push(entry);
  }
  applyRules(good, duplicateEntries, options);
  const lastOfDisks = keepLastOfDisks([...good, ...duplicateEntries]);
  const newestGood = newestFirst.find(({ available, original, time }) => available && !original && time < Infinity);

  return newestFirst.map(({ snapshot, available, time, held, original, rules }): Verdict => {
    if (held !== undefined) return { snapshot, decision: "held", rule: held };
    if (rules !== undefined) return { snapshot, decision: "kept", rule: rules.join(", ") };
    if (snapshot.state === "failed") {
      const onlyDisk = goodDisksOf(snapshot).find((disk) => !lastOfDisks.has(disk));
      if (newestGood === undefined || newestGood.time <= time) {
        return { snapshot, decision: "kept", rule: "failed, and no newer good one exists" };
      }
      return onlyDisk === undefined
        ? { snapshot, decision: "deleted", rule: "failed, and a newer good one exists" }
        : { snapshot, decision: "kept", rule: `failed, but it has the only good one of disk ${onlyDisk}` };
    }
    if (!available) return { snapshot, decision: "kept", rule: `in the status ${snapshot.status}` };
    return original === undefined
      ? { snapshot, decision: "deleted", rule: "kept by no rule" }
      : { snapshot, decision: "deleted", rule: `twin of ${original.id}`, isDuplicate: true };
  });
}

/** A snapshot with the facts that the rules need, and the rules that keep it. */
interface Entry {
  snapshot: FoundSnapshot;
  available: boolean;
  /** Infinity if the time is unknown. */
  time: number;
  /** The reason for which the snapshot is held. */
  held: string | undefined;
  /** The older snapshot of which this one is a duplicate. */
  original: FoundSnapshot | undefined;
  /** The rules that keep the snapshot; undefined if there are none. */
  rules: string[] | undefined;
}

const entryOf = (
  snapshot: FoundSnapshot,
  latest: number,
  held: string | undefined,
  original: FoundSnapshot | undefined,
): Entry => ({
  snapshot,
  available: isAvailable(snapshot),
  // Stryker disable next-line EqualityOperator: the result for exactly that moment does not matter
  time: timeOf(snapshot) > latest ? Number.POSITIVE_INFINITY : timeOf(snapshot),
  held,
  original,
  rules: undefined,
});

const isAvailable = ({ state }: FoundSnapshot): boolean => state === "available";

/** Returns the time of a snapshot. A snapshot without a time counts as new. */
const timeOf = ({ created }: FoundSnapshot): number => created ?? Number.POSITIVE_INFINITY;

/** Sorts the newest first. Snapshots of the same time are sorted by id, so the order is always the same. */
const byAge = (a: FoundSnapshot, b: FoundSnapshot): number =>
  // The difference of two snapshots without a time is NaN.
  // Stryker disable next-line EqualityOperator: ids are unique
  timeOf(b) - timeOf(a) || (a.id < b.id ? 1 : -1);

/**
 * Returns why a snapshot is never deleted, or undefined. If a member is held, its group is held, too, because deleting the group
 * would delete the member.
 */
function holdReason(snapshot: FoundSnapshot, hold: ReadonlySet<string>, latest: number): string | undefined {
  const { members, created } = snapshot;
  const own = userHold(snapshot, hold);
  if (own !== undefined) return own;
  for (const member of members ?? []) {
    const held = userHold(member, hold);
    if (held !== undefined) return `its member ${member.id} is ${held}`;
  }
  const foreign = foreignReason(snapshot);
  if (foreign !== undefined) return foreign;
  // No rule applies to a snapshot without a time, and a wrong time would displace other snapshots.
  if (created === undefined) return "its time cannot be read";
  return created > latest ? "its time is in the future" : undefined;
}

/** Returns how a user holds a snapshot, or undefined. People spell `hold` by hand, so it is matched leniently. */
function userHold(snapshot: FoundSnapshot, hold: ReadonlySet<string>): string | undefined {
  const { description, labels } = snapshot;
  if (isNamedIn(hold, snapshot)) return "held by the policy";
  for (const key in labels) {
    if (key.trim().toLowerCase() === "hold" && labels[key] !== "false") return "held by its label";
  }
  if (description?.match(/^\s*hold(?![a-z0-9])/i)) return "held by its description";
  return undefined;
}

/** Returns the ids and names in a policy's `hold` in a form for comparison. */
export const namesIn = (hold: readonly string[]): Set<string> => new Set(hold.map((text) => text.trim().toLowerCase()));

/** Returns whether a policy's `hold` contains the id or the name of a snapshot. */
export const isNamedIn = (hold: ReadonlySet<string>, { id, name }: FoundSnapshot): boolean =>
  // Stryker disable next-line ConditionalExpression,EqualityOperator: only saves time
  hold.size > 0 && (hold.has(id.toLowerCase()) || (name !== "" && hold.has(name.toLowerCase())));

/**
 * Finds duplicates. Two first deliveries of an event at the same moment can create two snapshots for one request.
 *
 * @param snapshots the snapshots of one resource that can satisfy a request
 * @returns the oldest snapshot of the same request, by younger duplicate
 */
export function youngerDuplicates(snapshots: readonly FoundSnapshot[]): Map<FoundSnapshot, FoundSnapshot> {
  const oldest = new Map<string, FoundSnapshot>();
  const duplicates = new Map<FoundSnapshot, FoundSnapshot>();
  const marked = snapshots.filter(
    (snapshot) =>
      snapshot.marker !== undefined && snapshot.created !== undefined && foreignReason(snapshot) === undefined,
  );
  for (const snapshot of marked.sort(byAge).reverse()) {
    // Duplicates have the same key and the same options.
    const identity = `${snapshot.marker?.idempotencyKey} ${snapshot.marker?.requestHash}`;
    const first = oldest.get(identity);
    if (first === undefined) oldest.set(identity, snapshot);
    else duplicates.set(snapshot, first);
  }
  return duplicates;
}

/**
 * Sets the rules that keep each good snapshot. Duplicates are kept only if there are fewer good snapshots than `min_keep`.
 *
 * @param good newest first
 */
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
    // If a clock is set back over midnight, a day occurs twice, but only its newest snapshot is kept.
    const seen = new Set<number>();
    for (let index = 0; index < good.length && left > 0; index += 1) {
      const entry = good[index] as Entry;
      const isOldest = index === good.length - 1;
      const entryDay = dayOf(wallTime(entry));
      // Stryker disable next-line ConditionalExpression: only saves time
      if (entryDay === day && !isOldest) continue;
      day = entryDay;
      const period = periodOf(entryDay);
      // Keep the newest of each period. Like restic, also keep the oldest of all if the rule has periods left.
      if (seen.has(period) && !isOldest) continue;
      keep(entry, seen.has(period) ? `oldest ${rule}` : rule);
      seen.add(period);
      left -= 1;
    }
  }

  // Apply min_keep even if the rules keep more snapshots. Otherwise, an additional rule could delete a snapshot.
  const minKeep = Math.max(1, retention.min_keep ?? 1);
  for (const entry of [...good.slice(0, minKeep), ...duplicates.slice(0, Math.max(0, minKeep - good.length))]) {
    if (entry.rules === undefined) keep(entry, "min_keep");
  }
}

/** Returns the disks of which a group has a good snapshot. */
const goodDisksOf = ({ members }: FoundSnapshot): string[] =>
  members?.flatMap(({ resource, state }) => (state === "available" && resource !== undefined ? [resource] : [])) ?? [];

/**
 * Keeps the newest good group with each disk, regardless of the rules.
 *
 * @param good newest first; duplicates after all others, so they are kept only for disks that no other group has
 * @returns the newest good group by disk
 */
function keepLastOfDisks(good: readonly Entry[]): Map<string, Entry> {
  const last = new Map<string, Entry>();
  const alone = new Map<Entry, string[]>();
  for (const entry of good) {
    // Stryker disable next-line ConditionalExpression: only saves time
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
