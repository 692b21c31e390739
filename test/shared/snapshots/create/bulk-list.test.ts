/** Tests when the gate reads the list of all snapshots, and when it lists only the snapshots of a disk. */
import { expect, test } from "vitest";
import { createBulkList } from "../../../../shared/snapshots/create/bulk-list.ts";
import { createFixture, snapshot, snapshotOf } from "../../../support/domain.ts";
import { diskTarget, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

/** Reads the bulk list of a cloud with one snapshot of disk-1, one of disk-2 and `others` snapshots that are not of the run. */
function createListed(others: number) {
  const fixture = createFixture();
  const target = diskTarget(1);
  fixture.cloud.add(
    snapshot,
    ...Array.from({ length: others }, (_, index) => snapshotOf(`other-${index}`, `res-${index}`)),
    snapshotCreatedFor(target, "a"),
    snapshotCreatedFor(diskTarget(2), "b"),
  );
  return { ...fixture, target, list: createBulkList(RUN, fixture.runContext) };
}

test("find reads the list of all snapshots once for all targets, and returns the snapshots of each target", async () => {
  const { cloud, time, list } = createListed(3);
  const idsOf = async (number: number) => (await list.find(diskTarget(number))).map(({ id }) => id);
  expect([await idsOf(1), await idsOf(2)]).toEqual([["a"], ["b"]]);
  await time.sleep(60_000);
  expect([await idsOf(1), await idsOf(3)]).toEqual([["a"], []]);
  expect(cloud.requests()).toEqual(["listAll snapshot"]);
});

test("findFresh reads a list of 1,000 snapshots again, and returns the target's snapshot", async () => {
  const { cloud, time, list, target } = createListed(998);
  await list.find(target);
  await time.sleep(60_000);
  expect((await list.findFresh(target)).map(({ id }) => id)).toEqual(["a"]);
  expect(cloud.requests()).toEqual(["listAll snapshot", "listAll snapshot"]);
});

test("findFresh lists only the snapshots of the target's disk if the list has 1,001 snapshots", async () => {
  const { cloud, time, list, target } = createListed(999);
  await list.find(target);
  await time.sleep(60_000);
  expect((await list.findFresh(target)).map(({ id }) => id)).toEqual(["a"]);
  expect(cloud.requests()).toEqual(["listAll snapshot", "listFor snapshot disk-1"]);
});

test("findFresh reads the list of all snapshots if no list response has arrived yet", async () => {
  const { cloud, list, target } = createListed(999);
  expect((await list.findFresh(target)).map(({ id }) => id)).toEqual(["a"]);
  expect(cloud.requests()).toEqual(["listAll snapshot"]);
});
