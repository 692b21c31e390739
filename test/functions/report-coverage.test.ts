import { expect, test } from "vitest";
import { HOUR_MS, START_MS } from "../support/common.ts";
import { createFixture, LISTS, statesIn } from "../support/coverage-fixture.ts";
import type { Any } from "../support/environment.ts";

test("report-coverage reports the state of each disk and the reason for this state", async () => {
  const { addDisk, report } = await createFixture();
  addDisk("young", [{ hours: 2 }, { hours: 30 }]);
  addDisk("exactly", [{ hours: 26 }]);
  addDisk("old", [{ hours: 26.5 }]);
  addDisk("failed-since", [{ hours: 30 }, { hours: 3, status: "error" }]);
  addDisk("failed-always", [{ hours: 3, status: "error" }]);
  addDisk("failed-but-young", [{ hours: 5 }, { hours: 3, status: "error" }]);
  addDisk("empty");
  addDisk("odd-status", [{ hours: 30 }, { hours: 3, status: "migrating" }]);
  addDisk("in-creation", [{ hours: 1, status: "creating" }]);
  addDisk("cold", [], { tags: { tier: "cold" } });
  const { resources, counts, complete, faults } = await report({ exclude_tags: "tier=cold" });
  expect(Object.fromEntries(resources.map(({ name, state, reason }: Any) => [name, [state, reason]]))).toEqual({
    young: ["protected", "The newest good snapshot is 2 hours old."],
    exactly: ["protected", "The newest good snapshot is 26 hours old."],
    old: ["stale", expect.stringContaining("26.5 hours old; expected at most 26.")],
    "failed-since": ["failing", expect.stringContaining("1 attempt failed since the newest good snapshot")],
    "failed-always": ["failing", expect.stringContaining("1 attempt failed, and no good snapshot exists.")],
    "failed-but-young": ["protected", expect.any(String)],
    empty: ["unprotected", expect.stringContaining("No snapshot exists. Add the disk to a policy")],
    "odd-status": ["unknown", expect.stringContaining('its status is "migrating"')],
    "in-creation": ["unprotected", expect.stringContaining("No good snapshot exists.")],
    cold: ["excluded", "The tag tier=cold excludes the disk."],
  });
  expect(counts).toEqual({
    protected: 3,
    stale: 1,
    failing: 2,
    unprotected: 2,
    unknown: 1,
    excluded: 1,
    orphaned: 0,
  });
  expect({ complete, faults }).toEqual({ complete: true, faults: [] });
});

test("report-coverage counts snapshots of every kind, created by a policy or by hand, but no snapshots of backups", async () => {
  const { cloud, addDisk, addCluster, report } = await createFixture();
  const by = { createdAt: START_MS - HOUR_MS };
  addDisk("policy-v2", [{ hours: 1 }]);
  addDisk("policy-v5", [{ hours: 1, kind: "standard-snapshot" }]);
  addDisk("by-hand", [{ hours: 1, marked: false, name: "before my update" }]);
  addDisk("backup", [{ hours: 1, marked: false, name: "AutoBK_snapshot_0001" }]);
  const server = cloud.addServer();
  const member = cloud.addVolume({ name: "member", serverId: server.id });
  cloud.addVolume({ name: "sibling", serverId: server.id });
  cloud.addSnapshot({ kind: "snapshot-group", serverId: server.id, ...by });
  addCluster("warehouse", [1]);
  addCluster("unprotected-warehouse", []);
  const { resources } = await report();
  expect(statesIn({ resources })).toEqual([
    "backup: unprotected",
    "by-hand: protected",
    "member: protected",
    "policy-v2: protected",
    "policy-v5: protected",
    "sibling: protected",
    "unprotected-warehouse: unprotected",
    "warehouse: protected",
  ]);
  const found = resources.find(({ id }: Any) => id === member.id);
  expect(found).toMatchObject({ server_ids: [server.id], newest: { kind: "snapshot-group", age_hours: 1 } });
  const policyDisk = resources.find(({ name }: Any) => name === "policy-v2");
  expect(policyDisk).toMatchObject({ policies: ["nightly"], newest: { policy: "nightly" } });
  const byHand = resources.find(({ name }: Any) => name === "by-hand");
  expect(byHand.newest).not.toHaveProperty("policy");
});

test('report-coverage gives all disks of a snapshot group the state "failing" if one member of the group failed', async () => {
  const { cloud, report } = await createFixture();
  const server = cloud.addServer();
  cloud.addVolume({ name: "first", serverId: server.id });
  const second = cloud.addVolume({ name: "second", serverId: server.id });
  const group = cloud.addSnapshot({
    kind: "snapshot-group",
    serverId: server.id,
    createdAt: START_MS - HOUR_MS,
  });
  const broken = cloud
    .snapshots("standard-snapshot")
    .find(({ snapshot_group_id, volume_id }) => snapshot_group_id === group.id && volume_id === second.id);
  cloud.setSnapshotStatus(broken?.id ?? "", "error");
  expect(statesIn(await report())).toEqual(["first: failing", "second: failing"]);
});

test("report-coverage lists the snapshots of deleted disks separately from the existing resources", async () => {
  const { cloud, addDisk, report } = await createFixture();
  const gone = addDisk("gone", [{ hours: 50 }, { hours: 2 }]);
  addDisk("here", [{ hours: 2 }]);
  cloud.removeVolume(gone.id);
  const { orphans, counts, resources } = await report();
  const [older, younger] = gone.snapshots;
  expect(orphans).toEqual([
    { kind: "snapshot", id: older?.id, resource_id: gone.id, created_at: "2026-11-19T00:00:00.000Z" },
    { kind: "snapshot", id: younger?.id, resource_id: gone.id, created_at: "2026-11-21T00:00:00.000Z" },
  ]);
  expect([counts.orphaned, statesIn({ resources })]).toEqual([2, ["here: protected"]]);
});

test("report-coverage covers disks in every enterprise project", async () => {
  const { addDisk, report } = await createFixture();
  const enterpriseProjectId = "94f1ea84-1428-49b6-9920-8a9b8a29e4ca";
  addDisk("default", [{ hours: 1 }]);
  addDisk("other", [{ hours: 1 }], { enterpriseProjectId });
  addDisk("other-unprotected", [], { enterpriseProjectId });
  expect(statesIn(await report())).toEqual([
    "default: protected",
    "other-unprotected: unprotected",
    "other: protected",
  ]);
});

test("report-coverage selects resources by type and tags, marks resources with excluded tags as excluded, and applies max_age_hours", async () => {
  const { addDisk, addCluster, report } = await createFixture();
  addDisk("both", [{ hours: 40 }], { tags: { backup: "daily", owner: "a" } });
  addDisk("one", [], { tags: { backup: "daily" } });
  addDisk("none", [], {});
  addCluster("warehouse", []);
  expect(statesIn(await report({ tags: "backup=daily,owner=*" }))).toEqual(["both: stale"]);
  expect(statesIn(await report({ tags: "backup=daily", max_age_hours: "40" }))).toEqual([
    "both: protected",
    "one: unprotected",
  ]);
  expect(statesIn(await report({ kinds: "cluster" }))).toEqual(["warehouse: unprotected"]);
  expect(statesIn(await report({ kinds: "volume", exclude_tags: "owner=b,backup=daily" }))).toEqual([
    "both: excluded",
    "none: unprotected",
    "one: excluded",
  ]);
});

test("report-coverage lists only the resources in the requested states, but counts the resources of every state", async () => {
  const { addDisk, report } = await createFixture();
  addDisk("good", [{ hours: 1 }]);
  addDisk("old", [{ hours: 99 }]);
  addDisk("empty");
  const { resources, counts } = await report({ states: "stale, unprotected" });
  expect(statesIn({ resources })).toEqual(["empty: unprotected", "old: stale"]);
  expect(counts).toMatchObject({ protected: 1, stale: 1, unprotected: 1 });
});

test("report-coverage sends only GET requests, except to LTS, and reads only the lists of the requested resource types", async () => {
  const { cloud, addDisk, addCluster, report, requests } = await createFixture();
  addDisk("disk", [{ hours: 1 }]);
  addCluster("cluster", [1]);
  await report();
  expect([...new Set(requests())].sort()).toEqual([...LISTS].sort());
  const others = cloud.requests.filter(({ operation, method }) => operation !== "lts.reportLogs" && method !== "GET");
  expect(others).toEqual([]);
  const before = requests().length;
  await report({ kinds: "cluster" });
  expect([...new Set(requests().slice(before))].sort()).toEqual(["dws.listClusters", "dws.listSnapshots"]);
});

test("report-coverage writes the restore call of each restore point, including the project id", async () => {
  const { cloud, addDisk, addCluster, report } = await createFixture();
  const disk = addDisk("disk", [{ hours: 1 }]);
  const cluster = addCluster("cluster", [1]);
  const { resources } = await report();
  const callsOf = (id: string) =>
    resources.find((one: Any) => one.id === id).restore_points.map(({ restore }: Any) => restore);
  const [snapshot] = disk.snapshots;
  expect(callsOf(disk.id)).toEqual([
    `POST /v2/${cloud.projectId}/cloudsnapshots/${snapshot?.id}/rollback {"rollback":{"volume_id":"${disk.id}"}}`,
  ]);
  expect(callsOf(cluster)).toEqual([
    expect.stringMatching(/^POST \/v1\.0\/\w+\/snapshots\/[\w-]+\/actions \{"restore":/),
  ]);
});
