import { describe, expect, test } from "vitest";
import { after } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { makeRoomBy } from "../../../../shared/snapshots/retention/make-room.ts";
import { cloudError, createFixture, FAILED, HOUR_MS, START, snapshot } from "../../../support/domain.ts";
import { found, LIST, NIGHTLY, OPTIONS } from "../../../support/full-disk.ts";

describe("makeRoomBy after a deletion fails with Busy", () => {
  const CHANGED = /^The plan changed/;
  /** Makes room on a disk that changes when the cloud rejects the first deletion. */
  async function refusedOnce(
    snapshots: FoundSnapshot[],
    changes: Record<string, Partial<FoundSnapshot> | undefined>,
    { reason = "Busy" as const, policy = NIGHTLY, concurrency = 1 } = {},
  ) {
    const fixture = createFixture({ seconds: 600, concurrency });
    fixture.cloud.add(snapshot, ...snapshots);
    fixture.cloud.at("remove", () => {
      const rows = fixture.cloud.of(snapshot).flatMap((one) => {
        if (!(one.id in changes)) return [one];
        return changes[one.id] === undefined ? [] : [{ ...one, ...changes[one.id] }];
      });
      fixture.cloud.snapshots.set("snapshot", rows);
      throw cloudError(reason);
    });
    const result = await makeRoomBy(policy, fixture.runContext)(snapshot, OPTIONS).catch((error) => error);
    expect(fixture.unbalancedRecords()).toBe(0);
    const left = fixture.cloud.of(snapshot).map(({ id }) => id);
    return { ...fixture, result, left, outcomes: fixture.outcomes() };
  }

  test("makeRoomBy plans again from a new list of that disk alone and deletes what both plans delete", async () => {
    const { result, outcomes, cloud } = await refusedOnce(found(7), {});
    expect(result).toBe(true);
    expect(outcomes).toEqual(["s-6 deleted: kept by no rule", "s-5 deleted: kept by no rule"]);
    expect(cloud.requests()).toEqual([
      LIST,
      "remove snapshot s-5",
      LIST,
      "remove snapshot s-6",
      "remove snapshot s-5",
      LIST,
    ]);
  });

  test("makeRoomBy keeps the last good snapshot if the one that its first plan kept fails before the next plan", async () => {
    const policy = { policy: "nightly", retention: { keep_last: 1 } };
    const { result, left, records } = await refusedOnce(found(7), { "s-0": FAILED }, { policy });
    expect(result).toBe(true);
    expect(left).toEqual(["s-0", "s-1"]);
    expect(records.filter(({ snapshot_id }) => snapshot_id === "s-1")).toMatchObject([
      { outcome: "kept", rule: "keep_last", detail: expect.stringMatching(CHANGED) },
    ]);
  });

  test("makeRoomBy deletes no snapshot that is held, unmarked or in another status by the next plan", async () => {
    for (const change of [
      { labels: { hold: "true" } },
      { marker: undefined },
      { status: "rollbacking", state: "unknown" },
    ]) {
      const { result, left, records } = await refusedOnce(found(7), { "s-5": change, "s-6": change } as never);
      expect(result).toMatchObject({ reason: "QuotaExceeded" });
      expect(left).toHaveLength(7);
      expect(records.map(({ outcome, detail }) => [outcome === "kept" || outcome === "held", detail])).toEqual([
        [true, expect.stringMatching(CHANGED)],
        [true, expect.stringMatching(CHANGED)],
      ]);
    }
  });

  test("makeRoomBy fails the deletions with the list's error if the disk cannot be listed again", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 1 });
    fixture.cloud.add(snapshot, ...found(7));
    fixture.cloud.at("remove", cloudError("Busy"));
    fixture.cloud.at("listFor", undefined, cloudError("AccessDenied"));
    const error = await makeRoomBy(NIGHTLY, fixture.runContext)(snapshot, OPTIONS).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: "QuotaExceeded" });
    expect(fixture.records.map(({ outcome, error: why }) => [outcome, why?.reason])).toEqual([
      ["failed", "AccessDenied"],
      ["failed", "AccessDenied"],
    ]);
    expect(fixture.cloud.of(snapshot)).toHaveLength(7);
  });

  const old = { ...FAILED, created: after(START, HOUR_MS) };

  test("makeRoomBy deletes a failed snapshot after Busy if no other snapshot may be deleted", async () => {
    const { result, outcomes } = await refusedOnce(
      found(7, { 0: old }),
      {},
      {
        policy: { policy: "nightly", retention: { keep_last: 6 } },
      },
    );
    expect(result).toBe(true);
    expect(outcomes).toEqual(["s-0 deleted: failed, and there is no room for a newer one"]);
  });

  test("makeRoomBy keeps a failed snapshot if it becomes good, is held, or the disk has room before the next plan", async () => {
    const policy = { policy: "nightly", retention: { keep_last: 6 } };
    for (const [changes, full] of [
      [{ "s-0": { status: "available", state: "available" } }, true],
      [{ "s-0": { labels: { hold: "true" } } }, true],
      [{ "s-3": undefined }, false],
    ] as const) {
      const { result, left } = await refusedOnce(found(7, { 0: old }), changes, { policy });
      if (full) expect(result).toMatchObject({ reason: "QuotaExceeded" });
      else expect(result).toBe(true);
      expect(left).toContain("s-0");
    }
  });

  test("makeRoomBy keeps a failed snapshot if the next plan may delete another snapshot that the first plan kept", async () => {
    const held = { labels: { hold: "true" } };
    const { result, left } = await refusedOnce(found(7, { 0: old, 6: held }), { "s-6": { labels: {} } });
    expect(result).toMatchObject({ reason: "QuotaExceeded" });
    expect(left).toHaveLength(7);
  });
});
