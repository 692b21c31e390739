/** Tests that `prune-snapshots` reads the members of a snapshot group again immediately before it deletes the group. */
import { describe, expect, test } from "vitest";
import { expectSuccess } from "../support/common.ts";
import { createChangingFixture, findRecord } from "../support/prunes.ts";

/** Creates an old and a new snapshot group. The first list response with standard snapshots omits a member of the old group. */
async function createGroupFixture(labels: Record<string, string> = {}) {
  const fixture = await createChangingFixture();
  const { cloud, add, server } = fixture;
  cloud.addVolume({ serverId: server.id });
  const [old = "", newest = ""] = [2, 1].map((days) => add("snapshot-group", days));
  const member = cloud
    .snapshots("standard-snapshot")
    .filter(({ snapshot_group_id }) => snapshot_group_id === old)
    .at(-1);
  const edit = (body: { snapshots: { id: string; tags?: object }[] }) => {
    for (const row of body.snapshots)
      if (row.id === member?.id) Object.assign(row, { tags: { ...row.tags, ...labels } });
  };
  const omit = (body: { snapshots: { id: string }[] }) => {
    body.snapshots = body.snapshots.filter(({ id }) => id !== member?.id);
  };
  return { ...fixture, old, newest, member: member?.id ?? "", edit, omit };
}

describe("the first list response omits a member of a snapshot group", () => {
  test.each([
    ["held by its label", { hold: "true" }, "held", /^its member \S+ is held by its label$/],
    ["not held", {}, "kept", /^its members have changed/],
  ])(
    "if the first list response omits a group member, prune-snapshots keeps the group after a second list response shows that the member exists and is %s",
    async (_what, labels, outcome, rule) => {
      const { cloud, prune, old, newest, edit, omit, remainingIds } = await createGroupFixture(labels);
      // Each list of standard snapshots consists of two pages. The first two lists are for standard snapshots and for groups.
      cloud.fault({ operation: "evs.listStandardSnapshots", times: 4 }, { type: "edit", edit: omit });
      cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "edit", edit });
      const { records } = expectSuccess(await prune());
      expect(findRecord(records, old)).toMatchObject({ outcome, rule: expect.stringMatching(rule) });
      expect(remainingIds()).toEqual([newest, old].sort());
      expect(cloud.count("evs.deleteSnapshotGroup")).toBe(0);
    },
  );

  test("prune-snapshots deletes a snapshot group if a second list response before the deletion contains the same group members as the first list response", async () => {
    const { prune, old, newest, remainingIds } = await createGroupFixture();
    const { records } = expectSuccess(await prune());
    expect(findRecord(records, old)).toMatchObject({ outcome: "deleted" });
    expect(remainingIds()).toEqual([newest]);
  });

  test("prune-snapshots does not delete a snapshot group if the group members cannot be listed a second time", async () => {
    const { cloud, prune, old, newest, remainingIds } = await createGroupFixture();
    const denied = { type: "status", status: 403, body: {} } as const;
    cloud.fault({ operation: "evs.listStandardSnapshots", nth: 5, times: Number.POSITIVE_INFINITY }, denied);
    const { records } = await prune();
    expect(findRecord(records, old)).toMatchObject({ outcome: "failed", error: { reason: "AccessDenied" } });
    expect(remainingIds()).toEqual([newest, old].sort());
  });
});
