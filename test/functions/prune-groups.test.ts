/** Tests how `prune-snapshots` handles held snapshots and snapshot groups. */
import { describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, START_MS } from "../support/common.ts";
import { brief, createFixture, keepLast } from "../support/prunes.ts";
import { markerOf } from "../support/retention-seeds.ts";

describe("snapshots that a policy holds", () => {
  test("prune-snapshots warns about each held id or name that no snapshot has", async () => {
    const { prune, old, left } = await createFixture();
    const named = old("snapshot", 9, { name: "before-audit" });
    const [given, newest] = [old("cluster-snapshot", 8), old("snapshot", 1)];
    const { error, result, records } = await prune(
      keepLast(1, { hold: [` ${given.toUpperCase()} `, "Before-Audit", "before-adit", "4f0c"] }),
    );
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ held: 2, kept: 1 });
    expect(left()).toEqual([given, named, newest].sort());
    expect(records.at(-1)).toMatchObject({
      action: "run",
      level: "warn",
      detail: 'hold: expected ids or names of snapshots; none that was looked at has "before-adit", "4f0c".',
    });
  });

  test("prune-snapshots accepts the id of a group member in hold", async () => {
    const { cloud, prune, old } = await createFixture();
    old("snapshot-group", 5);
    old("snapshot-group", 1);
    const [member] = cloud.snapshots("standard-snapshot");
    const { records } = await prune(keepLast(1, { hold: [member?.id] }));
    expect(records.at(-1)).toMatchObject({ outcome: "done", level: "info", outcomes: { held: 1, kept: 1 } });
  });
});

describe("a snapshot group", () => {
  test("prune-snapshots deletes a group as a whole and never deletes its members one by one", async () => {
    const { cloud, prune, old, deleted } = await createFixture({ groupTagsOnMembers: true });
    const ids = [3, 2, 1].map((days) => old("snapshot-group", days));
    const { result, records } = await prune(keepLast(1));
    expect(deleted()).toEqual([ids[1], ids[0]]);
    // The members have the tags of their group in this cloud, and the function holds them.
    expect(result.outcomes).toEqual({ kept: 1, deleted: 2, held: 3 });
    expect(records.filter(({ outcome }) => outcome === "held").map(({ rule }) => rule)).toEqual(
      Array(3).fill("a member of a group"),
    );
    expect(cloud.count("evs.deleteStandardSnapshot")).toBe(0);
  });

  test("prune-snapshots keeps the members of a deleted group if the cloud does not delete them together with the group", async () => {
    const { cloud, prune, old, clock } = await createFixture({ groupDeleteCascades: false });
    for (const days of [2, 1]) old("snapshot-group", days);
    await prune(keepLast(1));
    clock.advance(HOUR_MS);
    expect(cloud.snapshots("snapshot-group")).toHaveLength(1);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
    expect(cloud.count("evs.deleteStandardSnapshot")).toBe(0);
  });

  test("prune-snapshots keeps the last good group if the newest group has a failed member", async () => {
    const { cloud, disk, prune, old, left } = await createFixture();
    const [good = "", newer = ""] = [old("snapshot-group", 2), old("snapshot-group", 1)];
    const member = cloud.snapshots("standard-snapshot").find(({ snapshot_group_id }) => snapshot_group_id === newer);
    cloud.removeSnapshot(member?.id ?? "");
    const more = { volumeId: disk.id, groupId: newer, status: "error", createdAt: START_MS - DAY_MS };
    cloud.addSnapshot({ kind: "standard-snapshot", ...more });
    const { records } = await prune(keepLast(1));
    expect(records.slice(0, -1).map(brief)).toEqual([
      `${newer} kept: failed, and no newer good one exists`,
      `${good} kept: keep_last`,
    ]);
    expect(left()).toEqual([good, newer].sort());
  });

  test.each([
    ["a tag", { tags: { hold: "true" } }, []],
    ["its description", { description: "hold: audit" }, []],
    ["its id in the policy", {}, ["here"]],
  ])("prune-snapshots keeps a group if a member is held by %s", async (_how, member, hold) => {
    const { cloud, disk, prune, old, left } = await createFixture();
    const group = old("snapshot-group", 20);
    const [id = ""] = cloud.snapshots("standard-snapshot").map((one) => one.id);
    cloud.removeSnapshot(id);
    const createdAt = START_MS - 20 * DAY_MS;
    cloud.addSnapshot({ kind: "standard-snapshot", id, volumeId: disk.id, groupId: group, createdAt, ...member });
    const newer = old("snapshot-group", 1);
    const { records } = await prune(keepLast(1, { hold: hold.map(() => id) }));
    expect(records.find(({ snapshot_id }) => snapshot_id === group)).toMatchObject({
      outcome: "held",
      rule: expect.stringContaining(`its member ${id} is held`),
    });
    expect(left()).toEqual([group, newer].sort());
    expect(cloud.snapshots("standard-snapshot").map((one) => one.id)).toContain(id);
  });

  test("prune-snapshots keeps the group with the last good snapshot of a disk that is detached from the server", async () => {
    const { cloud, server, disk, prune, old, left } = await createFixture();
    const leaver = cloud.addVolume({ serverId: server.id, attachedAt: START_MS - 30 * DAY_MS });
    const [, both = ""] = [old("snapshot-group", 5), old("snapshot-group", 4)];
    cloud.detach(leaver.id);
    const without = [3, 2, 1].map((days) => old("snapshot-group", days));
    const { records } = await prune(keepLast(1));
    expect(records.filter(({ outcome }) => outcome === "kept").map(brief)).toEqual([
      `${without[2]} kept: keep_last`,
      `${both} kept: the last good one of disk ${leaver.id}`,
    ]);
    expect(left()).toEqual([both, without[2]].sort());
    const disks = cloud.snapshots("standard-snapshot").map(({ volume_id }) => volume_id);
    expect(new Set(disks)).toEqual(new Set([disk.id, leaver.id]));
  });

  test("prune-snapshots keeps the last group that has a member which the newest group has lost", async () => {
    const { cloud, server, prune, old, left } = await createFixture();
    cloud.addVolume({ serverId: server.id, attachedAt: START_MS - 30 * DAY_MS });
    const whole = old("snapshot-group", 2);
    const torn = old("snapshot-group", 1);
    const lost = cloud.snapshots("standard-snapshot").find(({ snapshot_group_id }) => snapshot_group_id === torn);
    cloud.removeSnapshot(lost?.id ?? "");
    const { records } = await prune(keepLast(1));
    expect(records[1]).toMatchObject({ snapshot_id: whole, rule: `the last good one of disk ${lost?.volume_id}` });
    expect(left()).toEqual([torn, whole].sort());
  });

  test("prune-snapshots compares a group of single disks with groups of the same disks", async () => {
    const { cloud, disk, prune, left } = await createFixture();
    const [b, c] = [cloud.addVolume(), cloud.addVolume()];
    const group = (days: number, volumeIds: string[]) => {
      const tags = markerOf("nightly", `${days} ${volumeIds.length}`);
      return cloud.addSnapshot({ kind: "snapshot-group", volumeIds, tags, createdAt: START_MS - days * DAY_MS }).id;
    };
    const pairs = [group(3, [disk.id, b.id]), group(2, [b.id, disk.id])];
    const others = [group(9, [disk.id, b.id, c.id]), group(8, [c.id])];
    const { result } = await prune(keepLast(1));
    expect(result.outcomes).toEqual({ kept: 3, deleted: 1 });
    expect(left()).toEqual([pairs[1], ...others].sort());
  });
});
