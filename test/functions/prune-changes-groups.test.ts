/** Tests `prune-snapshots` when members of a snapshot group change during a run. */
import { describe, expect, test } from "vitest";
import { DAY_MS, START_MS } from "../support/common.ts";
import { CHANGED, createChangingFixture } from "../support/prunes.ts";
import { busyAnswer, DELETE } from "../support/retention-seeds.ts";

describe("a snapshot group whose members change after its deletion was refused as busy", () => {
  const group = async () => {
    const fixture = await createChangingFixture();
    const { cloud, add, after } = fixture;
    const [b = "", a = ""] = [2, 1].map((days) => add("snapshot-group", days));
    cloud.fault({ operation: DELETE["snapshot-group"], nth: 1 }, busyAnswer("snapshot-group"));
    const replaceMember = (groupId: string, changes: object | undefined) => {
      const member = cloud.snapshots("standard-snapshot").find((one) => one.snapshot_group_id === groupId);
      cloud.removeSnapshot(member?.id ?? "");
      if (changes === undefined) return;
      const { id = "", volume_id: volumeId = "" } = member ?? {};
      cloud.addSnapshot({ kind: "standard-snapshot", id, volumeId, groupId, createdAt: START_MS - DAY_MS, ...changes });
    };
    return { ...fixture, a, b, replaceMember, after };
  };

  test.each([
    ["held by its label", { tags: { hold: "yes" } }],
    ["held by its description", { description: "hold: audit" }],
  ])("prune-snapshots keeps a group whose deletion was refused as busy when a member is %s", async (how, changes) => {
    const { a, b, replaceMember, after, prune, left } = await group();
    after.set(1, () => replaceMember(b, changes));
    const { error, records } = await prune();
    expect(error).toBeUndefined();
    expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({
      outcome: "held",
      rule: expect.stringContaining(how),
      detail: expect.stringMatching(CHANGED),
    });
    expect(left()).toEqual([a, b].sort());
  });

  test.each([
    ["in the status error", { status: "error" }, "keep_last"],
    ["missing", undefined, "keep_last"],
  ])(
    "prune-snapshots keeps a group whose deletion was refused as busy when the member of the newer group is %s",
    async (_how, changes, rule) => {
      const { a, b, replaceMember, after, prune, left } = await group();
      after.set(1, () => replaceMember(a, changes));
      const { error, records } = await prune();
      expect(error).toBeUndefined();
      expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({ outcome: "kept", rule });
      expect(left()).toEqual([a, b].sort());
    },
  );

  test("prune-snapshots keeps a busy group that becomes the last good one of a disk because the newer group loses a member", async () => {
    const fixture = await createChangingFixture();
    const { cloud, server, add, after, prune, left } = fixture;
    const second = cloud.addVolume({ serverId: server.id, attachedAt: START_MS - 30 * DAY_MS });
    const [b = "", a = ""] = [2, 1].map((days) => add("snapshot-group", days));
    cloud.fault({ operation: DELETE["snapshot-group"], nth: 1 }, busyAnswer("snapshot-group"));
    const lost = cloud
      .snapshots("standard-snapshot")
      .find((one) => one.snapshot_group_id === a && one.volume_id === second.id);
    after.set(1, () => cloud.removeSnapshot(lost?.id ?? ""));
    const { error, records } = await prune();
    expect(error).toBeUndefined();
    expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({
      outcome: "kept",
      rule: `the last good one of disk ${second.id}`,
    });
    expect(left()).toEqual([a, b].sort());
  });

  test("prune-snapshots keeps a busy group of single disks that loses a member, because no newer group has the same disks", async () => {
    const { cloud, disk, prune, left, after } = await createChangingFixture();
    const other = cloud.addVolume();
    const add = (days: number) =>
      cloud.addSnapshot({
        kind: "snapshot-group",
        volumeIds: [disk.id, other.id],
        createdAt: START_MS - days * DAY_MS,
        tags: { "managed-by": "snapshot-functions", policy: "nightly", key: `${days}`.repeat(32), content: "01234567" },
      }).id;
    const [b, a] = [add(2), add(1)];
    cloud.fault({ operation: DELETE["snapshot-group"], nth: 1 }, busyAnswer("snapshot-group"));
    const member = cloud
      .snapshots("standard-snapshot")
      .find((one) => one.snapshot_group_id === b && one.volume_id === other.id);
    after.set(1, () => cloud.removeSnapshot(member?.id ?? ""));
    const { error, records } = await prune();
    expect(error).toBeUndefined();
    expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({ outcome: "kept", rule: "keep_last" });
    expect(left()).toEqual([a, b].sort());
  });
});
