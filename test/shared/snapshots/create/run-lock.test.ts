/** Tests that only one of several processes that execute the same run creates the snapshots of the run. */
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
  STATUS,
  snapshot,
  snapshotOf,
  standard,
  startPlus,
} from "../../../support/domain.ts";
import { addOther, countByResource, createMissing, LONG } from "../../../support/run-locks.ts";
import { diskTarget, diskTargets, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

describe("createAll in the only process of a run", () => {
  test("createAll creates the first of three snapshots alone, lists the snapshots after 6 s and then creates the others", async () => {
    const fixture = createFixture(LONG);
    await createMissing(fixture, diskTargets(3));
    expect(createSeconds(fixture)).toEqual(["0", "6", "6"]);
    expect(fixture.cloud.calls).toContain("6 s listNewest snapshot");
    expect(fixture.notices).toEqual([]);
    expect(fixture.time.seconds()).toBe(6);
  });

  test("createAll with a concurrency of 2 creates two snapshots at once, but if `again` is set, it waits 10 s and creates the first snapshot alone", async () => {
    const first = createFixture(LONG);
    await createMissing(first, diskTargets(2));
    expect(createSeconds(first)).toEqual(["0", "0"]);
    const again = createFixture(LONG);
    await createMissing(again, diskTargets(2), { ...RUN, again: true });
    expect(createSeconds(again)).toEqual(["10", "16"]);
    const single = createFixture(LONG);
    await createMissing(single, diskTargets(1), { ...RUN, again: true });
    expect(single.time.seconds()).toBe(0);
  });

  test("createAll creates the first snapshot alone only if more than 30 s remain before the cutoff", async () => {
    const short = createFixture(LONG);
    await createMissing(short, diskTargets(3), RUN, startPlus(30_000));
    expect(createSeconds(short)).toEqual(["0", "0", "0"]);
    const longer = createFixture(LONG);
    await createMissing(longer, diskTargets(3), RUN, startPlus(30_001));
    expect(createSeconds(longer)).toEqual(["0", "6", "6"]);
  });

  test("createAll does not wait if the listed snapshots belong to other runs or other resources or name no resource", async () => {
    const clusters = [1, 2, 3].map((number) => createTarget(cluster, `cluster-${number}`));
    const others: [Kind, readonly Target[], FoundSnapshot][] = [
      [snapshot, diskTargets(3), snapshotOf("a", "disk-1")],
      [snapshot, diskTargets(3), snapshotCreatedFor(diskTarget(9), "b")],
      [snapshot, diskTargets(3), snapshotCreatedFor(diskTarget(9), "c", { resource: undefined })],
      [cluster, clusters, snapshotOf("d", "cluster-1")],
      [cluster, clusters, snapshotOf("e", "cluster-1", { marker: undefined })],
      [cluster, clusters, snapshotCreatedFor(createTarget(cluster, "cluster-9"), "f")],
    ];
    for (const [kind, targets, other] of others) {
      const fixture = createFixture(LONG);
      fixture.cloud.add(kind, other);
      expect(await hasCreatedSnapshots(targets, indexExistingSnapshots(RUN, fixture.runContext)), other.id).toBe(false);
      await createMissing(fixture, targets);
      expect(createSeconds(fixture), other.id).toEqual(["0", "6", "6"]);
    }
  });

  test("if create requests fail, createAll tries the targets one after the other until a snapshot is created", async () => {
    const fixture = createFixture({ ...LONG, creates: [cloudError("NotFound")], createMs: 1_000 });
    await createMissing(fixture, diskTargets(4));
    expect(createSeconds(fixture)).toEqual(["0", "0", "7", "7"]);
  });

  test("if every create request fails, createAll sends the create requests one after the other", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.onEveryCall("create", async () => {
      await fixture.time.sleep(1_000);
      throw cloudError("NotFound");
    });
    await createMissing(fixture, diskTargets(6));
    expect(createSeconds(fixture)).toEqual(["0", "1", "2", "3", "4", "5"]);
  });

  test("if the first disk is busy, createAll creates the snapshot of the second disk alone, and sends the other create requests 6 s later", async () => {
    const fixture = createFixture({ ...LONG, creates: [cloudError("Busy")] });
    await createMissing(fixture, diskTargets(3));
    expect(createCalls(fixture)).toEqual([
      "0 s create snapshot disk-1",
      "0 s create snapshot disk-2",
      "6 s create snapshot disk-3",
      "6 s create snapshot disk-1",
    ]);
  });
});

describe("createAll in one of two processes with the same run", () => {
  test.each([0, 3_000])(
    "createAll creates one duplicate if two processes start in the same moment and list responses omit a new snapshot for %i ms",
    async (listDelayMs) => {
      const first = createFixture({ ...LONG, listDelayMs, createMs: 100 });
      const second = createFixture({ ...LONG, sharedWith: first });
      const targets = diskTargets(20);
      await Promise.all([createMissing(first, targets), createMissing(second, targets)]);
      const { "disk-1": duplicates, ...others } = countByResource(first);
      expect(duplicates).toBe(2);
      expect(new Set(Object.values(others))).toEqual(new Set([1]));
      expect(first.outcomes()).toHaveLength(20);
      expect(new Set(first.outcomes().map((line) => line.split(" ")[1]))).toEqual(new Set(["accepted"]));
      expect(second.outcomes().filter((line) => line.endsWith("existing"))).toHaveLength(19);
      expect(second.notices).toEqual(first.notices);
      expect(second.notices).toEqual([
        "Two deliveries created duplicates: snapshots made-1 and made-2 of disk-1. prune-snapshots deletes the younger ones.",
      ]);
    },
  );

  test("createAll creates the second snapshot after 6 s if its first snapshot is the oldest of the run, and otherwise waits 20 s longer", async () => {
    for (const [created, id, secondSeconds] of [
      [startPlus(1), "a", "6"],
      [startPlus(-1), "z", "26"],
      [startPlus(0), "zzz", "6"],
      [startPlus(0), "a", "26"],
      [undefined, "zzz", "26"],
    ] as const) {
      const fixture = createFixture(LONG);
      fixture.cloud.onNextCalls("create", () =>
        fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), id, { created })),
      );
      await createMissing(fixture, diskTargets(3));
      expect(createSeconds(fixture)[1], `${id} ${created}`).toBe(secondSeconds);
    }
  });

  test("createAll creates the other snapshots after 6 s if list responses do not show its first snapshot by then", async () => {
    const fixture = createFixture({ ...LONG, listDelayMs: 6_001 });
    await createMissing(fixture, diskTargets(3));
    expect(createSeconds(fixture)).toEqual(["0", "6", "6"]);
  });

  test("createAll waits 20 s before its first snapshot if another process creates a snapshot during a create request that fails", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.onNextCalls("create", async () => {
      await fixture.time.sleep(1_500);
      addOther(fixture, 1);
      throw cloudError("CloudError");
    });
    await createMissing(fixture, diskTargets(3));
    expect(createSeconds(fixture)).toEqual(["0", "21.5", "27.5"]);
    expect(fixture.outcomes()).toContain("other-1 existing");
  });

  test("createAll waits until no snapshot of another process has appeared for 20 s, and lists the snapshots every 5 s", async () => {
    const fixture = createFixture(LONG);
    addOther(fixture, 1);
    fixture.cloud.onNextCalls("listNewest", undefined, () => addOther(fixture, 2));
    await createMissing(fixture, diskTargets(5));
    expect(fixture.cloud.calls.slice(0, 9)).toEqual([
      "0 s listAll snapshot",
      ...[5, 10, 15, 20, 25, 30].map((second) => `${second} s listNewest snapshot`),
      "30 s create snapshot disk-3",
      "36 s listNewest snapshot",
    ]);
    expect(createSeconds(fixture)).toEqual(["30", "36", "36"]);
    expect(fixture.outcomes().slice(0, 2)).toEqual(["other-1 existing", "other-2 existing"]);
  });

  test("createAll waits up to 4 s longer than 20 s, in proportion to a random number", async () => {
    const fixture = createFixture({ ...LONG, random: () => 0.5 });
    addOther(fixture, 1);
    await createMissing(fixture, diskTargets(4));
    expect(createSeconds(fixture)[0]).toBe("22");
  });

  test("createAll waits 20 s by its own clock, whatever the creation times of the existing snapshots are", async () => {
    for (const created of [undefined, startPlus(-300_000), startPlus(60_000)]) {
      const fixture = createFixture(LONG);
      addOther(fixture, 1, { created });
      await createMissing(fixture, diskTargets(4));
      expect(createSeconds(fixture)[0]).toBe("20");
    }
  });

  test("createAll stops waiting when every target has a snapshot", async () => {
    const fixture = createFixture(LONG);
    const targets = [...diskTargets(2), diskTarget(1, standard)];
    fixture.cloud.add(standard, snapshotCreatedFor(diskTarget(1, standard), "a"));
    addOther(fixture, 1);
    fixture.cloud.onNextCalls("listNewest", () => addOther(fixture, 2));
    await createMissing(fixture, targets);
    expect(createCalls(fixture)).toEqual([]);
    // The function lists the snapshots once more after 6 s, to report duplicates.
    expect(fixture.time.seconds()).toBe(11);
  });

  test("createAll creates a snapshot although all other targets have snapshots and one snapshot has failed", async () => {
    const fixture = createFixture(LONG);
    addOther(fixture, 1);
    addOther(fixture, 2);
    addOther(fixture, 3, STATUS.failed);
    await createMissing(fixture, diskTargets(3));
    expect(createCalls(fixture)).toEqual(["20 s create snapshot disk-3"]);
  });

  test("createAll does not wait if the wait and the time to acquire the run lock would reach the cutoff, because a missing snapshot is worse than a duplicate", async () => {
    const firstCreate = async (cutoffMs: number) => {
      const fixture = createFixture(LONG);
      addOther(fixture, 1);
      fixture.cloud.onNextCalls("listNewest", () => addOther(fixture, 2));
      await createMissing(fixture, diskTargets(5), RUN, startPlus(cutoffMs));
      return createSeconds(fixture)[0];
    };
    // The list response at 5 s shows another snapshot, so the wait of 20 s ends at 25 s. A wait ends more than 10 s before the cutoff.
    expect([await firstCreate(35_001), await firstCreate(35_000)]).toEqual(["25", "20"]);
  });

  test("createAll creates the other snapshots at once if the first create request ends less than 10 s before the cutoff", async () => {
    const secondCreate = async (cutoffMs: number) => {
      const fixture = createFixture({ ...LONG, createMs: 25_000 });
      await createMissing(fixture, diskTargets(3), RUN, startPlus(cutoffMs));
      return createSeconds(fixture)[1];
    };
    expect([await secondCreate(35_001), await secondCreate(35_000)]).toEqual(["31", "25"]);
  });
});
