/** Tests which snapshots `verify-snapshots` reports although they are older than the lookback. */
import { describe, expect, test } from "vitest";
import { changeRowsOf } from "../support/changed-rows.ts";
import { KINDS, type Kind, MINUTE_MS, START_MS } from "../support/common.ts";
import { KIND_FACTS } from "../support/kinds.ts";
import { createFixture, seedSnapshot } from "../support/verifications.ts";

/** The age of the snapshots in these tests, in minutes. The lookback is 1,440 minutes. */
const OLD_MINUTES = 50_000;

const timeFieldOf = (kind: Kind) => (kind === "cluster-snapshot" ? "started" : "created_at");

/** Creates a test environment whose list responses a test can change. */
async function createChangedFixture(...parameters: Parameters<typeof createFixture>) {
  const fixture = await createFixture(...parameters);
  return { ...fixture, changeRows: changeRowsOf(fixture.runtime) };
}

describe.each(KINDS)("an old %s", (kind) => {
  test(`verify-snapshots reports a ${kind} with an unknown status at any age`, async () => {
    const { cloud, resourceIds, verify } = await createFixture();
    const strange = seedSnapshot(cloud, kind, resourceIds[kind], { minutes: OLD_MINUTES, status: "rollbacking" });
    seedSnapshot(cloud, kind, resourceIds[kind], { minutes: OLD_MINUTES });
    const { records } = await verify();
    expect(records.slice(0, -1)).toMatchObject([
      { snapshot_id: strange.id, outcome: "unverified", detail: expect.stringContaining("Check it on the console") },
    ]);
  });

  test.each([
    ["in 1970", "1970-01-01T00:00:00Z", "before 2015"],
    ["in the year 1", "0001-01-01T00:00:00.000000", "before 2015"],
    ["two years in the future", "2028-11-21T02:00:00Z", "in the future"],
    ["not a date", "yesterday", "unknown"],
  ])(
    `verify-snapshots writes a warning about an available ${kind} whose creation time is %s`,
    async (_what, time, what) => {
      const { cloud, resourceIds, verify, changeRows } = await createChangedFixture();
      const { id } = seedSnapshot(cloud, kind, resourceIds[kind], { minutes: OLD_MINUTES });
      changeRows(KIND_FACTS[kind].rowsField, (row) => ({ ...row, [timeFieldOf(kind)]: time, updated_at: null }));
      const { records } = await verify();
      expect(records.slice(0, -1)).toMatchObject([
        {
          snapshot_id: id,
          outcome: "available",
          level: "warn",
          detail: expect.stringContaining("Prune neither counts"),
        },
      ]);
      expect(records[0].detail).toContain(`because its creation time is ${what}. Delete it by hand`);
    },
  );

  test(`the record of a failed ${kind} keeps the level error if its creation time is 1970`, async () => {
    const { cloud, resourceIds, verify, changeRows } = await createChangedFixture();
    seedSnapshot(cloud, kind, resourceIds[kind], {
      minutes: OLD_MINUTES,
      status: kind === "cluster-snapshot" ? "FAILED" : "error",
    });
    changeRows(KIND_FACTS[kind].rowsField, (row) => ({ ...row, [timeFieldOf(kind)]: "1970-01-01T00:00:00Z" }));
    const { records } = await verify();
    expect(records.slice(0, -1)).toMatchObject([{ outcome: "failed", level: "error" }]);
  });

  test(`verify-snapshots reports a ${kind} in creation as unverified if its creation time is in the future or in 1970`, async () => {
    const { cloud, resourceIds, verify, changeRows } = await createChangedFixture();
    seedSnapshot(cloud, kind, resourceIds[kind], { minutes: OLD_MINUTES, status: "creating" });
    for (const time of ["2028-11-21T02:00:00Z", "1970-01-01T00:00:00Z"]) {
      changeRows(KIND_FACTS[kind].rowsField, (row) => ({ ...row, [timeFieldOf(kind)]: time }));
      const { records } = await verify();
      expect(records[0]).toMatchObject({
        outcome: "unverified",
        detail: expect.stringMatching(
          /^The snapshot is in creation, and its creation time cannot be read\. Prune neither/,
        ),
      });
    }
  });

  test(`verify-snapshots reports no duplicate of a ${kind} whose creation time is 1970`, async () => {
    const { cloud, resourceIds, verify, changeRows } = await createChangedFixture();
    const [undated, recent] = [2, 1].map((minutes) =>
      seedSnapshot(cloud, kind, resourceIds[kind], { minutes, key: "same" }),
    );
    changeRows(KIND_FACTS[kind].rowsField, (row) =>
      row.id === undated?.id ? { ...row, [timeFieldOf(kind)]: "1970-01-01T00:00:00Z" } : row,
    );
    const { records } = await verify();
    const found = records.find(({ snapshot_id }) => snapshot_id === recent?.id);
    expect(found).toMatchObject({ outcome: "available", level: "info" });
    expect(found.detail).not.toContain("Duplicate");
  });
});

describe("an old snapshot group", () => {
  test("verify-snapshots reports an old snapshot group if a member failed within lookback_minutes, but not if the member failed earlier", async () => {
    const { cloud, disk, server, verify, changeRows } = await createChangedFixture();
    const failedAt = new Map<string, number>();
    const groups = [5, 20_000].map((minutes) => {
      const group = seedSnapshot(cloud, "snapshot-group", server.id, { minutes: OLD_MINUTES });
      const [id = ""] = group.member_ids ?? [];
      cloud.removeSnapshot(id);
      const createdAt = START_MS - OLD_MINUTES * MINUTE_MS;
      const member = { id, volumeId: disk.id, groupId: group.id, createdAt, status: "error" };
      cloud.addSnapshot({ kind: "standard-snapshot", ...member });
      failedAt.set(id, START_MS - minutes * MINUTE_MS);
      return group;
    });
    changeRows("snapshots", (row) => {
      const at = failedAt.get(String(row.id));
      return at === undefined ? row : { ...row, updated_at: new Date(at).toISOString().slice(0, -1) };
    });
    const { records } = await verify();
    expect(records.slice(0, -1)).toMatchObject([{ snapshot_id: groups[0]?.id, outcome: "failed" }]);
  });

  test("verify-snapshots reports a snapshot group without members only if the group is older than stuck_after_minutes", async () => {
    const { cloud, server, verify } = await createFixture();
    const [old, young] = [OLD_MINUTES, 59].map((minutes) => {
      const group = seedSnapshot(cloud, "snapshot-group", server.id, { minutes });
      for (const id of group.member_ids ?? []) cloud.removeSnapshot(id);
      return group;
    });
    const { records } = await verify();
    expect(records.slice(0, -1)).toMatchObject([
      {
        snapshot_id: old?.id,
        outcome: "unverified",
        detail:
          "The group has no members. Create another snapshot. Prune deletes this group if its policy has a retention and the server has a good group. Otherwise, compare it with the console before you delete it by hand, because the list of members can be incomplete. Members: none.",
      },
    ]);
    const shorter = await verify({ stuck_after_minutes: 58 });
    expect(shorter.records.map(({ snapshot_id }) => snapshot_id)).toContain(young?.id);
  });

  test("verify-snapshots reports a snapshot group without members as unverified if the creation time of the group is in 1970", async () => {
    const { cloud, server, verify, changeRows } = await createChangedFixture();
    const group = seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 5 });
    for (const id of group.member_ids ?? []) cloud.removeSnapshot(id);
    changeRows("snapshot_groups", (row) => ({ ...row, created_at: "1970-01-01T00:00:00Z" }));
    const { records } = await verify();
    expect(records[0]).toMatchObject({
      outcome: "unverified",
      detail: expect.stringMatching(/^The group has no members, and its creation time cannot be read\. Prune neither/),
    });
  });
});

describe("the members of a deleted snapshot group", () => {
  const NOTICE = /^Standard snapshots of deleted groups remain\. Delete them by hand\. Their snapshot_group_id: /;

  test("verify-snapshots does not warn about members of a deleted snapshot group if the members disappear within 6 s", async () => {
    const { cloud, server, verify } = await createFixture({ groupDeleteCascades: false });
    const { id, member_ids = [] } = seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 9_000 });
    // EVS lists the members, then deletes the group, lists no group, and then deletes the members.
    const deleteGroup = () => void cloud.removeSnapshot(id);
    const deleteMembers = () => {
      for (const member of member_ids) cloud.removeSnapshot(member);
    };
    cloud.fault({ operation: "evs.listStandardSnapshots", nth: 1 }, { type: "mutatePage", mutate: deleteGroup });
    cloud.fault({ operation: "evs.listSnapshotGroups", nth: 1 }, { type: "mutatePage", mutate: deleteMembers });
    const { records } = await verify();
    expect(cloud.snapshots()).toEqual([]);
    expect(records).toMatchObject([{ action: "run", level: "info" }]);
    expect(records[0]).not.toHaveProperty("detail");
  });

  test("verify-snapshots warns about the members of a deleted group that are still listed 6 s later", async () => {
    const { cloud, clock, group, server, verify } = await createFixture({ groupDeleteCascades: false }).then(
      (fixture) => ({
        ...fixture,
        group: seedSnapshot(fixture.cloud, "snapshot-group", fixture.server.id, { minutes: 9_000 }),
      }),
    );
    seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 9_000 });
    cloud.removeSnapshot(group.id);
    const started = clock.now();
    const { records } = await verify();
    expect(clock.now() - started).toBeGreaterThanOrEqual(6_000);
    expect(records.at(-1)).toMatchObject({ action: "run", level: "warn", detail: expect.stringMatching(NOTICE) });
    expect(records.at(-1).detail).toContain(`${group.id}.`);
  });

  test("verify-snapshots warns about the members of a deleted group even if the row of a snapshot of another program has no status", async () => {
    const { cloud, disk, server, verify } = await createFixture({ groupDeleteCascades: false });
    const group = seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 9_000 });
    const foreign = cloud.addSnapshot({ kind: "standard-snapshot", volumeId: disk.id });
    cloud.removeSnapshot(group.id);
    const edit = (body: { snapshots: { id: string; status?: string }[] }) => {
      for (const row of body.snapshots) if (row.id === foreign.id) delete row.status;
    };
    cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "edit", edit });
    const { records } = await verify();
    expect(records.at(-1).detail).toContain("Standard snapshots of deleted groups remain.");
  });

  test("verify-snapshots does not warn about group members if the first list response omits their group but a later list response contains the group", async () => {
    const { cloud, server, verify, changeRows } = await createChangedFixture();
    seedSnapshot(cloud, "snapshot-group", server.id, { minutes: 9_000 });
    let responses = 0;
    changeRows("snapshot_groups", (row) => {
      responses += 1;
      return responses === 1 ? undefined : row;
    });
    const { records } = await verify();
    expect(records.at(-1)).not.toHaveProperty("detail");
  });
});
