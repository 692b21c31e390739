import { describe, expect, test } from "vitest";
import { collectCoverage } from "../../../shared/coverage/collect.ts";
import { MAX_ORPHANS } from "../../../shared/coverage/coverage.ts";
import {
  createSource,
  denied,
  disk,
  group,
  hoursAgo,
  legacy,
  member,
  NOW,
  ofCluster,
  reportOf,
  SAMPLE_PROJECT,
  standard,
} from "../../support/coverage.ts";

describe("orphaned snapshots", () => {
  const gone = (hours: number, id: string, changes = {}) => legacy(hours, { volume_id: "GONE", id, ...changes });

  test("the orphans are the snapshots of resources that do not exist, oldest first", async () => {
    const rows = [
      gone(30, "b"),
      standard(40, { volume_id: "gone", id: "a" }),
      member("g", 20, { volume_id: "gone", id: "c" }),
      group("g"),
      ofCluster(10, { cluster_id: "gone", id: "d" }),
    ];
    const { orphans, counts } = await reportOf({ rows });
    const created = (hours: number) => Date.parse(hoursAgo(hours));
    expect(orphans).toEqual([
      { kind: "standard-snapshot", id: "a", resourceId: "gone", created: created(40) },
      { kind: "snapshot", id: "b", resourceId: "gone", created: created(30) },
      { kind: "snapshot-group", id: "c", resourceId: "gone", created: created(20) },
      { kind: "cluster-snapshot", id: "d", resourceId: "gone", created: created(10) },
    ]);
    expect(counts.orphaned).toBe(4);
  });

  test("a snapshot of a backup, a snapshot in deletion and a snapshot without a disk id are no orphans", async () => {
    const rows = [
      gone(30, "a", { name: "autobk_snapshot_1" }),
      gone(30, "b", { status: "deleting" }),
      legacy(30, { volume_id: "" }),
    ];
    expect((await reportOf({ rows })).counts.orphaned).toBe(0);
  });

  test("members of a backup's group, of a group in deletion, and of a group that is not listed are no orphans", async () => {
    const lost = { volume_id: "gone" };
    const rows = [
      group("backup", { name: "autobk_snapshot_1" }),
      member("backup", 30, lost),
      group("deleted", { status: "deleting" }),
      member("deleted", 30, lost),
      member("missing", 30, lost),
      standard(30, { ...lost, snapshot_group_id: { id: "unreadable" } }),
      group("failed", { status: "error" }),
      member("failed", 30, { ...lost, id: "orphan" }),
    ];
    expect((await reportOf({ rows })).orphans.map(({ id }) => id)).toEqual(["orphan"]);
  });

  test("the report contains an orphan even if the tags of the report select no resource", async () => {
    const { resources, counts } = await reportOf(
      { rows: [gone(30, "a"), legacy(2)] },
      { tags: [{ key: "none", value: undefined }] },
    );
    expect([resources.length, counts.orphaned]).toEqual([0, 1]);
  });

  test("an orphan without a credible creation time comes last, without a time", async () => {
    const { orphans } = await reportOf({ rows: [gone(1, "a", { created_at: "1970-01-01T00:00:00Z" }), gone(30, "b")] });
    expect(orphans.map(({ id, created }) => [id, created])).toEqual([
      ["b", Date.parse(hoursAgo(30))],
      ["a", undefined],
    ]);
  });

  test(`the report contains the ${MAX_ORPHANS} oldest orphans, and counts all of them`, async () => {
    const rows = Array.from({ length: 150 }, (_, index) => [
      gone(300 - index, `v2-${index}`),
      ofCluster(300 - index, { cluster_id: "gone", id: `dws-${index}` }),
    ]);
    const { orphans, counts } = await reportOf({ rows: rows.flat() });
    expect([orphans.length, counts.orphaned, orphans.at(-1)?.created]).toEqual([
      MAX_ORPHANS,
      300,
      Date.parse(hoursAgo(201)),
    ]);
  });

  test("if one list of snapshots fails, the report contains only the orphans that do not depend on this list", async () => {
    const rows = [
      gone(30, "a"),
      standard(30, { volume_id: "gone", id: "b" }),
      group("g"),
      member("g", 30, { volume_id: "gone", id: "c" }),
    ];
    const orphansWithout = async (list: "snapshot" | "standard-snapshot" | "snapshot-group") =>
      (await reportOf({ rows, errors: { [list]: { error: denied(), after: 9 } } })).orphans.map(({ id }) => id);
    expect(await orphansWithout("snapshot")).toEqual(["b", "c"]);
    expect(await orphansWithout("standard-snapshot")).toEqual(["a"]);
    expect(await orphansWithout("snapshot-group")).toEqual(["a", "b"]);
  });

  test("a young snapshot is no orphan if the disk of the snapshot appears when the disks are listed a second time", async () => {
    const late = {
      ...createSource({
        ...SAMPLE_PROJECT,
        rows: [gone(0.01, "young"), gone(0.01, "lost", { volume_id: "lost" }), gone(30, "old", { volume_id: "lost" })],
      }),
    };
    let reads = 0;
    const source: typeof late = {
      ...late,
      async listResources(type, visit) {
        reads += 1;
        if (type === "volume" && reads > 1) visit(disk("gone"));
        return late.listResources(type, visit);
      },
    };
    const options = { now: NOW, maxAgeHours: 26, types: ["volume"] as const, tags: [], excludeTags: [] };
    const { orphans, resources } = await collectCoverage(options, source);
    expect(orphans.map(({ id }) => id)).toEqual(["old", "lost"]);
    expect([reads, resources.length]).toEqual([2, SAMPLE_PROJECT.resources.volume.length]);
  });

  test("no orphan is reported if the second list of disks fails", async () => {
    const source = createSource({ ...SAMPLE_PROJECT, rows: [gone(0.01, "young"), gone(30, "old")] });
    let reads = 0;
    const failing: typeof source = {
      ...source,
      async listResources(type, visit) {
        reads += 1;
        if (reads > 1) throw denied();
        return source.listResources(type, visit);
      },
    };
    const options = { now: NOW, maxAgeHours: 26, types: ["volume"] as const, tags: [], excludeTags: [] };
    const { orphans, counts, faults } = await collectCoverage(options, failing);
    expect([orphans, counts.orphaned]).toEqual([[], 0]);
    expect(faults).toEqual([
      "The report contains no orphaned snapshots of disks, because the list of disks must be read twice, and the second read failed: GET /list: 403. The agency lacks a permission.",
    ]);
  });
});
