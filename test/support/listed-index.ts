/** Creates an index of existing snapshots that has listed the snapshots once. */
import { indexExistingSnapshots } from "../../shared/snapshots/create/existing-snapshots.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import { createTarget } from "../../shared/snapshots/policy.ts";
import { createFixture, snapshot, snapshotOf, startPlus } from "./domain.ts";
import { diskTarget, RUN, snapshotCreatedFor } from "./runs.ts";

export const ids = (found: readonly { id: string }[]) => found.map(({ id }) => id);

/** Returns `count` snapshots of disk-9. Each snapshot is 1 s younger than the snapshot before it. */
export const agedSnapshots = (count: number): FoundSnapshot[] =>
  Array.from({ length: count }, (_, number) =>
    snapshotOf(`old-${number}`, "disk-9", { created: startPlus((number - count) * 1_000) }),
  );

/** Creates a cloud with the snapshots `found`, and an index that has listed them once. */
export async function createListedIndex(
  found: FoundSnapshot[],
  { newestFirst = true, kind = snapshot as Kind, random = () => 0 } = {},
) {
  const fixture = createFixture({ seconds: 600, newestFirst, random });
  fixture.cloud.add(kind, ...found);
  const index = indexExistingSnapshots(RUN, fixture.runContext);
  const target = kind === snapshot ? diskTarget(1) : createTarget(kind, "resource-1");
  await index.find(target);
  fixture.cloud.calls.length = 0;
  return {
    ...fixture,
    index,
    target,
    /** Waits until the list response is too old, and returns the ids that `find` returns. */
    async findLater(milliseconds = 1_001) {
      await fixture.time.sleep(milliseconds);
      return ids(await index.find(target));
    },
    /** Adds a snapshot that another process of the run creates now for the target. */
    addMine: (id = "mine", changes: Partial<FoundSnapshot> = {}) =>
      fixture.cloud.add(kind, snapshotCreatedFor(target, id, { created: fixture.time.now(), ...changes })),
  };
}
