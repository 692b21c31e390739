/** Delivers an event a second time while the first delivery or its shards are still running. */

import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { DISK_KINDS, type Kind } from "../support/kinds.ts";
import { createFaultyEnvironment, type Delivery } from "./faulty-environment.ts";
import { findBrokenGuarantees, findDuplicates } from "./guarantees.ts";
import { addTaggedResource, createJob, type Trigger } from "./jobs.ts";

useFixedDate();

const RETRY_MS = 60_000;
const LIST_LAG_MS = 5_000;
const NOBODY = "00000000-0000-4000-8000-000000000000";

describe("a redelivery of a failed run", () => {
  test.each(DISK_KINDS)(
    "if the event of a failed run is redelivered while the asynchronous invocations of the run still run, scheduled-snapshots creates one %s per disk",
    async (kind) => {
      const environment = await createFaultyEnvironment();
      const { cloud, runtime } = environment;
      cloud.listLagMs = LIST_LAG_MS;
      cloud.fault({ operation: /\.create/ }, environment.delayResponse(2_000));
      const targets = Array.from({ length: 120 }, () => ({ kind, resource: addTaggedResource(environment, kind) }));
      const policy = { policy: "nightly", targets: [{ kind, volume_ids: [NOBODY], tags: { backup: "daily" } }] };
      const invocation = { variables: { SHARD_SIZE: "60", MAX_CONCURRENCY: "1" } };
      const shards: Delivery[] = [];
      let running = 0;
      environment.onShard = async (event, requestId) => {
        running += 1;
        shards.push(await environment.instance().deliver(scheduledSnapshots, event, { ...invocation, requestId }));
        running -= 1;
      };

      // The deadline is so short that the function defers most targets to shards.
      const first = await environment
        .instance()
        .deliver(scheduledSnapshots, timerEvent(policy), { ...invocation, remainingMs: 30_000 });
      expect(first.invoked?.error?.message).toContain('"failed":1');
      await runtime.time.sleep(RETRY_MS);
      expect(running).toBeGreaterThan(0);
      await environment.instance().deliver(scheduledSnapshots, timerEvent(policy), invocation);
      await cloud.idle();

      expect(findDuplicates(environment, { targets })).toEqual([]);
      expect(cloud.snapshots(kind)).toHaveLength(targets.length);
      for (const { invoked } of shards) expect(invoked?.error).toBeUndefined();
    },
  );
});

describe("asynchronous invocations (shards) that are queued twice", () => {
  test.each(DISK_KINDS)(
    "if each asynchronous invocation (shard) is queued twice and all of them start at the same time, scheduled-snapshots creates one %s per disk",
    async (kind) => {
      const environment = await createFaultyEnvironment();
      const { cloud, runtime } = environment;
      cloud.listLagMs = LIST_LAG_MS;
      const targets = Array.from({ length: 60 }, () => ({ kind, resource: addTaggedResource(environment, kind) }));
      const policy = { policy: "nightly", targets: [{ kind, volume_ids: [NOBODY], tags: { backup: "daily" } }] };
      const invocation = { variables: { SHARD_SIZE: "21" } };
      const queue: unknown[] = [];
      environment.onShard = async (event) => void queue.push(event);
      for (let delivery = 0; delivery < 2; delivery += 1) {
        const { invoked } = await environment.instance().deliver(scheduledSnapshots, timerEvent(policy), invocation);
        expect(invoked?.error?.message).toContain('"failed":1');
        await cloud.idle();
        await runtime.time.sleep(RETRY_MS);
      }
      expect(queue).toHaveLength(4);
      const shards = await Promise.all(
        queue.map((event) => environment.instance().deliver(scheduledSnapshots, event, invocation)),
      );

      for (const { invoked } of shards) expect(invoked?.error).toBeUndefined();
      expect(findDuplicates(environment, { targets })).toEqual([]);
      expect(cloud.snapshots(kind)).toHaveLength(targets.length);
    },
  );

  test("if the asynchronous invocations of the first delivery never start, scheduled-snapshots creates every snapshot after a redelivery", async () => {
    const environment = await createFaultyEnvironment();
    const { cloud, runtime } = environment;
    const targets = Array.from({ length: 30 }, () => ({
      kind: "snapshot" as const,
      resource: addTaggedResource(environment, "snapshot"),
    }));
    const policy = {
      policy: "nightly",
      targets: [{ kind: "snapshot", volume_ids: [NOBODY], tags: { backup: "daily" } }],
    };
    const invocation = { variables: { SHARD_SIZE: "11" } };
    await environment.instance().deliver(scheduledSnapshots, timerEvent(policy), invocation);
    await cloud.idle();
    await runtime.time.sleep(RETRY_MS);
    environment.onShard = async (event) =>
      void (await environment.instance().deliver(scheduledSnapshots, event, invocation));
    await environment.instance().deliver(scheduledSnapshots, timerEvent(policy), invocation);
    await cloud.idle();
    expect(findDuplicates(environment, { targets })).toEqual([]);
    expect(cloud.snapshots("snapshot")).toHaveLength(targets.length);
  });
});

describe("two deliveries in one instance", () => {
  const LATER_MS = [0, 500, 2_000, 4_000, 8_000];
  const OVERLAPPING: [Trigger, Kind][] = [
    ["timer", "snapshot"],
    ["timer", "standard-snapshot"],
    ["timer", "snapshot-group"],
    ["timer", "cluster-snapshot"],
    ["http", "snapshot"],
    ["direct", "snapshot-group"],
  ];
  const cases = OVERLAPPING.flatMap(([trigger, kind]) => LATER_MS.map((later) => [later, trigger, kind] as const));

  test.each(cases)(
    "an instance that gets the same event twice, %i ms apart, creates no duplicate snapshot (trigger %s, kind %s)",
    async (later, trigger, kind) => {
      const environment = await createFaultyEnvironment({ creationMs: 1_000 });
      const { cloud, runtime } = environment;
      cloud.listLagMs = LIST_LAG_MS;
      // The create requests are so slow that the first delivery takes 10 s.
      cloud.fault({ operation: /\.create/ }, environment.delayResponse(trigger === "timer" ? 1_000 : 9_000));
      const job = createJob(environment, { trigger, kind }, 10);
      const invocation = { ...job.invocation, variables: { ...job.invocation.variables, MAX_CONCURRENCY: "1" } };
      const instance = environment.instance();
      const deliveries = await Promise.all([
        instance.deliver(job.factory, job.event, invocation),
        runtime.time.sleep(later).then(() => instance.deliver(job.factory, job.event, invocation)),
      ]);
      expect(findDuplicates(environment, job)).toEqual([]);
      for (const delivery of deliveries) {
        expect(delivery.invoked?.error).toBeUndefined();
        expect(findBrokenGuarantees(environment, job.targets, delivery, deliveries)).toEqual([]);
      }
      expect(cloud.count(/\.create/)).toBe(job.targets.length);
    },
  );
});
