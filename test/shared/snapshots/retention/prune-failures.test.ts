import { describe, expect, test } from "vitest";
import { before } from "../../../../shared/core/instant.ts";
import { prune } from "../../../../shared/snapshots/retention/prune.ts";
import {
  dailySnapshots,
  deleteCalls,
  keepLast,
  outcomesOfPrune,
  remainingIds,
} from "../../../support/daily-snapshots.ts";
import {
  cloudError,
  cluster,
  createFixture,
  DAY_MS,
  type PlannedEvent,
  START,
  STATUS,
  snapshot,
  snapshotOf,
} from "../../../support/domain.ts";

describe("prune after a failed delete request", () => {
  /** Creates a fixture with snapshots of disk-1. prune keeps a, and deletes b and c. The event happens at the first deletion. */
  const fixtureWithTwoDeletions = (event: PlannedEvent, seconds = 600) => {
    const fixture = createFixture({ concurrency: 1, seconds, random: () => 0.999 });
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b", "c"));
    if (event !== undefined) fixture.cloud.onNextCalls("remove", event);
    return fixture;
  };

  test("prune records a deletion that fails with AccessDenied as failed and deletes the other snapshots", async () => {
    const fixture = fixtureWithTwoDeletions(cloudError("AccessDenied"));
    expect(await outcomesOfPrune(fixture)).toEqual([
      "a kept: keep_last",
      "b failed: kept by no rule: AccessDenied",
      "c deleted: kept by no rule",
    ]);
  });

  test.each([false, true])(
    "prune records a snapshot as failed if it is still listed 6 s after a delete request fails with NotFound (ambiguous: %s)",
    async (ambiguous) => {
      const fixture = fixtureWithTwoDeletions(cloudError("NotFound", { ambiguous }));
      expect((await outcomesOfPrune(fixture)).slice(1)).toEqual([
        "b failed: kept by no rule: NotFound",
        "c deleted: kept by no rule",
      ]);
      expect(fixture.cloud.calls.slice(-3)).toEqual([
        "0 s listAll snapshot",
        "0 s remove snapshot c",
        "6 s listAll snapshot",
      ]);
      expect(deleteCalls(fixture)).toHaveLength(2);
    },
  );

  test("prune records a snapshot as deleted if it is no longer listed 6 s after a delete request fails with NotFound", async () => {
    const fixture = fixtureWithTwoDeletions(() => {
      fixture.cloud.snapshots.set("snapshot", dailySnapshots("disk-1", "a", "-", "c"));
      throw cloudError("NotFound");
    });
    expect((await outcomesOfPrune(fixture)).slice(1)).toEqual([
      "b deleted: kept by no rule: Already deleted.",
      "c deleted: kept by no rule",
    ]);
  });

  test("prune writes one failed record per snapshot if all delete requests fail with an ambiguous NotFound", async () => {
    const fixture = fixtureWithTwoDeletions(undefined);
    fixture.cloud.add(cluster, ...dailySnapshots("cluster-1", "e", "f"));
    fixture.cloud.onEveryCall("remove", cloudError("NotFound", { ambiguous: true }));
    await prune(keepLast(1), fixture.runContext);
    expect(
      fixture
        .outcomes()
        .filter((line) => line.includes("failed"))
        .sort(),
    ).toEqual(["b", "c", "f"].map((id) => `${id} failed: kept by no rule: NotFound`));
    // prune does not repeat a delete request that failed with NotFound.
    expect(deleteCalls(fixture)).toHaveLength(3);
  });

  test("prune does not repeat a delete request after an ambiguous NotFound, but repeats one after Busy", async () => {
    const fixture = fixtureWithTwoDeletions(undefined);
    fixture.cloud.onNextCalls("remove", cloudError("Busy"), cloudError("NotFound", { ambiguous: true }));
    expect((await outcomesOfPrune(fixture)).slice(1).sort()).toEqual([
      "b deleted: kept by no rule",
      "c failed: kept by no rule: NotFound",
    ]);
    expect(deleteCalls(fixture)).toHaveLength(3);
  });

  test("prune records a deletion as failed if the list request after an ambiguous NotFound fails", async () => {
    const fixture = fixtureWithTwoDeletions(cloudError("NotFound", { ambiguous: true }));
    fixture.cloud.onNextCalls("listAll", undefined, undefined, undefined, undefined, cloudError("AccessDenied"));
    expect((await outcomesOfPrune(fixture)).slice(1)).toEqual([
      "c failed: kept by no rule: Not deleted: the snapshots could not be listed again.: AccessDenied",
      "b failed: kept by no rule: NotFound",
    ]);
    expect(deleteCalls(fixture)).toHaveLength(1);
  });

  test("prune records a snapshot as deleted if the deletion fails with Busy because the snapshot is already being deleted", async () => {
    const fixtureWithBusy = (status: typeof STATUS.deleting) => {
      const fixture = fixtureWithTwoDeletions(() => {
        fixture.cloud.snapshots.set("snapshot", [
          ...dailySnapshots("disk-1", "a", "-", "c"),
          snapshotOf("b", "disk-1", { ...status, created: before(START, DAY_MS) }),
        ]);
        throw cloudError("Busy");
      });
      return fixture;
    };
    const fixture = fixtureWithBusy(STATUS.deleting);
    expect((await outcomesOfPrune(fixture)).slice(1)).toEqual([
      "b deleted: kept by no rule: Already being deleted.",
      "c deleted: kept by no rule",
    ]);
    // A snapshot with the status error_deleting never disappears.
    const stuck = fixtureWithBusy(STATUS.stuckDeleting);
    stuck.cloud.onEveryCall("remove", cloudError("Busy"));
    expect(await outcomesOfPrune(stuck)).toContain("b failed: kept by no rule: Busy");
  });

  test("prune repeats a delete request 6 s after a transient error if a list response still contains the snapshot", async () => {
    const fixture = fixtureWithTwoDeletions(cloudError("CloudError"));
    expect((await outcomesOfPrune(fixture)).slice(1)).toEqual([
      "c deleted: kept by no rule",
      "b deleted: kept by no rule",
    ]);
    expect(fixture.cloud.requests().slice(-4)).toEqual([
      "listAll snapshot",
      "remove snapshot c",
      "remove snapshot b",
      "listAll snapshot",
    ]);
    // prune waits 6 s before the second delete request, and 6 s before the last list request.
    expect(fixture.time.seconds()).toBeGreaterThanOrEqual(12);
    expect(fixture.time.seconds()).toBeLessThan(13);
  });

  test("prune sends at most four delete requests for a snapshot if each fails with a transient error", async () => {
    const fixture = fixtureWithTwoDeletions(undefined);
    fixture.cloud.onEveryCall("remove", cloudError("CloudError"));
    expect((await outcomesOfPrune(fixture)).slice(1)).toEqual([
      "b failed: kept by no rule: CloudError",
      "c failed: kept by no rule: CloudError",
    ]);
    expect(deleteCalls(fixture)).toHaveLength(8);
  });

  test("prune deletes snapshots of other disks after a deletion fails with Busy, and lists the snapshots again before it repeats the deletion", async () => {
    const fixture = fixtureWithTwoDeletions(cloudError("Busy"));
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-2", "x", "y"));
    expect((await outcomesOfPrune(fixture)).slice(2)).toEqual([
      "y deleted: kept by no rule",
      "c deleted: kept by no rule",
      "b deleted: kept by no rule",
    ]);
    expect(fixture.cloud.calls.slice(4).map((call) => call.replace(/^(9|15)\.99\d/, "$1.99"))).toEqual([
      "0 s remove snapshot b",
      "0 s remove snapshot y",
      "9.99 s listAll snapshot",
      "9.99 s remove snapshot c",
      "9.99 s remove snapshot b",
      "15.99 s listAll snapshot",
    ]);
  });

  test("prune gives up a deletion after four delete requests that fail with Busy, and writes Busy and the rule into the record", async () => {
    const fixture = fixtureWithTwoDeletions(undefined);
    fixture.cloud.onEveryCall("remove", cloudError("Busy"));
    expect((await outcomesOfPrune(fixture)).slice(1)).toEqual([
      "b failed: kept by no rule: Busy",
      "c failed: kept by no rule: Busy",
    ]);
    expect(deleteCalls(fixture)).toHaveLength(8);
  });

  test("prune records busy snapshots as failed if the next delete request would be too near the deadline", async () => {
    const fixture = fixtureWithTwoDeletions(undefined, 32);
    fixture.cloud.onEveryCall("remove", cloudError("Busy"));
    expect((await outcomesOfPrune(fixture)).slice(1).sort()).toEqual([
      "b failed: kept by no rule: Busy",
      "c failed: kept by no rule: Busy",
    ]);
    expect(deleteCalls(fixture)).toHaveLength(3);
    expect(fixture.time.seconds()).toBeLessThan(13);
  });

  test("prune records a deletion that it did not start in time as failed with DeadlineExceeded", async () => {
    const fixture = fixtureWithTwoDeletions(() => fixture.time.sleep(42_000), 60);
    expect((await outcomesOfPrune(fixture)).slice(1)).toEqual([
      "c failed: kept by no rule: DeadlineExceeded",
      "b deleted: kept by no rule",
    ]);
    expect(fixture.records.at(1)?.error?.message).toBe(
      "The invocation's time ran out before this snapshot was deleted. The next run deletes it. Raise the function's timeout.",
    );
    expect(deleteCalls(fixture)).toHaveLength(1);
  });

  test("prune still starts a deletion 1 ms before its cutoff, which is 18 s before the deadline", async () => {
    const fixture = fixtureWithTwoDeletions(() => fixture.time.sleep(41_999), 60);
    await prune(keepLast(1), fixture.runContext);
    expect(remainingIds(fixture)).toEqual(["a"]);
  });
});
