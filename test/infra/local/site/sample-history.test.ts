/** Tests the 60 days of snapshots with which the local site can start. */
import { expect, onTestFinished, test } from "vitest";
import {
  type EmbeddedCloud,
  type SnapshotView,
  StoppedClock,
  startCloud,
} from "../../../../infra/local/cloud/index.ts";
import { timerEvent } from "../../../../infra/local/site/events.ts";
import { startLocalSite } from "../../../../infra/local/site/local-site.ts";
import { parseRecord, type ResultRecord } from "../../../../infra/local/site/records.ts";
import { addSampleHistory } from "../../../../infra/local/site/sample-history.ts";
import { addSampleInventory, normalizeStatus, resourceIdOf } from "../../../../infra/local/site/sample-inventory.ts";

const HOUR_MS = 3_600_000;
const NOW = "2026-11-21T10:00:00Z";

async function startCloudWithHistory(now = NOW) {
  const cloud = await startCloud({ clock: new StoppedClock(now) });
  onTestFinished(() => cloud.close());
  const inventory = addSampleInventory(cloud);
  return { cloud, inventory, history: addSampleHistory(cloud, inventory) };
}

const ageInHours = (cloud: EmbeddedCloud, { created_at, started }: SnapshotView) =>
  (cloud.clock.now() - Date.parse(started ?? `${created_at}Z`)) / HOUR_MS;

test("the sample history is the same in two embedded clouds whose clocks show the same time", async () => {
  const [first, second] = [await startCloudWithHistory(), await startCloudWithHistory()];
  expect(second.cloud.snapshots()).toEqual(first.cloud.snapshots());
  expect(second.inventory.resources).toEqual(first.inventory.resources);
});

test("the sample history has snapshots of every kind, of several policies, and from each of the last 60 days", async () => {
  const { cloud } = await startCloudWithHistory();
  const snapshots = cloud.snapshots();
  const kinds = new Set(snapshots.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(["cluster-snapshot", "snapshot", "snapshot-group", "standard-snapshot"]);
  const policies = new Set(snapshots.flatMap(({ tags, metadata }) => (tags ?? metadata)?.policy ?? []));
  expect([...policies].sort()).toEqual(["hourly", "nightly", "pre-deploy", "weekly"]);
  const days = new Set(snapshots.map((snapshot) => Math.floor(ageInHours(cloud, snapshot) / 24)));
  expect([...days].sort((a, b) => a - b).slice(0, 60)).toEqual(Array.from({ length: 60 }, (_, day) => day));
  for (const snapshot of snapshots) expect(ageInHours(cloud, snapshot)).toBeGreaterThanOrEqual(1);
});

test("the sample history leaves room for further legacy snapshots of each disk, because a disk can have at most 7", async () => {
  const { cloud } = await startCloudWithHistory();
  const counts = new Map<string, number>();
  for (const { volume_id = "" } of cloud.snapshots("snapshot")) counts.set(volume_id, (counts.get(volume_id) ?? 0) + 1);
  expect(Math.max(...counts.values())).toBeLessThanOrEqual(4);
});

/** A sample disk in each state of protection, with the age in hours of its newest good snapshot. */
test.each([
  ["protected", "web-1-data", (newest?: number) => (newest ?? Infinity) <= 26],
  ["protected as a member of a group", "web-1-system", (newest?: number) => (newest ?? Infinity) <= 26],
  ["stale because only a weekly group contains it", "database-1-system", (newest?: number) => (newest ?? 0) > 26],
  ["stale", "reports", (newest?: number) => (newest ?? 0) > 26],
  ["failing", "mail-data", (newest?: number) => (newest ?? 0) > 26],
  ["unprotected", "scratch", (newest?: number) => newest === undefined],
])("the sample history has a disk that is %s: %s", async (_state, name, isExpected) => {
  const { cloud, inventory } = await startCloudWithHistory();
  const ofDisk = cloud.snapshots().filter((snapshot) => resourceIdOf(snapshot) === inventory.idOf(name));
  const good = ofDisk.filter(({ status }) => normalizeStatus(status) === "available");
  const ages = good.map((snapshot) => ageInHours(cloud, snapshot)).sort((a, b) => a - b);
  expect(isExpected(ages[0])).toBe(true);
});

test("every attempt on the sample disk mail-data since its last good snapshot failed", async () => {
  const { cloud, inventory } = await startCloudWithHistory();
  const ofDisk = cloud
    .snapshots("standard-snapshot")
    .filter(({ volume_id }) => volume_id === inventory.idOf("mail-data"));
  expect(ofDisk.map(({ status }) => status).slice(-3)).toEqual(["available", "error", "error"]);
});

test("the newest snapshot of the sample disk images has a status that says neither good nor failed", async () => {
  const { cloud, inventory } = await startCloudWithHistory();
  const ofDisk = cloud.snapshots().filter(({ volume_id }) => volume_id === inventory.idOf("images"));
  expect(ofDisk.at(-1)?.status).toBe("rollbacking");
});

test("the sample history has a disk with a tag by which a report can exclude the disk", async () => {
  const { cloud, inventory } = await startCloudWithHistory();
  expect(cloud.volume(inventory.idOf("shop-1-cache"))?.tags).toEqual({ backup: "none" });
});

test("the sample history contains a held snapshot, an orphan, and snapshots that people and other services created", async () => {
  const { cloud, inventory, history } = await startCloudWithHistory();
  const found = (id: string) => cloud.snapshots().find((snapshot) => snapshot.id === id);
  expect(found(history.held)).toMatchObject({ name: "keep-for-audit", tags: { policy: "nightly", hold: "audit" } });
  expect(found(history.orphan)).toMatchObject({ volume_id: inventory.idOf("retired-data") });
  expect(cloud.volume(inventory.idOf("retired-data"))).toBeUndefined();
  expect(inventory.nameOf(inventory.idOf("retired-data"))).toBe("retired-data (deleted)");
  expect(found(history.byHand)).toMatchObject({ name: "before-upgrade-by-hand", metadata: {} });
  expect(found(history.byBackup)?.name).toMatch(/^autobk_snapshot_/);
  expect(found(history.automated)).toMatchObject({ type: "AUTO" });
});

test("the member snapshots of a sample group belong to the disks of the server of the group", async () => {
  const { cloud, inventory } = await startCloudWithHistory();
  const groups = cloud.snapshots("snapshot-group");
  expect(groups.length).toBeGreaterThan(20);
  const newest = groups.filter(({ server_id }) => server_id === inventory.web).at(-1);
  const members = cloud
    .snapshots("standard-snapshot")
    .filter(({ snapshot_group_id }) => snapshot_group_id === newest?.id);
  const disks = ["web-1-system", "web-1-data"].map((name) => inventory.idOf(name));
  expect(members.map(({ volume_id }) => volume_id)).toEqual(disks);
  expect(members.map(({ id }) => id)).toEqual(newest?.member_ids);
});

test("prune-snapshots reads the labels of the sample history: a dry run plans to delete the duplicate and keeps the held snapshot", {
  timeout: 30_000,
}, async () => {
  const records: ResultRecord[] = [];
  const site = await startLocalSite({
    history: true,
    onLine: ({ text }) => void records.push(...[parseRecord(text)].filter((record) => record !== undefined)),
  });
  onTestFinished(() => site.close());
  const policy = {
    policy: "nightly",
    targets: [{ kind: "snapshot", tags: { a: "b" } }],
    retention: { keep_daily: 90 },
  };
  const { error } = await site.host.invoke(
    "prune-snapshots",
    timerEvent({ ...policy, dry_run: true } as typeof policy),
  );
  expect(error).toBeUndefined();
  const { history, cloud } = site;
  const verdictOn = (id = "") => records.find(({ snapshot_id }) => snapshot_id === id)?.detail;
  expect(verdictOn(history?.duplicate)).toBe("deleted");
  expect(verdictOn(history?.original)).toBe("kept");
  expect(verdictOn(history?.held)).toBe("held");
  expect(verdictOn(history?.byHand)).toBeUndefined();
  // The project owns every snapshot with the labels of the policy, except the members of groups.
  const planned = records.filter(({ action }) => action === "prune");
  const owned = cloud
    .snapshots()
    .filter(
      ({ tags, metadata, description }) =>
        (tags ?? metadata)?.policy === "nightly" || / policy:nightly /.test(description ?? ""),
    );
  expect(planned).toHaveLength(owned.length);
  expect(planned.length).toBeGreaterThan(140);
});

test("the local site starts without any snapshot if the option history is not set", { timeout: 30_000 }, async () => {
  const site = await startLocalSite({ onLine: () => {} });
  onTestFinished(() => site.close());
  expect(site.cloud.snapshots()).toEqual([]);
  expect(site.history).toBeUndefined();
  expect(site.inventory.resources).toHaveLength(8);
});
