import { describe, expect, test } from "vitest";
import { collectCoverage } from "../../../shared/coverage/collect.ts";
import { COVERAGE_STATES, TIMELINE } from "../../../shared/coverage/coverage.ts";
import {
  byPolicy,
  CLUSTER_STATES,
  createSource,
  DISK_STATES,
  disk,
  EXCLUDING,
  group,
  hoursAgo,
  legacy,
  member,
  NOW,
  ofCluster,
  reportOf,
  SAMPLE_PROJECT,
  standard,
  statesIn,
} from "../../support/coverage.ts";

describe("a report of complete lists", () => {
  test("collectCoverage returns first the disks and then the clusters, both sorted by id, and the state of each", async () => {
    expect(statesIn(await reportOf(SAMPLE_PROJECT, EXCLUDING))).toEqual([...DISK_STATES, ...CLUSTER_STATES]);
  });

  test("collectCoverage reads each list once", async () => {
    const source = createSource(SAMPLE_PROJECT);
    await collectCoverage(
      { now: NOW, maxAgeHours: 26, types: ["volume", "cluster"], tags: [], excludeTags: [] },
      source,
    );
    expect(source.lists.sort()).toEqual([
      "cluster",
      "cluster-snapshot",
      "snapshot",
      "snapshot-group",
      "standard-snapshot",
      "volume",
    ]);
  });

  test("collectCoverage reads the list of clusters while the list of disks does not answer", async () => {
    const source = createSource(SAMPLE_PROJECT);
    let answer = () => {};
    const disks = new Promise<number>((resolve) => {
      answer = () => resolve(0);
    });
    const options = { now: NOW, maxAgeHours: 26, types: ["volume", "cluster"] as const, tags: [], excludeTags: [] };
    const collected = collectCoverage(options, {
      ...source,
      listResources: (type, visit) => (type === "volume" ? disks : source.listResources(type, visit)),
    });
    await expect.poll(() => source.lists).toContain("cluster-snapshot");
    answer();
    expect((await collected).complete).toBe(false);
  });

  test.each([
    ["volume", ["volume", "snapshot", "standard-snapshot", "snapshot-group"]],
    ["cluster", ["cluster", "cluster-snapshot"]],
  ] as const)(
    "collectCoverage reads only the lists for the type %s if the report contains no other type",
    async (type, lists) => {
      const source = createSource(SAMPLE_PROJECT);
      await collectCoverage({ now: NOW, maxAgeHours: 26, types: [type], tags: [], excludeTags: [] }, source);
      expect(source.lists).toEqual(lists);
    },
  );

  test("collectCoverage counts the resources in each state, and the orphans", async () => {
    const { counts, complete, faults } = await reportOf(SAMPLE_PROJECT, EXCLUDING);
    expect(counts).toEqual({
      ...Object.fromEntries(COVERAGE_STATES.map((state) => [state, 1])),
      ...{ protected: 2, unprotected: 2, unknown: 0, orphaned: 1 },
    });
    expect([complete, faults]).toEqual([true, []]);
  });

  test("the report contains only the resources that have all of the requested tags", async () => {
    const volume = [
      disk("a", { tags: { team: "web", backup: "daily" } }),
      disk("b", { tags: { team: "web" } }),
      disk("c"),
    ];
    const resources = { volume, cluster: [] };
    const web = { key: "team", value: "web" };
    expect(statesIn(await reportOf({ resources }, { tags: [web] }))).toEqual(["a unprotected", "b unprotected"]);
    expect(statesIn(await reportOf({ resources }, { tags: [web, { key: "backup", value: undefined }] }))).toEqual([
      "a unprotected",
    ]);
    expect(statesIn(await reportOf({ resources }, { tags: [{ key: "constructor", value: undefined }] }))).toEqual([]);
  });

  test("a resource whose tags could not be read is unknown unless the readable tags select it", async () => {
    const young = { backup: "daily" };
    const volume = [
      disk("a", { hasOtherTags: true }),
      disk("b", { tags: young, hasOtherTags: true }),
      disk("c", { tags: {} }),
    ];
    const rows = ["a", "b"].map((volume_id) => legacy(2, { volume_id }));
    const tags = [{ key: "backup", value: "daily" }];
    const report = await reportOf({ rows, resources: { volume, cluster: [] } }, { tags, types: ["volume"] });
    expect(statesIn(report)).toEqual(["a unknown", "b protected"]);
    expect(report.resources[0]?.reason).toBe(
      "The tags could not be read, so it is unknown whether they select the resource. The newest good snapshot is 2 hours old.",
    );
    const all = await reportOf({ rows, resources: { volume, cluster: [] } }, { types: ["volume"] });
    expect(statesIn(all)).toEqual(["a protected", "b protected", "c unprotected"]);
  });

  test("a resource with any excluded tag is excluded even if it has a young good snapshot", async () => {
    const excludeTags = [
      { key: "missing", value: undefined },
      { key: "backup", value: undefined },
    ];
    const volume = [disk("disk-1", { tags: { backup: "never" } })];
    const { resources } = await reportOf({ rows: [legacy(2)], resources: { volume, cluster: [] } }, { excludeTags });
    expect(resources.map(({ state, reason }) => [state, reason])).toEqual([
      ["excluded", "The tag backup=never excludes the disk."],
    ]);
  });

  test("the report contains the name, size, servers and tags of a disk", async () => {
    const volume = [disk("disk-1", { name: "n".repeat(300), serverIds: ["server-1"], tags: { a: "v".repeat(300) } })];
    const [found] = (await reportOf({ resources: { volume, cluster: [] } })).resources;
    expect(found).toMatchObject({ type: "volume", id: "disk-1", sizeGb: 10, serverIds: ["server-1"] });
    expect([found?.name.length, found?.tags.a?.length]).toEqual([255, 255]);
  });
});

describe("the restore points of a resource", () => {
  test("the restore points are the 10 newest good snapshots of all kinds, newest first", async () => {
    const rows = [
      ...Array.from({ length: 9 }, (_, index) => legacy(30 + index, { id: `old-${index}` })),
      standard(5, { id: "standard" }),
      group("g", byPolicy("nightly")),
      member("g", 3, { id: "member", name: "of-group" }),
      legacy(1, { id: "failed", status: "error" }),
    ];
    const [found] = (await reportOf({ rows })).resources;
    expect(found?.restorePoints.map(({ id }) => id)).toEqual([
      "member",
      "standard",
      ...Array.from({ length: 8 }, (_, index) => `old-${index}`),
    ]);
    expect([found?.good, found?.failed, found?.policies]).toEqual([11, 1, ["nightly"]]);
    expect(found?.newest).toEqual({
      kind: "snapshot-group",
      id: "member",
      groupId: "g",
      name: "of-group",
      created: Date.parse(hoursAgo(3)),
      policy: "nightly",
      createdBy: "the policy nightly",
    });
  });

  test.each([
    ["a policy", legacy(2, byPolicy("nightly")), "nightly", "the policy nightly"],
    ["a user", legacy(2), undefined, "a user"],
    [
      "EVS, which copied the labels",
      standard(2, { ...byPolicy("nightly"), snapshot_type: "auto" }),
      undefined,
      "Huawei Cloud (created by EVS itself)",
    ],
    [
      "a copy, with the labels of the original",
      standard(2, { ...byPolicy("nightly"), snapshot_type: "copy" }),
      undefined,
      "Huawei Cloud (a copy)",
    ],
    ["DWS", ofCluster(2, { type: "AUTO" }), undefined, "Huawei Cloud (an automated snapshot)"],
    [
      "a user, with damaged labels",
      legacy(2, { metadata: { "managed-by": "snapshot-functions", policy: "nightly" } }),
      undefined,
      "a user",
    ],
  ])("a restore point says that it was created by %s", async (_, row, policy, createdBy) => {
    const { resources } = await reportOf({ rows: [row] });
    const newest = resources.find(({ state }) => state === "protected")?.newest;
    expect([newest?.policy, newest?.createdBy]).toEqual([policy, createdBy]);
  });

  test("the timeline contains what happened on each of the last 30 UTC days, today last", async () => {
    const rows = [
      legacy(1, { status: "creating" }),
      legacy(3),
      legacy(20, { status: "error" }),
      legacy(29 * 24),
      legacy(31 * 24, { status: "error" }),
      legacy(50, { status: "new" }),
    ];
    const [found] = (await reportOf({ rows })).resources;
    const { good, failed, creating } = TIMELINE;
    expect([...(found?.timeline ?? [])]).toEqual([good, ...new Array(27).fill(0), good + failed, creating]);
  });
});
