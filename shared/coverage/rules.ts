/**
 * The rules of the coverage report: what a snapshot means for its disk or cluster, and which state a disk or cluster has. The
 * rules send no requests. Whatever is unknown, unreadable or incomplete never makes a resource `protected`.
 */
import { credibleTime, type Instant, MAX_CREATED_AHEAD_MS } from "../core/instant.ts";
import type { FoundSnapshot, State } from "../snapshots/kinds/kind.ts";
import { BACKUP_NAME } from "../snapshots/ownership.ts";
import type { CoverageState } from "./coverage.ts";

/**
 * What a snapshot means for its resource:
 *
 * - `good`: the resource can be restored from it.
 * - `failed`: an attempt to create a snapshot failed.
 * - `creating`: the snapshot may become good.
 * - `unknown`: its status is unknown, or its creation time is missing, before 2015 or more than 1 hour in the future.
 * - `ignored`: a backup owns the snapshot, or the snapshot is in deletion.
 */
export type Meaning = "good" | "failed" | "creating" | "unknown" | "ignored";

/**
 * Returns what a snapshot means for its resource.
 *
 * @param state the state of the snapshot. For a member of a snapshot group, the state that `stateOfMember` returns
 */
export function meaningOf(
  { name, created }: Pick<FoundSnapshot, "name" | "created">,
  state: State,
  now: Instant,
): Meaning {
  if (state === "deleting" || BACKUP_NAME.test(name)) return "ignored";
  if (state === "unknown" || credibleTime(created, now, MAX_CREATED_AHEAD_MS) === undefined) return "unknown";
  return state === "available" ? "good" : state;
}

/** The facts about the snapshots of one resource from which its state follows. All times are credible. */
export interface Evidence {
  /** The creation time of the newest good snapshot. */
  newestGood?: Instant;
  /** The creation time of the newest failed snapshot. */
  newestFailed?: Instant;
  /**
   * The creation time of the newest snapshot with an unknown status. Infinity if the creation time of a snapshot is unknown,
   * because this snapshot may be the newest.
   */
  newestUnknown?: number;
}

/** The conditions under which `coverageStateOf` judges a resource. */
export interface Conditions {
  now: Instant;
  maxAgeHours: number;
  /** Whether one of the excluded tags matches. */
  isExcluded: boolean;
  /**
   * Which snapshots of the resource the lists can lack, because a list is incomplete or the resource of a snapshot is unknown:
   * any, or only old ones that cannot protect the resource. Undefined for none.
   */
  lacks?: "any" | "old";
}

/** Returns the state of a resource. The first state that applies wins, in the order of `COVERAGE_STATES`. */
export function coverageStateOf(
  { newestGood, newestFailed, newestUnknown }: Evidence,
  { now, maxAgeHours, isExcluded, lacks }: Conditions,
): CoverageState {
  if (isExcluded) return "excluded";
  if (newestGood !== undefined && isYoung(newestGood, now, maxAgeHours)) return "protected";
  // A snapshot with an unknown status does not matter if a newer good snapshot exists.
  const isNewestUnknown = newestUnknown !== undefined && (newestGood === undefined || newestUnknown >= newestGood);
  if (lacks === "any" || isNewestUnknown) return "unknown";
  if (newestFailed !== undefined && (newestGood === undefined || newestFailed > newestGood)) return "failing";
  if (newestGood !== undefined) return "stale";
  return lacks === undefined ? "unprotected" : "unknown";
}

const HOUR_MS = 3_600_000;

/** Returns whether a good snapshot with this creation time protects its resource. */
export const isYoung = (created: number, now: Instant, maxAgeHours: number): boolean =>
  now - created <= maxAgeHours * HOUR_MS;

/**
 * Returns the age of a snapshot in hours with one decimal. Rounds down if the snapshot is young enough, and up if it is too old,
 * so the number never contradicts the state of the resource. Returns 0 for a creation time in the future.
 */
export function ageHoursOf(created: Instant, now: Instant, maxAgeHours: number): number {
  const tenths = (Math.max(0, now - created) / HOUR_MS) * 10;
  return (isYoung(created, now, maxAgeHours) ? Math.floor(tenths) : Math.ceil(tenths)) / 10;
}
