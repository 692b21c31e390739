import { expect, test } from "vitest";
import { createRunRows } from "../../../../shared/snapshots/create/run-rows.ts";
import { createFixture, standard } from "../../../support/domain.ts";
import { createMissing, LONG } from "../../../support/run-locks.ts";
import { diskTarget, diskTargets, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

/** Returns a member of a snapshot group of the run. EVS copies the tags of a group to its members. */
const memberOf = (number: number) =>
  snapshotCreatedFor(diskTarget(number, standard), `member-${number}`, { raw: { snapshot_group_id: "group-1" } });

test("of the snapshots with the tags of the run, ofRun returns the standard snapshot of the disk, but no member of a snapshot group", () => {
  const target = diskTarget(1, standard);
  const rows = createRunRows(RUN, standard, 10);
  rows.add(memberOf(1));
  rows.add({ ...memberOf(2), resource: undefined, marker: memberOf(1).marker });
  expect(rows.ofRun(target)).toEqual([]);
  rows.add(snapshotCreatedFor(target, "a"));
  expect(rows.ofRun(target).map(({ id }) => id)).toEqual(["a"]);
});

test("createAll creates the standard snapshots of disks at once and without a notice, although a group of the run has members of these disks", async () => {
  const fixture = createFixture(LONG);
  fixture.cloud.add(standard, memberOf(1), memberOf(2));
  const targets = diskTargets(4).map((_, index) => diskTarget(index + 1, standard));
  await createMissing(fixture, targets);
  expect(fixture.outcomes()).toEqual([1, 2, 3, 4].map((number) => `made-${number} accepted`));
  expect([fixture.time.seconds(), fixture.notices]).toEqual([6, []]);
});
