import { describe, expect, test } from "vitest";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import { createTarget, type Target } from "../../../../shared/snapshots/policy.ts";
import { cloudError, cluster, createFixture, snapshot, snapshotOf, standard } from "../../../support/domain.ts";
import { diskTarget, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

describe("indexExistingSnapshots", () => {
  test("indexExistingSnapshots sends one list request per kind and returns the run's snapshots of the given target", async () => {
    const fixture = createFixture();
    const mine = snapshotCreatedFor(diskTarget(1), "a");
    const nowhere = snapshotCreatedFor(diskTarget(3), "b", { resource: undefined });
    fixture.cloud.add(
      snapshot,
      mine,
      snapshotCreatedFor(diskTarget(1), "c"),
      nowhere,
      snapshotOf("d", "disk-1"),
      snapshotOf("e", "disk-1", { marker: undefined }),
    );
    const index = indexExistingSnapshots(RUN, fixture.runContext);
    const ids = async (target: Target) => (await index(target)).map(({ id }) => id);
    expect(await ids(diskTarget(1))).toEqual(["a", "c", "b"]);
    expect(await ids(diskTarget(2))).toEqual(["b"]);
    expect(await ids(diskTarget(1, standard))).toEqual([]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot", "listAll standard-snapshot"]);
  });

  test("indexExistingSnapshots returns all cluster snapshots, because the names of cluster snapshots are unique in a project", async () => {
    const fixture = createFixture();
    fixture.cloud.add(cluster, snapshotOf("a", "cluster-1"), snapshotOf("b", "cluster-2", { marker: undefined }));
    const index = indexExistingSnapshots(RUN, fixture.runContext);
    expect((await index(createTarget(cluster, "cluster-9"))).map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("indexExistingSnapshots counts the snapshots of a disk, including snapshots without a marker, only if the kind has a maximum per disk", async () => {
    const fixture = createFixture();
    fixture.cloud.add(
      snapshot,
      snapshotOf("a", "disk-1"),
      snapshotOf("b", "disk-1", { marker: undefined }),
      snapshotCreatedFor(diskTarget(2), "c"),
    );
    fixture.cloud.add(standard, snapshotOf("d", "disk-1"));
    const index = indexExistingSnapshots(RUN, fixture.runContext);
    expect([await index.count(snapshot, "disk-1"), await index.count(snapshot, "disk-2")]).toEqual([2, 1]);
    expect([await index.count(snapshot, "disk-3"), await index.count(standard, "disk-1")]).toEqual([0, 0]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot", "listAll standard-snapshot"]);
  });

  test("indexExistingSnapshots lists the snapshots of a kind again after 30 s, because another delivery may create snapshots meanwhile", async () => {
    const fixture = createFixture({ seconds: 600 });
    const index = indexExistingSnapshots(RUN, fixture.runContext);
    await index(diskTarget(1));
    fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
    await fixture.time.sleep(30_000);
    expect(await index(diskTarget(1))).toEqual([]);
    await fixture.time.sleep(1);
    expect(await index(diskTarget(1))).toHaveLength(1);
    expect(fixture.cloud.calls).toEqual(["0 s listAll snapshot", "30.001 s listAll snapshot"]);
  });

  test("indexExistingSnapshots repeats a list request with 100 results after 30 s only if at least two further targets use the results", async () => {
    const fixture = createFixture({ seconds: 600 });
    fixture.cloud.add(snapshot, ...Array.from({ length: 100 }, (_, number) => snapshotOf(`s-${number}`, "disk-9")));
    const index = indexExistingSnapshots(RUN, fixture.runContext);
    await index(diskTarget(1));
    await fixture.time.sleep(30_001);
    await index(diskTarget(2));
    expect(fixture.cloud.requests()).toHaveLength(1);
    await index(diskTarget(3));
    expect(fixture.cloud.requests()).toHaveLength(2);
  });

  test("indexExistingSnapshots uses the previous list response if a later list request fails, but fails if the first list request fails", async () => {
    const fixture = createFixture({ seconds: 600 });
    fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
    const index = indexExistingSnapshots(RUN, fixture.runContext);
    fixture.cloud.onNextCalls("listAll", undefined, cloudError("AccessDenied"));
    expect(await index(diskTarget(1))).toHaveLength(1);
    await fixture.time.sleep(30_001);
    expect(await index(diskTarget(1))).toHaveLength(1);

    const denied = createFixture();
    denied.cloud.onNextCalls("listAll", cloudError("AccessDenied"));
    await expect(indexExistingSnapshots(RUN, denied.runContext)(diskTarget(1))).rejects.toMatchObject({
      reason: "AccessDenied",
    });
  });

  test("indexExistingSnapshots repeats a list request after a transient error", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("listAll", cloudError("CloudError"));
    expect(await indexExistingSnapshots(RUN, fixture.runContext)(diskTarget(1))).toEqual([]);
  });
});
