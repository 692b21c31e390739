import { credibleTime, type Instant, MAX_CREATED_AHEAD_MS } from "../core/instant.ts";
import { MAX_ORPHANS, type Orphan } from "./coverage.ts";
import { insertSorted, orderOf } from "./tally.ts";

/** The snapshots of one kind whose resource is not in the list of resources. */
interface OrphansOfKind {
  count: number;
  /** The oldest of them, oldest first, at most `MAX_ORPHANS`. */
  oldest: Orphan[];
}

/** Collects snapshots whose resource is not in the list of resources. */
export interface OrphanCollector {
  add(orphan: Orphan): void;
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
  return {
    add({ created, ...orphan }) {
      const ofKind = kinds.get(orphan.kind) ?? { count: 0, oldest: [] };
      kinds.set(orphan.kind, ofKind);
      ofKind.count += 1;
      const credible = credibleTime(created, now, MAX_CREATED_AHEAD_MS);
      insertSorted(ofKind.oldest, { ...orphan, ...(credible && { created: credible }) }, ageOf, MAX_ORPHANS);
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
