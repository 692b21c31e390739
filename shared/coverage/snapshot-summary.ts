import { credibleTime, type Instant, MAX_CREATED_AHEAD_MS } from "../core/instant.ts";
import { boundText } from "../core/untrusted.ts";
import type { FoundSnapshot } from "../snapshots/kinds/kind.ts";
import { MAX_RESTORE_POINTS, type RestorePoint, TIMELINE, TIMELINE_DAYS } from "./coverage.ts";
import type { Meaning } from "./rules.ts";

/** The maximum number of characters of a name from a list response. EVS and DWS allow shorter names only. */
export const MAX_NAME_LENGTH = 255;
/** The maximum number of failed snapshots of a resource whose creation times are kept. */
export const MAX_FAILURES = 100;
/** The maximum number of policies that are named for one resource. */
const MAX_POLICIES = 20;

const DAY_MS = 86_400_000;

/** A snapshot, or a member of a snapshot group, as the summary needs it. */
export interface CountedSnapshot {
  /** The kind of the snapshot. A member of a snapshot group has the kind `snapshot-group`. */
  kind: string;
  found: Pick<FoundSnapshot, "id" | "name" | "status" | "created">;
  groupId?: string;
  policy?: string;
  createdBy: string;
}

/** A snapshot whose status or creation time is unknown. */
export interface UnknownSnapshot {
  kind: string;
  id: string;
  groupId?: string;
  status: string;
  /** Undefined if the creation time is unknown. */
  created?: Instant;
}

/** What the snapshots of one resource add up to. Its size does not depend on the number of snapshots. */
export interface SnapshotSummary {
  good: number;
  failed: number;
  /** The number of snapshots that a backup owns or that are in deletion. */
  ignored: number;
  /** The newest good snapshots, newest first. */
  points: RestorePoint[];
  /** The creation times of the newest failed snapshots, newest first, at most `MAX_FAILURES`. */
  failures: Instant[];
  /** The creation time of the newest snapshot in creation. */
  newestCreating?: Instant;
  /** The newest snapshot whose status or creation time is unknown. An unknown creation time counts as the newest. */
  newestUnknown?: UnknownSnapshot;
  policies: string[];
  timeline: Uint8Array;
}

export const createSummary = (): SnapshotSummary => ({
  good: 0,
  failed: 0,
  ignored: 0,
  points: [],
  failures: [],
  policies: [],
  timeline: new Uint8Array(TIMELINE_DAYS),
});

/** Adds a snapshot to the summary of its resource. */
export function addToSummary(
  summary: SnapshotSummary,
  snapshot: CountedSnapshot,
  meaning: Meaning,
  now: Instant,
): void {
  if (meaning === "ignored") {
    summary.ignored += 1;
    return;
  }
  const { kind, found, groupId, policy, createdBy } = snapshot;
  const { id, status } = found;
  if (policy !== undefined && summary.policies.length < MAX_POLICIES && !summary.policies.includes(policy))
    summary.policies.push(policy);
  const created = credibleTime(found.created, now, MAX_CREATED_AHEAD_MS);
  // The rules give every snapshot without a credible time the meaning `unknown`.
  if (meaning === "unknown" || created === undefined) {
    const previous = summary.newestUnknown;
    if (previous === undefined || orderOf(created) > orderOf(previous.created))
      summary.newestUnknown = { kind, id, groupId, status, created };
    return;
  }
  markDay(summary.timeline, created, TIMELINE[meaning], now);
  if (meaning === "creating") {
    summary.newestCreating = created > (summary.newestCreating ?? -1) ? created : summary.newestCreating;
  } else if (meaning === "failed") {
    summary.failed += 1;
    insertSorted(summary.failures, created, Number, MAX_FAILURES);
  } else {
    summary.good += 1;
    const name = boundText(found.name, MAX_NAME_LENGTH);
    const point = { kind, id, ...(groupId && { groupId }), name, created, ...(policy && { policy }), createdBy };
    insertSorted(summary.points, point, (one) => one.created, MAX_RESTORE_POINTS);
  }
}

/** Returns a number that orders snapshots with unknown properties by time. An unknown creation time counts as the newest. */
export const orderOf = (created: Instant | undefined): number => created ?? Number.POSITIVE_INFINITY;

/** Inserts an item into a list with the highest rank first, and drops the last item if the list has more than `max` items. */
export function insertSorted<Item>(list: Item[], item: Item, rankOf: (item: Item) => number, max: number): void {
  const rank = rankOf(item);
  let place = list.length;
  while (place > 0 && rankOf(list[place - 1] as Item) < rank) place -= 1;
  if (place >= max) return;
  list.splice(place, 0, item);
  if (list.length > max) list.pop();
}

/** Adds a value to the element of a timeline for the UTC day of a time. The last element is the day of `now`. */
function markDay(timeline: Uint8Array, created: Instant, value: number, now: Instant): void {
  const daysAgo = Math.max(0, Math.floor(now / DAY_MS) - Math.floor(created / DAY_MS));
  const day = TIMELINE_DAYS - 1 - daysAgo;
  if (day >= 0) timeline[day] = (timeline[day] ?? 0) | value;
}
