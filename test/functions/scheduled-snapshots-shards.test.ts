/** Tests how `scheduled-snapshots` passes targets to further asynchronous invocations of itself. */
import { describe, expect, test } from "vitest";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { expectSuccess } from "../support/common.ts";
import {
  expectWholeRecords,
  type Invoked,
  type Json,
  type TestEnvironmentOptions,
  timerEvent,
} from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import {
  addResources,
  createFixture,
  expectOneSnapshotEach,
  recordsOf,
  resourceIds,
  resourcesWithSnapshots,
  sorted,
  URN,
} from "../support/schedules.ts";

useFixedDate();

describe("a run in several invocations", () => {
  test("scheduled-snapshots starts 1,001 asynchronous invocations, but returns only the request ids of the first 1,000", {
    timeout: 60_000,
  }, async () => {
    const { fire, addDisks, cloud } = await createFixture({
      variables: { SHARD_SIZE: "1" },
      onInvokeAsync: async () => {},
    });
    addDisks(1_002, { backup: "daily" });
    const invoked = expectSuccess(await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] }));
    expect(invoked.result.outcomes).toEqual({ accepted: 1, deferred: 1_001 });
    expect(cloud.invocations).toHaveLength(1_001);
    expect(invoked.result.deferred_to).toEqual(cloud.invocations.slice(0, 1_000).map(({ requestId }) => requestId));
  });

  test("scheduled-snapshots creates exactly one snapshot of each of 1,023 resources in 11 invocations of at most 100 resources", {
    timeout: 60_000,
  }, async () => {
    const { cloud, fire, further } = await createFixture({ variables: { SHARD_SIZE: "100" } });
    const resources = addResources(cloud);
    const invoked = expectSuccess(await fire(resources.policy));
    expect(further.map(({ error }) => error)).toEqual(further.map(() => undefined));
    expectOneSnapshotEach(cloud, resources);

    expect(1 + further.length).toBe(11);
    expect(invoked.result).toMatchObject({
      targets: resources.count,
      outcomes: { accepted: 100, deferred: resources.count - 100 },
    });
    expect(invoked.result.deferred_to).toEqual(cloud.invocations.map(({ requestId }) => requestId));
    // Each record with the outcome `deferred` names the asynchronous invocation that created the snapshot.
    for (const record of recordsOf(invoked, "deferred")) {
      const requestId = record.detail.split(" ").at(-1);
      const shard = further.find(({ records }) => records[0].request_id === requestId);
      expect(resourceIds(recordsOf(shard as Invoked, "accepted"))).toContain(record.resource_id);
    }
    for (const shard of further) {
      expectWholeRecords(shard);
      expect(shard.result).toMatchObject({ policy: "nightly", deferred_to: [] });
      expect(Object.keys(shard.result.outcomes)).toEqual(["accepted"]);
    }
    const terminal = [invoked, ...further].flatMap((each) => recordsOf(each, "accepted"));
    expect(terminal).toHaveLength(resources.count);
    expect(cloud.logs).toHaveLength(resources.count + (resources.count - 100) + 11);
  });
});

describe("targets that an asynchronous invocation handles", () => {
  const policy = { targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
  const createShards = async (options: TestEnvironmentOptions = {}) => {
    const fixture = await createFixture({ ...options, variables: { SHARD_SIZE: "2", ...options.variables } });
    return { ...fixture, all: fixture.addDisks(6, { backup: "daily" }) };
  };

  test("scheduled-snapshots passes the original event to its asynchronous invocations, but replaces the tags with resource ids", async () => {
    const { cloud, deliver, all } = await createShards();
    const event = { ...timerEvent({ ...policy, policy: "nightly" }, "2026-11-21T10:00:00+08:00"), trigger_name: "T" };
    await deliver(event);
    expect(cloud.invocations.map(({ urn }) => urn)).toEqual([`${URN}:latest`, `${URN}:latest`]);
    const payloads = cloud.invocations.map(({ payload }) => payload as Json);
    expect(payloads).toEqual(["1/2", "2/2"].map((shard) => ({ ...event, shard, user_event: expect.any(String) })));
    const policies = payloads.map(({ user_event }) => JSON.parse(String(user_event)));
    const newestFirst = [...all].reverse();
    expect(policies).toEqual(
      [newestFirst.slice(2, 4), newestFirst.slice(4)].map((volume_ids) => ({
        policy: "nightly",
        targets: [{ kind: "snapshot", force: true, volume_ids }],
      })),
    );
    expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual(sorted(all));
  });

  test("scheduled-snapshots passes each resource to an asynchronous invocation with the options of the first target that contains the resource id", async () => {
    const { cloud, fire, addDisks, further } = await createFixture({ variables: { SHARD_SIZE: "5" } });
    const all = addDisks(9);
    const own = all.slice(0, 5);
    const [first, second, third, fourth] = all.slice(5) as [string, string, string, string];
    const server = cloud.addServer().id;
    cloud.addVolume({ serverId: server });
    const targets = [
      { kind: "snapshot", volume_ids: own },
      { kind: "snapshot", volume_ids: [first, second], description: "a" },
      { kind: "snapshot", volume_ids: [third, second, first], force: false },
      { kind: "standard-snapshot", volume_ids: [fourth] },
      // This target has the same options as the previous target, but another kind.
      { kind: "snapshot-group", server_ids: [server], incremental: true, instant_access: false },
    ];
    expectSuccess(await fire({ targets, retention: { keep_last: 3 }, time_zone: "Asia/Tokyo" }));
    expect(further).toHaveLength(1);
    const user_event = String((cloud.invocations[0]?.payload as { user_event?: string } | undefined)?.user_event);
    expect(JSON.parse(user_event)).toEqual({
      policy: "nightly",
      targets: [
        { kind: "snapshot", volume_ids: [first, second], force: true, description: "a" },
        { kind: "snapshot", volume_ids: [third], force: false },
        { kind: "standard-snapshot", volume_ids: [fourth], incremental: true, instant_access: false },
        { kind: "snapshot-group", server_ids: [server], incremental: true, instant_access: false },
      ],
      retention: { keep_last: 3 },
      time_zone: "Asia/Tokyo",
    });
    // A single invocation for the whole policy derives the same idempotency keys, so it finds every snapshot.
    expect((await fire({ targets }, { variables: { SHARD_SIZE: "500" } })).result.outcomes).toEqual({ existing: 10 });
  });

  test("scheduled-snapshots repeats the request for an asynchronous invocation if FunctionGraph throttles this request", async () => {
    const { cloud, fire, all } = await createShards();
    cloud.fault({ operation: "functiongraph.invokeAsync", nth: 1, times: 2 }, { type: "throttle" });
    expect((await fire(policy)).result).toMatchObject({ outcomes: { accepted: 2, deferred: 4 } });
    expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual(sorted(all));
  });

  test.each<[what: string, fault: Fault, runs: boolean, reason: string]>([
    ["gets a 500 response", { type: "status", status: 500 }, false, "CloudError"],
    ["gets a 403 response", { type: "status", status: 403 }, false, "AccessDenied"],
    ["gets a response without a request id", { type: "answer", status: 202, body: "{}" }, false, "BadResponse"],
    ["is lost before FunctionGraph receives it", { type: "reset", after: false }, false, "Unreachable"],
    ["is accepted but the response is lost", { type: "reset", after: true }, true, "Unreachable"],
    ["is accepted but the response is truncated", { type: "cut", after: true }, true, "BadResponse"],
  ])(
    "if the request for an asynchronous invocation %s, scheduled-snapshots reports the targets as failed, and creates the missing snapshots after a redelivery",
    async (...given) => {
      const [, fault, runs, reason] = given;
      const { cloud, fire, all, further } = await createShards();
      cloud.fault({ operation: "functiongraph.invokeAsync", nth: 1 }, fault);
      const invoked = await fire(policy);
      const summary = JSON.parse(String(invoked.error?.message));
      expect(summary.outcomes).toEqual({ accepted: 2, failed: 2, deferred: 2 });
      expect(summary.deferred_to).toHaveLength(1);
      for (const record of recordsOf(invoked, "failed").slice(0, -1)) {
        expect(record).toMatchObject({
          error: { reason },
          detail: expect.stringContaining("No invocation could be started"),
        });
      }
      expect(resourcesWithSnapshots(cloud, "snapshot")).toHaveLength(runs ? 6 : 4);
      expect(further).toHaveLength(runs ? 2 : 1);

      expect((await fire(policy)).error).toBeUndefined();
      expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual(sorted(all));
    },
  );

  test("scheduled-snapshots reports Misconfigured for the targets that it cannot pass to another invocation because REGION is not set", async () => {
    const { cloud, fire } = await createShards({ variables: { REGION: undefined } });
    const invoked = await fire(policy);
    expect(JSON.parse(String(invoked.error?.message)).outcomes).toEqual({ accepted: 2, failed: 4 });
    expect(recordsOf(invoked, "failed")[0].error).toMatchObject({ reason: "Misconfigured" });
    expect(recordsOf(invoked, "failed")[0].error.message).toMatch(/^REGION: expected/);
    expect(cloud.count("functiongraph.invokeAsync")).toBe(0);
  });

  test("scheduled-snapshots passes 10,000 disk ids to asynchronous invocations in payloads of less than 256 KB", {
    timeout: 30_000,
  }, async () => {
    const { cloud, fire, addDisks, clock } = await createFixture({
      variables: { SHARD_SIZE: "10000" },
      onInvokeAsync: () => {},
    });
    const all = addDisks(10_000);
    // The list request for existing snapshots takes so long that the function has time for only a few create requests.
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "mutatePage", mutate: () => clock.advance(890_000) });
    const halves = [all.slice(0, 6_000), all.slice(6_000)];
    const { result } = await fire({
      targets: halves.map((volume_ids, half) => ({
        kind: "snapshot",
        volume_ids,
        description: `${half}${'"\\é'.repeat(20)}`,
      })),
    });
    const createdIds = resourcesWithSnapshots(cloud, "snapshot");
    expect(result.outcomes).toEqual({ accepted: createdIds.length || undefined, deferred: 10_000 - createdIds.length });
    expect(createdIds.length).toBeLessThan(20);
    const sizes = cloud.invocations.map(({ payload }) => Buffer.byteLength(JSON.stringify(payload)));
    expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
    expect(sizes.length).toBeLessThan(5);
    const deferredIds = cloud.invocations.flatMap(({ payload }) =>
      JSON.parse((payload as { user_event: string }).user_event).targets.flatMap((one: Json) => one.volume_ids),
    );
    expect(sorted([...createdIds, ...deferredIds])).toEqual(sorted(all));
  });

  test("before its deadline, scheduled-snapshots passes the remaining targets to an asynchronous invocation, which fails if it reaches its own deadline", async () => {
    const { cloud, fire, deliver, clock, all, further } = await createShards({ variables: { SHARD_SIZE: "500" } });
    const slow = cloud.fault(
      { operation: "evs.createSnapshot" },
      { type: "mutatePage", mutate: () => clock.advance(8_000) },
    );
    const how = { remainingMs: 40_000, variables: { MAX_CONCURRENCY: "1" } };
    const invoked = expectSuccess(await fire(policy, how));
    expect(invoked.result.outcomes).toEqual({ accepted: 4, deferred: 2 });
    expect(further).toHaveLength(1);
    expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual(sorted(all));

    // An asynchronous invocation that runs out of time fails, so the platform repeats it.
    const event = cloud.invocations[0]?.payload as Json;
    const later = await deliver({ ...event, time: "2026-11-22T02:00:00Z" }, { ...how, remainingMs: 9_000 });
    expect(JSON.parse(String(later.error?.message))).toMatchObject({
      outcomes: { accepted: 1, failed: 1 },
      deferred_to: [],
    });
    for (const { error } of recordsOf(later, "failed").slice(0, -1)) {
      expect(error).toMatchObject({ reason: "DeadlineExceeded" });
      expect(error.message).toContain("before work on this target started");
    }
    slow.remove();
    const again = await deliver({ ...event, time: "2026-11-22T02:00:00Z" });
    expect(again.result.outcomes).toEqual({ existing: 1, accepted: 1 });
  });
});
