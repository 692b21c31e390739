import { describe, expect, test } from "vitest";
import { after } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { makeRoomBy } from "../../../../shared/snapshots/retention/make-room.ts";
import { DISK_OPTIONS, keepLast, LIST, snapshotsOfDisk } from "../../../support/daily-snapshots.ts";
import {
  cloudError,
  createFixture,
  HOUR_MS,
  markerOf,
  START,
  STATUS,
  snapshot,
  standard,
} from "../../../support/domain.ts";

const OF_OTHER_POLICY = { marker: markerOf("other", { policy: "weekly" }) };

/** Calls `makeRoomBy` for a disk with the given snapshots. */
async function makeRoom(
  snapshots: FoundSnapshot[],
  { policy = keepLast(5), seconds = 600, waitSeconds = 0, removeMs = 0 } = {},
) {
  const fixture = createFixture({ seconds });
  fixture.cloud.add(snapshot, ...snapshots);
  fixture.cloud.removeMs = removeMs;
  if (waitSeconds > 0) fixture.runContext.retryBudget.maxWait = after(START, waitSeconds * 1000);
  const work = makeRoomBy(policy, fixture.runContext);
  const result = await work(snapshot, DISK_OPTIONS, fixture.runContext.retryBudget).catch((error) => error);
  return {
    ...fixture,
    result,
    requests: fixture.cloud.requests(),
    outcomes: fixture.outcomes(),
    calls: fixture.cloud.calls,
  };
}

/** Returns an argument for `snapshotsOfDisk` that applies `changes` to each of the newest `count` snapshots. */
const onFirst = (count: number, changes: Partial<FoundSnapshot>) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [index, changes]));

describe("makeRoomBy if no room is needed", () => {
  test("makeRoomBy deletes no standard snapshot, because standard snapshots have no maximum of 7 per disk", async () => {
    const fixture = createFixture();
    fixture.cloud.add(standard, ...snapshotsOfDisk(300));
    const work = makeRoomBy(keepLast(5), fixture.runContext);
    expect(await work(standard, DISK_OPTIONS, fixture.runContext.retryBudget)).toBe(false);
    expect(fixture.cloud.requests()).toEqual([]);
  });

  test("makeRoomBy deletes nothing and returns true if the list response contains only 6 snapshots of the disk", async () => {
    expect(await makeRoom(snapshotsOfDisk(6))).toMatchObject({ result: true, requests: [LIST] });
  });

  test("makeRoomBy deletes nothing if a backup created one of the 7 snapshots of a disk, because snapshots of backups do not count", async () => {
    const { result, requests, outcomes } = await makeRoom(
      snapshotsOfDisk(7, { 0: { name: "autobk_snapshot_1" }, ...onFirst(0, {}) }),
      { policy: keepLast(7) },
    );
    expect(result).toBe(true);
    expect(requests).toEqual([LIST]);
    expect(outcomes).toEqual([]);
  });
});

describe("makeRoomBy on a disk with 7 snapshots, the maximum", () => {
  test("makeRoomBy deletes only the oldest snapshot that the retention does not keep, and lists the disk again", async () => {
    const { result, requests, outcomes } = await makeRoom(snapshotsOfDisk(7));
    expect(result).toBe(true);
    expect(outcomes).toEqual(["s-6 deleted: kept by no rule"]);
    expect(requests).toEqual([LIST, "remove snapshot s-6", LIST]);
  });

  test("makeRoomBy announces the deletion before the delete request", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...snapshotsOfDisk(7));
    const announced: string[][] = [];
    fixture.cloud.onNextCalls("remove", () => void announced.push([...fixture.announced]));
    await makeRoomBy(keepLast(5), fixture.runContext)(snapshot, DISK_OPTIONS, fixture.runContext.retryBudget);
    expect(announced).toEqual([["s-6: kept by no rule"]]);
  });

  test("makeRoomBy lists the disk after 1 s, 2 s, 4 s, 8 s, and then every 10 s until EVS has deleted the snapshot", async () => {
    const { result, calls } = await makeRoom(snapshotsOfDisk(7), { removeMs: 40_000 });
    expect(result).toBe(true);
    const listCalls = calls.filter((call) => call.includes("listFor"));
    expect(listCalls.map((call) => call.split(" ")[0])).toEqual(["0", "0", "1", "3", "7", "15", "25", "35", "45"]);
  });

  test("makeRoomBy only waits if one of the 7 snapshots is already being deleted", async () => {
    const fixture = createFixture({ seconds: 600 });
    fixture.cloud.add(snapshot, ...snapshotsOfDisk(7, { 6: STATUS.deleting }));
    fixture.cloud.onEveryCall("listFor", () => {
      if (fixture.time.seconds() >= 3) fixture.cloud.snapshots.set("snapshot", snapshotsOfDisk(6));
    });
    expect(
      await makeRoomBy(keepLast(5), fixture.runContext)(snapshot, DISK_OPTIONS, fixture.runContext.retryBudget),
    ).toBe(true);
    expect(fixture.cloud.calls.map((call) => call.split(" ")[0])).toEqual(["0", "0", "1", "3"]);
    expect(fixture.outcomes()).toEqual([]);
  });

  test("makeRoomBy deletes by the retention if the disk has 7 snapshots in addition to a snapshot that is being deleted", async () => {
    const { outcomes } = await makeRoom(snapshotsOfDisk(8, { 7: STATUS.deleting }));
    expect(outcomes).toEqual(["s-6 deleted: kept by no rule"]);
  });

  test("makeRoomBy throws an error that says how many snapshots are still being deleted if EVS has not deleted the snapshot before the deadline", async () => {
    const timedOut = await makeRoom(snapshotsOfDisk(7), { removeMs: 10_000_000, seconds: 60 });
    expect(timedOut.result).toMatchObject({
      reason: "DeadlineExceeded",
      message:
        "There is no room for a snapshot of disk-1 yet: 1 of its 7 snapshots are being deleted. Repeat the request later.",
    });
    // The create request needs the last 12 s.
    expect(timedOut.time.seconds()).toBe(45);
  });

  test("makeRoomBy waits for deletions for at most 3 minutes, and never beyond maxWait", async () => {
    const unlimited = await makeRoom(snapshotsOfDisk(7), { removeMs: 10_000_000 });
    expect(unlimited.result).toMatchObject({ reason: "DeadlineExceeded" });
    expect(unlimited.time.seconds()).toBe(175);
    const limited = await makeRoom(snapshotsOfDisk(7), { removeMs: 10_000_000, waitSeconds: 15 });
    expect(limited.time.seconds()).toBe(7);
    expect((await makeRoom(snapshotsOfDisk(7), { removeMs: 10_000_000, waitSeconds: 15.001 })).time.seconds()).toBe(15);
  });

  test("makeRoomBy repeats the list request for the disk after a transient error", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...snapshotsOfDisk(7));
    fixture.cloud.onNextCalls("listFor", cloudError("CloudError"));
    expect(
      await makeRoomBy(keepLast(5), fixture.runContext)(snapshot, DISK_OPTIONS, fixture.runContext.retryBudget),
    ).toBe(true);
  });
});

describe("makeRoomBy if the policy allows it to delete no snapshot", () => {
  const full = (advice: string) => ({
    reason: "QuotaExceeded",
    message: `Expected fewer than 7 snapshots of disk-1, got 7. ${advice}, or delete snapshots by hand.`,
  });

  test("makeRoomBy advises to keep at most 6 snapshots if the retention and other policies keep all 7", async () => {
    const { result, requests } = await makeRoom(snapshotsOfDisk(7, onFirst(2, OF_OTHER_POLICY)), {
      policy: keepLast(5),
    });
    expect(result).toMatchObject(
      full('The policy "nightly" keeps 5 of these snapshots. Lower its retention until at most 6 remain in total'),
    );
    expect(requests).toEqual([LIST]);
  });

  test("makeRoomBy reports that no snapshot belongs to the policy if other policies and users created all 7", async () => {
    const { result } = await makeRoom(snapshotsOfDisk(7, { ...onFirst(7, OF_OTHER_POLICY), 3: { marker: undefined } }));
    expect(result).toMatchObject({
      reason: "QuotaExceeded",
      message: expect.stringContaining('got 7. The policy "nightly" keeps 0 of these snapshots'),
    });
  });

  test("makeRoomBy fails with QuotaExceeded and writes a failed record for each snapshot that it could not delete", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...snapshotsOfDisk(7));
    fixture.cloud.onEveryCall("remove", cloudError("AccessDenied"));
    const error = await makeRoomBy(keepLast(5), fixture.runContext)(
      snapshot,
      DISK_OPTIONS,
      fixture.runContext.retryBudget,
    ).catch((thrown) => thrown);
    expect(error).toMatchObject(full("The snapshots to delete still exist. Check their records and their status"));
    expect(fixture.outcomes()).toEqual([
      "s-6 failed: kept by no rule: AccessDenied",
      "s-5 failed: kept by no rule: AccessDenied",
    ]);
    expect(fixture.time.seconds()).toBe(0);
  });

  test('makeRoomBy does not wait for snapshots with the status "error_deleting", in lower or upper case', async () => {
    const stuck = await makeRoom(snapshotsOfDisk(7, onFirst(2, { ...STATUS.stuckDeleting, ...OF_OTHER_POLICY })));
    expect(stuck.result).toMatchObject({ reason: "QuotaExceeded" });
    expect(stuck.time.seconds()).toBe(0);
    const inCapitals = await makeRoom(snapshotsOfDisk(7, { 0: { ...STATUS.deleting, status: "ERROR_DELETING" } }), {
      policy: keepLast(7),
    });
    expect(inCapitals.result).toMatchObject({ reason: "QuotaExceeded" });
  });
});

describe("makeRoomBy with failed snapshots", () => {
  const old = { ...STATUS.failed, created: after(START, HOUR_MS) };

  test("makeRoomBy deletes the oldest failed snapshot of a disk with 7 snapshots if the retention keeps all available snapshots", async () => {
    const { result, outcomes } = await makeRoom(snapshotsOfDisk(7, onFirst(2, old)));
    expect(result).toBe(true);
    expect(outcomes).toEqual(["s-0 deleted: failed, and the disk has no room for a newer snapshot"]);
  });

  test("makeRoomBy keeps a failed snapshot if it can delete an available snapshot that no retention rule keeps", async () => {
    const { outcomes } = await makeRoom(snapshotsOfDisk(7, { 0: old }));
    expect(outcomes).toEqual(["s-6 deleted: kept by no rule"]);
  });

  test('makeRoomBy fails with QuotaExceeded and deletes no failed snapshot whose id is in the policy field "hold"', async () => {
    const { result, outcomes } = await makeRoom(snapshotsOfDisk(7, onFirst(2, old)), {
      policy: { ...keepLast(5), hold: ["s-0", "s-1"] },
    });
    expect(result).toMatchObject({ reason: "QuotaExceeded" });
    expect(outcomes).toEqual([]);
  });
});
