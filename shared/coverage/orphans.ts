import { credibleTime, type Instant, MAX_CREATED_AHEAD_MS } from "../core/instant.ts";
import { MAX_ORPHANS, type Orphan } from "./coverage.ts";
import { insertSorted, orderOf } from "./snapshot-summary.ts";

/** The snapshots of one kind whose resource is not in the list of resources. */
interface OrphansOfKind {
  count: number;
  /** The oldest of them, oldest first, at most `MAX_ORPHANS`. */
  oldest: Orphan[];
}

/**
 * A snapshot of at most this age, in milliseconds, may belong to a resource that was created while the report read its lists. A
 * report takes less time.
 */
const YOUNG_MS = 3_600_000;

/** Collects snapshots whose resource is not in the list of resources. */
export interface OrphanCollector {
  add(orphan: Orphan): void;
  /** The number of snapshots that were added. */
  added: number;
  /** Returns whether the list of resources must be read again, because a snapshot is young or its creation time is unknown. */
  needsSecondList(): boolean;
  /** Drops the young snapshots whose resource is in the second list. Must be called before `collect` if a second list is needed. */
  confirm(exists: (resource: string) => boolean): void;
  /**
   * Returns the orphans of the kinds for which `isComplete` returns true, oldest first.
   *
   * @returns `count`: the number of these orphans, including those beyond `MAX_ORPHANS`
   */
  collect(isComplete: (kind: string) => boolean): { orphans: Orphan[]; count: number };
}

export function createOrphanCollector(now: Instant): OrphanCollector {
  const kinds = new Map<string, OrphansOfKind>();
  // Orphans with an unknown creation time come last.
  const ageOf = ({ created }: Orphan) => -orderOf(created);
  const young: Orphan[] = [];
  const count = (orphan: Orphan) => {
    const ofKind = kinds.get(orphan.kind) ?? { count: 0, oldest: [] };
    kinds.set(orphan.kind, ofKind);
    ofKind.count += 1;
    insertSorted(ofKind.oldest, orphan, ageOf, MAX_ORPHANS);
  };
  return {
    added: 0,
    add({ created: listed, ...orphan }) {
      this.added += 1;
      const created = credibleTime(listed, now, MAX_CREATED_AHEAD_MS);
      if (created === undefined) young.push(orphan);
      else if (created > now - YOUNG_MS) young.push({ ...orphan, created });
      else count({ ...orphan, created });
    },
    needsSecondList: () => young.length > 0,
    confirm(exists) {
      for (const orphan of young.splice(0)) if (!exists(orphan.resourceId)) count(orphan);
    },
    collect(isComplete) {
      const complete = [...kinds].filter(([kind]) => isComplete(kind)).map(([, ofKind]) => ofKind);
      return {
        orphans: sortOrphans(complete.flatMap(({ oldest }) => oldest)),
        count: complete.reduce((sum, { count }) => sum + count, 0),
      };
    },
  };
}

/** Sorts orphans by creation time, the oldest first, and returns at most `MAX_ORPHANS` of them. */
export const sortOrphans = (orphans: Orphan[]): Orphan[] =>
  orphans.sort((a, b) => compare(orderOf(a.created), orderOf(b.created))).slice(0, MAX_ORPHANS);

const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
