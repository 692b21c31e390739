import { describe, expect, test } from "vitest";
import { hasCreatedSnapshots } from "../../../../shared/snapshots/create/create-all.ts";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { createTarget, type Target } from "../../../../shared/snapshots/policy.ts";
import {
  cloudError,
  cluster,
  createCalls,
  createFixture,
  createSeconds,
  type DomainFixture,
  group,
  STATUS,
  snapshot,
  snapshotOf,
  startPlus,
} from "../../../support/domain.ts";
import { createAllWithIndex, diskTarget, diskTargets, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

describe("createAll if the same run may be in progress in another instance", () => {
  const LONG = { seconds: 600, concurrency: 2 };

  const createMissing = (fixture: DomainFixture, targets: readonly Target[], run = RUN) =>
    createAllWithIndex(fixture, targets, { run, until: startPlus(500_000) });

  test("createAll lists the snapshots every 20 s until a concurrent delivery creates no further snapshots, then creates the missing ones", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
    fixture.cloud.onNextCalls("listAll", undefined, () =>
      fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(2), "b", { created: fixture.time.now() })),
    );
    await createMissing(fixture, diskTargets(4));
    expect(fixture.cloud.calls.slice(0, 3)).toEqual([
      "0 s listAll snapshot",
      "20 s listAll snapshot",
      "40 s listAll snapshot",
    ]);
    expect(createCalls(fixture)).toEqual(["40 s create snapshot disk-3", "40 s create snapshot disk-4"]);
    expect(fixture.outcomes().sort()).toEqual(["a existing", "b existing", "made-1 accepted", "made-2 accepted"]);
  });

  test("createAll does not wait if the first list response contains snapshots of the scheduled run for no target or for every target", async () => {
    const none = createFixture(LONG);
    await createMissing(none, diskTargets(3));
    expect(none.time.seconds()).toBe(0);
    const all = createFixture(LONG);
    all.cloud.add(snapshot, ...diskTargets(3).map((target, index) => snapshotCreatedFor(target, `s-${index}`)));
    await createMissing(all, diskTargets(3));
    expect(all.time.seconds()).toBe(0);
    expect(all.cloud.requests()).toEqual(["listAll snapshot"]);
  });

  test("createAll does not wait if the listed snapshots belong to other runs or other resources or name no resource", async () => {
    const clusters = [1, 2, 3].map((number) => createTarget(cluster, `cluster-${number}`));
    const others: [Kind, readonly Target[], FoundSnapshot][] = [
      [snapshot, diskTargets(3), snapshotOf("a", "disk-1")],
      [snapshot, diskTargets(3), snapshotCreatedFor(diskTarget(9), "b")],
      [snapshot, diskTargets(3), snapshotCreatedFor(diskTarget(1), "c", { resource: undefined })],
      [cluster, clusters, snapshotOf("d", "cluster-1")],
      [cluster, clusters, snapshotOf("e", "cluster-1", { marker: undefined })],
      [cluster, clusters, snapshotCreatedFor(createTarget(cluster, "cluster-9"), "f")],
    ];
    for (const [kind, targets, other] of others) {
      const fixture = createFixture(LONG);
      fixture.cloud.add(kind, other);
      // A snapshot of another run or resource does not show that this run has begun.
      expect(await hasCreatedSnapshots(targets, RUN, indexExistingSnapshots(RUN, fixture.runContext)), other.id).toBe(
        false,
      );
      await createMissing(fixture, targets);
      expect(fixture.time.seconds(), other.id).toBe(0);
    }
  });

  test("hasCreatedSnapshots returns true only if one of the given targets has a snapshot of the scheduled run", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(2), "a"));
    expect(await hasCreatedSnapshots(diskTargets(1), RUN, indexExistingSnapshots(RUN, fixture.runContext))).toBe(false);
    expect(await hasCreatedSnapshots(diskTargets(2), RUN, indexExistingSnapshots(RUN, fixture.runContext))).toBe(true);
  });

  test("createAll waits 10 s before the first create request if an earlier delivery has started the same shard of the scheduled run", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 4 });
    const run = { ...RUN, again: true };
    fixture.cloud.onNextCalls("listAll", undefined, () =>
      fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"), snapshotCreatedFor(diskTarget(2), "b")),
    );
    await createMissing(fixture, diskTargets(2), run);
    expect(fixture.cloud.calls).toEqual(["0 s listAll snapshot", "10 s listAll snapshot"]);
    expect(fixture.outcomes().sort()).toEqual(["a existing", "b existing"]);

    const nobody = createFixture({ seconds: 600, concurrency: 4 });
    await createMissing(nobody, diskTargets(2), run);
    expect(createCalls(nobody).map((call) => call.split(" ")[0])).toEqual(["10", "10"]);
  });

  test("createAll waits 20 s if an earlier delivery has created one of the shard's three snapshots", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 4 });
    const run = { ...RUN, again: true };
    fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
    await createMissing(fixture, diskTargets(3), run);
    expect(fixture.time.seconds()).toBe(20);
  });

  test("createAll does not wait if the concurrency limit allows starting all targets at the same time", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
    await createMissing(fixture, diskTargets(2));
    expect(fixture.time.seconds()).toBe(0);
  });

  test("createAll records every target as failed without waiting if every list request fails", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.onEveryCall("listAll", cloudError("AccessDenied"));
    await createMissing(fixture, diskTargets(3));
    expect(fixture.outcomes()).toEqual([1, 2, 3].map((number) => `disk-${number} failed: AccessDenied`));
  });

  test("createAll waits until the newest snapshot of the scheduled run is 20 s old, and waits 20 s if its creation time is unknown or in the future", async () => {
    /** Returns the second of the first create request if the run's existing snapshots have the given ages in milliseconds. */
    const firstCreateAfter = async (...ages: (number | undefined)[]) => {
      const fixture = createFixture(LONG);
      for (const [index, age] of ages.entries()) {
        const created = age === undefined ? undefined : startPlus(-age);
        fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(index + 1), `s-${index}`, { created }));
      }
      await createMissing(fixture, diskTargets(4));
      const listRequests = fixture.cloud.requests().filter((request) => request.startsWith("listAll"));
      const [second] = createSeconds(fixture);
      expect(listRequests).toHaveLength(second === "0" ? 1 : 2);
      return second;
    };
    expect(await firstCreateAfter(15_000)).toBe("5");
    expect(await firstCreateAfter(19_999, 300_000)).toBe("0.001");
    expect(await firstCreateAfter(20_000)).toBe("0");
    expect(await firstCreateAfter(300_000)).toBe("0");
    expect(await firstCreateAfter(undefined)).toBe("20");
    // The clock of EVS is ahead of the function's clock.
    expect(await firstCreateAfter(-60_000)).toBe("20");
  });

  test("createAll does not wait if the wait would reach the deadline, because a missing snapshot is worse than a duplicate", async () => {
    const fixture = createFixture({ seconds: 20, concurrency: 2 });
    fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
    await createMissing(fixture, diskTargets(3));
    expect(fixture.outcomes()).toEqual(["a existing", "made-1 accepted", "made-2 accepted"]);
    expect(fixture.time.seconds()).toBe(0);

    const longer = createFixture({ seconds: 20.001, concurrency: 2 });
    longer.cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
    await createMissing(longer, diskTargets(3));
    expect(longer.cloud.requests().slice(0, 2)).toEqual(["listAll snapshot", "listAll snapshot"]);
  });

  test("createAll does not wait if this instance has just completed the same scheduled run", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.onNextCalls("create", undefined, cloudError("AccessDenied"));
    await createMissing(fixture, diskTargets(3));
    await createMissing(fixture, diskTargets(3));
    expect(fixture.outcomes().slice(-3).sort()).toEqual(["made-1 existing", "made-2 existing", "made-3 accepted"]);
    expect(fixture.time.seconds()).toBe(0);
  });

  test("createAll creates a new snapshot of a server whose snapshot group is being deleted", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 4 });
    fixture.cloud.add(group, snapshotCreatedFor(createTarget(group, "server-1"), "a", STATUS.deleting));
    await createMissing(fixture, [createTarget(group, "server-1")]);
    expect(fixture.outcomes()).toEqual(["made-1 accepted"]);
  });
});
