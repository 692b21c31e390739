import { describe, expect, test } from "vitest";
import { makeRoomBy } from "../../../../shared/snapshots/retention/make-room.ts";
import { DISK_OPTIONS, keepLast, snapshotsOfDisk } from "../../../support/daily-snapshots.ts";
import { cloudError, createFixture, STATUS, snapshot } from "../../../support/domain.ts";

describe("makeRoomBy after a delete request", () => {
  const makeRoomAfter = async (arrange: (fixture: ReturnType<typeof createFixture>) => void, seconds = 600) => {
    const fixture = createFixture({ seconds });
    fixture.cloud.add(snapshot, ...snapshotsOfDisk(7));
    arrange(fixture);
    const work = makeRoomBy(keepLast(5), fixture.runContext);
    const result = await work(snapshot, DISK_OPTIONS, fixture.runContext.retryBudget).catch((error) => error);
    return { ...fixture, result };
  };
  test("makeRoomBy records a snapshot as unverified and fails with DeadlineExceeded if EVS accepts the deletion and never deletes the snapshot", async () => {
    const { result, outcomes, cloud, time } = await makeRoomAfter((fixture) => {
      fixture.cloud.onEveryCall("listFor", () => fixture.cloud.snapshots.set("snapshot", snapshotsOfDisk(7)));
    });
    expect(result).toMatchObject({ reason: "DeadlineExceeded" });
    expect(outcomes()).toEqual([
      expect.stringMatching(/^s-6 unverified: kept by no rule: The delete request was accepted/),
    ]);
    expect(cloud.requests().filter((call) => call.includes("remove"))).toHaveLength(1);
    expect(time.seconds()).toBeGreaterThanOrEqual(6);
  });

  test("makeRoomBy returns true if its snapshot is deleted and another process has created a snapshot in the meantime", async () => {
    const { result, outcomes } = await makeRoomAfter((fixture) => {
      fixture.cloud.onNextCalls("listFor", undefined, () =>
        fixture.cloud.add(snapshot, ...snapshotsOfDisk(1, { 0: { id: "other" } })),
      );
    });
    expect(result).toBe(true);
    expect(outcomes()).toEqual(["s-6 deleted: kept by no rule"]);
  });

  test("makeRoomBy records a snapshot as failed if EVS responds with NotFound and still lists the snapshot at the deadline", async () => {
    const { result, outcomes } = await makeRoomAfter(
      (fixture) => fixture.cloud.onEveryCall("remove", cloudError("NotFound")),
      60,
    );
    expect(result).toMatchObject({ reason: "DeadlineExceeded" });
    expect(outcomes()).toEqual(["s-6 failed: kept by no rule: NotFound"]);
  });

  test("makeRoomBy records a snapshot as unverified if the list request after the accepted deletion fails", async () => {
    const { result, outcomes } = await makeRoomAfter((fixture) =>
      fixture.cloud.onNextCalls("listFor", undefined, cloudError("AccessDenied")),
    );
    expect(result).toMatchObject({ reason: "AccessDenied" });
    expect(outcomes()).toEqual([expect.stringMatching(/^s-6 unverified: .*could not be listed after it/)]);
  });

  test("makeRoomBy does not believe a list response that lacks other snapshots, too", async () => {
    const { result, outcomes } = await makeRoomAfter(
      (fixture) => fixture.cloud.onNextCalls("listFor", undefined, () => fixture.cloud.snapshots.set("snapshot", [])),
      60,
    );
    expect(result).toMatchObject({ reason: "DeadlineExceeded" });
    expect(outcomes()).toEqual([expect.stringMatching(/^s-6 unverified: /)]);
  });

  test("makeRoomBy stops waiting for a deletion in progress when another process has used the room", async () => {
    const { result, time } = await makeRoomAfter(({ cloud, time: clock }) => {
      cloud.snapshots.set("snapshot", snapshotsOfDisk(7, { 6: STATUS.deleting }));
      void clock.sleep(15_000).then(() => cloud.snapshots.set("snapshot", snapshotsOfDisk(7, { 6: { id: "other" } })));
    });
    expect(result).toBe(true);
    expect(time.seconds()).toBeLessThan(30);
  });

  test("makeRoomBy tries no other snapshot after a delete request with an unknown outcome", async () => {
    const { result, outcomes, cloud } = await makeRoomAfter((fixture) =>
      fixture.cloud.onEveryCall("remove", cloudError("CloudError", { status: 500 })),
    );
    expect(result).toMatchObject({ reason: "CloudError" });
    expect(outcomes()).toEqual([expect.stringMatching(/^s-6 (failed|unverified)/)]);
    expect(new Set(cloud.requests().filter((call) => call.includes("remove")))).toEqual(
      new Set(["remove snapshot s-6"]),
    );
  });

  test("makeRoomBy tries another snapshot in the second call if it could not delete a snapshot in the first call", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...snapshotsOfDisk(7));
    fixture.cloud.onNextCalls("remove", cloudError("AccessDenied"), undefined);
    const work = makeRoomBy(keepLast(4), fixture.runContext);
    const call = () => work(snapshot, DISK_OPTIONS, fixture.runContext.retryBudget);
    expect(await call()).toBe(true);
    fixture.cloud.add(snapshot, ...snapshotsOfDisk(1, { 0: { id: "other" } }));
    expect(await call()).toBe(true);
    expect(fixture.outcomes()).toEqual([
      "s-6 failed: kept by no rule: AccessDenied",
      "s-5 deleted: kept by no rule",
      "s-4 deleted: kept by no rule",
    ]);
  });
});
