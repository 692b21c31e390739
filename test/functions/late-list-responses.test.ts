/** Tests requests that are repeated before a list response contains the snapshot of the first request. */
import { describe, expect, test } from "vitest";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { createFixture, SNAPSHOT } from "../support/creates.ts";
import { apig, createTestEnvironment, errorOf, nightly, outcomeHeader } from "../support/environment.ts";

/** Time in milliseconds until a list response of the embedded cloud contains a new snapshot. */
const LIST_LAG_MS = 5_000;

describe("repeated requests while list responses omit the snapshot of the first request", () => {
  test("create-snapshot recognizes an Idempotency-Key that is repeated after 2 s although no list response contains the snapshot yet", async () => {
    const fixture = await createFixture(SNAPSHOT);
    fixture.cloud.listLagMs = LIST_LAG_MS;
    const first = await fixture.postWithKey({ name: "snap-001" });
    fixture.clock.advance(2_000);
    const second = await fixture.postWithKey({ name: "snap-001" });
    expect(outcomeHeader(second)).toBe("existing");
    expect(JSON.parse(second.result.body).snapshot.id).toBe(JSON.parse(first.result.body).snapshot.id);
    expect((await fixture.postWithKey()).result.statusCode).toBe(409);
    expect(fixture.snapshots()).toHaveLength(1);
  });

  test("create-snapshot returns the existing snapshot to a repeated request after it has responded 409 to a different request with the same key", async () => {
    const fixture = await createFixture(SNAPSHOT);
    fixture.cloud.listLagMs = LIST_LAG_MS;
    await fixture.postWithKey({ name: "one" });
    fixture.clock.advance(1_000);
    expect((await fixture.postWithKey({ name: "two" })).result.statusCode).toBe(409);
    fixture.clock.advance(1_000);
    expect(outcomeHeader(await fixture.postWithKey({ name: "one" }))).toBe("existing");
    expect(fixture.snapshots()).toHaveLength(1);
  });

  test("create-snapshot creates a second snapshot if an Idempotency-Key is repeated more than 10 s later and no list response has contained the first snapshot", async () => {
    const fixture = await createFixture(SNAPSHOT);
    expect(outcomeHeader(await fixture.postWithKey())).toBe("accepted");
    // Another client deletes the snapshot at once, so no list response contains it.
    for (const { id } of fixture.snapshots()) fixture.cloud.removeSnapshot(id);
    for (const outcome of ["existing", "existing", "accepted"]) {
      fixture.clock.advance(4_500);
      expect(outcomeHeader(await fixture.postWithKey())).toBe(outcome);
    }
  });

  test("after a lost create response, create-snapshot waits until the new snapshot is listed, and reports it as existing to a repeated request", async () => {
    const fixture = await createFixture(SNAPSHOT);
    fixture.cloud.listLagMs = LIST_LAG_MS;
    fixture.failCreate({ type: "reset", after: true }, { nth: 1 });
    expect(errorOf(await fixture.postWithKey({}, { remainingMs: 4_000 })).reason).toBe("OutcomeUnknown");
    // Too little time is left to list the snapshots, so the function sends no second create request.
    expect(errorOf(await fixture.postWithKey({}, { remainingMs: 2_000 })).reason).toBe("OutcomeUnknown");
    const before = fixture.clock.now();
    expect(outcomeHeader(await fixture.postWithKey())).toBe("existing");
    expect(fixture.clock.now() - before).toBeLessThan(6_500);
    expect(fixture.snapshots()).toHaveLength(1);
  });

  test("pre-deploy creates one snapshot if it is called with the same deployment_id every second for 5 s", async () => {
    const { addDisks, cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = LIST_LAG_MS;
    const event = apig({ deployment_id: "release-7", targets: [{ kind: "snapshot", volume_ids: addDisks(1) }] });
    for (let second = 0; second < 5; second += 1) {
      expect((await invoke(preDeploy, event)).result.statusCode).toBe(202);
      clock.advance(1_000);
    }
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("scheduled-snapshots creates one snapshot if its timer event is redelivered after 1.5 s", async () => {
    const { addDisks, cloud, clock, invoke } = await createTestEnvironment();
    cloud.listLagMs = LIST_LAG_MS;
    const event = nightly({ volume_ids: addDisks(1) });
    await invoke(scheduledSnapshots, event);
    clock.advance(1_500);
    expect((await invoke(scheduledSnapshots, event)).result.outcomes).toEqual({ existing: 1 });
    expect(cloud.snapshots()).toHaveLength(1);
  });
});

describe("redelivered timer events after an incomplete run", () => {
  test("scheduled-snapshots creates the missing 10 snapshots within 40 s when a timer event is redelivered to the same instance", async () => {
    const { addDisks, cloud, clock, invoke } = await createTestEnvironment();
    const event = nightly({ volume_ids: addDisks(20) });
    const body = { error: { code: "EVS.5400", message: "no" } };
    cloud.fault({ operation: "evs.createSnapshot", nth: 11, times: 10 }, { type: "status", status: 400, body });
    const { error } = await invoke(scheduledSnapshots, event);
    expect(JSON.parse(String(error?.message)).outcomes).toEqual({ accepted: 10, failed: 10 });
    const before = clock.now();
    const { result } = await invoke(scheduledSnapshots, event);
    expect(result.outcomes).toEqual({ accepted: 10, existing: 10 });
    expect(clock.now() - before).toBeLessThan(40_000);
    expect(cloud.snapshots()).toHaveLength(20);
  });

  test.each([
    [20, 0, 1],
    [900, 26, 40],
  ])(
    "scheduled-snapshots with a timeout of %i s creates 9 of 12 snapshots within %i to %i s if another instance created 3 of the 12 a minute earlier",
    async (timeoutSeconds, minSeconds, maxSeconds) => {
      const { addDisks, clock, invoke, runtime } = await createTestEnvironment({ timeoutSeconds });
      const disks = addDisks(12);
      await invoke(scheduledSnapshots, nightly({ volume_ids: disks.slice(0, 3) }));
      clock.advance(60_000);
      runtime.inFlight = new Map();
      const before = clock.now();
      const { result } = await invoke(scheduledSnapshots, nightly({ volume_ids: disks }));
      expect(result.outcomes).toEqual({ accepted: 9, existing: 3 });
      expect(clock.now() - before).toBeGreaterThanOrEqual(minSeconds * 1_000);
      expect(clock.now() - before).toBeLessThan(maxSeconds * 1_000);
    },
  );
});
