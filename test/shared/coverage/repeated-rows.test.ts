/** Tests snapshots that are listed several times, and snapshots whose rows contradict each other. */
import { describe, expect, test } from "vitest";
import type { CoverageState } from "../../../shared/coverage/coverage.ts";
import {
  disk,
  group,
  legacy,
  member,
  ofCluster,
  type Row,
  reportOf,
  standard,
  statesIn,
} from "../../support/coverage.ts";

/** Returns the states of `disk-1` and `disk-2`. */
const statesOf = async (rows: Row[]) => {
  const resources = { volume: [disk(), disk("disk-2")], cluster: [] };
  return statesIn(await reportOf({ rows, resources }, { types: ["volume"] }));
};

const other = { volume_id: "disk-2" };

/** Rows of `disk-1`, and the state and the numbers of good and failed snapshots that follow. */
const CASES: [what: string, rows: Row[], state: CoverageState, good: number, failed: number][] = [
  ["is good in both lists", [standard(2, { id: "s" }), legacy(2, { id: "s" })], "protected", 1, 0],
  ["failed in the v5 list only", [legacy(2, { id: "s" }), standard(2, { id: "s", status: "error" })], "failing", 0, 1],
  ["failed in the v2 list only", [standard(2, { id: "s" }), legacy(2, { id: "s", status: "error" })], "failing", 0, 1],
  [
    "is in creation in the v2 list",
    [standard(2, { id: "s" }), legacy(2, { id: "s", status: "creating" })],
    "unprotected",
    0,
    0,
  ],
  [
    "has an unknown status in the v2 list",
    [standard(2, { id: "s" }), legacy(2, { id: "s", status: "new" })],
    "unknown",
    0,
    0,
  ],
  [
    "is in deletion in the v2 list",
    [standard(2, { id: "s" }), legacy(2, { id: "s", status: "deleting" })],
    "unprotected",
    0,
    0,
  ],
  [
    "is listed again after it failed",
    [standard(2, { id: "s" }), standard(2, { id: "s", status: "error" })],
    "failing",
    0,
    1,
  ],
  ["is listed again as good", [standard(2, { id: "s", status: "error" }), standard(2, { id: "s" })], "failing", 0, 1],
  ["is listed for two disks", [standard(2, { id: "s" }), standard(2, { id: "s", ...other })], "unknown", 0, 0],
  ["is listed in two groups", [group("g"), member("g", 2, { id: "s" }), member("h", 2, { id: "s" })], "unknown", 0, 0],
];

describe("a snapshot that is listed several times", () => {
  test.each(CASES)(
    "if the only snapshot of a disk %s, the report counts the snapshot at most once",
    async (_, rows, state, good, failed) => {
      for (const order of [rows, [...rows].reverse()]) {
        const [first] = (await reportOf({ rows: order }, { types: ["volume"] })).resources;
        expect([first?.state, first?.good, first?.failed]).toEqual([state, good, failed]);
      }
    },
  );

  test("a member of a failed group protects no disk, even if the list of legacy snapshots contains the member as available", async () => {
    const members = [member("g", 2, { id: "a" }), member("g", 2, { id: "b", status: "error", ...other })];
    const rows = [group("g"), ...members, legacy(2, { id: "a" })];
    expect(await statesOf(rows)).toEqual(["disk-1 failing", "disk-2 failing"]);
  });

  test("a group counts as failed if one of the members failed, even if only the list of legacy snapshots contains the failure", async () => {
    const members = [member("g", 2, { id: "a" }), member("g", 2, { id: "b", ...other })];
    const rows = [group("g"), ...members, legacy(2, { id: "b", status: "error", ...other })];
    expect(await statesOf(rows)).toEqual(["disk-1 failing", "disk-2 failing"]);
  });

  test("if a group is listed twice with different statuses, the worse status counts", async () => {
    for (const statuses of [
      ["available", "error"],
      ["error", "available"],
    ]) {
      const rows = [...statuses.map((status) => group("g", { status })), member("g", 2)];
      expect(await statesOf(rows)).toEqual(["disk-1 failing", "disk-2 unprotected"]);
    }
  });

  test("snapshots of different clusters are not merged if their ids are empty, and each cluster has the state unknown", async () => {
    const rows = [ofCluster(2, { id: "" }), ofCluster(2, { id: "", cluster_id: "cluster-2" })];
    const resources = { volume: [], cluster: [disk("cluster-1"), disk("cluster-2")] };
    const report = await reportOf({ rows, resources }, { types: ["cluster"] });
    expect(statesIn(report)).toEqual(["cluster-1 unknown", "cluster-2 unknown"]);
  });
});

describe("a snapshot group that does not name its members", () => {
  test.each([[["g"]], [{ id: "g" }], [12345], [true]])(
    "a disk is unknown if the field snapshot_group_id of its good snapshot is %j",
    async (snapshot_group_id) => {
      const rows = [group("g", { status: "error" }), standard(2, { id: "u", snapshot_group_id })];
      const [first] = (await reportOf({ rows }, { types: ["volume"] })).resources;
      expect(first?.state).toBe("unknown");
    },
  );

  test.each([[null], [""]])("a good snapshot protects its disk if its field snapshot_group_id is %j", async (value) => {
    expect(await statesOf([standard(2, { snapshot_group_id: value })])).toEqual([
      "disk-1 protected",
      "disk-2 unprotected",
    ]);
  });

  test.each([
    ["error", "failing"],
    ["rollbacking", "unknown"],
    ["available", "unprotected"],
    ["deleting", "unprotected"],
  ])("a group without members in the status %s gives the disks of the server the state %s", async (status, state) => {
    const volume = [disk("a", { serverIds: ["SERVER-1"] }), disk("b", { serverIds: ["server-2"] })];
    const rows = [group("g", { status })];
    const report = await reportOf({ rows, resources: { volume, cluster: [] } }, { types: ["volume"] });
    expect(statesIn(report)).toEqual([`a ${state}`, "b unprotected"]);
  });

  test("a failed group without members does not count as a failed attempt if a backup created the group", async () => {
    const resources = { volume: [disk("a", { serverIds: ["server-1"] })], cluster: [] };
    const rows = [group("g", { status: "error", name: "autobk_snapshot_1" })];
    expect(statesIn(await reportOf({ rows, resources }, { types: ["volume"] }))).toEqual(["a unprotected"]);
  });
});

describe("a snapshot whose row does not contain the id of its disk", () => {
  const volume = ["failing", "never", "old", "young"].map((id) => disk(id));
  const rows = [
    legacy(3, { volume_id: "failing", status: "error" }),
    legacy(99, { volume_id: "old" }),
    legacy(2, { volume_id: "young" }),
  ];
  const reportWith = (row: Row) =>
    reportOf({ rows: [...rows, row], resources: { volume, cluster: [] } }, { types: ["volume"] });

  test("an old snapshot without a disk id changes the state unprotected of disks to unknown, changes no other state, and causes a notice", async () => {
    const report = await reportWith(legacy(9000, { id: "u", volume_id: undefined }));
    expect(statesIn(report)).toEqual(["failing failing", "never unknown", "old stale", "young protected"]);
    expect([report.complete, report.faults, report.notices]).toEqual([
      true,
      [],
      ["Unreadable rows: 1 snapshot without the id of a disk, such as the snapshot u. Check it in the console."],
    ]);
  });

  test.each([
    ["young", legacy(2, { volume_id: undefined })],
    ["without a creation time", legacy(2, { volume_id: null, created_at: null })],
  ])("if a snapshot without a disk id is %s, each disk that is not protected has the state unknown", async (_, row) => {
    const report = await reportWith(row);
    expect(statesIn(report)).toEqual(["failing unknown", "never unknown", "old unknown", "young protected"]);
    expect(report.notices).toHaveLength(1);
  });
});

test("a report of readable lists has no notices", async () => {
  expect((await reportOf({ rows: [standard(2)] })).notices).toEqual([]);
});
