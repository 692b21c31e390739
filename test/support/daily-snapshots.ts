/** Snapshots that were created once a day, for the tests of prune and makeRoomBy. */
import { before } from "../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../shared/snapshots/kinds/kind.ts";
import { type PrunePolicy, prune } from "../../shared/snapshots/retention/prune.ts";
import { DAY_MS, type DomainFixture, START, snapshot, snapshotOf } from "./domain.ts";

export const keepLast = (keep_last: number): PrunePolicy => ({ policy: "nightly", retention: { keep_last } });

/** Calls `prune` and returns a line for each record, such as `b deleted: kept by no rule`. */
export async function outcomesOfPrune(fixture: DomainFixture, policy = keepLast(1)) {
  await prune(policy, fixture.runContext);
  return fixture.outcomes();
}

/** Returns available snapshots of a resource, one per day, newest first. */
export const dailySnapshots = (resource: string, ...ids: string[]): FoundSnapshot[] =>
  ids.map((id, day) => snapshotOf(id, resource, { created: before(START, day * DAY_MS) }));

/** Returns daily snapshots s-0, s-1 and so on of disk-1, newest first. `changes` maps the index of a snapshot to its changes. */
export const snapshotsOfDisk = (count: number, changes: Record<number, Partial<FoundSnapshot>> = {}) =>
  dailySnapshots("disk-1", ...Array.from({ length: count }, (_, index) => `s-${index}`)).map((found, index) => ({
    ...found,
    ...changes[index],
  }));

export const DISK_OPTIONS = { volume_id: "disk-1" };
export const LIST = "listFor snapshot disk-1";

/** Returns the ids of the disk snapshots that exist. */
export const remainingIds = ({ cloud }: DomainFixture) => cloud.snapshotsOf(snapshot).map(({ id }) => id);

/** Returns the delete requests with their times, such as `0 s remove snapshot b`. */
export const deleteCalls = ({ cloud }: DomainFixture) => cloud.calls.filter((call) => call.includes("remove"));

/** Returns three ids that are unique to the disk, such as a7, b7 and c7. */
export const threeIds = (disk: number): string[] => ["a", "b", "c"].map((letter) => `${letter}${disk}`);
