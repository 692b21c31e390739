/** Tests how `verify-snapshots` reports snapshot groups and their members. */
import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { expectSuccess, MINUTE_MS, START_MS } from "../support/common.ts";
import { START, timerEvent } from "../support/environment.ts";
import { markerOf } from "../support/retention-seeds.ts";
import { createFixture, seedSnapshot } from "../support/verifications.ts";

describe("a snapshot group", () => {
  test("verify-snapshots reports a snapshot group with the statuses of its members, and derives the outcome from the worst member status", async () => {
    const { cloud, server, verify } = await createFixture();
    cloud.addVolume({ serverId: server.id, attachedAt: START_MS - 60_000 });
    const states = ["available", "error", "creating", "rollbacking", "deleting"];
    const groups = states.map((status) => {
      const group = seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 10 });
      const [first = "", second = ""] = group.member_ids ?? [];
      cloud.removeSnapshot(first);
      cloud.addSnapshot({
        kind: "standard-snapshot",
        id: first,
        volumeId: cloud.snapshots().find(({ id }) => id === second)?.volume_id ?? "",
        groupId: group.id,
        createdAt: START_MS - 600_000,
        status,
      });
      return { group, first, second, status };
    });
    const { records } = await verify();
    const found = (id: string) => records.find(({ snapshot_id }) => snapshot_id === id);
    const outcomes = groups.map(({ group }) => found(group.id)?.outcome);
    expect(outcomes).toEqual(["available", "failed", undefined, "unverified", "unverified"]);
    for (const { group, first, second, status } of groups.filter((one) => one.status !== "creating")) {
      const detail: string = found(group.id)?.detail;
      expect(detail).toContain(`${first} ${status}`);
      expect(detail).toContain(`${second} available`);
    }
    expect(found(groups[1]?.group.id ?? "")?.error.message).toMatch(
      /its status is "avaialble" \(members: ("available", "error"|"error", "available")\)/,
    );
    // Group members have no records of their own.
    expect(records.filter(({ kind }) => kind === "standard-snapshot")).toEqual([]);
  });

  test.each(["error", "error_deleting"])(
    "verify-snapshots reports a snapshot group that is older than lookback_minutes if one of its members has the status %j",
    async (status) => {
      const { cloud, disk, server, verify } = await createFixture();
      const group = seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 9_000 });
      expect((await verify()).result.targets).toBe(0);
      const [id = ""] = group.member_ids ?? [];
      cloud.removeSnapshot(id);
      // The failed member was created later than its group.
      const minutes = status === "error" ? 5 : 9_000;
      const more = { volumeId: disk.id, groupId: group.id, createdAt: START_MS - minutes * MINUTE_MS, status };
      cloud.addSnapshot({ kind: "standard-snapshot", id, ...more });
      const { records } = await verify();
      expect(records[0]).toMatchObject({
        snapshot_id: group.id,
        outcome: status === "error" ? "failed" : "unverified",
      });
    },
  );

  test("verify-snapshots warns in its run record about standard snapshots whose snapshot group no longer exists", async () => {
    const { cloud, clock, invoke, server, verify } = await createFixture({ groupDeleteCascades: false });
    const old = seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 9_000 });
    seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 600 });
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
    await invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }, START));
    clock.advance(60 * MINUTE_MS);
    const { records } = expectSuccess(await verify());
    expect(records.at(-1)).toMatchObject({
      action: "run",
      level: "warn",
      outcome: "done",
      detail: `Standard snapshots of deleted groups remain. Delete them by hand. Their snapshot_group_id: ${old.id}.`,
    });
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
  });

  test("verify-snapshots does not warn about group members if EVS deletes the members with their group, or if the list request for groups fails", async () => {
    const { cloud, clock, invoke, server, verify } = await createFixture();
    for (const minutes of [9_000, 600]) seedSnapshot(cloud, "snapshot-group", server.id, { minutes });
    await invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }, START));
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
    clock.advance(60 * MINUTE_MS);
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
    cloud.fault({ operation: "evs.listSnapshotGroups" }, { type: "status", status: 403, body: {} });
    expect((await verify()).records.at(-1)).not.toHaveProperty("detail");
  });

  test("verify-snapshots reports a snapshot group once although its members have the tags of the group", async () => {
    const { cloud, server, verify } = await createFixture({ groupTagsOnMembers: true });
    const group = seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 10 });
    expect(cloud.snapshots("standard-snapshot")[0]?.tags).toMatchObject({ "managed-by": "snapshot-functions" });
    const { records } = await verify();
    expect(records.slice(0, -1)).toMatchObject([{ snapshot_id: group.id, outcome: "available" }]);
  });

  test("verify-snapshots reports a snapshot group without members as unverified", async () => {
    const { cloud, server, verify } = await createFixture();
    const group = seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 100 });
    for (const id of group.member_ids ?? []) cloud.removeSnapshot(id);
    const { records } = await verify();
    expect(records[0]).toMatchObject({ outcome: "unverified", detail: expect.stringContaining("Members: none.") });
  });

  test.each([
    ['the misspelled status "avaialble"', "avaialble"],
    ['the status "available"', "available"],
  ] as const)("verify-snapshots reports a snapshot group with %s as available", async (_status, groupAvailable) => {
    const { cloud, server, verify } = await createFixture({ groupAvailable });
    seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 10 });
    expect((await verify()).result.outcomes).toEqual({ available: 1 });
  });

  test("verify-snapshots writes the ids of all disks to the field resource_id if a snapshot group has no server", async () => {
    const { cloud, disk, verify } = await createFixture();
    const other = cloud.addVolume();
    cloud.addSnapshot({ kind: "snapshot-group", volumeIds: [disk.id, other.id], tags: markerOf("p", "x") });
    const { records } = await verify();
    expect(records[0]).toMatchObject({ outcome: "available", resource_id: [disk.id, other.id].sort().join(",") });
  });
});
