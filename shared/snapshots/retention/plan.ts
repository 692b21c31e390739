import type { Instant } from "../../core/instant.ts";
import { DAY_MS, type WallTimeConverter } from "../../core/time-zone.ts";
import type { FoundSnapshot } from "../kinds/kind.ts";
import { foreignReason } from "../ownership.ts";
import type { Retention } from "../policy.ts";
import { dayOf, PERIODS } from "./calendar.ts";
import { holdReason, namesIn, unusableTimeReason } from "./holds.ts";

/** The decision of the retention rules about one snapshot. */
export interface Verdict {
  snapshot: FoundSnapshot;
  decision: "kept" | "deleted" | "held";
  /** The reason for the decision, as the result record shows it. */
  rule: string;
  /** True if the snapshot is a younger duplicate of another snapshot. */
  isDuplicate?: boolean;
}

export interface RetentionOptions {
  retention: Retention;
  /** Converts instants into the local time of the policy, which decides when days, weeks, months and years begin. */
  toWallTime: WallTimeConverter;
  /** The ids or names of snapshots that prune never deletes. */
  hold: readonly string[];
  /**
   * The current time. Prune never deletes snapshots whose creation time is before 2015 or too late. Undefined in a simulation,
   * which accepts every creation time.
   */
  now?: Instant;
  /** Returns why a snapshot is never deleted, in addition to the reasons of `holdReason`. Default: no further reasons. */
  extraHoldReason?(snapshot: FoundSnapshot): string | undefined;
}

/** How long after a snapshot a duplicate is created at most, in milliseconds. Later, a caller may have reused the key. */
export const MAX_APART_MS = 3_600_000;

/**
 * Returns whether a retention has at least one rule other than `min_keep`. Without such a rule, prune would delete all but
 * `min_keep` snapshots.
 */
export const keepsSomething = ({ min_keep: _, ...rules }: Retention): boolean =>
  Object.values(rules).some((count = 0) => count > 0);

/** Returns the resource id of a snapshot. For a group of individual disks, returns the disk ids of its members. */
export const resourceOf = ({ resource, members }: FoundSnapshot): string | undefined =>
  resource ??
  (members
    ?.map((member) => member.resource)
    .sort()
    .join(",") ||
    undefined);

/** Groups snapshots by resource. Snapshot groups without known disks are grouped by request hash. */
export function groupByResource(snapshots: readonly FoundSnapshot[]): FoundSnapshot[][] {
  const lists = new Map<string, FoundSnapshot[]>();
  for (const snapshot of snapshots) {
    // Stryker disable next-line OptionalChaining: every snapshot here has a marker, which the type does not express
    const resource = resourceOf(snapshot) ?? `content ${snapshot.marker?.requestHash}`;
    const list = lists.get(resource);
    if (list === undefined) lists.set(resource, [snapshot]);
    else list.push(snapshot);
  }
  return [...lists.values()];
}

/**
 * Decides which snapshots of one resource and policy to keep. The rules are the same as in restic's `forget`: a snapshot is
 * deleted if no rule keeps it. The function has no side effects, and the order of `snapshots` does not matter.
 *
 * **The rule that keeps the last good snapshot** is `min_keep`. It keeps the newest good snapshots, and always at least one,
 * even if the policy sets no `min_keep`. See the last step of `applyRules`.
 *
 * - A snapshot is good if it is available. The rules count only good snapshots.
 * - A failed snapshot is deleted if a newer good snapshot exists.
 * - A snapshot in creation, in deletion, or with an unknown status is kept. The rules do not count it.
 * - A held snapshot is never deleted. The rules do not count it.
 * - `keepLastOfDisks` keeps the newest good group of each disk, because a newer group lacks the disk if the disk was detached
 *   from the server.
 *
 * @returns one verdict per snapshot, newest first
 */
export function planRetention(snapshots: readonly FoundSnapshot[], options: RetentionOptions): Verdict[] {
  const hold = namesIn(options.hold);
  const { now, extraHoldReason } = options;
  const duplicates = youngerDuplicates(snapshots.filter(isAvailable), MAX_APART_MS);
  const newestFirst = snapshots
    .map(
      (snapshot): Entry => ({
        snapshot,
        available: isAvailable(snapshot),
        time: unusableTimeReason(snapshot, now) === undefined ? timeOf(snapshot) : Infinity,
        held: holdReason(snapshot, hold, now) ?? extraHoldReason?.(snapshot),
        original: duplicates.get(snapshot),
        rules: undefined,
      }),
    )
    .sort((a, b) => b.time - a.time || compareNewestFirst(a.snapshot, b.snapshot));
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
    if (held !== undefined) return decide(snapshot, "held", held);
    if (rules !== undefined) return decide(snapshot, "kept", rules.join(", "));
    if (snapshot.state === "failed") {
      const onlyDisk = goodDisksOf(snapshot).find((disk) => !lastOfDisks.has(disk));
      if (newestGood === undefined || newestGood.time <= time) {
        return decide(snapshot, "kept", "failed, and no newer good snapshot exists");
      }
      return onlyDisk === undefined
        ? decide(snapshot, "deleted", "failed, and a newer good snapshot exists")
        : decide(snapshot, "kept", `failed, but contains the only good snapshot of disk ${onlyDisk}`);
    }
    if (!available) return decide(snapshot, "kept", `its status is ${snapshot.status}`);
    return original === undefined
      ? decide(snapshot, "deleted", "kept by no rule")
      : { ...decide(snapshot, "deleted", `twin of ${original.id}`), isDuplicate: true };
  });
}

/** A snapshot with the facts that the retention rules need, and the names of the rules that keep this snapshot. */
interface Entry {
  snapshot: FoundSnapshot;
  available: boolean;
  /** The creation time in milliseconds; Infinity if it is unknown or not credible. */
  time: number;
  /** The reason why the snapshot is never deleted; undefined if it may be deleted. */
  held: string | undefined;
  /** The older snapshot of the same request, if this snapshot is a duplicate. */
  original: FoundSnapshot | undefined;
  /** The names of the rules that keep the snapshot; undefined if no rule keeps it. */
  rules: string[] | undefined;
}

const decide = (snapshot: FoundSnapshot, decision: Verdict["decision"], rule: string): Verdict => ({
  snapshot,
  decision,
  rule,
});

const isAvailable = ({ state }: FoundSnapshot): boolean => state === "available";

/** Returns the creation time of a snapshot. A snapshot without a creation time counts as new. */
const timeOf = ({ created }: FoundSnapshot): number => created ?? Infinity;

/** Compares two snapshots for sorting, newest first. Snapshots with equal creation times are sorted by id. */
export const compareNewestFirst = (a: FoundSnapshot, b: FoundSnapshot): number =>
  // For two snapshots without a creation time, the difference is NaN, so their ids decide.
  // Stryker disable next-line EqualityOperator: ids are unique
  timeOf(b) - timeOf(a) || (a.id < b.id ? 1 : -1);

/**
 * Finds duplicate snapshots: several snapshots for the same create request. Two deliveries of an event at the same moment can
 * create them. duplicates.ts decides which of them prune deletes.
 *
 * @param snapshots the snapshots of one resource that have not failed
 * @param maxApartMs the maximum number of milliseconds between a duplicate and the previous snapshot for the same request. Default:
 *   no maximum
 * @returns a map from each younger duplicate to the oldest snapshot for the same request
 */
export function youngerDuplicates(
  snapshots: readonly FoundSnapshot[],
  maxApartMs = Infinity,
): Map<FoundSnapshot, FoundSnapshot> {
  const previous = new Map<string, FoundSnapshot>();
  const duplicates = new Map<FoundSnapshot, FoundSnapshot>();
  const marked = snapshots.filter(
    (snapshot) =>
      snapshot.marker !== undefined && snapshot.created !== undefined && foreignReason(snapshot) === undefined,
  );
  for (const snapshot of marked.sort(compareNewestFirst).reverse()) {
    // Duplicates have the same idempotency key and the same create options.
    const identity = `${snapshot.marker?.idempotencyKey} ${snapshot.marker?.requestHash}`;
    const older = previous.get(identity);
    if (older !== undefined && timeOf(snapshot) - timeOf(older) <= maxApartMs) {
      duplicates.set(snapshot, duplicates.get(older) ?? older);
    }
    previous.set(identity, snapshot);
  }
  return duplicates;
}

/**
 * Adds to the field `rules` of each snapshot's entry the names of the retention rules that keep the snapshot. Only `min_keep`
 * keeps duplicates (see `youngerDuplicates`), and only if there are fewer good snapshots than `min_keep`.
 *
 * @param good the good snapshots that are not duplicates, newest first
 */
function applyRules(
  good: readonly Entry[],
  duplicates: readonly Entry[],
  { retention, toWallTime }: Pick<RetentionOptions, "retention" | "toWallTime">,
): void {
  const keep = (entry: Entry, rule: string) => {
    entry.rules = [...(entry.rules ?? []), rule];
  };
  const wallTime = (entry: Entry | undefined) => toWallTime((entry?.time ?? 0) as Instant);

  for (const entry of good.slice(0, retention.keep_last ?? 0)) keep(entry, "keep_last");

  const days = retention.keep_within_days ?? 0;
  const since = wallTime(good[0]) - days * DAY_MS;
  for (const entry of good) {
    if (wallTime(entry) <= since) break;
    keep(entry, "keep_within_days");
  }

  for (const [rule, periodOf] of Object.entries(PERIODS)) {
    let periodsLeft = retention[rule as keyof typeof PERIODS] ?? 0;
    let previousDay: number | undefined;
    // If the clock is set back across midnight, a day occurs twice. Only the newest snapshot of the day is kept.
    const seenPeriods = new Set<number>();
    for (let index = 0; index < good.length && periodsLeft > 0; index += 1) {
      const entry = good[index] as Entry;
      const isOldest = index === good.length - 1;
      const entryDay = dayOf(wallTime(entry));
      // Stryker disable next-line ConditionalExpression: this condition only saves time
      if (entryDay === previousDay && !isOldest) continue;
      previousDay = entryDay;
      const period = periodOf(entryDay);
      // Keep the newest snapshot of each period. If the rule can keep more snapshots than there are periods, it also keeps the
      // oldest snapshot, as in restic.
      if (seenPeriods.has(period) && !isOldest) continue;
      keep(entry, seenPeriods.has(period) ? `oldest ${rule}` : rule);
      seenPeriods.add(period);
      periodsLeft -= 1;
    }
  }

  // `min_keep` keeps the newest good snapshots, and at least one, even if other rules already keep enough older snapshots.
  // Otherwise, an additional rule in a policy could cause the deletion of a newer snapshot.
  const minKeep = Math.max(1, retention.min_keep ?? 1);
  for (const entry of [...good.slice(0, minKeep), ...duplicates.slice(0, Math.max(0, minKeep - good.length))]) {
    if (entry.rules === undefined) keep(entry, "min_keep");
  }
}

/**
 * Returns the ids of the disks for which a snapshot group has an available member. Members without a disk id count as snapshots of one
 * unknown disk, because they may be the last snapshots of their disks.
 */
const goodDisksOf = ({ members }: FoundSnapshot): string[] =>
  members?.flatMap(({ resource = "unknown", state }) => (state === "available" ? [resource] : [])) ?? [];

/**
 * Keeps the newest good group of each disk, in addition to the groups that the rules keep.
 *
 * @param good the good groups without duplicates, newest first, followed by the duplicates. Because of this order, the function
 *   keeps a duplicate only if it contains a disk that no other good group contains.
 * @returns a map from each disk id to the newest good group that contains the disk
 */
function keepLastOfDisks(good: readonly Entry[]): Map<string, Entry> {
  const last = new Map<string, Entry>();
  const lastDisksOf = new Map<Entry, string[]>();
  for (const entry of good) {
    // Stryker disable next-line ConditionalExpression: this condition only saves time
    if (entry.snapshot.members === undefined) continue;
    for (const disk of goodDisksOf(entry.snapshot)) {
      if (last.has(disk)) continue;
      last.set(disk, entry);
      if (entry.rules === undefined) lastDisksOf.set(entry, [...(lastDisksOf.get(entry) ?? []), disk]);
    }
  }
  for (const [entry, disks] of lastDisksOf) entry.rules = [`the last good one of disk ${disks.join(" and ")}`];
  return last;
}
