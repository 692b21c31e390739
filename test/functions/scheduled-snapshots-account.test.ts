/** Tests `scheduled-snapshots` when EVS does not respond, or the account is throttled or suspended. */
import { describe, expect, test } from "vitest";
import { countInFlight } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { createFixture, recordsOf, resourceIds, resourcesWithSnapshots, sorted } from "../support/schedules.ts";

useFixedDate();

describe("EVS does not respond", () => {
  test("scheduled-snapshots writes a record for each disk if EVS never responds to create requests, and creates all snapshots when the event is redelivered", async () => {
    const { cloud, clock, fire, addDisks } = await createFixture();
    const all = addDisks(20, { backup: "daily" });
    const policy = { targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    const hanging = cloud.fault({ operation: "evs.createSnapshot" }, { type: "hang", after: true });
    const invoked = await fire(policy, { remainingMs: 60_000, variables: { SHARD_SIZE: "15" } });
    expect(invoked.records.at(-1).duration_ms).toBeLessThan(60_000 - 2_000);
    expect(new Set(resourceIds(invoked.records.slice(0, -1)))).toEqual(new Set(all));
    expect(invoked.records).toHaveLength(all.length + 1);
    expect(cloud.logs.length).toBeGreaterThanOrEqual(all.length + 1);
    hanging.remove();
    clock.advance(60_000);
    expect((await fire(policy)).error).toBeUndefined();
    expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual(sorted(all));
  });

  test("scheduled-snapshots returns before its deadline and creates nothing if EVS never responds to its list requests", async () => {
    const { cloud, clock, fire, addDisks } = await createFixture();
    const [disk] = addDisks(1) as [string];
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "hang", after: true });
    const deadline = clock.now() + 30_000;
    const invoked = await fire({ targets: [{ kind: "snapshot", volume_ids: [disk] }] }, { remainingMs: 30_000 });
    expect(clock.now()).toBeLessThan(deadline);
    expect(recordsOf(invoked, "failed")[0]).toMatchObject({ resource_id: disk, error: { reason: expect.any(String) } });
    expect(cloud.count("evs.createSnapshot")).toBe(0);
  });
});

describe("limits of the account", () => {
  test("scheduled-snapshots sends at most MAX_CONCURRENCY requests at a time", async () => {
    for (const limit of [1, 3, 8]) {
      const { runtime, fire, addDisks } = await createFixture({
        latencyMs: 3,
        variables: { MAX_CONCURRENCY: String(limit) },
      });
      addDisks(30, { backup: "daily" });
      const maxInFlight = countInFlight(runtime);
      await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
      expect(maxInFlight()).toBe(limit);
    }
  });

  test("scheduled-snapshots creates 200 snapshots within 2 minutes in an account that is limited to 10 requests per second", async () => {
    const { cloud, fire, addDisks, clock } = await createFixture({ rate: { perSecond: 10 } });
    const all = addDisks(200, { backup: "daily" });
    const began = clock.now();
    const { result } = await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    expect(result.outcomes).toEqual({ accepted: 200 });
    expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual(sorted(all));
    expect(clock.now() - began).toBeLessThan(120_000);
  });

  test.each(["EVS.2144", "EVS.2145"])(
    "scheduled-snapshots sends no more create requests after EVS reports a suspended account with the error code %s",
    async (code) => {
      const { cloud, fire, addDisks } = await createFixture({ variables: { MAX_CONCURRENCY: "4" } });
      addDisks(30, { backup: "daily" });
      const body = JSON.stringify({ error: { code, message: "The account is suspended." } });
      cloud.fault({ operation: "evs.createSnapshot", nth: 11, times: 1_000 }, { type: "answer", status: 403, body });
      const cluster = cloud.addCluster();
      const tags = { backup: "daily" };
      const invoked = await fire({
        targets: [
          { kind: "snapshot", tags },
          { kind: "cluster-snapshot", cluster_ids: [cluster.id] },
        ],
      });
      expect(JSON.parse(String(invoked.error?.message)).outcomes).toEqual({ accepted: 11, failed: 20 });
      // At most MAX_CONCURRENCY (4) other create requests were in flight when the account was suspended.
      expect(cloud.count("evs.createSnapshot")).toBeLessThanOrEqual(10 + 4);
      // The cluster has a queue of its own, so its snapshot was created before.
      expect(cloud.count("dws.createSnapshot")).toBe(1);
      for (const record of recordsOf(invoked, "failed").slice(0, -1)) {
        expect(record.error).toMatchObject({ reason: "AccountSuspended", code });
      }
    },
  );

  test("scheduled-snapshots does not repeat a throttled create request after EVS reports a suspended account", async () => {
    const { cloud, fire, addDisks } = await createFixture({ variables: { MAX_CONCURRENCY: "2" } });
    // EVS lists the newest disk first, so the function handles `waiting` first.
    const [unstarted, rejected, waiting] = addDisks(3, { backup: "daily" });
    const matchCreateRequest = (id?: string) => ({ operation: "evs.createSnapshot", resource: id, times: 1 });
    const suspended = JSON.stringify({ error: { code: "EVS.2145", message: "The account is suspended." } });
    cloud.fault(matchCreateRequest(waiting), { type: "throttle", retryAfter: 20 });
    cloud.fault(matchCreateRequest(rejected), { type: "answer", status: 403, body: suspended });
    const invoked = await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    expect(cloud.count("evs.createSnapshot")).toBe(2);
    const records = recordsOf(invoked, "failed").slice(0, -1);
    expect(records.map(({ error }) => error.reason)).toEqual(Array(3).fill("AccountSuspended"));
    const attempts = new Map(records.map((record) => [record.resource_id, record.attempts]));
    expect([waiting, rejected, unstarted].map((id) => attempts.get(id))).toEqual([1, 1, 0]);
  });

  test("scheduled-snapshots starts no more asynchronous invocations after FunctionGraph reports that the account is suspended", async () => {
    const { cloud, fire, addDisks } = await createFixture({ variables: { SHARD_SIZE: "2" } });
    addDisks(10, { backup: "daily" });
    const body = JSON.stringify({ error_code: "APIGW.0310", error_msg: "The project is unavailable." });
    cloud.fault({ operation: "functiongraph.invokeAsync", nth: 2, times: 100 }, { type: "answer", status: 403, body });
    const invoked = await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    expect(JSON.parse(String(invoked.error?.message)).outcomes).toEqual({ deferred: 2, failed: 8 });
    expect(cloud.count("functiongraph.invokeAsync")).toBe(2);
    // FunctionGraph accepted only one asynchronous invocation, which created two snapshots.
    expect(cloud.count("evs.createSnapshot")).toBe(2);
    for (const { error } of recordsOf(invoked, "failed").slice(0, -1)) expect(error.reason).toBe("AccountSuspended");
  });

  test("scheduled-snapshots sends only one request if the first response says that the account is suspended", async () => {
    const { cloud, fire, requests } = await createFixture();
    const body = JSON.stringify({ error: { code: "EVS.2145", message: "The account is suspended." } });
    cloud.fault({ operation: "evs.listVolumes" }, { type: "answer", status: 403, body });
    const invoked = await fire({
      targets: [
        { kind: "snapshot", tags: { backup: "daily" } },
        { kind: "standard-snapshot", volume_ids: [cloud.addVolume().id] },
      ],
    });
    expect(recordsOf(invoked, "failed").map(({ kind, error }) => [kind, error?.reason])).toEqual([
      ["snapshot", "AccountSuspended"],
      ["standard-snapshot", "AccountSuspended"],
      [undefined, undefined],
    ]);
    expect(requests()).toEqual(["evs.listVolumes"]);
  });
});
