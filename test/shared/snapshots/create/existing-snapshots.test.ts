import { describe, expect, test } from "vitest";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { createTarget, type Target } from "../../../../shared/snapshots/policy.ts";
import {
  cloudError,
  cluster,
  createFixture,
  snapshot,
  snapshotOf,
  standard,
  startPlus,
} from "../../../support/domain.ts";
import { diskTarget, diskTargets, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

const ids = (found: readonly { id: string }[]) => found.map(({ id }) => id);

/** Creates a fixture whose cloud has `found`, and an index of it. */
function createIndex(found: FoundSnapshot[] = [], kind: Kind = snapshot, maxSnapshots?: number) {
  const fixture = createFixture({ seconds: 600 });
  fixture.cloud.add(kind, ...found);
  return { ...fixture, index: indexExistingSnapshots(RUN, { ...fixture.runContext, maxSnapshots }) };
}

describe("the method find of an index of existing snapshots", () => {
  test("find sends one list request per kind and returns the run's snapshots of the target and those without a resource id", async () => {
    const { index, cloud } = createIndex([
      snapshotCreatedFor(diskTarget(1), "a"),
      snapshotCreatedFor(diskTarget(1), "c"),
      snapshotCreatedFor(diskTarget(3), "b", { resource: undefined }),
      snapshotOf("d", "disk-1"),
      snapshotOf("e", "disk-1", { marker: undefined }),
    ]);
    const find = async (target: Target) => ids(await index.find(target));
    expect(await find(diskTarget(1))).toEqual(["a", "c", "b"]);
    expect(await find(diskTarget(2))).toEqual(["b"]);
    expect(await find(diskTarget(1, standard))).toEqual([]);
    expect(cloud.requests()).toEqual(["listAll snapshot", "listAll standard-snapshot"]);
  });

  test("find returns all cluster snapshots, because the names of cluster snapshots are unique in a project", async () => {
    const found = [snapshotOf("a", "cluster-1"), snapshotOf("b", "cluster-2", { marker: undefined })];
    const { index } = createIndex(found, cluster);
    expect(ids(await index.find(createTarget(cluster, "cluster-9")))).toEqual(["a", "b"]);
  });

  test("find uses a list response for 1 s after its list request was sent, and then sends a new list request", async () => {
    const { index, cloud, time } = createIndex();
    await index.find(diskTarget(1));
    cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
    await time.sleep(1_000);
    expect(await index.find(diskTarget(1))).toEqual([]);
    await time.sleep(1);
    expect(ids(await index.find(diskTarget(1)))).toEqual(["a"]);
    expect(cloud.calls).toEqual(["0 s listAll snapshot", "1.001 s listNewest snapshot", "1.001 s listNewest snapshot"]);
  });

  test("find uses the response to a list request that takes 3 s until 4 s after the list request was sent", async () => {
    const { index, cloud, time } = createIndex();
    cloud.onNextCalls("listAll", () => time.sleep(3_000));
    await index.find(diskTarget(1));
    await time.sleep(1_000);
    await index.find(diskTarget(1));
    expect(cloud.calls).toHaveLength(1);
    await time.sleep(1);
    await index.find(diskTarget(1));
    expect(cloud.calls[1]).toBe("4.001 s listNewest snapshot");
  });

  test("find sends one list request if it is called for several targets at the same time", async () => {
    const { index, cloud } = createIndex(
      diskTargets(3).map((target, number) => snapshotCreatedFor(target, `s-${number}`)),
    );
    const found = await Promise.all(diskTargets(3).map((target) => index.find(target)));
    expect(found.map(ids)).toEqual([["s-0"], ["s-1"], ["s-2"]]);
    expect(cloud.requests()).toEqual(["listAll snapshot"]);
  });

  test("find waits for a list request in progress, even if the last list response is fresh", async () => {
    const { index, cloud, time } = createIndex();
    await index.find(diskTarget(1));
    cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
    cloud.onNextCalls("listNewest", () => time.sleep(500));
    const refreshed = index.refresh([diskTarget(1)], []);
    await time.sleep(100);
    expect(ids(await index.find(diskTarget(1)))).toEqual(["a"]);
    expect(time.seconds()).toBe(0.5);
    await refreshed;
  });

  test("find repeats a list request after a transient error", async () => {
    const { index, cloud } = createIndex();
    cloud.onNextCalls("listAll", cloudError("CloudError"));
    expect(await index.find(diskTarget(1))).toEqual([]);
    expect(cloud.requests()).toEqual(["listAll snapshot", "listAll snapshot"]);
  });

  test("for 10 s after a failed list request, find fails without sending a list request, and then sends a new list request", async () => {
    const { index, cloud, time } = createIndex();
    cloud.onNextCalls("listAll", cloudError("AccessDenied"));
    const find = () => index.find(diskTarget(1)).then(ids, ({ reason }) => reason);
    expect(await find()).toBe("AccessDenied");
    await time.sleep(9_999);
    expect(await find()).toBe("AccessDenied");
    expect(cloud.calls).toHaveLength(1);
    await time.sleep(1);
    expect(await find()).toEqual([]);
    expect(cloud.calls[1]).toBe("10 s listAll snapshot");
  });

  test("find sends a failed list request again after 10 s for all waiting targets if the error is transient", async () => {
    const { index, cloud, time } = createIndex([snapshotCreatedFor(diskTarget(2), "a")]);
    cloud.onNextCalls("listAll", ...Array(4).fill(cloudError("CloudError")));
    const found = await Promise.all(diskTargets(2).map((target) => index.find(target)));
    expect(found.map(ids)).toEqual([[], ["a"]]);
    expect([time.seconds(), cloud.calls.at(-1)]).toEqual([10, "10 s listAll snapshot"]);
    expect(cloud.calls).toHaveLength(5);
  });

  test.each([
    ["waits 10 s and lists the snapshots again", 10_001, []],
    ["throws the error at once", 10_000, "CloudError"],
  ])("find %s after a transient error if the deadline is in %i ms", async (_what, deadline, result) => {
    const { runContext, cloud, time } = createIndex();
    cloud.onNextCalls("listAll", ...Array(4).fill(cloudError("CloudError")));
    const retryBudget = { ...runContext.retryBudget, deadline: startPlus(deadline) };
    const index = indexExistingSnapshots(RUN, { ...runContext, retryBudget });
    expect(await index.find(diskTarget(1)).catch(({ reason }) => reason)).toEqual(result);
    expect(time.seconds()).toBe(result === "CloudError" ? 0 : 10);
  });

  test("find fails with DeadlineExceeded if a list request is still in progress at the deadline", async () => {
    const { index, cloud, time } = createIndex();
    cloud.onNextCalls("listAll", () => time.sleep(700_000));
    await expect(index.find(diskTarget(1))).rejects.toMatchObject({ reason: "DeadlineExceeded", requestSent: false });
    expect(time.seconds()).toBe(600);
  });

  test("find does not use an old list response if a later list request fails", async () => {
    const { index, cloud, time } = createIndex([snapshotCreatedFor(diskTarget(1), "a")]);
    await index.find(diskTarget(1));
    cloud.onNextCalls("listNewest", cloudError("AccessDenied"));
    await time.sleep(1_001);
    await expect(index.find(diskTarget(1))).rejects.toMatchObject({ reason: "AccessDenied" });
  });

  test("if a refresh succeeds within 10 s after a failed list request, find sends list requests again at once", async () => {
    const { index, cloud, time } = createIndex();
    cloud.onNextCalls("listAll", cloudError("AccessDenied"));
    await index.find(diskTarget(1)).catch(() => {});
    await index.refresh([diskTarget(1)], []);
    await time.sleep(1_001);
    await index.find(diskTarget(1));
    expect(cloud.requests().slice(0, 3)).toEqual(["listAll snapshot", "listAll snapshot", "listNewest snapshot"]);
  });

  test("find fails with Misconfigured if the run has more snapshots than `maxSnapshots`", async () => {
    const found = diskTargets(3).map((target, number) => snapshotCreatedFor(target, `s-${number}`));
    const { index } = createIndex(found, snapshot, 2);
    await expect(index.find(diskTarget(1))).rejects.toMatchObject({
      reason: "Misconfigured",
      message: expect.stringContaining("More than 2 snapshots do not fit into memory"),
    });
    expect(await createIndex(found, snapshot, 3).index.find(diskTarget(1))).toHaveLength(1);
  });

  test("find reads `maxSnapshots` snapshots of the run again without an error", async () => {
    const found = diskTargets(2).map((target, number) => snapshotCreatedFor(target, `s-${number}`));
    const { index, time } = createIndex(found, snapshot, 2);
    await index.find(diskTarget(1));
    await time.sleep(1_001);
    expect(await index.find(diskTarget(1))).toHaveLength(1);
  });
});

describe("the method findAgain of an index of existing snapshots", () => {
  test("findAgain sends a list request for the disk and returns its snapshot, even if the last list response is fresh", async () => {
    const { index, cloud, time } = createIndex();
    await index.find(diskTarget(1));
    cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
    expect(ids(await index.findAgain(diskTarget(1)))).toEqual(["a"]);
    await time.sleep(1_001);
    expect(ids(await index.findAgain(diskTarget(1)))).toEqual(["a"]);
    expect(cloud.requests()).toEqual(["listAll snapshot", "listFor snapshot disk-1", "listFor snapshot disk-1"]);
    expect(ids(index.listed([diskTarget(1)]))).toEqual(["a"]);
  });

  test.each([
    ["no snapshot", []],
    ["a snapshot of another run", [snapshotOf("b", "disk-1")]],
    ["a snapshot without a marker", [snapshotOf("b", "disk-1", { marker: undefined })]],
    ["a failed snapshot of the run", [snapshotCreatedFor(diskTarget(1), "b", { status: "error", state: "failed" })]],
  ])("findAgain also uses a fresh list of all snapshots if the list response for the disk has %s", async (_, found) => {
    const { index, cloud, time } = createIndex(found);
    await index.find(diskTarget(1));
    await time.sleep(1_001);
    cloud.onNextCalls("listNewest", () => cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "late")));
    expect(ids(await index.findAgain(diskTarget(1)))).toContain("late");
    expect(cloud.calls.slice(1, 3)).toEqual(["1.001 s listFor snapshot disk-1", "1.001 s listNewest snapshot"]);
  });

  test("findAgain sends one list request for all cluster snapshots", async () => {
    const { index, cloud } = createIndex([], cluster);
    const target = createTarget(cluster, "cluster-1");
    await index.find(target);
    cloud.add(cluster, snapshotCreatedFor(target, "a"));
    expect(ids(await index.findAgain(target))).toEqual(["a"]);
    expect(cloud.requests()).toEqual(["listAll cluster-snapshot", "listAll cluster-snapshot"]);
  });

  test("findAgain repeats the list request for the disk after a transient error", async () => {
    const { index, cloud } = createIndex([snapshotCreatedFor(diskTarget(1), "a")]);
    cloud.onNextCalls("listFor", cloudError("CloudError"));
    expect(ids(await index.findAgain(diskTarget(1)))).toEqual(["a"]);
  });
});

test("isListed sends a list request and returns true if the index lists all snapshots of the kind", async () => {
  const { index, cloud } = createIndex([snapshotOf("a", "disk-1")]);
  expect(await index.isListed(snapshot)).toBe(true);
  expect(cloud.requests()).toEqual(["listAll snapshot"]);
});

describe("the method listed of an index of existing snapshots", () => {
  test("listed returns the run's snapshots of the given disks and sends no list request", async () => {
    const { index, cloud } = createIndex([
      snapshotCreatedFor(diskTarget(1), "a"),
      snapshotCreatedFor(diskTarget(2), "b"),
      snapshotCreatedFor(diskTarget(3), "c"),
      snapshotOf("d", "disk-1"),
    ]);
    expect(index.listed(diskTargets(2))).toEqual([]);
    await index.find(diskTarget(1));
    expect(ids(index.listed(diskTargets(2)))).toEqual(["a", "b"]);
    expect(cloud.requests()).toEqual(["listAll snapshot"]);
  });

  test.each([
    ["snapshot", snapshot, "disk"],
    ["cluster snapshot", cluster, "cluster"],
  ])("listed finds a %s without a resource id by the hash of its create options", async (_, kind, prefix) => {
    const [one, two] = [1, 2].map((number) => createTarget(kind, `${prefix}-${number}`)) as [Target, Target];
    const { index } = createIndex([snapshotCreatedFor(one, "a", { resource: undefined })], kind);
    await index.find(one);
    expect(ids(index.listed([one]))).toEqual(["a"]);
    expect(index.listed([two])).toEqual([]);
  });

  test("listed returns only the run's snapshots of the given clusters", async () => {
    const [one, two] = [1, 2].map((number) => createTarget(cluster, `cluster-${number}`)) as [Target, Target];
    const { index } = createIndex(
      [snapshotCreatedFor(one, "a"), snapshotOf("b", "cluster-1"), snapshotOf("c", "cluster-1", { marker: undefined })],
      cluster,
    );
    await index.find(one);
    expect(ids(index.listed([one]))).toEqual(["a"]);
    expect(index.listed([two])).toEqual([]);
  });
});

test("isOwn returns true only for the snapshots that were passed to addCreated", () => {
  const { index } = createIndex();
  index.addCreated(snapshot, "a");
  expect([index.isOwn("a"), index.isOwn("b")]).toEqual([true, false]);
});
