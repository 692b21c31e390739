import type { SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";

/** The maximum age of a list response, in milliseconds, in addition to the duration of its list request. */
export const MAX_AGE_MS = 1_000;
/** The maximum number of rows of a whole list that is read for every refresh. */
const MAX_REREAD_ROWS = 2_000;
/** The number of rows in a refresh. The order of a whole list is checked for as many rows. */
const NEWEST_ROWS = 200;

/**
 * How a refresh reads the snapshots of a kind. `newest`: the newest rows only. `whole`: all rows. `each`: the snapshots of each
 * resource when a caller asks for them.
 */
type RefreshMode = "newest" | "whole" | "each";

/** What the list responses of one kind have shown so far. */
export interface KindList {
  mode: RefreshMode;
  /** True if the newest rows did not show a new snapshot in time. All further refreshes then read more than the newest rows. */
  isUnsorted: boolean;
  /** When the last successful list request was sent. Undefined before the first one. */
  sentAt?: Instant;
  durationMs: number;
  maxAgeMs: number;
  rows: number;
  byId: Map<string, FoundSnapshot>;
  byResource: Map<string | undefined, Map<string, FoundSnapshot>>;
  counts: Map<string | undefined, number>;
  /** The ids of rows that earlier list responses contained. */
  remembered: Set<string>;
  /** The snapshots that this process created and no list response has shown yet, with the time of the create response. */
  unlisted: Map<string, Instant>;
  reading?: Promise<void>;
  /** The error of the last list request, and when it failed. Undefined if the last list request succeeded. */
  failure?: { at: Instant; error: SnapshotError };
}

/** Creates the state of a kind whose snapshots have not been listed. */
export const createKindList = (): KindList => ({
  mode: "whole",
  isUnsorted: false,
  durationMs: 0,
  maxAgeMs: MAX_AGE_MS,
  rows: 0,
  byId: new Map(),
  byResource: new Map(),
  counts: new Map(),
  remembered: new Set(),
  unlisted: new Map(),
});

/**
 * Returns whether the first rows of a list are sorted by creation time, newest first. Rows without a creation time are ignored.
 */
export function isNewestFirst(rows: readonly FoundSnapshot[]): boolean {
  const times = rows
    .slice(0, NEWEST_ROWS)
    .map(({ created }) => created)
    .filter((created) => created !== undefined);
  return times.every((created, index) => index === 0 || created <= (times[index - 1] as Instant));
}

/** Returns how to refresh a list whose newest rows are not at its start. */
export const modeWithoutOrder = ({ uniqueNames }: Kind, rows: number): RefreshMode =>
  uniqueNames || rows <= MAX_REREAD_ROWS ? "whole" : "each";
