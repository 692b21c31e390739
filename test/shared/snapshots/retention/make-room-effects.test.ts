/** Tests how makeRoomBy confirms a deletion, and when it repeats one. */
import { expect, test } from "vitest";
import type { Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { announceRoom, makeRoomBy } from "../../../../shared/snapshots/retention/make-room.ts";
import { DISK_OPTIONS, deleteCalls, keepLast, LIST, snapshotsOfDisk } from "../../../support/daily-snapshots.ts";
import {
  changeSnapshot,
  cloudError,
  createFixture,
  type DomainFixture,
  STATUS,
  snapshot,
  standard,
} from "../../../support/domain.ts";

type Changes = Parameters<typeof snapshotsOfDisk>[1];

/** Calls `makeRoomBy` for a disk with `count` snapshots. */
async function makeRoomOf(count: number, arrange: (fixture: DomainFixture) => void, changes: Changes = {}) {
  const fixture = createFixture({ seconds: 600 });
  fixture.cloud.add(snapshot, ...snapshotsOfDisk(count, changes));
  arrange(fixture);
  const { runContext } = fixture;
  const result = await makeRoomBy(keepLast(5), runContext)(snapshot, DISK_OPTIONS, runContext.retryBudget).catch(
    (error) => error,
  );
  return { ...fixture, result };
}

/** Removes a snapshot from the cloud. */
const disappear = ({ cloud }: DomainFixture, id: string) =>
  cloud.snapshots.set(
    "snapshot",
    cloud.snapshotsOf(snapshot).filter((found) => found.id !== id),
  );

test("makeRoomBy returns true although a snapshot that was already in deletion is no longer listed", async () => {
  const { result, outcomes } = await makeRoomOf(
    8,
    (fixture) => fixture.cloud.onNextCalls("listFor", undefined, () => disappear(fixture, "s-3")),
    { 3: STATUS.deleting },
  );
  expect(result).toBe(true);
  expect(outcomes()).toEqual(["s-7 deleted: kept by no rule"]);
});

test("makeRoomBy does not believe a list response that lacks one of the snapshots that the plan keeps", async () => {
  const { result, outcomes } = await makeRoomOf(7, (fixture) => {
    fixture.cloud.onNextCalls("listFor", undefined, () => disappear(fixture, "s-2"));
  });
  expect(result).toMatchObject({ reason: "DeadlineExceeded" });
  expect(outcomes()).toEqual([
    expect.stringMatching(/^s-6 unverified: kept by no rule: .*could not be listed after it/),
  ]);
});

test("makeRoomBy sends at most four delete requests for a busy snapshot, and then tries the next snapshot", async () => {
  const { result, ...fixture } = await makeRoomOf(7, ({ cloud }) =>
    cloud.onNextCalls("remove", ...Array.from({ length: 4 }, () => cloudError("Busy"))),
  );
  expect(result).toBe(true);
  expect(fixture.outcomes()).toEqual(["s-6 failed: kept by no rule: Busy", "s-5 deleted: kept by no rule"]);
  expect(deleteCalls(fixture)).toHaveLength(5);
});

test("makeRoomBy returns true if the list response after a Busy error shows that the snapshot is gone", async () => {
  const { result, ...fixture } = await makeRoomOf(7, (fixture) =>
    fixture.cloud.onNextCalls("remove", () => {
      disappear(fixture, "s-6");
      throw cloudError("Busy");
    }),
  );
  expect(result).toBe(true);
  expect(fixture.outcomes()).toEqual(["s-6 deleted: kept by no rule: Already deleted."]);
  expect(deleteCalls(fixture)).toHaveLength(1);
});

test("makeRoomBy waits for the deletion if the list response after a Busy error shows the snapshot in deletion", async () => {
  const { result, ...fixture } = await makeRoomOf(7, (fixture) =>
    fixture.cloud.onNextCalls("remove", () => {
      changeSnapshot(fixture.cloud, snapshot, "s-6", STATUS.deleting);
      void fixture.time.sleep(60_000).then(() => disappear(fixture, "s-6"));
      throw cloudError("Busy");
    }),
  );
  expect(result).toBe(true);
  expect(fixture.outcomes()).toEqual(["s-6 deleted: kept by no rule: Already deleted."]);
  expect([deleteCalls(fixture).length, fixture.time.seconds() >= 60]).toEqual([1, true]);
});

/** Calls `announceRoom` for a disk with `count` snapshots. */
async function announceRoomOf(count: number, policy = keepLast(5), kind: Kind = snapshot) {
  const fixture = createFixture();
  fixture.cloud.add(kind, ...snapshotsOfDisk(count));
  const request = { kind, options: DISK_OPTIONS };
  const result = await announceRoom(policy, fixture.runContext, request).catch((error) => error);
  return { result, outcomes: fixture.outcomes(), requests: fixture.cloud.requests() };
}

test("announceRoom writes a planned record for the oldest snapshot that the retention does not keep, and deletes nothing", async () => {
  expect(await announceRoomOf(7)).toEqual({
    result: undefined,
    outcomes: ["s-6 planned: kept by no rule: deleted"],
    requests: [LIST],
  });
});

test("announceRoom writes no record if the disk has room, or if the kind has no maximum", async () => {
  expect(await announceRoomOf(6)).toEqual({ result: undefined, outcomes: [], requests: [LIST] });
  expect(await announceRoomOf(7, keepLast(5), standard)).toEqual({ result: undefined, outcomes: [], requests: [] });
});

test("announceRoom fails with QuotaExceeded and advises to lower the retention if no snapshot may be deleted", async () => {
  const { result, outcomes } = await announceRoomOf(7, keepLast(7));
  expect(result).toMatchObject({
    reason: "QuotaExceeded",
    message: expect.stringContaining('The policy "nightly" keeps 7 of these snapshots. Lower its retention'),
  });
  expect(outcomes).toEqual([]);
});
