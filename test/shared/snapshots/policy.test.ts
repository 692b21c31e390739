import { describe, expect, test } from "vitest";
import {
  applySelector,
  createTarget,
  needsResourceList,
  removeRepeatedTargets,
  type Selector,
} from "../../../shared/snapshots/policy.ts";
import type { Resource } from "../../../shared/snapshots/ports.ts";
import { cluster, group, snapshot, standard } from "../../support/domain.ts";

const DISKS: Resource[] = [
  { id: "DISK-1", tags: { backup: "daily", team: "shop" } },
  { id: "disk-2", tags: { backup: "weekly", team: "shop" } },
  { id: "disk-3", tags: { backup: "daily", scratch: "" } },
  { id: "disk-4", tags: {} },
];

const selected = (selector: Omit<Selector, "kind">, found = DISKS) =>
  applySelector({ ...selector, kind: "snapshot" }, snapshot, found).map(({ resource }) => resource);

describe("applySelector", () => {
  test("applySelector selects every given id, even if no such resource exists, and the resources that have all given tags", () => {
    expect(selected({ volume_ids: ["disk-4", "disk-9"] })).toEqual(["disk-4", "disk-9"]);
    expect(selected({ tags: { backup: "daily" } })).toEqual(["disk-1", "disk-3"]);
    expect(selected({ tags: { backup: "daily", team: "shop" } })).toEqual(["disk-1"]);
    expect(selected({ volume_ids: ["disk-4"], tags: { backup: "weekly" } })).toEqual(["disk-4", "disk-2"]);
  });

  test("applySelector selects resources that have a tag with any value if the given value is *", () => {
    expect(selected({ tags: { backup: "*" } })).toEqual(["disk-1", "disk-2", "disk-3"]);
    expect(selected({ tags: { scratch: "*" } })).toEqual(["disk-3"]);
    expect(selected({ tags: { toString: "*" } })).toEqual([]);
  });

  test("applySelector distinguishes upper and lower case in the names and values of tags", () => {
    expect(selected({ tags: { backup: "Daily" } })).toEqual([]);
    expect(selected({ tags: { Backup: "daily" } })).toEqual([]);
  });

  test("applySelector excludes resources that have one of the exclude_tags, even if their ids are given in another case", () => {
    expect(selected({ tags: { backup: "*" }, exclude_tags: { scratch: "*", team: "bank" } })).toEqual([
      "disk-1",
      "disk-2",
    ]);
    expect(selected({ volume_ids: ["DISK-3", "Disk-1", "disk-9"], exclude_tags: { scratch: "*" } })).toEqual([
      "disk-1",
      "disk-9",
    ]);
  });

  test("applySelector selects nothing if a selector has neither ids nor tags", () => {
    expect(selected({})).toEqual([]);
  });

  test("needsResourceList returns true only for selectors with tags or exclude_tags", () => {
    const needs = (selector: Omit<Selector, "kind">) => needsResourceList({ ...selector, kind: "snapshot" });
    expect(needs({ volume_ids: ["disk-1"] })).toBe(false);
    expect(needs({ tags: { backup: "daily" } })).toBe(true);
    expect(needs({ volume_ids: ["disk-1"], exclude_tags: { scratch: "*" } })).toBe(true);
  });
});

describe("createTarget", () => {
  test("createTarget returns create options with the resource id, the defaults of the kind and the given description", () => {
    expect(createTarget(snapshot, "disk-1").options).toEqual({ volume_id: "disk-1", force: true });
    expect(createTarget(standard, "disk-1").options).toEqual({
      volume_id: "disk-1",
      incremental: true,
      instant_access: false,
    });
    expect(createTarget(group, "server-1", { incremental: true, description: "shop" }).options).toEqual({
      server_id: "server-1",
      incremental: true,
      instant_access: false,
      description: "shop",
    });
    expect(createTarget(cluster, "cluster-1", { force: false }).options).toEqual({ cluster_id: "cluster-1" });
  });

  test("applySelector copies the options of the selector into the create options, even if an option is false", () => {
    const [target] = applySelector(
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

test("removeRepeatedTargets keeps only the first of several targets with the same kind and resource", () => {
  const targets = [
    createTarget(snapshot, "disk-1", { force: false }),
    createTarget(standard, "disk-1"),
    createTarget(snapshot, "disk-2"),
    createTarget(snapshot, "disk-1", { force: true }),
  ];
  expect(removeRepeatedTargets(targets)).toEqual(targets.slice(0, 3));
});
