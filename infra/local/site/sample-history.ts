import type { EmbeddedCloud } from "../cloud/index.ts";
import { addPastSnapshot, type PastSnapshot } from "./past-snapshots.ts";
import { idFor, type SampleInventory } from "./sample-inventory.ts";

/** The ids of the snapshots in the sample history that have a purpose of their own. */
export interface SampleHistory {
  /** A nightly snapshot that a user renamed to `keep-for-audit` and protected with the tag `hold`. */
  held: string;
  /** A nightly snapshot that was created twice, and the younger snapshot, which was created two seconds later. */
  original: string;
  duplicate: string;
  /** A duplicate of the policy `pre-deploy`, whose snapshots have no retention. */
  deploymentDuplicate: string;
  /** A nightly snapshot of a disk that no longer exists. */
  orphan: string;
  /** A snapshot that a person created on the console. */
  byHand: string;
  /** A snapshot that a backup of Huawei Cloud created. */
  byBackup: string;
  /** A cluster snapshot that DWS created by itself. */
  automated: string;
  /** An hourly snapshot that failed three hours ago, although the snapshots before and after it are good. */
  failedRecently: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How many days the sample history covers. */
const DAYS = 60;
/** How many nights ago web-1 and the cluster were added to the policy `nightly`. */
const SHORT_DAYS = 14;
/** How many nights ago a nightly snapshot was created twice. A retention with `keep_daily: 3` keeps the older snapshot. */
const DUPLICATE_NIGHT = 2;
/** How many nights ago the nightly snapshot was created that a user keeps. */
const HELD_NIGHT = 45;

/**
 * Adds further servers and disks to the sample resources, and 60 days of snapshots. The times depend only on the clock of the
 * embedded cloud, and the ids only on the names and the times. Every snapshot is at least one hour old.
 *
 * | policy       | creates                                                                                               |
 * | ------------ | ----------------------------------------------------------------------------------------------------- |
 * | `nightly`    | at 02:00 UTC: disks with the tag `backup=daily`, the server web-1 and the cluster                     |
 * | `weekly`     | disks and servers with the tag `backup=weekly`, and the server database-1, most recently 5 days ago   |
 * | `hourly`     | disks with the tag `backup=hourly`: every hour of the last day, and one snapshot of each day before   |
 * | `pre-deploy` | before the deployments release-5 and release-6                                                        |
 *
 * The disks differ in how well they are protected:
 *
 * | disk                          | protection                                                                           |
 * | ----------------------------- | ------------------------------------------------------------------------------------ |
 * | web-1-data, database-1-data   | protected by last night's legacy snapshot                                            |
 * | archive, invoices             | protected by last night's standard snapshot; they have 60 nights of snapshots        |
 * | web-1-system                  | protected as a member of last night's group of web-1                                 |
 * | shop-1-orders                 | protected by an hourly snapshot; one attempt failed                                  |
 * | reports, database-1-system    | stale: the last weekly snapshot is 5 days old                                        |
 * | mail-data                     | failing: the last two weekly snapshots failed                                        |
 * | scratch                       | unprotected: it has no snapshot                                                      |
 * | images                        | unknown: the status of its newest snapshot says that a disk is being restored        |
 * | shop-1-cache                  | excluded: its tag `backup=none` says that nobody needs a snapshot                    |
 * | retired-data                  | deleted, but its last snapshot still exists                                          |
 */
export function addSampleHistory(cloud: EmbeddedCloud, inventory: SampleInventory): SampleHistory {
  const shop = inventory.addServer("shop-1");
  const orders = inventory.addDisk("shop-1-orders", 200, { backup: "hourly" }, shop).id;
  inventory.addDisk("shop-1-cache", 50, { backup: "none" }, shop);
  const reports = inventory.addDisk("reports", 80, { backup: "weekly" }).id;
  const mail = inventory.addDisk("mail-data", 300, { backup: "weekly" }).id;
  const invoices = inventory.addDisk("invoices", 250, { backup: "daily", tier: "cold" }).id;
  inventory.addDisk("scratch", 20);
  const images = inventory.addDisk("images", 600).id;
  const retired = inventory.idOf("retired-data");
  inventory.setNameOfDeleted(retired, "retired-data (deleted)");

  const now = cloud.clock.now();
  const add = (past: PastSnapshot) => addPastSnapshot(cloud, past);
  const { web, database, webData, archive } = inventory;
  const databaseData = inventory.idOf("database-1-data");
  const warehouse = inventory.idOf("warehouse");

  const lastNight = lastTwoOClock(now - HOUR_MS);
  const nightly = (kind: PastSnapshot["kind"], resource: string, night: number, more: Partial<PastSnapshot> = {}) =>
    add({ kind, resource, policy: "nightly", time: lastNight - night * DAY_MS, ...more });
  for (let night = DAYS - 1; night >= 0; night -= 1) {
    if (night !== DUPLICATE_NIGHT) {
      nightly("standard-snapshot", archive, night, { failed: night === 17 || night === 33 });
    }
    if (night !== HELD_NIGHT) nightly("standard-snapshot", invoices, night);
    if (night < SHORT_DAYS) {
      nightly("snapshot-group", web, night);
      nightly("cluster-snapshot", warehouse, night, { failed: night === 6 });
    }
    // A disk can have at most 7 legacy snapshots, so earlier runs of prune-snapshots left only the last one.
    if (night < 1) for (const disk of [webData, databaseData]) nightly("snapshot", disk, night);
  }
  const original = nightly("standard-snapshot", archive, DUPLICATE_NIGHT);
  const duplicate = nightly("standard-snapshot", archive, DUPLICATE_NIGHT, { delayMs: 2_000 });
  const held = nightly("standard-snapshot", invoices, HELD_NIGHT, { name: "keep-for-audit", tags: { hold: "audit" } });
  const orphan = nightly("standard-snapshot", retired, 30);

  for (let week = 7; week >= 0; week -= 1) {
    const time = startOfHour(now) - 5 * DAY_MS - week * 7 * DAY_MS;
    const weekly = { policy: "weekly", time };
    add({ ...weekly, kind: "standard-snapshot", resource: reports });
    add({ ...weekly, kind: "standard-snapshot", resource: mail, failed: week < 2 });
    add({ ...weekly, kind: "snapshot-group", resource: database });
  }

  const hourly = (hours: number, failed = false) =>
    add({
      kind: "standard-snapshot",
      resource: orders,
      policy: "hourly",
      time: startOfHour(now) - hours * HOUR_MS,
      failed,
    });
  for (let day = SHORT_DAYS; day > 1; day -= 1) hourly(day * 24);
  for (let hours = 24; hours >= 1; hours -= 1) if (hours !== 3) hourly(hours);
  const failedRecently = hourly(3, true);

  const deployment = (name: string, days: number, delayMs = 0) =>
    add({
      kind: "standard-snapshot",
      resource: webData,
      policy: "pre-deploy",
      deployment: name,
      time: startOfHour(now) - days * DAY_MS,
      delayMs,
    });
  deployment("release-5", 18);
  deployment("release-6", 4);
  const deploymentDuplicate = deployment("release-6", 4, 1_000);

  const foreign = (name: string, days: number) => ({ id: idFor(name), name, createdAt: now - days * DAY_MS });
  const byHand = cloud.addSnapshot({
    kind: "snapshot",
    volumeId: databaseData,
    ...foreign("before-upgrade-by-hand", 21),
  });
  const byBackup = cloud.addSnapshot({
    kind: "snapshot",
    volumeId: archive,
    ...foreign("autobk_snapshot_archive", 12),
  });
  const automated = cloud.addSnapshot({
    kind: "cluster-snapshot",
    clusterId: warehouse,
    type: "AUTO",
    ...foreign("warehouse-automated", 3),
  });
  cloud.addSnapshot({ kind: "snapshot", volumeId: images, status: "rollbacking", ...foreign("images-by-hand", 2) });
  return {
    held,
    original,
    duplicate,
    deploymentDuplicate,
    orphan,
    byHand: byHand.id,
    byBackup: byBackup.id,
    automated: automated.id,
    failedRecently,
  };
}

const startOfHour = (time: number): number => Math.floor(time / HOUR_MS) * HOUR_MS;

/** Returns the last time at or before `time` at which it was 02:00 UTC, in epoch milliseconds. */
function lastTwoOClock(time: number): number {
  const twoOClock = Math.floor(time / DAY_MS) * DAY_MS + 2 * HOUR_MS;
  return twoOClock <= time ? twoOClock : twoOClock - DAY_MS;
}
