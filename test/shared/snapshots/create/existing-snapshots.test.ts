import { describe, expect, test } from "vitest";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import { type Target, targetFor } from "../../../../shared/snapshots/policy.ts";
import { cloudError, cluster, createFixture, snapshot, snapshotOf, standard } from "../../../support/domain.ts";
import { disk, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

describe("indexExistingSnapshots", () => {
  test("indexExistingSnapshots lists each kind once and returns the snapshots of the run by resource", async () => {
    const fixture = createFixture();
    const mine = snapshotCreatedFor(disk(1), "a");
    const nowhere = snapshotCreatedFor(disk(3), "b", { resource: undefined });
    fixture.cloud.add(
      snapshot,
      mine,
      snapshotCreatedFor(disk(1), "c"),
      nowhere,
      snapshotOf("d", "disk-1"),
      snapshotOf("e", "disk-1", { marker: undefined }),
    );
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    const ids = async (target: Target) => (await known(target)).map(({ id }) => id);
    expect(await ids(disk(1))).toEqual(["a", "c", "b"]);
    expect(await ids(disk(2))).toEqual(["b"]);
    expect(await ids(disk(1, standard))).toEqual([]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot", "listAll standard-snapshot"]);
  });

  test("indexExistingSnapshots returns the snapshots of all runs for a kind with unique names", async () => {
    const fixture = createFixture();
    fixture.cloud.add(cluster, snapshotOf("a", "cluster-1"), snapshotOf("b", "cluster-2", { marker: undefined }));
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    expect((await known(targetFor(cluster, "cluster-9"))).map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("indexExistingSnapshots counts a disk's snapshots from every run if the kind limits the snapshots per disk", async () => {
    const fixture = createFixture();
    fixture.cloud.add(
      snapshot,
      snapshotOf("a", "disk-1"),
      snapshotOf("b", "disk-1", { marker: undefined }),
      snapshotCreatedFor(disk(2), "c"),
    );
    fixture.cloud.add(standard, snapshotOf("d", "disk-1"));
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    expect([await known.count(snapshot, "disk-1"), await known.count(snapshot, "disk-2")]).toEqual([2, 1]);
    expect([await known.count(snapshot, "disk-3"), await known.count(standard, "disk-1")]).toEqual([0, 0]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot", "listAll standard-snapshot"]);
  });

  test("indexExistingSnapshots lists a kind again after 30 s, because another delivery may be in progress", async () => {
    const fixture = createFixture({ seconds: 600 });
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    await known(disk(1));
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    await fixture.time.sleep(30_000);
    expect(await known(disk(1))).toEqual([]);
    await fixture.time.sleep(1);
    expect(await known(disk(1))).toHaveLength(1);
    expect(fixture.cloud.calls).toEqual(["0 s listAll snapshot", "30.001 s listAll snapshot"]);
  });

  test("indexExistingSnapshots does not list a long list again for a few targets", async () => {
    const fixture = createFixture({ seconds: 600 });
    fixture.cloud.add(snapshot, ...Array.from({ length: 100 }, (_, index) => snapshotOf(`s-${index}`, "disk-9")));
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    await known(disk(1));
    await fixture.time.sleep(30_001);
    await known(disk(2));
    expect(fixture.cloud.requests()).toHaveLength(1);
    await known(disk(3));
    expect(fixture.cloud.requests()).toHaveLength(2);
  });

  test("indexExistingSnapshots keeps the previous list if a refresh fails, and rejects if the first list fails", async () => {
    const fixture = createFixture({ seconds: 600 });
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    fixture.cloud.at("listAll", undefined, cloudError("AccessDenied"));
    expect(await known(disk(1))).toHaveLength(1);
    await fixture.time.sleep(30_001);
    expect(await known(disk(1))).toHaveLength(1);

    const denied = createFixture();
    denied.cloud.at("listAll", cloudError("AccessDenied"));
    await expect(indexExistingSnapshots(RUN, denied.runContext)(disk(1))).rejects.toMatchObject({
      reason: "AccessDenied",
    });
  });

  test("indexExistingSnapshots lists a kind again after a transient error", async () => {
    const fixture = createFixture();
    fixture.cloud.at("listAll", cloudError("CloudError"));
    expect(await indexExistingSnapshots(RUN, fixture.runContext)(disk(1))).toEqual([]);
  });
});
