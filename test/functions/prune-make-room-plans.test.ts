/** Tests `make_room` in policies that `scheduled-snapshots` rejects, and in dry runs. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { createTestEnvironment, START, timerEvent } from "../support/environment.ts";
import { addSnapshot, createFixture, idsOf, nightlyPolicy, summarizeRecord } from "../support/full-disks.ts";

describe("a disk with 7 snapshots, the maximum", () => {
  test.each([
    ["no retention", undefined, "got none"],
    ["a retention that keeps nothing", { keep_last: 0, min_keep: 1 }, 'got {"keep_last":0,"min_keep":1}'],
  ])(
    "scheduled-snapshots rejects make_room in a policy with %s, even if dry_run is true",
    async (_what, retention, got) => {
      const { schedule, requests } = await createFixture();
      for (const dry_run of [false, true]) {
        const { error, records } = await schedule({ retention, dry_run });
        expect(error).toMatchObject({ reason: "InvalidRequest" });
        expect(error?.message).toMatch(/^make_room: expected a retention with at least one keep_ rule/);
        expect(error?.message).toContain(got);
        expect(records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
      }
      expect(requests()).toEqual([]);
      // The function accepts the same retention if make_room is false.
      const { result } = await schedule({ retention, make_room: false });
      expect(result.outcomes).toEqual({ accepted: 1 });
    },
  );

  test("scheduled-snapshots with make_room and dry_run deletes nothing and plans the deletion of the oldest snapshot", async () => {
    const { cloud, schedule, disk } = await createFixture();
    const [oldest] = [7, 6, 5, 4, 3, 2, 1].map((days) => addSnapshot(cloud, disk.id, days));
    const { records } = await schedule({ dry_run: true });
    expect(records.map(summarizeRecord)).toEqual([
      { action: "prune", outcome: "planned", rule: "kept by no rule", snapshot_id: oldest },
      { action: "create", outcome: "planned" },
      { action: "run", outcome: "done" },
    ]);
    expect(records[0]).toMatchObject({ detail: "deleted", resource_id: disk.id, policy: "nightly" });
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
    expect(cloud.count("evs.createSnapshot") + cloud.count("evs.deleteSnapshot")).toBe(0);
  });

  test("scheduled-snapshots with make_room and dry_run plans no deletion for a disk with 6 snapshots, and reports QuotaExceeded for a disk whose 7 snapshots it may not delete", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const [free, full] = [cloud.addVolume(), cloud.addVolume()];
    for (let days = 1; days <= 6; days += 1) addSnapshot(cloud, free.id, days);
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, full.id, days, { policy: "weekly" });
    const policy = nightlyPolicy("", {
      dry_run: true,
      targets: [{ kind: "snapshot", volume_ids: [free.id, full.id] }],
    });
    const { records } = await invoke(scheduledSnapshots, timerEvent(policy, START));
    expect(records.map(summarizeRecord)).toEqual([
      { action: "create", outcome: "planned" },
      { action: "create", outcome: "failed", reason: "QuotaExceeded" },
      { action: "run", outcome: "failed" },
    ]);
  });
});
