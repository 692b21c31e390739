import { describe, expect, test } from "vitest";
import { needsLookup, type Selector, targetFor, targetsOf, withoutRepeats } from "../../../shared/snapshots/policy.ts";
import type { Resource } from "../../../shared/snapshots/ports.ts";
import { cluster, group, snapshot, standard } from "../../support/domain.ts";

const DISKS: Resource[] = [
  { id: "DISK-1", tags: { backup: "daily", team: "shop" } },
  { id: "disk-2", tags: { backup: "weekly", team: "shop" } },
  { id: "disk-3", tags: { backup: "daily", scratch: "" } },
  { id: "disk-4", tags: {} },
];

const selected = (selector: Omit<Selector, "kind">, found = DISKS) =>
  targetsOf({ ...selector, kind: "snapshot" }, snapshot, found).map(({ resource }) => resource);

describe("a selector selects", () => {
  test("what it names, whether or not it is there, and what has all of its tags", () => {
    expect(selected({ volume_ids: ["disk-4", "disk-9"] })).toEqual(["disk-4", "disk-9"]);
    expect(selected({ tags: { backup: "daily" } })).toEqual(["disk-1", "disk-3"]);
    expect(selected({ tags: { backup: "daily", team: "shop" } })).toEqual(["disk-1"]);
    expect(selected({ volume_ids: ["disk-4"], tags: { backup: "weekly" } })).toEqual(["disk-4", "disk-2"]);
  });

  test("any value for a star, but the tag has to be there", () => {
    expect(selected({ tags: { backup: "*" } })).toEqual(["disk-1", "disk-2", "disk-3"]);
    expect(selected({ tags: { scratch: "*" } })).toEqual(["disk-3"]);
    expect(selected({ tags: { toString: "*" } })).toEqual([]);
  });

  test("by the very letters", () => {
    expect(selected({ tags: { backup: "Daily" } })).toEqual([]);
    expect(selected({ tags: { Backup: "daily" } })).toEqual([]);
  });

  test("nothing that has one of the tags to be left out, also where it is named, in whichever case", () => {
    expect(selected({ tags: { backup: "*" }, exclude_tags: { scratch: "*", team: "bank" } })).toEqual([
      "disk-1",
      "disk-2",
    ]);
    expect(selected({ volume_ids: ["DISK-3", "Disk-1", "disk-9"], exclude_tags: { scratch: "*" } })).toEqual([
      "disk-1",
      "disk-9",
    ]);
  });

  test("nothing where it has neither ids nor tags", () => {
    expect(selected({})).toEqual([]);
  });

  test("a list is needed for tags alone", () => {
    const needs = (selector: Omit<Selector, "kind">) => needsLookup({ ...selector, kind: "snapshot" });
    expect(needs({ volume_ids: ["disk-1"] })).toBe(false);
    expect(needs({ tags: { backup: "daily" } })).toBe(true);
    expect(needs({ volume_ids: ["disk-1"], exclude_tags: { scratch: "*" } })).toBe(true);
  });
});

describe("the options of a target", () => {
  test("are the id, those that are always sent, and a description where there is one", () => {
    expect(targetFor(snapshot, "disk-1").options).toEqual({ volume_id: "disk-1", force: true });
    expect(targetFor(standard, "disk-1").options).toEqual({
      volume_id: "disk-1",
      incremental: true,
      instant_access: false,
    });
    expect(targetFor(group, "server-1", { incremental: true, description: "shop" }).options).toEqual({
      server_id: "server-1",
      incremental: true,
      instant_access: false,
      description: "shop",
    });
    expect(targetFor(cluster, "cluster-1", { force: false }).options).toEqual({ cluster_id: "cluster-1" });
  });

  test("are the selector's, also where that says no", () => {
    const [target] = targetsOf(
      { kind: "snapshot", volume_ids: ["disk-1"], force: false, description: "before the migration" },
      snapshot,
      [],
    );
    expect(target).toEqual({
      kind: snapshot,
      resource: "disk-1",
      options: { volume_id: "disk-1", force: false, description: "before the migration" },
    });
  });
});

test("each snapshot once: the first selector that names a resource decides, kind by kind", () => {
  const targets = [
    targetFor(snapshot, "disk-1", { force: false }),
    targetFor(standard, "disk-1"),
    targetFor(snapshot, "disk-2"),
    targetFor(snapshot, "disk-1", { force: true }),
  ];
  expect(withoutRepeats(targets)).toEqual(targets.slice(0, 3));
});
