/** Calls `createAll` for a run that several processes may work on. */
import type { FoundSnapshot } from "../../shared/snapshots/kinds/kind.ts";
import type { Target } from "../../shared/snapshots/policy.ts";
import { type DomainFixture, snapshot, startPlus } from "./domain.ts";
import { createAllWithIndex, diskTarget, RUN, snapshotCreatedFor } from "./runs.ts";

/** The options of a fixture in which a run of more than two targets acquires the run lock. */
export const LONG = { seconds: 600, concurrency: 2, newestFirst: true };

export const createMissing = (
  fixture: DomainFixture,
  targets: readonly Target[],
  run = RUN,
  until = startPlus(500_000),
): Promise<Target[]> => createAllWithIndex(fixture, targets, { run, until });

/** Returns the number of snapshots of each resource in the cloud, such as `{ "disk-1": 2 }`. */
export function countByResource({ cloud }: DomainFixture): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { resource = "" } of cloud.snapshotsOf(snapshot)) counts[resource] = (counts[resource] ?? 0) + 1;
  return counts;
}

/** Adds a snapshot of the run that another process created now. */
export const addOther = (fixture: DomainFixture, number: number, changes: Partial<FoundSnapshot> = {}): void =>
  fixture.cloud.add(
    snapshot,
    snapshotCreatedFor(diskTarget(number), `other-${number}`, { created: fixture.time.now(), ...changes }),
  );
