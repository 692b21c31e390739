/** Tests complete runs of `scheduled-snapshots`, from the timer event to the snapshots and the records. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fault, FaultMatch } from "../../infra/local/cloud/index.ts";
import { expectSuccess, UNKNOWN_ID } from "../support/common.ts";
import { creates } from "../support/creates.ts";
import { type Json, resourceIdOf, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import {
  addResources,
  createFixture,
  expectOneSnapshotEach,
  recordsOf,
  resourceIds,
  resourcesWithSnapshots,
  sorted,
} from "../support/schedules.ts";

useFixedDate();

describe("one run", () => {
  test("scheduled-snapshots creates a snapshot of each kind with the options and labels of its target, and writes a record for each snapshot", async () => {
    const { cloud, fire } = await createFixture();
    const server = cloud.addServer();
    const disk = cloud.addVolume({ serverId: server.id });
    const archive = cloud.addVolume();
    const cluster = cloud.addCluster();
    const invoked = expectSuccess(
      await fire({
        time_zone: "Europe/Berlin",
        targets: [
          { kind: "snapshot", volume_ids: [archive.id], description: "every night" },
          { kind: "standard-snapshot", volume_ids: [archive.id], incremental: false },
          { kind: "snapshot-group", server_ids: [server.id], description: "the whole server" },
          { kind: "cluster-snapshot", cluster_ids: [cluster.id], description: "all of it" },
        ],
      }),
    );
    expect(invoked.result).toEqual({
      function: "scheduled-snapshots",
      policy: "nightly",
      targets: 4,
      outcomes: { accepted: 4 },
      deferred_to: [],
      topic: "delivered",
    });

    const name = expect.stringMatching(/^nightly-20261121T020000Z-[0-9a-f]{8}$/);
    const labels = {
      "managed-by": "snapshot-functions",
      policy: "nightly",
      key: expect.stringMatching(/^[0-9a-f]{32}$/),
      content: expect.stringMatching(/^[0-9a-f]{8}$/),
    };
    expect(cloud.snapshots("snapshot")).toEqual([
      expect.objectContaining({ name, volume_id: archive.id, description: "every night", metadata: labels }),
    ]);
    expect(cloud.snapshots("standard-snapshot")[0]).toMatchObject({
      name,
      volume_id: archive.id,
      incremental: false,
      instant_access: false,
      tags: labels,
    });
    expect(cloud.snapshots("snapshot-group")).toEqual([
      expect.objectContaining({ name, server_id: server.id, volume_ids: [disk.id], incremental: false, tags: labels }),
    ]);
    const [ofCluster] = cloud.snapshots("cluster-snapshot");
    expect(ofCluster).toMatchObject({ name, cluster_id: cluster.id });
    expect(ofCluster?.description).toMatch(
      /^all of it managed-by:snapshot-functions policy:nightly key:[0-9a-f]{32} content:[0-9a-f]{8}$/,
    );
    // `force` allows snapshots of attached disks. The function sends `incremental` and `instant_access` to EVS v5,
    // because the API documents disagree about the defaults of these two fields.
    expect(creates({ cloud } as never).map(({ body }) => Object.values(body as Json)[0])).toEqual([
      expect.objectContaining({ force: true }),
      expect.objectContaining({ incremental: false, instant_access: false }),
      expect.objectContaining({ incremental: false, instant_access: false }),
      expect.not.objectContaining({ incremental: expect.anything() }),
    ]);

    expect(invoked.records.slice(0, -1)).toHaveLength(4);
    for (const record of invoked.records.slice(0, -1)) {
      expect(record).toMatchObject({
        function: "scheduled-snapshots",
        trigger: "timer",
        event_time: "2026-11-21T02:00:00.000Z",
        action: "create",
        outcome: "accepted",
        policy: "nightly",
        attempts: 1,
        level: "info",
      });
      const made = cloud.snapshots(record.kind).find(({ id }) => id === record.snapshot_id);
      expect(made).toMatchObject({ name: record.name });
      expect(resourceIdOf(made ?? {})).toBe(record.resource_id);
    }
    expect(cloud.logs.map(({ line }) => line)).toEqual(invoked.records);
  });

  test("scheduled-snapshots repeats a create request that EVS rejects while another snapshot of the disk is being created", async () => {
    const { cloud, fire } = await createFixture();
    const server = cloud.addServer({ tags: { backup: "daily" } });
    const disk = cloud.addVolume({ serverId: server.id, tags: { backup: "daily" } });
    const tags = { backup: "daily" };
    expectSuccess(
      await fire({
        targets: ["snapshot-group", "standard-snapshot", "snapshot"].map((kind) => ({ kind, tags })),
      }),
    );
    expect(resourcesWithSnapshots(cloud, "snapshot-group")).toEqual([server.id]);
    expect(resourcesWithSnapshots(cloud, "standard-snapshot")).toEqual([disk.id]);
    expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual([disk.id]);
    expect(cloud.count("evs.createStandardSnapshot", 409)).toBeGreaterThan(0);
  });

  test("scheduled-snapshots creates exactly one snapshot of each of 1,000 disks, 20 servers and 3 clusters in one invocation", {
    timeout: 60_000,
  }, async () => {
    const { cloud, fire, requests } = await createFixture({ variables: { SHARD_SIZE: "2000" } });
    const resources = addResources(cloud);
    const invoked = expectSuccess(await fire(resources.policy));
    expect(invoked.result).toMatchObject({
      targets: resources.count,
      outcomes: { accepted: resources.count },
      deferred_to: [],
    });
    expectOneSnapshotEach(cloud, resources);
    expect(invoked.records).toHaveLength(resources.count + 1);
    expect(new Set(resourceIds(invoked.records.slice(0, -1))).size).toBe(resources.count);
    expect(cloud.logs).toHaveLength(resources.count + 1);
    // The function finds existing snapshots with a few list requests instead of one request for each resource.
    expect(requests().length - resources.count).toBeLessThanOrEqual(20);
  });
});

describe("a target that does not exist", () => {
  test("scheduled-snapshots writes a failed record for each resource that does not exist and creates the other snapshots", async () => {
    const { cloud, fire, addDisks } = await createFixture();
    const [first, second] = addDisks(2) as [string, string];
    const server = cloud.addServer();
    cloud.addVolume({ serverId: server.id });
    const cluster = cloud.addCluster();
    const invoked = await fire({
      targets: [
        { kind: "snapshot", volume_ids: [first, UNKNOWN_ID] },
        { kind: "standard-snapshot", volume_ids: [UNKNOWN_ID, second] },
        { kind: "snapshot-group", server_ids: [UNKNOWN_ID, server.id] },
        { kind: "cluster-snapshot", cluster_ids: [UNKNOWN_ID, cluster.id] },
      ],
    });
    expect(recordsOf(invoked, "accepted")).toHaveLength(4);
    const failed = recordsOf(invoked, "failed").slice(0, -1);
    expect(failed.map(({ kind, resource_id, error }) => [kind, resource_id, error.reason]).sort()).toEqual(
      ["cluster-snapshot", "snapshot", "snapshot-group", "standard-snapshot"].map((kind) => [
        kind,
        UNKNOWN_ID,
        "NotFound",
      ]),
    );
    // FunctionGraph shows only the message of an error, so the message is the summary of the run.
    expect(JSON.parse(String(invoked.error?.message))).toEqual({
      function: "scheduled-snapshots",
      policy: "nightly",
      targets: 8,
      outcomes: { accepted: 4, failed: 4 },
      deferred_to: [],
      topic: "delivered",
    });
  });
});

describe("a redelivered event", () => {
  test("scheduled-snapshots recognizes a repeated event by its time, even if the time is written in another time zone", async () => {
    const { cloud, deliver, addDisks } = await createFixture();
    const all = addDisks(3, { backup: "daily" });
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    await deliver(timerEvent(policy, "2026-11-21T02:00:00Z"));
    for (const time of ["2026-11-21T02:00:00Z", "2026-11-21T10:00:00+08:00", "2026-11-21T02:00:00.999Z"]) {
      expect((await deliver(timerEvent(policy, time))).result.outcomes).toEqual({ existing: 3 });
    }
    expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual(sorted(all));
    expect((await deliver(timerEvent(policy, "2026-11-21T02:00:01Z"))).result.outcomes).toEqual({ accepted: 3 });
    expect((await deliver(timerEvent({ ...policy, policy: "hourly" }))).result.outcomes).toEqual({ accepted: 3 });
  });

  test("scheduled-snapshots finds existing snapshots on the second list page although a snapshot is deleted between the first and the second page", async () => {
    const { cloud, fire, addDisks } = await createFixture();
    const all = addDisks(20, { backup: "daily" });
    const policy = { targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    await fire(policy);
    const volumeId = cloud.addVolume().id;
    const foreign = Array.from({ length: 1_000 }, () => cloud.addSnapshot({ kind: "snapshot", volumeId }).id);
    cloud.fault(
      { operation: "evs.listSnapshots", nth: 1 },
      { type: "mutatePage", mutate: (changed) => changed.removeSnapshot(foreign[500] as string) },
    );
    expect((await fire(policy)).result.outcomes).toEqual({ existing: 20 });
    expect(resourcesWithSnapshots(cloud, "snapshot").filter((id) => id !== volumeId)).toEqual(sorted(all));
  });

  const FAULTS: Fault[] = [
    { type: "reset", after: true },
    { type: "reset", after: false },
    { type: "cut", after: true },
    { type: "status", status: 500, after: true },
    { type: "status", status: 503, after: false },
    { type: "notJson", after: true, html: true },
    { type: "emptyBody", after: true },
    { type: "throttle" },
    { type: "expiredToken" },
  ];
  const operations = [
    "evs.createSnapshot",
    "evs.createStandardSnapshot",
    "evs.createSnapshotGroup",
    "dws.createSnapshot",
    "evs.listSnapshots",
    "ecs.listServers",
    "functiongraph.invokeAsync",
  ];
  const failures = fc.array(
    fc.record({
      operation: fc.constantFrom(...operations),
      nth: fc.integer({ min: 1, max: 6 }),
      fault: fc.constantFrom(...FAULTS),
    }),
    { maxLength: 5 },
  );

  test("scheduled-snapshots creates exactly one good snapshot of each resource if an event is repeated and random requests fail", {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        failures,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom("3", "500"),
        async (chosen, times, SHARD_SIZE) => {
          const { cloud, fire, addDisks, clock } = await createFixture({ retries: 5, variables: { SHARD_SIZE } });
          const tags = { backup: "daily" };
          const all = addDisks(5, tags);
          const server = cloud.addServer({ tags }).id;
          cloud.addVolume({ serverId: server });
          const cluster = cloud.addCluster({ tags }).id;
          const kinds = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];
          const policy = { targets: kinds.map((kind) => ({ kind, tags })) };
          for (const { operation, nth, fault } of chosen) cloud.fault({ operation, nth } as FaultMatch, fault);
          const deliveries = [await fire(policy)];
          while (deliveries.length < times || deliveries.at(-1)?.error) {
            clock.advance(60_000);
            deliveries.push(await fire(policy));
          }
          expect(deliveries.length).toBeLessThan(chosen.length + times + 1);
          clock.advance(60_000);
          expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual(sorted(all));
          expect(resourcesWithSnapshots(cloud, "standard-snapshot")).toEqual(sorted(all));
          expect(resourcesWithSnapshots(cloud, "snapshot-group")).toEqual([server]);
          expect(resourcesWithSnapshots(cloud, "cluster-snapshot")).toEqual([cluster]);
          await cloud.close();
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("the topic field of the result", () => {
  const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];

  test('scheduled-snapshots returns "off" in the field "topic" if no LTS stream is configured', async () => {
    const names = ["LTS_ENDPOINT", "LTS_LOG_GROUP_ID", "LTS_LOG_STREAM_ID"];
    const { cloud, fire, addDisks } = await createFixture({
      variables: Object.fromEntries(names.map((name) => [name, undefined])),
    });
    addDisks(2, { backup: "daily" });
    const { result, records } = await fire({ targets });
    expect(result).toMatchObject({ outcomes: { accepted: 2 }, topic: "off" });
    expect(records).toHaveLength(3);
    expect(cloud.logs).toEqual([]);
  });

  test('scheduled-snapshots returns "failed" in the field "topic" without throwing an error if LTS does not accept its records', async () => {
    const { cloud, fire, addDisks } = await createFixture();
    addDisks(2, { backup: "daily" });
    cloud.fault({ operation: "lts.reportLogs" }, { type: "status", status: 500 });
    const { result, records, warnings } = expectSuccess(await fire({ targets }));
    expect(result).toMatchObject({ outcomes: { accepted: 2 }, topic: "failed" });
    expect(records).toHaveLength(3);
    expect(JSON.parse(warnings[0] ?? "")).toMatchObject({ level: "error", reason: "CloudError" });
    expect(cloud.snapshots("snapshot")).toHaveLength(2);
  });
});
