import { describe, expect, test } from "vitest";
import { createAll, hasBegun } from "../../../../shared/snapshots/create/create-all.ts";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { type Target, targetFor } from "../../../../shared/snapshots/policy.ts";
import {
  cloudError,
  cluster,
  createFixture,
  DELETING,
  type DomainFixture,
  group,
  snapshot,
  snapshotOf,
} from "../../../support/domain.ts";
import { creates, disk, disks, moment, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

describe("createAll with snapshots of a run that may be in progress in another instance", () => {
  const LONG = { seconds: 600, concurrency: 2 };
  const until = moment(500_000);
  const take = (fixture: DomainFixture, targets: readonly Target[]) =>
    createAll(targets, RUN, fixture.runContext, until, indexExistingSnapshots(RUN, fixture.runContext));

  test("createAll waits until the list shows no further snapshot of the run", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    fixture.cloud.at("listAll", undefined, () =>
      fixture.cloud.add(snapshot, snapshotCreatedFor(disk(2), "b", { created: fixture.time.now() })),
    );
    await take(fixture, disks(4));
    expect(fixture.cloud.calls.slice(0, 3)).toEqual([
      "0 s listAll snapshot",
      "20 s listAll snapshot",
      "40 s listAll snapshot",
    ]);
    expect(creates(fixture)).toEqual(["40 s create snapshot disk-3", "40 s create snapshot disk-4"]);
    expect(fixture.outcomes().sort()).toEqual(["a existing", "b existing", "made-1 accepted", "made-2 accepted"]);
  });

  test("createAll does not wait if the list shows no snapshot of the run or all of them", async () => {
    const none = createFixture(LONG);
    await take(none, disks(3));
    expect(none.time.seconds()).toBe(0);
    const all = createFixture(LONG);
    all.cloud.add(snapshot, ...disks(3).map((target, index) => snapshotCreatedFor(target, `s-${index}`)));
    await take(all, disks(3));
    expect(all.time.seconds()).toBe(0);
    expect(all.cloud.requests()).toEqual(["listAll snapshot"]);
  });

  test("createAll does not wait for snapshots of another run or of other resources", async () => {
    const clusters = [1, 2, 3].map((number) => targetFor(cluster, `cluster-${number}`));
    const others: [Kind, readonly Target[], FoundSnapshot][] = [
      [snapshot, disks(3), snapshotOf("a", "disk-1")],
      [snapshot, disks(3), snapshotCreatedFor(disk(9), "b")],
      [snapshot, disks(3), snapshotCreatedFor(disk(1), "c", { resource: undefined })],
      [cluster, clusters, snapshotOf("d", "cluster-1")],
      [cluster, clusters, snapshotOf("e", "cluster-1", { marker: undefined })],
      [cluster, clusters, snapshotCreatedFor(targetFor(cluster, "cluster-9"), "f")],
    ];
    for (const [kind, targets, other] of others) {
      const fixture = createFixture(LONG);
      fixture.cloud.add(kind, other);
      // Such a snapshot does not mean that the run has begun.
      expect(await hasBegun(targets, RUN, indexExistingSnapshots(RUN, fixture.runContext)), other.id).toBe(false);
      await take(fixture, targets);
      expect(fixture.time.seconds(), other.id).toBe(0);
    }
  });

  test("hasBegun returns true if a target has a snapshot of the run", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(2), "a"));
    expect(await hasBegun(disks(1), RUN, indexExistingSnapshots(RUN, fixture.runContext))).toBe(false);
    expect(await hasBegun(disks(2), RUN, indexExistingSnapshots(RUN, fixture.runContext))).toBe(true);
  });

  test("createAll waits once for a shard that was started before if the list shows none of its snapshots", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 4 });
    const run = { ...RUN, again: true };
    fixture.cloud.at("listAll", undefined, () =>
      fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"), snapshotCreatedFor(disk(2), "b")),
    );
    await createAll(disks(2), run, fixture.runContext, until, indexExistingSnapshots(run, fixture.runContext));
    expect(fixture.cloud.calls).toEqual(["0 s listAll snapshot", "10 s listAll snapshot"]);
    expect(fixture.outcomes().sort()).toEqual(["a existing", "b existing"]);

    const nobody = createFixture({ seconds: 600, concurrency: 4 });
    await createAll(disks(2), run, nobody.runContext, until, indexExistingSnapshots(run, nobody.runContext));
    expect(creates(nobody).map((call) => call.split(" ")[0])).toEqual(["10", "10"]);
  });

  test("createAll waits for a shard of one target until the list shows no further snapshot", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 4 });
    const run = { ...RUN, again: true };
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    await createAll(disks(3), run, fixture.runContext, until, indexExistingSnapshots(run, fixture.runContext));
    expect(fixture.time.seconds()).toBe(20);
  });

  test("createAll does not wait if all targets are started at the same time", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    await take(fixture, disks(2));
    expect(fixture.time.seconds()).toBe(0);
  });

  test("createAll treats a kind that cannot be listed as having no snapshots of the run", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.always("listAll", cloudError("AccessDenied"));
    await take(fixture, disks(3));
    expect(fixture.outcomes()).toEqual([1, 2, 3].map((number) => `disk-${number} failed: AccessDenied`));
  });

  test("createAll waits at most 20 s after the newest snapshot of the run, and not at all if that was earlier", async () => {
    const since = async (...created: (number | undefined)[]) => {
      const fixture = createFixture(LONG);
      const made = created.map((ms, index) =>
        snapshotCreatedFor(disk(index + 1), `s-${index}`, { created: ms === undefined ? undefined : moment(-ms) }),
      );
      fixture.cloud.add(snapshot, ...made);
      await take(fixture, disks(4));
      const looks = fixture.cloud.requests().filter((call) => call.startsWith("listAll")).length;
      const begun = creates(fixture)[0]?.split(" ")[0];
      expect(looks).toBe(begun === "0" ? 1 : 2);
      return begun;
    };
    expect(await since(15_000)).toBe("5");
    expect(await since(19_999, 300_000)).toBe("0.001");
    expect(await since(20_000)).toBe("0");
    expect(await since(300_000)).toBe("0");
    expect(await since(undefined)).toBe("20");
    // The cloud's clock is ahead of the function's clock.
    expect(await since(-60_000)).toBe("20");
  });

  test("createAll does not wait beyond the deadline, because a missing snapshot is worse than a duplicate", async () => {
    const fixture = createFixture({ seconds: 20, concurrency: 2 });
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    await take(fixture, disks(3));
    expect(fixture.outcomes()).toEqual(["a existing", "made-1 accepted", "made-2 accepted"]);
    expect(fixture.time.seconds()).toBe(0);

    const longer = createFixture({ seconds: 20.001, concurrency: 2 });
    longer.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    await take(longer, disks(3));
    expect(longer.cloud.requests().slice(0, 2)).toEqual(["listAll snapshot", "listAll snapshot"]);
  });

  test("createAll does not wait if this instance ended the same run recently", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.at("create", undefined, cloudError("AccessDenied"));
    await take(fixture, disks(3));
    await take(fixture, disks(3));
    expect(fixture.outcomes().slice(-3).sort()).toEqual(["made-1 existing", "made-2 existing", "made-3 accepted"]);
    expect(fixture.time.seconds()).toBe(0);
  });

  test("createAll creates another snapshot for one that is being deleted", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 4 });
    fixture.cloud.add(group, snapshotCreatedFor(targetFor(group, "server-1"), "a", DELETING));
    await take(fixture, [targetFor(group, "server-1")]);
    expect(fixture.outcomes()).toEqual(["made-1 accepted"]);
  });
});
