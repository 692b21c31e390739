import { describe, expect, test } from "vitest";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { groupByResource } from "../../../../shared/snapshots/retention/plan.ts";
import { failed, good, plan } from "../../../support/plans.ts";

describe("planRetention with snapshot groups", () => {
  const member = (disk: string, changes: Partial<FoundSnapshot> = {}): FoundSnapshot =>
    good(`m-${disk}`, 0, { resource: disk, marker: undefined, ...changes });
  const group = (id: string, days: number, disks: string[], changes: Partial<FoundSnapshot> = {}) =>
    good(id, days, { resource: "server", members: disks.map((disk) => member(disk)), ...changes });

  test("planRetention keeps an old group if it contains the newest available snapshot of a disk", () => {
    const found = [group("new", 1, ["a"]), group("both", 2, ["a", "b"]), group("older", 3, ["a", "b"])];
    expect(plan(found, { keep_last: 1 })).toEqual([
      "new kept: keep_last",
      "both kept: the last good one of disk b",
      "older deleted: kept by no rule",
    ]);
  });

  test("the rule by which planRetention keeps an old group names every disk whose newest available snapshot is in the group", () => {
    const found = [
      group("new", 1, ["a"]),
      group("c", 2, ["c"]),
      group("bcd", 3, ["b", "c", "d"]),
      group("all", 4, ["a", "b", "c", "d"]),
    ];
    expect(plan(found, { keep_last: 1 }).slice(1)).toEqual([
      "c kept: the last good one of disk c",
      "bcd kept: the last good one of disk b and d",
      "all deleted: kept by no rule",
    ]);
  });

  test("planRetention keeps the previous group if the newest group lacks a member for one of the disks in the previous group", () => {
    const found = [group("torn", 1, ["b"]), group("whole", 2, ["a", "b"]), group("older", 3, ["a", "b"])];
    expect(plan(found, { keep_last: 1 }).slice(1)).toEqual([
      "whole kept: the last good one of disk a",
      "older deleted: kept by no rule",
    ]);
  });

  test("planRetention deletes a duplicate group, unless the group has the only available snapshot of a disk", () => {
    const { marker } = good("t", 0);
    const duplicates = (disks: string[]) => [
      group("new", 1, ["a"]),
      group("y", 2, disks, { marker }),
      group("o", 2.001, ["a"], { marker }),
    ];
    expect(plan(duplicates(["a"]), { keep_last: 5 })[1]).toBe("y deleted: twin of o");
    expect(plan(duplicates(["a", "b"]), { keep_last: 5 })[1]).toBe("y kept: the last good one of disk b");
  });

  test("planRetention keeps the newest group with a member that names no disk, because it may contain the last snapshot of a disk", () => {
    const members = [member("a"), member("b", { resource: undefined })];
    const groups = [group("new", 1, ["a"]), group("old", 2, [], { members }), group("older", 3, [], { members })];
    expect(plan(groups, { keep_last: 1 }).slice(1)).toEqual([
      "old kept: the last good one of disk unknown",
      "older deleted: kept by no rule",
    ]);
  });

  test("groupByResource assigns groups of the same individual disks to one resource, in any order of their members", () => {
    const single = (id: string, disks: string[]) => group(id, 1, disks, { resource: undefined });
    const found = [single("x", ["a", "b"]), single("y", ["b", "a"]), single("z", ["a"])];
    expect(groupByResource(found).map((list) => list.map(({ id }) => id))).toEqual([["x", "y"], ["z"]]);
  });

  test("planRetention keeps a failed group that has the only available snapshot of a disk", () => {
    const members = [member("a"), member("b"), member("c", { state: "failed", status: "error" })];
    const torn = failed("f", 2, { resource: "server", members });
    expect(plan([group("new", 1, ["a"]), torn], { keep_last: 1 })[1]).toBe(
      "f kept: failed, but contains the only good snapshot of disk b",
    );
    expect(plan([group("new", 1, ["a"]), torn, group("old", 3, ["a", "b"])], { keep_last: 1 }).slice(1)).toEqual([
      "f deleted: failed, and a newer good snapshot exists",
      "old kept: the last good one of disk b",
    ]);
  });

  test.each([
    ["has a hold label", { labels: { hold: "true" } }, [], "its member m-1 is held by its label"],
    [
      "has a description that starts with hold",
      { description: "hold: audit" },
      [],
      "its member m-1 is held by its description",
    ],
    ["is named in the policy's hold", {}, ["M-1"], "its member m-1 is held by the policy"],
  ])(
    "planRetention holds a group if one of its members %s, because deleting the group would delete the member",
    (_how, changes, hold, rule) => {
      const held = group("h", 2, [], { members: [member("a"), member("b", { id: "m-1", ...changes })] });
      expect(plan([group("new", 1, ["a", "b"]), held], { keep_last: 1 }, { hold })).toEqual([
        "new kept: keep_last",
        `h held: ${rule}`,
      ]);
    },
  );
});
