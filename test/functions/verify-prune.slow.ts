/** Runs `scheduled-snapshots`, `verify-snapshots` and `prune-snapshots` together over ten nights and over a year. */
import { describe, expect, test } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { EmbeddedCloud, SnapshotView } from "../../infra/local/cloud/index.ts";
import { createRequestTrace } from "../support/attachments.ts";
import { DAY_MS, expectSuccess, HOUR_MS, isGood, listWithoutMembers, WITHOUT_TOPIC } from "../support/common.ts";
import { apig, createTestEnvironment, resourceIdOf, timerEvent } from "../support/environment.ts";

const dayOf = ({ created_at, started }: SnapshotView) => String(created_at ?? started).slice(0, 10);

/** Returns the days on which the snapshots of a resource were created, such as `2027-05-31`, in ascending order. */
const daysOf = (cloud: EmbeddedCloud, kind: SnapshotView["kind"], resource: string) =>
  listWithoutMembers(cloud)
    .filter((one) => one.kind === kind && resourceIdOf(one) === resource)
    .map(dayOf)
    .sort();

test("in each of ten nights, verify-snapshots reports all new snapshots as available, and prune-snapshots then keeps only the three newest snapshots of each target", async () => {
  const { cloud, clock, invoke } = await createTestEnvironment();
  const server = cloud.addServer({ tags: { backup: "daily" } });
  cloud.addVolume({ serverId: server.id, tags: { backup: "daily" } });
  cloud.addCluster({ tags: { backup: "daily" } });
  const policy = {
    policy: "nightly",
    time_zone: "Europe/Berlin",
    targets: ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"].map((kind) => ({
      kind,
      tags: { backup: "daily" },
    })),
    retention: { keep_last: 3 },
  };
  for (let night = 0; night < 10; night += 1) {
    const now = () => new Date(clock.now()).toISOString();
    const taken = expectSuccess(await invoke(scheduledSnapshots, timerEvent(policy, now())));
    expect(taken.result.outcomes).toEqual({ accepted: 4 });
    clock.advance(HOUR_MS);
    const verified = await invoke(verifySnapshots, timerEvent({ lookback_minutes: 90 }, now()));
    expect(verified.result).toMatchObject({ targets: 4, outcomes: { available: 4 } });
    const pruned = expectSuccess(await invoke(pruneSnapshots, timerEvent(policy, now())));
    expect(pruned.result.outcomes).toEqual(night < 3 ? { kept: 4 * (night + 1) } : { kept: 12, deleted: 4 });
    clock.advance(DAY_MS - HOUR_MS);
  }
  expect(listWithoutMembers(cloud)).toHaveLength(12);
});

describe("two schedules over a year", () => {
  // This policy runs every night at 01:00 UTC. Its retention counts days in the time zone of Berlin.
  const nightly = {
    policy: "nightly",
    time_zone: "Europe/Berlin",
    targets: [{ kind: "standard-snapshot", tags: { backup: "daily" } }],
    retention: { keep_last: 3, keep_within_days: 2, keep_daily: 7, keep_weekly: 4, keep_monthly: 12 },
  };
  // This policy runs on Sundays at 04:30 UTC. In winter this time is still Saturday in New York.
  const weekly = {
    policy: "weekly",
    time_zone: "America/New_York",
    targets: [
      { kind: "snapshot", tags: { backup: "weekly" } },
      { kind: "snapshot-group", tags: { backup: "weekly" } },
      { kind: "cluster-snapshot", tags: { backup: "weekly" } },
    ],
    retention: { keep_weekly: 2, keep_monthly: 2, min_keep: 2 },
  };
  const FIRST = Date.parse("2026-11-21T01:00:00Z");
  const isFailingNight = (night: number) => {
    const date = new Date(night).toISOString().slice(0, 10);
    return date >= "2027-02-22" && date <= "2027-02-28";
  };
  const REMOVAL_DAY = "2027-05-20";

  // `keep_monthly` keeps the last good snapshot of each month. In February 2027, all snapshots after the 21st fail.
  const MONTHS = ["2026-12-31", "2027-01-31", "2027-02-21", "2027-03-31", "2027-04-30"];
  const EXPECTED = {
    web: [
      ...MONTHS,
      ...["2027-05-31", "2027-06-30", "2027-07-31", "2027-08-31", "2027-09-30", "2027-10-31"],
      ...["2027-11-07", "2027-11-14", "2027-11-15", "2027-11-16", "2027-11-17", "2027-11-18", "2027-11-19"],
      "2027-11-20",
    ],
    // This disk has snapshots of fewer than 12 months, so `keep_monthly` also keeps its first snapshot.
    removed: [
      ...["2026-11-21", "2026-11-30"],
      ...MONTHS,
      ...["2027-05-02", "2027-05-09", "2027-05-14", "2027-05-15", "2027-05-16", "2027-05-17", "2027-05-18"],
      ...["2027-05-19", "2027-05-20"],
    ],
    weekly: ["2027-10-31", "2027-11-07", "2027-11-14"],
    // The snapshot group of this day contains the last good snapshot of the disk that is detached on 2027-05-20.
    leaver: ["2027-05-16"],
  };

  test("prune-snapshots keeps the expected snapshots of two policies over a year, although a disk is detached and all snapshots of one week fail", {
    timeout: 300_000,
  }, async () => {
    const { cloud, clock, invoke } = await createTestEnvironment({ keepRequests: false, variables: WITHOUT_TOPIC });
    clock.set(FIRST - DAY_MS);
    const server = cloud.addServer({ tags: { backup: "weekly" } });
    const web = cloud.addVolume({ serverId: server.id, tags: { backup: "daily" } });
    const leaver = cloud.addVolume({ serverId: server.id });
    const removed = cloud.addVolume({ tags: { backup: "daily" } });
    const archive = cloud.addVolume({ tags: { backup: "weekly" } });
    const cluster = cloud.addCluster({ tags: { backup: "weekly" } });
    const byHand = cloud.addSnapshot({ kind: "snapshot", volumeId: archive.id, name: "weekly-by-hand" });

    // After each deletion, each resource that has had a good snapshot must still have a good snapshot.
    const covered = new Set<string>();
    let deletions = 0;
    const watch = () => {
      deletions += 1;
      const good = new Set(cloud.snapshots().filter(isGood).map(resourceIdOf));
      expect([...covered].filter((resource) => !good.has(resource))).toEqual([]);
    };
    cloud.fault({ operation: /\.delete/ }, { type: "mutatePage", mutate: watch });

    const now = () => new Date(clock.now()).toISOString();
    const run = async (...[factory, body]: [Parameters<typeof invoke>[0], object]) => {
      const { result } = expectSuccess(await invoke(factory, timerEvent(body, now())));
      return result.outcomes;
    };
    for (let night = FIRST; night < FIRST + 365 * DAY_MS; night += DAY_MS) {
      clock.set(night);
      const sunday = new Date(night).getUTCDay() === 0;
      const gone = now().slice(0, 10) > REMOVAL_DAY;
      const targets = (gone ? 1 : 2) + (sunday ? 3 : 0);
      if (isFailingNight(night)) {
        for (const { id } of [web, removed, ...(sunday ? [server, archive, cluster] : [])]) cloud.endWith(id, "error");
      }
      await run(scheduledSnapshots, nightly);
      clock.set(night + 3.5 * HOUR_MS);
      if (sunday) await run(scheduledSnapshots, weekly);
      clock.set(night + 4 * HOUR_MS);
      if (isFailingNight(night)) {
        expect(await run(verifySnapshots, { lookback_minutes: 12 * 60 })).toEqual({ failed: targets });
      } else if (sunday) {
        expect(Object.keys(await run(verifySnapshots, { lookback_minutes: 6.5 * 24 * 60 }))).toEqual(["available"]);
      }
      for (const one of cloud.snapshots().filter(isGood)) covered.add(resourceIdOf(one));
      await run(pruneSnapshots, nightly);
      if (sunday) await run(pruneSnapshots, weekly);
      if (now().slice(0, 10) === REMOVAL_DAY) {
        cloud.removeVolume(removed.id);
        cloud.detach(leaver.id);
      }
    }
    clock.advance(HOUR_MS);

    expect(daysOf(cloud, "standard-snapshot", web.id)).toEqual(EXPECTED.web);
    expect(daysOf(cloud, "standard-snapshot", removed.id)).toEqual(EXPECTED.removed);
    expect(daysOf(cloud, "snapshot", archive.id)).toEqual([dayOf(byHand), ...EXPECTED.weekly].sort());
    expect(daysOf(cloud, "snapshot-group", server.id)).toEqual([...EXPECTED.leaver, ...EXPECTED.weekly]);
    const ofLeaver = cloud.snapshots("standard-snapshot").filter(({ volume_id }) => volume_id === leaver.id);
    expect(ofLeaver.map(dayOf)).toEqual(EXPECTED.leaver);
    expect(daysOf(cloud, "cluster-snapshot", cluster.id)).toEqual(EXPECTED.weekly);
    expect(cloud.snapshots().every(isGood)).toBe(true);
    expect(deletions).toBeGreaterThan(600);
    expect(covered.size).toBe(6);
  });
});

describe("snapshots of functions without a schedule", () => {
  test("prune-snapshots deletes old snapshots that disk-attached, pre-deploy or create-snapshot created if the policy has the name of the function", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const server = cloud.addServer();
    const disk = cloud.addVolume({ serverId: server.id });
    const now = () => new Date(clock.now()).toISOString();
    const created: Record<string, string[]> = { "pre-deploy": [], "disk-attached": [], "create-snapshot": [] };
    const targets = [{ kind: "snapshot", volume_ids: [disk.id] }];
    for (let week = 0; week < 2; week += 1) {
      cloud.detach(disk.id);
      cloud.attach(disk.id, server.id);
      const attached = await invoke(diskAttached, createRequestTrace(server.id, disk.id, clock.now()));
      const deployed = await invoke(preDeploy, apig({ deployment_id: `release-${week}`, targets }));
      const called = await invoke(createSnapshot, { snapshot: { volume_id: disk.id, force: true } });
      for (const [policy, { records }] of Object.entries({
        "disk-attached": attached,
        "pre-deploy": deployed,
        "create-snapshot": called,
      })) {
        expect(records[0], policy).toMatchObject({ outcome: "accepted", policy });
        created[policy]?.push(records[0]?.snapshot_id);
      }
      clock.advance(7 * DAY_MS);
    }
    expect(cloud.snapshots()).toHaveLength(6);
    for (const [policy, [older, newer]] of Object.entries(created)) {
      const before = cloud.snapshots().map(({ id }) => id);
      const { records } = expectSuccess(
        await invoke(pruneSnapshots, timerEvent({ policy, retention: { keep_last: 1 } }, now())),
      );
      expect(records.slice(0, -1)).toMatchObject([
        { outcome: "kept", rule: "keep_last", snapshot_id: newer, policy },
        { outcome: "deleted", rule: "kept by no rule", snapshot_id: older, policy },
      ]);
      clock.advance(HOUR_MS);
      expect(cloud.snapshots().map(({ id }) => id)).toEqual(before.filter((id) => id !== older));
    }
  });

  test("prune-snapshots deletes old snapshots that pre-deploy created for a request with the same policy name", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment({ variables: { PRE_DEPLOY_POLICIES: "releases" } });
    const disk = cloud.addVolume();
    const now = () => new Date(clock.now()).toISOString();
    const targets = [{ kind: "standard-snapshot", volume_ids: [disk.id] }];
    for (const deployment_id of ["a", "b", "c"]) {
      await invoke(preDeploy, apig({ deployment_id, targets, policy: "releases" }));
      clock.advance(DAY_MS);
    }
    const prune = (policy: string) =>
      invoke(pruneSnapshots, timerEvent({ policy, retention: { keep_last: 1 } }, now()));
    expect((await prune("pre-deploy")).result).toMatchObject({ targets: 0, outcomes: {} });
    expect((await prune("releases")).result).toMatchObject({ targets: 3, outcomes: { kept: 1, deleted: 2 } });
  });
});
