import { describe, expect, test } from "vitest";
import { after } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { makeRoomBy } from "../../../../shared/snapshots/retention/make-room.ts";
import { DISK_OPTIONS, keepLast, LIST, remainingIds, snapshotsOfDisk } from "../../../support/daily-snapshots.ts";
import { cloudError, createFixture, HOUR_MS, START, STATUS, snapshot } from "../../../support/domain.ts";

describe("makeRoomBy after the first deletion failed with Busy", () => {
  const CHANGED = /^The plan changed/;
  /** Calls `makeRoomBy` for a disk whose snapshots change when EVS rejects the first deletion. */
  async function makeRoomWithChanges(
    snapshots: FoundSnapshot[],
    changes: Record<string, Partial<FoundSnapshot> | undefined>,
    { reason = "Busy" as const, policy = keepLast(5), concurrency = 1 } = {},
  ) {
    const fixture = createFixture({ seconds: 600, concurrency });
    fixture.cloud.add(snapshot, ...snapshots);
    fixture.cloud.onNextCalls("remove", () => {
      const changed = fixture.cloud.snapshotsOf(snapshot).map((found) => ({ ...found, ...changes[found.id] }));
      const isRemoved = (id: string) => id in changes && changes[id] === undefined;
      fixture.cloud.snapshots.set(
        "snapshot",
        changed.filter(({ id }) => !isRemoved(id)),
      );
      throw cloudError(reason);
    });
    const result = await makeRoomBy(policy, fixture.runContext)(
      snapshot,
      DISK_OPTIONS,
      fixture.runContext.retryBudget,
    ).catch((error) => error);
    return { ...fixture, result, remaining: remainingIds(fixture), outcomes: fixture.outcomes() };
  }

  test("makeRoomBy lists the disk again, makes a new plan, and repeats the deletion if both plans delete the snapshot", async () => {
    const { result, outcomes, cloud } = await makeRoomWithChanges(snapshotsOfDisk(7), {});
    expect(result).toBe(true);
    expect(outcomes).toEqual(["s-6 deleted: kept by no rule"]);
    expect(cloud.requests()).toEqual([LIST, "remove snapshot s-6", LIST, "remove snapshot s-6", LIST]);
  });

  test("makeRoomBy keeps the last good snapshot if the snapshot that the first plan kept fails before the second plan", async () => {
    const ofOthers = Object.fromEntries([1, 2, 3, 4, 5].map((index) => [index, { marker: undefined }]));
    const { result, remaining, records } = await makeRoomWithChanges(
      snapshotsOfDisk(7, ofOthers),
      { "s-0": STATUS.failed },
      { policy: keepLast(1) },
    );
    expect(result).toMatchObject({ reason: "QuotaExceeded" });
    expect(remaining).toHaveLength(7);
    expect(records).toMatchObject([
      { snapshot_id: "s-6", outcome: "kept", rule: "keep_last", detail: expect.stringMatching(CHANGED) },
    ]);
  });

  test("makeRoomBy deletes no snapshot that the first plan keeps, even if the second plan deletes it", async () => {
    const held = { labels: { hold: "true" } };
    const { result, remaining } = await makeRoomWithChanges(
      snapshotsOfDisk(7, { 5: held }),
      { "s-5": { labels: {} }, "s-6": held },
      { policy: keepLast(5) },
    );
    expect(result).toMatchObject({ reason: "QuotaExceeded" });
    expect(remaining).toHaveLength(7);
  });

  test("makeRoomBy tries the next snapshot if a snapshot has become held, has lost its marker or has another status before the second plan", async () => {
    for (const change of [
      { labels: { hold: "true" } },
      { marker: undefined },
      { status: "rollbacking", state: "unknown" },
    ]) {
      const { result, remaining, records } = await makeRoomWithChanges(snapshotsOfDisk(7), { "s-6": change } as never);
      expect(result).toBe(true);
      expect(remaining).toContain("s-6");
      expect(remaining).not.toContain("s-5");
      expect(records.map(({ snapshot_id }) => snapshot_id)).toEqual(["s-6", "s-5"]);
      expect(records[0]).toMatchObject({ detail: expect.stringMatching(CHANGED) });
      expect(["kept", "held"]).toContain(records[0]?.outcome);
    }
  });

  test("makeRoomBy fails with AccessDenied and deletes nothing if the second list request for the disk fails with AccessDenied", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 1 });
    fixture.cloud.add(snapshot, ...snapshotsOfDisk(7));
    fixture.cloud.onNextCalls("remove", cloudError("Busy"));
    fixture.cloud.onNextCalls("listFor", undefined, cloudError("AccessDenied"));
    const error = await makeRoomBy(keepLast(5), fixture.runContext)(
      snapshot,
      DISK_OPTIONS,
      fixture.runContext.retryBudget,
    ).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: "AccessDenied" });
    expect(fixture.records.map(({ outcome, error: why }) => [outcome, why?.reason])).toEqual([["failed", "Busy"]]);
    expect(fixture.cloud.snapshotsOf(snapshot)).toHaveLength(7);
  });

  const old = { ...STATUS.failed, created: after(START, HOUR_MS) };

  test("makeRoomBy repeats the deletion of a failed snapshot after a Busy error if the policy allows it to delete no other snapshot", async () => {
    const { result, outcomes } = await makeRoomWithChanges(snapshotsOfDisk(7, { 0: old }), {}, { policy: keepLast(6) });
    expect(result).toBe(true);
    expect(outcomes).toEqual(["s-0 deleted: failed, and the disk has no room for a newer snapshot"]);
  });

  test("makeRoomBy keeps a failed snapshot if the second list response shows that the snapshot is available or held, or that the disk has room", async () => {
    const policy = keepLast(6);
    for (const [changes, isFull] of [
      [{ "s-0": { status: "available", state: "available" } }, true],
      [{ "s-0": { labels: { hold: "true" } } }, true],
      [{ "s-3": undefined }, false],
    ] as const) {
      const { result, remaining } = await makeRoomWithChanges(snapshotsOfDisk(7, { 0: old }), changes, { policy });
      if (isFull) expect(result).toMatchObject({ reason: "QuotaExceeded" });
      else expect(result).toBe(true);
      expect(remaining).toContain("s-0");
    }
  });

  test("makeRoomBy keeps a failed snapshot if a held snapshot has lost its hold label before the second plan", async () => {
    const held = { labels: { hold: "true" } };
    const { result, remaining } = await makeRoomWithChanges(snapshotsOfDisk(7, { 0: old, 6: held }), {
      "s-6": { labels: {} },
    });
    expect(result).toMatchObject({ reason: "QuotaExceeded" });
    expect(remaining).toHaveLength(7);
  });
});
