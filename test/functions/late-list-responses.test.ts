/** Tests requests that are repeated before a list shows the snapshot of the first request. */
import { describe, expect, test } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { apig, createTestEnvironment, timerEvent } from "../support/environment.ts";

describe("a list that shows a new snapshot 5 s late", () => {
  test("create-snapshot returns the existing snapshot for an Idempotency-Key that is repeated before a list shows the snapshot", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = 5_000;
    const event = apig({ snapshot: { volume_id: cloud.addVolume().id, name: "snap-001" } }, { "idempotency-key": "k" });
    const first = await invoke(createSnapshot, event);
    clock.advance(2_000);
    const second = await invoke(createSnapshot, event);
    expect(second.result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(JSON.parse(second.result.body).snapshot.id).toBe(JSON.parse(first.result.body).snapshot.id);
    const other = apig(
      { snapshot: { volume_id: JSON.parse(first.result.body).snapshot.volume_id } },
      { "idempotency-key": "k" },
    );
    expect((await invoke(createSnapshot, other)).result.statusCode).toBe(409);
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("create-snapshot remembers its snapshot after it has refused another request with the same key", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = 5_000;
    const disk = cloud.addVolume().id;
    const post = (name: string) =>
      invoke(createSnapshot, apig({ snapshot: { volume_id: disk, name } }, { "idempotency-key": "k" }));
    await post("one");
    clock.advance(1_000);
    expect((await post("two")).result.statusCode).toBe(409);
    clock.advance(1_000);
    expect((await post("one")).result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("create-snapshot creates another snapshot if no list shows the first one for more than 10 s", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const event = apig({ snapshot: { volume_id: cloud.addVolume().id } }, { "idempotency-key": "k" });
    const post = async () => (await invoke(createSnapshot, event)).result.headers["x-snapshot-outcome"];
    expect(await post()).toBe("accepted");
    // Another client deletes the snapshot at once.
    for (const { id } of cloud.snapshots()) cloud.removeSnapshot(id);
    for (let asked = 0; asked < 2; asked += 1) {
      clock.advance(4_500);
      expect(await post()).toBe("existing");
    }
    clock.advance(4_500);
    expect(await post()).toBe("accepted");
  });

  test("pre-deploy creates one snapshot for calls that follow each other every second", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = 5_000;
    const body = { deployment_id: "release-7", targets: [{ kind: "snapshot", volume_ids: [cloud.addVolume().id] }] };
    for (let second = 0; second < 5; second += 1) {
      expect((await invoke(preDeploy, apig(body))).result.statusCode).toBe(202);
      clock.advance(1_000);
    }
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("scheduled-snapshots creates no second snapshot for an event that is redelivered after 1.5 s", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = 5_000;
    const event = timerEvent({
      policy: "nightly",
      targets: [{ kind: "snapshot", volume_ids: [cloud.addVolume().id] }],
    });
    await invoke(scheduledSnapshots, event);
    clock.advance(1_500);
    expect((await invoke(scheduledSnapshots, event)).result.outcomes).toEqual({ existing: 1 });
    expect(cloud.snapshots()).toHaveLength(1);
  });
});

describe("requests that are repeated after a moment", () => {
  test("create-snapshot waits until a list must show the snapshot of an ambiguous create before it sends another one", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = 5_000;
    cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "reset", after: true });
    const event = apig({ snapshot: { volume_id: cloud.addVolume().id } }, { "idempotency-key": "k" });
    const first = await invoke(createSnapshot, event, { remainingMs: 4_000 });
    expect(JSON.parse(first.result.body).error.reason).toBe("OutcomeUnknown");
    // The invocation has no time for a list, so the function sends no create.
    const second = await invoke(createSnapshot, event, { remainingMs: 2_000 });
    expect(JSON.parse(second.result.body).error.reason).toBe("OutcomeUnknown");
    const before = clock.now();
    const third = await invoke(createSnapshot, event);
    expect(third.result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(clock.now() - before).toBeLessThan(6_500);
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("scheduled-snapshots continues a partly failed run in the same instance without waiting for it", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const disks = Array.from({ length: 20 }, () => cloud.addVolume().id);
    const body = { error: { code: "EVS.5400", message: "no" } };
    cloud.fault({ operation: "evs.createSnapshot", nth: 11, times: 10 }, { type: "status", status: 400, body });
    const event = timerEvent({ policy: "nightly", targets: [{ kind: "snapshot", volume_ids: disks }] });
    const first = await invoke(scheduledSnapshots, event);
    expect(JSON.parse(String(first.error?.message)).outcomes).toEqual({ accepted: 10, failed: 10 });
    const before = clock.now();
    const second = await invoke(scheduledSnapshots, event);
    expect(second.result.outcomes).toEqual({ accepted: 10, existing: 10 });
    expect(clock.now() - before).toBeLessThan(1_000);
    expect(cloud.snapshots()).toHaveLength(20);
  });

  test.each([20, 900])(
    "scheduled-snapshots with a timeout of %i s continues a run that another instance left incomplete a minute ago",
    async (timeoutSeconds) => {
      const { cloud, clock, invoke, runtime } = await createTestEnvironment({ timeoutSeconds });
      const disks = Array.from({ length: 12 }, () => cloud.addVolume().id);
      const event = (volume_ids: string[]) =>
        timerEvent({ policy: "nightly", targets: [{ kind: "snapshot", volume_ids }] });
      await invoke(scheduledSnapshots, event(disks.slice(0, 3)));
      clock.advance(60_000);
      runtime.inFlight = new Map();
      const before = clock.now();
      const { result } = await invoke(scheduledSnapshots, event(disks));
      expect(result.outcomes).toEqual({ accepted: 9, existing: 3 });
      expect(clock.now() - before).toBeLessThan(1_000);
    },
  );
});
