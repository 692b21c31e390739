/** Deliveries of one event that are at work at the same time. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { Kind } from "../../infra/local/cloud/index.ts";
import { timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { addResource, jobOf, type Trigger } from "./jobs.ts";
import { broken, duplicates } from "./promises.ts";
import { type Delivery, openFaultySite } from "./site.ts";

useFixedDate();

const RETRY_MS = 60_000;
const LIST_LAG_MS = 5_000;
const NOBODY = "00000000-0000-4000-8000-000000000000";
const OF_DISKS: Kind[] = ["snapshot", "standard-snapshot"];

describe("a run that failed is delivered again", () => {
  test.each(OF_DISKS)("while its shards are still at work: one %s of each disk", async (kind) => {
    const site = await openFaultySite();
    const { cloud, runtime } = site;
    cloud.listLagMs = LIST_LAG_MS;
    cloud.fault({ operation: /\.create/ }, site.slow(2_000));
    const targets = Array.from({ length: 120 }, () => ({ kind, resource: addResource(site, kind) }));
    const policy = { policy: "nightly", targets: [{ kind, volume_ids: [NOBODY], tags: { backup: "daily" } }] };
    const how = { variables: { SHARD_SIZE: "60", MAX_CONCURRENCY: "1" } };
    const shards: Delivery[] = [];
    let atWork = 0;
    site.onShard = async (event, requestId) => {
      atWork += 1;
      shards.push(await site.instance().deliver(scheduledSnapshots, event, { ...how, requestId }));
      atWork -= 1;
    };

    // Its time is short, so that most of the work goes to shards.
    const first = await site
      .instance()
      .deliver(scheduledSnapshots, timerEvent(policy), { ...how, remainingMs: 30_000 });
    expect(first.ended?.error?.message).toContain('"failed":1');
    await runtime.time.sleep(RETRY_MS);
    expect(atWork).toBeGreaterThan(0);
    await site.instance().deliver(scheduledSnapshots, timerEvent(policy), how);
    await cloud.idle();

    expect(duplicates(site, { targets })).toEqual([]);
    expect(cloud.snapshots(kind)).toHaveLength(targets.length);
    for (const { ended } of shards) expect(ended?.error).toBeUndefined();
  });
});

describe("shards that are handed on twice while the first ones wait in the queue", () => {
  test.each(OF_DISKS)("begin at the same moment: one %s of each disk", async (kind) => {
    const site = await openFaultySite();
    const { cloud, runtime } = site;
    cloud.listLagMs = LIST_LAG_MS;
    const targets = Array.from({ length: 60 }, () => ({ kind, resource: addResource(site, kind) }));
    const policy = { policy: "nightly", targets: [{ kind, volume_ids: [NOBODY], tags: { backup: "daily" } }] };
    const how = { variables: { SHARD_SIZE: "21" } };
    const queue: unknown[] = [];
    site.onShard = async (event) => void queue.push(event);
    for (let delivery = 0; delivery < 2; delivery += 1) {
      const { ended } = await site.instance().deliver(scheduledSnapshots, timerEvent(policy), how);
      expect(ended?.error?.message).toContain('"failed":1');
      await cloud.idle();
      await runtime.time.sleep(RETRY_MS);
    }
    expect(queue).toHaveLength(4);
    const shards = await Promise.all(queue.map((event) => site.instance().deliver(scheduledSnapshots, event, how)));

    for (const { ended } of shards) expect(ended?.error).toBeUndefined();
    expect(duplicates(site, { targets })).toEqual([]);
    expect(cloud.snapshots(kind)).toHaveLength(targets.length);
  });

  test("and the first ones never begin: the second ones take every disk", async () => {
    const site = await openFaultySite();
    const { cloud, runtime } = site;
    const targets = Array.from({ length: 30 }, () => ({
      kind: "snapshot" as const,
      resource: addResource(site, "snapshot"),
    }));
    const policy = {
      policy: "nightly",
      targets: [{ kind: "snapshot", volume_ids: [NOBODY], tags: { backup: "daily" } }],
    };
    const how = { variables: { SHARD_SIZE: "11" } };
    await site.instance().deliver(scheduledSnapshots, timerEvent(policy), how);
    await cloud.idle();
    await runtime.time.sleep(RETRY_MS);
    site.onShard = async (event) => void (await site.instance().deliver(scheduledSnapshots, event, how));
    await site.instance().deliver(scheduledSnapshots, timerEvent(policy), how);
    await cloud.idle();
    expect(duplicates(site, { targets })).toEqual([]);
    expect(cloud.snapshots("snapshot")).toHaveLength(targets.length);
  });
});

describe("two deliveries meet in one instance", () => {
  const LATER_MS = [0, 500, 2_000, 4_000, 8_000];
  const MEETING: [Trigger, Kind][] = [
    ["timer", "snapshot"],
    ["timer", "standard-snapshot"],
    ["timer", "snapshot-group"],
    ["timer", "cluster-snapshot"],
    ["http", "snapshot"],
    ["direct", "snapshot-group"],
  ];
  const cases = MEETING.flatMap(([trigger, kind]) => LATER_MS.map((later) => [trigger, kind, later] as const));

  test.each(cases)("%s, %s: the second one %i ms later takes nothing twice", async (trigger, kind, later) => {
    const site = await openFaultySite({ creationMs: 1_000 });
    const { cloud, runtime } = site;
    cloud.listLagMs = LIST_LAG_MS;
    // Each create takes its time, so that the first delivery is at work for 10 s.
    cloud.fault({ operation: /\.create/ }, site.slow(trigger === "timer" ? 1_000 : 9_000));
    const job = jobOf(site, { trigger, kind }, 10);
    const how = { ...job.how, variables: { ...job.how.variables, MAX_CONCURRENCY: "1" } };
    const instance = site.instance();
    const deliveries = await Promise.all([
      instance.deliver(job.factory, job.event, how),
      runtime.time.sleep(later).then(() => instance.deliver(job.factory, job.event, how)),
    ]);
    expect(duplicates(site, job)).toEqual([]);
    for (const delivery of deliveries) {
      expect(delivery.ended?.error).toBeUndefined();
      expect(broken(site, job.targets, delivery, deliveries)).toEqual([]);
    }
    expect(cloud.count(/\.create/)).toBe(job.targets.length);
  });
});
