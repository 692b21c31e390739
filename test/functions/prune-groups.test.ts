/** Tests how `prune-snapshots` handles held snapshots and snapshot groups. */
import { describe, expect, test } from "vitest";
import { DAY_MS, expectSuccess, HOUR_MS, MINUTE_MS, START_MS } from "../support/common.ts";
import { createFixture, findRecord, keepLast, summarizeRecord } from "../support/prunes.ts";
import { markerOf, seedSnapshot } from "../support/retention-seeds.ts";

describe("the hold field of a policy", () => {
  test('prune-snapshots warns about each entry of the policy field "hold" that is neither the id nor the name of an existing snapshot', async () => {
    const { prune, addOld, remainingIds } = await createFixture();
    const named = addOld("snapshot", 9, { name: "before-audit" });
    const [given, newest] = [addOld("cluster-snapshot", 8), addOld("snapshot", 1)];
    const { result, records } = expectSuccess(
      await prune(keepLast(1, { hold: [` ${given.toUpperCase()} `, "Before-Audit", "before-adit", "4f0c"] })),
    );
    expect(result.outcomes).toEqual({ held: 2, kept: 1 });
    expect(remainingIds()).toEqual([given, named, newest].sort());
    expect(records.at(-1)).toMatchObject({
      action: "run",
      level: "warn",
      detail:
        'hold: expected ids or names of existing snapshots, got "before-adit", "4f0c". Correct or remove them. Similar to "before-adit": "before-audit".',
    });
  });

  test('prune-snapshots reports a snapshot group as held if the policy field "hold" contains the id of a group member', async () => {
    const { cloud, prune, addOld } = await createFixture();
    addOld("snapshot-group", 5);
    addOld("snapshot-group", 1);
    const [member] = cloud.snapshots("standard-snapshot");
    const { records } = await prune(keepLast(1, { hold: [member?.id] }));
    expect(records.at(-1)).toMatchObject({ outcome: "done", level: "info", outcomes: { held: 1, kept: 1 } });
  });
});

describe("a snapshot group", () => {
  test("prune-snapshots deletes a snapshot group with one delete request and sends no delete requests for the group members", async () => {
    const { cloud, prune, addOld, deletedIds } = await createFixture({ groupTagsOnMembers: true });
    const ids = [3, 2, 1].map((days) => addOld("snapshot-group", days));
    const { result } = await prune(keepLast(1));
    expect(deletedIds()).toEqual([ids[1], ids[0]]);
    // The members have the tags of their group in this environment, but the function must not delete members.
    expect(result).toMatchObject({ targets: 3, outcomes: { kept: 1, deleted: 2 } });
    expect(cloud.count("evs.deleteStandardSnapshot")).toBe(0);
  });

  test("prune-snapshots writes no record for group members that have the tags of their group, with and without a retention", async () => {
    const { cloud, prune, addOld } = await createFixture({ groupTagsOnMembers: true });
    const group = addOld("snapshot-group", 1);
    expect(cloud.snapshots("standard-snapshot")[0]?.tags).toMatchObject({ policy: "nightly" });
    const { records } = await prune(keepLast(1));
    expect(records.slice(0, -1)).toMatchObject([{ kind: "snapshot-group", snapshot_id: group, outcome: "kept" }]);
    expect((await prune({ policy: "nightly" })).records).toMatchObject([{ action: "run", level: "info" }]);
  });

  /** Adds a group without members that was created `minutes` minutes ago. */
  const addEmpty = ({ cloud, addOld }: Awaited<ReturnType<typeof createFixture>>, minutes: number, seed = {}) => {
    const id = addOld("snapshot-group", 0, { at: START_MS - minutes * MINUTE_MS, ...seed });
    for (const member of cloud.snapshots("standard-snapshot"))
      if (member.snapshot_group_id === id) cloud.removeSnapshot(member.id);
    return id;
  };

  test("prune-snapshots deletes a snapshot group without members an hour after its creation if the server has a good group", async () => {
    const fixture = await createFixture();
    const good = fixture.addOld("snapshot-group", 9);
    const [young, old] = [addEmpty(fixture, 59), addEmpty(fixture, 61)];
    const { records } = await fixture.prune(keepLast(1));
    expect(records.slice(0, -1).map(summarizeRecord)).toEqual([
      `${young} kept: it has no members yet`,
      `${good} kept: keep_last`,
      `${old} deleted: it has no members`,
    ]);
    expect(fixture.remainingIds()).toEqual([young, good].sort());
  });

  test.each([
    ["no rows", (body: { snapshots: object[] }) => Object.assign(body, { snapshots: [], count: 0 })],
    [
      "rows without a group id",
      (body: { snapshots: Record<string, unknown>[] }) => {
        for (const row of body.snapshots) delete row.snapshot_group_id;
      },
    ],
    [
      "no row of the disk of one server",
      (body: { snapshots: Record<string, unknown>[] }, server: string) => {
        body.snapshots = body.snapshots.filter(({ volume_id }) => volume_id !== server);
      },
    ],
  ])(
    "prune-snapshots deletes no snapshot group if the list of standard snapshots contains %s",
    async (_what, change) => {
      const fixture = await createFixture();
      const ids = [9, 5, 1].map((days) => fixture.addOld("snapshot-group", days));
      const other = fixture.cloud.addServer();
      fixture.cloud.addVolume({ serverId: other.id });
      seedSnapshot(fixture.cloud, "snapshot-group", other.id, { at: START_MS - DAY_MS });
      const edit = (body: { snapshots: Record<string, unknown>[] }) => change(body, fixture.resourceIds.snapshot);
      fixture.cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "edit", edit });
      await fixture.prune(keepLast(5));
      expect(fixture.remainingIds()).toEqual(expect.arrayContaining(ids));
      expect(fixture.deletedIds()).toEqual([]);
    },
  );

  test("prune-snapshots keeps an old snapshot group without a server and without members if the members of another group have no disk id", async () => {
    const fixture = await createFixture();
    const disks = [fixture.cloud.addVolume().id, fixture.cloud.addVolume().id];
    const addGroup = (volumeIds: string[], days: number) =>
      fixture.cloud.addSnapshot({
        kind: "snapshot-group",
        volumeIds,
        createdAt: START_MS - days * DAY_MS,
        status: "available",
        tags: markerOf("nightly", `group ${days}`),
      }).id;
    const [empty, good] = [addGroup([], 3), addGroup(disks, 2)];
    const edit = (body: { snapshots: Record<string, unknown>[] }) => {
      for (const row of body.snapshots) delete row.volume_id;
    };
    fixture.cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "edit", edit });
    await fixture.prune(keepLast(1));
    expect(fixture.remainingIds()).toEqual([empty, good].sort());
  });

  test("prune-snapshots does not count a snapshot group without members for keep_last", async () => {
    const fixture = await createFixture();
    const good = fixture.addOld("snapshot-group", 9);
    for (const minutes of [30, 600]) addEmpty(fixture, minutes);
    const { records } = await fixture.prune(keepLast(1));
    expect(findRecord(records, good)).toMatchObject({ outcome: "kept", rule: "keep_last" });
  });

  test.each([
    ["it has the tag hold", { labels: { hold: "true" } }, "held by its label"],
    ["EVS still reports it as creating", { status: "creating" }, "its status is creating"],
    ["it belongs to another policy", { policy: "weekly" }, undefined],
    ["its status is unknown", { status: "rollbacking" }, "its status is rollbacking"],
  ])("prune-snapshots keeps an old snapshot group without members if %s", async (_why, seed, rule) => {
    const fixture = await createFixture();
    const id = addEmpty(fixture, 50_000, seed);
    const { records } = await fixture.prune(keepLast(1));
    expect(findRecord(records, id)?.rule).toBe(rule);
    expect(fixture.remainingIds()).toEqual([id]);
  });

  test("prune-snapshots sends no delete requests for group members if EVS keeps the members of a deleted snapshot group", async () => {
    const { cloud, prune, addOld, clock } = await createFixture({ groupDeleteCascades: false });
    for (const days of [2, 1]) addOld("snapshot-group", days);
    await prune(keepLast(1));
    clock.advance(HOUR_MS);
    expect(cloud.snapshots("snapshot-group")).toHaveLength(1);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
    expect(cloud.count("evs.deleteStandardSnapshot")).toBe(0);
  });

  test("prune-snapshots keeps the last good snapshot group if a member of the newest group has failed", async () => {
    const { cloud, disk, prune, addOld, remainingIds } = await createFixture();
    const [good = "", newer = ""] = [addOld("snapshot-group", 2), addOld("snapshot-group", 1)];
    const member = cloud.snapshots("standard-snapshot").find(({ snapshot_group_id }) => snapshot_group_id === newer);
    cloud.removeSnapshot(member?.id ?? "");
    const more = { volumeId: disk.id, groupId: newer, status: "error", createdAt: START_MS - DAY_MS };
    cloud.addSnapshot({ kind: "standard-snapshot", ...more });
    const { records } = await prune(keepLast(1));
    expect(records.slice(0, -1).map(summarizeRecord)).toEqual([
      `${newer} kept: failed, and no newer good snapshot exists`,
      `${good} kept: keep_last`,
    ]);
    expect(remainingIds()).toEqual([good, newer].sort());
  });

  test.each([
    ['its tag "hold"', { tags: { hold: "true" } }, []],
    ["its description", { description: "hold: audit" }, []],
    ['its id in the policy field "hold"', {}, ["here"]],
  ])("prune-snapshots keeps a snapshot group if one of its members is held by %s", async (_how, member, hold) => {
    const { cloud, disk, prune, addOld, remainingIds } = await createFixture();
    const group = addOld("snapshot-group", 20);
    const [id = ""] = cloud.snapshots("standard-snapshot").map((one) => one.id);
    cloud.removeSnapshot(id);
    const createdAt = START_MS - 20 * DAY_MS;
    cloud.addSnapshot({ kind: "standard-snapshot", id, volumeId: disk.id, groupId: group, createdAt, ...member });
    const newer = addOld("snapshot-group", 1);
    const { records } = await prune(keepLast(1, { hold: hold.map(() => id) }));
    expect(findRecord(records, group)).toMatchObject({
      outcome: "held",
      rule: expect.stringContaining(`its member ${id} is held`),
    });
    expect(remainingIds()).toEqual([group, newer].sort());
    expect(cloud.snapshots("standard-snapshot").map((one) => one.id)).toContain(id);
  });

  test("prune-snapshots keeps an old snapshot group that contains the last good snapshot of a detached disk", async () => {
    const { cloud, server, disk, prune, addOld, remainingIds } = await createFixture();
    const leaver = cloud.addVolume({ serverId: server.id, attachedAt: START_MS - 30 * DAY_MS });
    const [, both = ""] = [addOld("snapshot-group", 5), addOld("snapshot-group", 4)];
    cloud.detach(leaver.id);
    const without = [3, 2, 1].map((days) => addOld("snapshot-group", days));
    const { records } = await prune(keepLast(1));
    expect(records.filter(({ outcome }) => outcome === "kept").map(summarizeRecord)).toEqual([
      `${without[2]} kept: keep_last`,
      `${both} kept: the last good one of disk ${leaver.id}`,
    ]);
    expect(remainingIds()).toEqual([both, without[2]].sort());
    const disks = cloud.snapshots("standard-snapshot").map(({ volume_id }) => volume_id);
    expect(new Set(disks)).toEqual(new Set([disk.id, leaver.id]));
  });

  test("prune-snapshots keeps the older of two snapshot groups if the newer group has lost the member for one disk", async () => {
    const { cloud, server, prune, addOld, remainingIds } = await createFixture();
    cloud.addVolume({ serverId: server.id, attachedAt: START_MS - 30 * DAY_MS });
    const whole = addOld("snapshot-group", 2);
    const torn = addOld("snapshot-group", 1);
    const lost = cloud.snapshots("standard-snapshot").find(({ snapshot_group_id }) => snapshot_group_id === torn);
    cloud.removeSnapshot(lost?.id ?? "");
    const { records } = await prune(keepLast(1));
    expect(records[1]).toMatchObject({ snapshot_id: whole, rule: `the last good one of disk ${lost?.volume_id}` });
    expect(remainingIds()).toEqual([torn, whole].sort());
  });

  test("prune-snapshots applies keep_last separately to snapshot groups that contain different disks", async () => {
    const { cloud, disk, prune, remainingIds } = await createFixture();
    const [b, c] = [cloud.addVolume(), cloud.addVolume()];
    const group = (days: number, volumeIds: string[]) => {
      const tags = markerOf("nightly", `${days} ${volumeIds.length}`);
      return cloud.addSnapshot({ kind: "snapshot-group", volumeIds, tags, createdAt: START_MS - days * DAY_MS }).id;
    };
    const pairs = [group(3, [disk.id, b.id]), group(2, [b.id, disk.id])];
    const others = [group(9, [disk.id, b.id, c.id]), group(8, [c.id])];
    const { result } = await prune(keepLast(1));
    expect(result.outcomes).toEqual({ kept: 3, deleted: 1 });
    expect(remainingIds()).toEqual([pairs[1], ...others].sort());
  });
});
