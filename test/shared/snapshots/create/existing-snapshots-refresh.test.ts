/** Tests how an index of existing snapshots refreshes its list: the newest rows, all rows, or the rows of one resource. */
import { describe, expect, test } from "vitest";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import { createTarget } from "../../../../shared/snapshots/policy.ts";
import {
  cloudError,
  cluster,
  createFixture,
  group,
  STATUS,
  snapshot,
  snapshotOf,
  startPlus,
} from "../../../support/domain.ts";
import { agedSnapshots, createListedIndex, ids } from "../../../support/listed-index.ts";
import { diskTarget, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

describe("a refresh of a list whose first rows are the newest", () => {
  test("find requests one page of the newest snapshots if the list has 1,200 snapshots, newest first", async () => {
    const { cloud, findLater, addMine } = await createListedIndex(agedSnapshots(1_200));
    addMine();
    expect(await findLater()).toEqual(["mine"]);
    expect(cloud.requests()).toEqual(["listNewest snapshot"]);
  });

  test("find requests one page of the newest snapshots although 900 of the newest snapshots were deleted meanwhile", async () => {
    const { cloud, findLater, addMine } = await createListedIndex(agedSnapshots(1_200));
    cloud.snapshots.set("snapshot", cloud.snapshotsOf(snapshot).slice(0, 300));
    addMine();
    expect(await findLater()).toEqual(["mine"]);
    expect(cloud.requests()).toEqual(["listNewest snapshot"]);
  });

  test("find requests the next page if more than 200 snapshots are new, and remembers them", async () => {
    const { cloud, findLater, addMine } = await createListedIndex(agedSnapshots(300));
    addMine();
    cloud.add(snapshot, ...Array.from({ length: 250 }, (_, number) => snapshotOf(`new-${number}`, "disk-8")));
    expect(await findLater()).toEqual(["mine"]);
    expect(await findLater()).toEqual(["mine"]);
    expect(cloud.calls).toEqual([
      "1.001 s listNewest snapshot",
      "1.001 s listNewest snapshot",
      "2.002 s listNewest snapshot",
    ]);
  });

  test("find reads the second page of new snapshots again if the first request for that page fails", async () => {
    const { cloud, findLater, addMine } = await createListedIndex(agedSnapshots(300));
    addMine();
    cloud.add(snapshot, ...Array.from({ length: 250 }, (_, number) => snapshotOf(`new-${number}`, "disk-8")));
    cloud.onNextCalls("listNewest", undefined, cloudError("CloudError"));
    expect(await findLater()).toEqual(["mine"]);
    expect(cloud.requests()).toHaveLength(4);
  });

  test("find returns the new status of a snapshot that the newest rows contain", async () => {
    const { cloud, findLater, addMine, index, target } = await createListedIndex(agedSnapshots(2));
    addMine();
    await findLater();
    cloud.snapshots.set("snapshot", [...agedSnapshots(2), snapshotCreatedFor(target, "mine", STATUS.failed)]);
    await findLater();
    expect(index.listed([target])[0]).toMatchObject({ id: "mine", state: "failed" });
  });

  test("find ignores missing and equal creation times when it checks the order of a list", async () => {
    const found = [undefined, 1_000, undefined, 1_000, 5_000].map((created, number) =>
      snapshotOf(`s-${number}`, "disk-9", { created: created === undefined ? undefined : startPlus(created) }),
    );
    const { cloud, findLater } = await createListedIndex(found);
    await findLater();
    expect(cloud.requests()).toEqual(["listNewest snapshot"]);
  });

  test("find checks the order of only the first 200 rows of a list", async () => {
    const youngest = (number: number) => snapshotOf(`y-${number}`, "disk-9", { created: startPlus(1_000) });
    const sorted = await createListedIndex([youngest(1), youngest(2), ...agedSnapshots(200)]);
    await sorted.findLater();
    expect(sorted.cloud.requests()).toEqual(["listNewest snapshot"]);
    const unsorted = await createListedIndex([youngest(1), ...agedSnapshots(199)]);
    await unsorted.findLater();
    expect(unsorted.cloud.requests()).toEqual(["listAll snapshot"]);
  });

  test("find keeps the state of a snapshot group that depends on its members, because the newest rows contain no members", async () => {
    const target = createTarget(group, "resource-1");
    const members = [snapshotOf("member", "disk-1", STATUS.failed)];
    const { cloud, findLater, index } = await createListedIndex(
      [snapshotCreatedFor(target, "a", { ...STATUS.failed, status: "available", members })],
      { kind: group },
    );
    cloud.snapshots.set("snapshot-group", [snapshotCreatedFor(target, "a")]);
    await findLater();
    expect(index.listed([target])[0]).toMatchObject({ id: "a", state: "failed" });
    cloud.snapshots.set("snapshot-group", [snapshotCreatedFor(target, "a", STATUS.deleting)]);
    await findLater();
    expect(index.listed([target])[0]).toMatchObject({ id: "a", state: "deleting" });
    expect(cloud.requests()).toEqual(["listNewest snapshot-group", "listNewest snapshot-group"]);
  });
});

describe("a refresh of a list whose first rows are not the newest", () => {
  test.each([
    [2_000, ["listAll snapshot"]],
    [2_001, ["listFor snapshot disk-1"]],
  ])("find refreshes a list of %i snapshots, oldest first, with the requests %j", async (count, requests) => {
    const found = [...agedSnapshots(count - 1), snapshotCreatedFor(diskTarget(1), "mine")];
    const { cloud, findLater } = await createListedIndex(found, { newestFirst: false });
    cloud.calls.length = 0;
    expect(await findLater()).toEqual(["mine"]);
    expect(cloud.requests()).toEqual(requests);
  });

  test("find lists all of 2,001 cluster snapshots for each refresh, because DWS has no pages", async () => {
    const { cloud, findLater, addMine } = await createListedIndex(agedSnapshots(2_001), { kind: cluster });
    addMine();
    expect(await findLater()).toContain("mine");
    expect(cloud.requests()).toEqual(["listAll cluster-snapshot"]);
  });

  test("find and findAgain send one list request per call, and isListed returns false, if the index lists each disk separately", async () => {
    const { cloud, index, target } = await createListedIndex(agedSnapshots(2_001), { newestFirst: false });
    await index.find(target);
    await index.find(target);
    await index.findAgain(target);
    expect(await index.isListed(snapshot)).toBe(false);
    await index.refresh([target], []);
    expect(cloud.requests()).toEqual(Array(3).fill("listFor snapshot disk-1"));
  });

  test("refresh lists only the disks in `some` if the index lists each disk separately", async () => {
    const { cloud, index, addMine } = await createListedIndex(agedSnapshots(2_001), { newestFirst: false });
    addMine();
    await index.refresh([diskTarget(1), diskTarget(2)], [diskTarget(1)]);
    expect(cloud.requests()).toEqual(["listFor snapshot disk-1"]);
    expect(ids(index.listed([diskTarget(1)]))).toEqual(["mine"]);
  });

  test.each(["BadResponse", "AccessDenied"] as const)(
    "after the list of all snapshots fails with %s, find lists the snapshots of each disk separately only if the error is BadResponse",
    async (reason) => {
      const fixture = createFixture();
      fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(1), "a"));
      fixture.cloud.onEveryCall("listAll", cloudError(reason));
      const index = indexExistingSnapshots(RUN, fixture.runContext);
      const found = await index.find(diskTarget(1)).then(ids, (error) => error.reason);
      expect(found).toEqual(reason === "BadResponse" ? ["a"] : reason);
    },
  );

  test("find fails with BadResponse if the list of all cluster snapshots is incomplete", async () => {
    const fixture = createFixture();
    fixture.cloud.onEveryCall("listAll", cloudError("BadResponse"));
    const index = indexExistingSnapshots(RUN, fixture.runContext);
    await expect(index.find(createTarget(cluster, "cluster-1"))).rejects.toMatchObject({ reason: "BadResponse" });
  });
});

describe("an index of existing snapshots if list responses omit a snapshot that this process created", () => {
  test("find reads only the newest rows if the snapshot is at most 6 s old", async () => {
    const { cloud, index, findLater } = await createListedIndex([]);
    index.addCreated(snapshot, "unlisted");
    await findLater(6_000);
    expect(cloud.calls).toEqual(["6 s listNewest snapshot"]);
  });

  test("if the newest rows of a short list do not contain the snapshot after 6 s, find reads all rows of the list from then on", async () => {
    // No row has a creation time, and EVS adds new snapshots at the end of the list.
    const found = agedSnapshots(250).map((old) => ({ ...old, created: undefined }));
    const { cloud, index, findLater, addMine } = await createListedIndex(found, { newestFirst: false });
    addMine("mine", { created: undefined });
    index.addCreated(snapshot, "mine");
    expect(await findLater()).toEqual([]);
    expect(await findLater(6_000)).toEqual(["mine"]);
    addMine("other", { created: undefined });
    expect(await findLater()).toEqual(["mine", "other"]);
    expect(cloud.requests()).toEqual([
      "listNewest snapshot",
      "listNewest snapshot",
      "listAll snapshot",
      "listAll snapshot",
    ]);
  });

  test("find lists each disk separately if the newest rows of a list of 2,001 snapshots do not contain the snapshot", async () => {
    const { cloud, index, findLater, addMine } = await createListedIndex(agedSnapshots(2_001));
    index.addCreated(snapshot, "unlisted");
    addMine();
    expect(await findLater(6_001)).toEqual(["mine"]);
    expect(cloud.requests()).toEqual(["listNewest snapshot", "listFor snapshot disk-1"]);
  });

  test("find lists each disk separately if even the list of all snapshots does not contain the snapshot", async () => {
    const { cloud, index, findLater } = await createListedIndex(agedSnapshots(2), { newestFirst: false });
    index.addCreated(snapshot, "unlisted");
    await findLater(6_001);
    expect(cloud.requests()).toEqual(["listAll snapshot", "listFor snapshot disk-1"]);
  });

  test("find continues to list all cluster snapshots if the list does not contain the snapshot", async () => {
    const { cloud, index, findLater } = await createListedIndex([], { kind: cluster });
    index.addCreated(cluster, "unlisted");
    await findLater(6_001);
    await findLater();
    expect(cloud.requests()).toEqual(["listAll cluster-snapshot", "listAll cluster-snapshot"]);
  });

  test("find continues to read the newest rows if an earlier list response contained the snapshot", async () => {
    const { cloud, index, findLater, addMine } = await createListedIndex(agedSnapshots(2));
    addMine("early");
    index.addCreated(snapshot, "deleted");
    addMine("deleted");
    await findLater();
    index.addCreated(snapshot, "early");
    cloud.snapshots.set("snapshot", agedSnapshots(2));
    await findLater(60_000);
    expect(new Set(cloud.requests())).toEqual(new Set(["listNewest snapshot"]));
  });
});
