/** Tests `prune-snapshots` when members of a snapshot group change during a run. */
import { describe, expect, test } from "vitest";
import { DAY_MS, expectSuccess, START_MS } from "../support/common.ts";
import { createChangingFixture, findRecord, PLAN_CHANGED } from "../support/prunes.ts";
import { busyResponse, DELETE_OPERATIONS } from "../support/retention-seeds.ts";

describe("members change after the deletion of their snapshot group was rejected as busy", () => {
  const createBusyGroup = async () => {
    const fixture = await createChangingFixture();
    const { cloud, add, afterDeletion } = fixture;
    const [second = "", newest = ""] = [2, 1].map((days) => add("snapshot-group", days));
    cloud.fault({ operation: DELETE_OPERATIONS["snapshot-group"], nth: 1 }, busyResponse("snapshot-group"));
    const replaceMember = (groupId: string, changes: object | undefined) => {
      const member = cloud.snapshots("standard-snapshot").find((one) => one.snapshot_group_id === groupId);
      cloud.removeSnapshot(member?.id ?? "");
      if (changes === undefined) return;
      const { id = "", volume_id: volumeId = "" } = member ?? {};
      cloud.addSnapshot({ kind: "standard-snapshot", id, volumeId, groupId, createdAt: START_MS - DAY_MS, ...changes });
    };
    return { ...fixture, newest, second, replaceMember, afterDeletion };
  };

  test.each([
    ["held by its label", { tags: { hold: "yes" } }],
    ["held by its description", { description: "hold: audit" }],
  ])(
    "prune-snapshots keeps a snapshot group if one of its members becomes %s after EVS rejected the deletion of the group as busy",
    async (how, changes) => {
      const { newest, second, replaceMember, afterDeletion, prune, remainingIds } = await createBusyGroup();
      afterDeletion.set(1, () => replaceMember(second, changes));
      const { records } = expectSuccess(await prune());
      expect(findRecord(records, second)).toMatchObject({
        outcome: "held",
        rule: expect.stringContaining(how),
        detail: expect.stringMatching(PLAN_CHANGED),
      });
      expect(remainingIds()).toEqual([newest, second].sort());
    },
  );

  test.each([
    ["fails", { status: "error" }, "keep_last"],
    ["disappears", undefined, "keep_last"],
  ])(
    "prune-snapshots keeps a snapshot group if a member of the newer group %s after EVS rejected the deletion of the older group as busy",
    async (_how, changes, rule) => {
      const { newest, second, replaceMember, afterDeletion, prune, remainingIds } = await createBusyGroup();
      afterDeletion.set(1, () => replaceMember(newest, changes));
      const { records } = expectSuccess(await prune());
      expect(findRecord(records, second)).toMatchObject({ outcome: "kept", rule });
      expect(remainingIds()).toEqual([newest, second].sort());
    },
  );

  test("prune-snapshots keeps a snapshot group if the newer group loses the member for one disk after EVS rejected the deletion of the older group as busy", async () => {
    const fixture = await createChangingFixture();
    const { cloud, server, add, afterDeletion, prune, remainingIds } = fixture;
    const otherDisk = cloud.addVolume({ serverId: server.id, attachedAt: START_MS - 30 * DAY_MS });
    const [second = "", newest = ""] = [2, 1].map((days) => add("snapshot-group", days));
    cloud.fault({ operation: DELETE_OPERATIONS["snapshot-group"], nth: 1 }, busyResponse("snapshot-group"));
    const lost = cloud
      .snapshots("standard-snapshot")
      .find((one) => one.snapshot_group_id === newest && one.volume_id === otherDisk.id);
    afterDeletion.set(1, () => cloud.removeSnapshot(lost?.id ?? ""));
    const { records } = expectSuccess(await prune());
    expect(findRecord(records, second)).toMatchObject({
      outcome: "kept",
      rule: `the last good one of disk ${otherDisk.id}`,
    });
    expect(remainingIds()).toEqual([newest, second].sort());
  });

  test("prune-snapshots keeps a snapshot group if EVS rejects the deletion of the group as busy, the group then loses a member, and no newer group has the same disks", async () => {
    const { cloud, disk, prune, remainingIds, afterDeletion } = await createChangingFixture();
    const other = cloud.addVolume();
    const add = (days: number) =>
      cloud.addSnapshot({
        kind: "snapshot-group",
        volumeIds: [disk.id, other.id],
        createdAt: START_MS - days * DAY_MS,
        tags: { "managed-by": "snapshot-functions", policy: "nightly", key: `${days}`.repeat(32), content: "01234567" },
      }).id;
    const [second, newest] = [add(2), add(1)];
    cloud.fault({ operation: DELETE_OPERATIONS["snapshot-group"], nth: 1 }, busyResponse("snapshot-group"));
    const member = cloud
      .snapshots("standard-snapshot")
      .find((one) => one.snapshot_group_id === second && one.volume_id === other.id);
    afterDeletion.set(1, () => cloud.removeSnapshot(member?.id ?? ""));
    const { records } = expectSuccess(await prune());
    expect(findRecord(records, second)).toMatchObject({
      outcome: "kept",
      rule: "keep_last",
    });
    expect(remainingIds()).toEqual([newest, second].sort());
  });
});
