import { describe, expect, test } from "vitest";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { prune } from "../../../../shared/snapshots/retention/prune.ts";
import {
  dailySnapshots,
  deleteCalls,
  keepLast,
  outcomesOfPrune,
  remainingIds,
  threeIds,
} from "../../../support/daily-snapshots.ts";
import {
  changeSnapshot,
  cloudError,
  cluster,
  createFixture,
  type DomainFixture,
  markerOf,
  STATUS,
  snapshot,
  standard,
} from "../../../support/domain.ts";

describe("prune makes a new plan from a new list response before it repeats a failed deletion", () => {
  /** Creates a fixture with three snapshots of disk-1: prune keeps a, and deletes b and c. */
  const fixtureWithThree = (seconds = 600) => {
    const fixture = createFixture({ concurrency: 1, seconds, random: () => 0.999 });
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b", "c"));
    return fixture;
  };
  const change = ({ cloud }: DomainFixture, id: string, changes: Partial<FoundSnapshot>) =>
    changeSnapshot(cloud, snapshot, id, changes);
  const CHANGED = "The plan changed after another list request. Previous rule: kept by no rule.";

  test.each([
    ["Busy", undefined],
    ["Throttled", undefined],
    ["CloudError", undefined],
    ["Unreachable", undefined],
    ["BadResponse", undefined],
    ["Conflict", "c"],
    ["AccessDenied", "c"],
    ["NotFound", "c"],
  ] as const)(
    "prune makes a new plan after a deletion fails with %s, so the last good snapshot remains even if the snapshot to keep has failed",
    async (reason, last) => {
      const fixture = fixtureWithThree();
      fixture.cloud.onNextCalls("remove", () => {
        change(fixture, "a", STATUS.failed);
        // prune does not delete b after a permanent error. Make b a failed snapshot, so c becomes the last good snapshot.
        if (last !== undefined) change(fixture, "b", STATUS.failed);
        throw cloudError(reason);
      });
      await prune(keepLast(1), fixture.runContext);
      expect(remainingIds(fixture)).toContain(last ?? "b");
      expect(fixture.outcomes()).toContain(`${last ?? "b"} kept: keep_last: ${CHANGED}`);
      expect(fixture.records.filter(({ snapshot_id }) => snapshot_id === "b")).toHaveLength(1);
    },
  );

  test("prune records the rule of the second plan for a snapshot that it deletes on the second attempt", async () => {
    const fixture = fixtureWithThree();
    fixture.cloud.onNextCalls("remove", () => {
      change(fixture, "b", STATUS.failed);
      throw cloudError("Busy");
    });
    expect((await outcomesOfPrune(fixture)).slice(1)).toEqual([
      "c deleted: kept by no rule",
      "b deleted: failed, and a newer good snapshot exists",
    ]);
  });

  test("prune ignores a deleted snapshot in the second plan, even if a list response still contains the deleted snapshot", async () => {
    const fixture = fixtureWithThree();
    const [, b] = fixture.cloud.snapshotsOf(snapshot);
    fixture.cloud.onNextCalls("remove", undefined, () => {
      // The deletion of c fails with Busy. The deletion of b was accepted, but a late list response still contains b.
      change(fixture, "a", STATUS.failed);
      fixture.cloud.add(snapshot, b as FoundSnapshot);
      throw cloudError("Busy");
    });
    expect(await outcomesOfPrune(fixture)).toEqual([
      "a kept: keep_last",
      `c kept: keep_last: ${CHANGED}`,
      expect.stringMatching(/^b unverified: kept by no rule: The delete request was accepted/),
    ]);
  });

  test("prune with keep_last 1 keeps only one good snapshot after its third plan: the snapshot that the second plan already kept", async () => {
    const fixture = fixtureWithThree();
    fixture.cloud.onNextCalls("remove", () => {
      change(fixture, "a", STATUS.failed);
      throw cloudError("Busy");
    });
    fixture.cloud.onNextCalls("remove", cloudError("Busy"));
    expect(await outcomesOfPrune(fixture)).toEqual([
      "a kept: keep_last",
      `b kept: keep_last: ${CHANGED}`,
      "c deleted: kept by no rule",
    ]);
    expect(remainingIds(fixture)).toEqual(["a", "b"]);
  });

  test("prune holds a busy snapshot that has lost its marker or belongs to another policy in the next list response", async () => {
    for (const marker of [undefined, markerOf("b", { policy: "weekly" })]) {
      const fixture = fixtureWithThree();
      fixture.cloud.onNextCalls("remove", () => {
        change(fixture, "b", { marker });
        throw cloudError("Busy");
      });
      expect((await outcomesOfPrune(fixture)).slice(1)).toEqual([
        `b held: no longer marked with this policy: ${CHANGED}`,
        "c deleted: kept by no rule",
      ]);
    }
  });

  test("prune records the remaining deletions of a kind as failed if the second list request of the kind fails", async () => {
    const fixture = fixtureWithThree();
    fixture.cloud.onNextCalls("remove", cloudError("Busy"));
    fixture.cloud.onNextCalls("listAll", undefined, undefined, undefined, undefined, cloudError("AccessDenied"));
    await prune(keepLast(1), fixture.runContext);
    const unread = "Not deleted: the snapshots could not be listed again.";
    expect(fixture.outcomes().slice(1)).toEqual(
      ["c", "b"].map((id) => `${id} failed: kept by no rule: ${unread}: AccessDenied`),
    );
    expect(remainingIds(fixture)).toEqual(["a", "b", "c"]);
  });

  test("prune makes a new plan for cluster snapshots even if the second list request for disk snapshots fails", async () => {
    const fixture = fixtureWithThree();
    fixture.cloud.add(cluster, ...dailySnapshots("cluster-1", "e", "f"));
    fixture.cloud.onNextCalls("remove", cloudError("Busy"), cloudError("Busy"));
    fixture.cloud.onNextCalls("listAll", undefined, undefined, undefined, undefined, cloudError("AccessDenied"));
    expect((await outcomesOfPrune(fixture)).filter((line) => line.startsWith("f"))).toEqual([
      "f deleted: kept by no rule",
    ]);
    expect(remainingIds(fixture)).toEqual(["a", "b", "c"]);
  });

  test("prune lists the snapshots of a kind again before it deletes any of them if the list request of a later kind had to be repeated", async () => {
    const fixture = fixtureWithThree();
    fixture.cloud.add(standard, ...dailySnapshots("disk-1", "x", "y"));
    fixture.cloud.onNextCalls("listAll", undefined, undefined, undefined, cloudError("Throttled"), () => {
      change(fixture, "a", STATUS.failed);
      change(fixture, "c", { labels: { hold: "true" } });
    });
    expect(await outcomesOfPrune(fixture)).toEqual([
      "a kept: keep_last",
      "x kept: keep_last",
      `b kept: keep_last: ${CHANGED}`,
      `c held: held by its label: ${CHANGED}`,
      "y deleted: kept by no rule",
    ]);
    expect(fixture.announced).toEqual(["b: kept by no rule; c: kept by no rule; y: kept by no rule"]);
  });

  test("prune lists the snapshots again before further deletions if its plan is older than 60 s, and keeps each snapshot that is now held or the last good snapshot of its resource", async () => {
    const fixture = createFixture({ concurrency: 1, seconds: 900 });
    for (let disk = 0; disk < 20; disk += 1)
      fixture.cloud.add(snapshot, ...dailySnapshots(`disk-${disk}`, ...threeIds(disk).slice(0, 2)));
    fixture.cloud.onEveryCall("remove", () => fixture.time.sleep(7_000));
    void fixture.time.sleep(1_000).then(() => {
      for (let disk = 10; disk < 15; disk += 1) change(fixture, `a${disk}`, STATUS.failed);
      for (let disk = 15; disk < 20; disk += 1) change(fixture, `b${disk}`, { labels: { hold: "true" } });
    });
    await prune(keepLast(1), fixture.runContext);
    const ids = fixture.cloud.snapshotsOf(snapshot).map(({ id }) => id);
    // The deletions of the first 60 s could not know of the changes.
    for (let disk = 10; disk < 20; disk += 1) expect(ids).toContain(`b${disk}`);
    for (let disk = 0; disk < 10; disk += 1) expect(ids).not.toContain(`b${disk}`);
  });

  test("prune lists the snapshots again before its first deletion if its first list requests took more than 60 s", async () => {
    const fixture = createFixture({ seconds: 900 });
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b"));
    // The list of the next kind takes 61 s, and meanwhile a person holds b.
    fixture.cloud.onNextCalls("listAll", undefined, async () => {
      await fixture.time.sleep(61_000);
      change(fixture, "b", { labels: { hold: "true" } });
    });
    expect(await outcomesOfPrune(fixture)).toEqual(["a kept: keep_last", `b held: held by its label: ${CHANGED}`]);
    expect(deleteCalls(fixture)).toEqual([]);
  });

  test("prune makes no second plan after the deadline and records the remaining deletions as failed", async () => {
    const fixture = createFixture({ concurrency: 2, seconds: 60 });
    for (let disk = 0; disk < 20; disk += 1)
      fixture.cloud.add(snapshot, ...dailySnapshots(`disk-${disk}`, ...threeIds(disk)));
    fixture.cloud.onEveryCall("remove", () => fixture.time.sleep(30_000));
    await prune(keepLast(1), fixture.runContext);
    expect(fixture.records.filter(({ outcome }) => outcome === "deleted")).toHaveLength(4);
    expect(fixture.records.filter(({ error }) => error?.reason === "DeadlineExceeded")).toHaveLength(36);
    // The second list request only confirms the deletions.
    expect(fixture.cloud.requests().filter((call) => call === "listAll snapshot")).toHaveLength(2);
  });

  test("prune records a deletion as failed with Busy if every attempt until the deadline fails with Busy", async () => {
    const fixture = fixtureWithThree(30);
    fixture.cloud.onEveryCall("remove", cloudError("Busy"));
    expect((await outcomesOfPrune(fixture)).slice(1).sort()).toEqual([
      "b failed: kept by no rule: Busy",
      "c failed: kept by no rule: Busy",
    ]);
  });

  test("prune does not repeat a deletion with an unknown outcome if the deadline is too near for the 6 s wait", async () => {
    const fixture = fixtureWithThree(11);
    fixture.cloud.onNextCalls("remove", cloudError("CloudError"));
    expect((await outcomesOfPrune(fixture)).slice(1).sort()).toEqual([
      "b failed: kept by no rule: CloudError",
      "c deleted: kept by no rule",
    ]);
    expect(deleteCalls(fixture)).toHaveLength(2);
  });

  test("prune sends at most five list requests if 10 % of 600 deletions are throttled", async () => {
    let count = 0;
    const fixture = createFixture({ concurrency: 8, seconds: 600, random: () => 0.5 });
    for (let disk = 0; disk < 300; disk += 1)
      fixture.cloud.add(snapshot, ...dailySnapshots(`disk-${disk}`, ...threeIds(disk)));
    fixture.cloud.onEveryCall("remove", () => {
      count += 1;
      if (count % 10 === 0) throw cloudError("Throttled", { retryAfterMs: 1_000 });
    });
    await prune(keepLast(1), fixture.runContext);
    expect(fixture.cloud.snapshotsOf(snapshot)).toHaveLength(300);
    expect(fixture.records.filter(({ outcome }) => outcome === "deleted")).toHaveLength(600);
    expect(fixture.cloud.requests().filter((call) => call === "listAll snapshot").length).toBeLessThanOrEqual(5);
  });

  test("prune lists the snapshots at most eleven times if every deletion is throttled, and writes a failed record for each snapshot", async () => {
    const fixture = createFixture({ concurrency: 1, seconds: 100_000, random: () => 0.5 });
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b", "c"));
    fixture.cloud.onEveryCall("remove", cloudError("Throttled"));
    expect((await outcomesOfPrune(fixture)).slice(1).sort()).toEqual([
      expect.stringMatching(/^b failed: kept by no rule.*: Throttled$/),
      expect.stringMatching(/^c failed: kept by no rule.*: Throttled$/),
    ]);
    expect(fixture.cloud.requests().filter((call) => call === "listAll snapshot").length).toBeLessThanOrEqual(11);
  });

  test("prune deletes the remaining snapshots of a disk after nine deletions failed with Conflict", async () => {
    const fixture = createFixture({ concurrency: 1, seconds: 600 });
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", ..."abcdefghijkl"));
    fixture.cloud.onNextCalls("remove", ...Array.from({ length: 9 }, () => cloudError("Conflict")));
    await prune(keepLast(1), fixture.runContext);
    expect(fixture.records.filter(({ outcome }) => outcome === "failed")).toHaveLength(9);
    expect(fixture.records.filter(({ outcome }) => outcome === "deleted")).toHaveLength(2);
    expect(fixture.cloud.requests().filter((call) => call === "listAll snapshot").length).toBeLessThanOrEqual(5);
  });
});
