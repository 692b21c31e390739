import { describe, expect, test } from "vitest";
import { instant } from "../../../../shared/core/instant.ts";
import { createOnce } from "../../../../shared/snapshots/create/create-once.ts";
import { deriveKey } from "../../../../shared/snapshots/marker.ts";
import { CREATE, callCreateOnce, LIST, requestOf } from "../../../support/create-once.ts";
import {
  changeSnapshot,
  cloudError,
  createFixture,
  group,
  lostResponse,
  START,
  STATUS,
  snapshot,
  snapshotOf,
  startPlus,
} from "../../../support/domain.ts";

describe("createOnce with concurrent requests in one instance", () => {
  test("createOnce waits for an identical request in the same instance and returns the snapshot of that request", async () => {
    const fixture = createFixture({ createMs: 2_000 });
    const [first, second] = await Promise.all([callCreateOnce(fixture), callCreateOnce(fixture)]);
    expect(first).toMatchObject({ outcome: "accepted", snapshotId: "made-1", attempts: 1 });
    expect(second).toEqual({ ...first, outcome: "existing", attempts: 0 });
    expect(fixture.cloud.requests()).toEqual([LIST, CREATE]);
    // The second request has cancelled its timer.
    expect(fixture.time.pendingSleeps()).toBe(0);
    expect(fixture.time.seconds()).toBe(2);
  });

  test("createOnce returns Conflict if a concurrent request with the same key but different options creates a snapshot", async () => {
    const fixture = createFixture({ createMs: 2_000 });
    const other = requestOf({ options: { volume_id: "disk-1", force: false } });
    const [, second] = await Promise.all([callCreateOnce(fixture), callCreateOnce(fixture, other)]);
    expect(second).toMatchObject({
      reason: "Conflict",
      message: expect.stringContaining("with the same key created snapshot made-1"),
    });
    expect(fixture.cloud.snapshotsOf(snapshot)).toHaveLength(1);
  });

  test("createOnce still waits for an identical request in progress after a request for another disk removed old entries from memory", async () => {
    const fixture = createFixture({ createMs: 20_000, listDelayMs: 60_000 });
    const first = callCreateOnce(fixture);
    await fixture.time.sleep(15_000);
    const other = callCreateOnce(fixture, requestOf({ options: { volume_id: "disk-2" } }));
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    await Promise.all([first, other]);
    expect(fixture.cloud.snapshotsOf(snapshot)).toHaveLength(2);
  });

  test("createOnce does not wait for a concurrent request with a different project, kind, disk or idempotency key", async () => {
    const fixture = createFixture({ createMs: 2_000 });
    await Promise.all([
      callCreateOnce(fixture),
      callCreateOnce(fixture, requestOf({ projectId: "project-2" })),
      callCreateOnce(fixture, requestOf({ options: { volume_id: "disk-2" } })),
      callCreateOnce(fixture, requestOf({ idempotencyKey: deriveKey("other") })),
      callCreateOnce(fixture, requestOf({ kind: group, options: { server_id: "disk-1" } })),
    ]);
    expect(fixture.cloud.calls.filter((call) => call.startsWith("0 s create"))).toHaveLength(5);
  });

  test("createOnce lists and creates the snapshot itself after an identical concurrent request failed", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("create", async () => {
      await fixture.time.sleep(1_000);
      throw cloudError("AccessDenied");
    });
    const [first, second] = await Promise.all([callCreateOnce(fixture), callCreateOnce(fixture)]);
    expect(first).toMatchObject({ reason: "AccessDenied" });
    expect(second).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
    expect(fixture.cloud.calls).toEqual([`0 s ${LIST}`, `0 s ${CREATE}`, `1 s ${LIST}`, `1 s ${CREATE}`]);
  });

  test("createOnce lists the snapshots 6 s after an identical concurrent request failed with OutcomeUnknown", async () => {
    const fixture = createFixture({ listDelayMs: 5_000 });
    const retryBudget = { ...fixture.runContext.retryBudget, deadline: startPlus(3_000) };
    fixture.cloud.onNextCalls("create", { afterwards: lostResponse() });
    const first = callCreateOnce(fixture, requestOf(), { retryBudget });
    const second = callCreateOnce(fixture);
    expect(await first).toMatchObject({ reason: "OutcomeUnknown" });
    expect(await second).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(fixture.cloud.calls.at(-1)).toBe(`8 s ${LIST}`);
    expect(fixture.cloud.snapshotsOf(snapshot)).toHaveLength(1);
  });

  test("createOnce fails with DeadlineExceeded if an identical concurrent request is still in progress at the deadline", async () => {
    const fixture = createFixture({ createMs: 30_000 });
    const retryBudget = { ...fixture.runContext.retryBudget, deadline: startPlus(5_000) };
    const first = callCreateOnce(fixture);
    expect(await callCreateOnce(fixture, requestOf(), { retryBudget })).toMatchObject({
      reason: "DeadlineExceeded",
      message: "The time ran out while an equal request was in progress.",
    });
    expect(fixture.time.seconds()).toBe(5);
    expect(await first).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce does not wait for an identical concurrent request if the deadline has passed", async () => {
    const fixture = createFixture({ createMs: 30_000 });
    const late = { ...fixture.runContext.retryBudget, deadline: startPlus(-1_000) };
    const first = callCreateOnce(fixture);
    const second = createOnce(requestOf(), fixture.cloud.service(snapshot), late, fixture.runContext.inFlight).catch(
      (thrown) => thrown,
    );
    expect(await second).toMatchObject({ reason: "DeadlineExceeded" });
    expect(fixture.time.seconds()).toBe(0);
    await first;
  });
});

describe("createOnce after the same request succeeded in the same instance", () => {
  test("createOnce remembers a new snapshot for 10 s, even if no list response contains the snapshot", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotOf("other", "disk-1"));
    fixture.cloud.listDelayMs = 60_000;
    await callCreateOnce(fixture);
    await fixture.time.sleep(10_000);
    expect(await callCreateOnce(fixture)).toEqual({
      outcome: "existing",
      snapshotId: "made-1",
      name: "",
      status: 202,
      body: expect.stringContaining('"id":"made-1"'),
      attempts: 0,
      state: "creating",
    });
    const later = createFixture({ listDelayMs: 60_000 });
    await callCreateOnce(later);
    await later.time.sleep(10_001);
    expect(await callCreateOnce(later)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("createOnce returns a remembered snapshot in the format of the API's create response", async () => {
    const fixture = createFixture({ listDelayMs: 60_000 });
    const request = requestOf({ options: { volume_id: "disk-1", name: "release" } });
    await callCreateOnce(fixture, request);
    const { name, body } = await callCreateOnce(fixture, request);
    expect(name).toBe("release");
    expect(JSON.parse(body)).toEqual({
      snapshot: { id: "made-1", name: "release", volume_id: "disk-1", status: "creating" },
    });
  });

  test("createOnce returns Conflict if it remembers a snapshot with the requested key but different options", async () => {
    const fixture = createFixture({ listDelayMs: 60_000 });
    await callCreateOnce(fixture);
    expect(await callCreateOnce(fixture, requestOf({ options: { volume_id: "disk-1", force: false } }))).toMatchObject({
      reason: "Conflict",
      message: expect.stringContaining("with the same key created snapshot made-1"),
    });
  });

  test("createOnce forgets a new snapshot after 10 s, even if requests with the key of the snapshot arrive meanwhile", async () => {
    const fixture = createFixture({ listDelayMs: 60_000 });
    await callCreateOnce(fixture);
    for (const options of [{ volume_id: "disk-1", force: false }, { volume_id: "disk-1" }]) {
      await fixture.time.sleep(4_000);
      await callCreateOnce(fixture, requestOf({ options }));
    }
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    await fixture.time.sleep(2_001);
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("createOnce creates another snapshot if the list response shows that the remembered snapshot failed", async () => {
    const fixture = createFixture();
    await callCreateOnce(fixture);
    changeSnapshot(fixture.cloud, snapshot, "made-1", STATUS.failed);
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("createOnce removes the entry of a request from memory 10 s after the request was completed", async () => {
    const fixture = createFixture({ seconds: 600 });
    const inFlight = fixture.runContext.inFlight;
    for (let disk = 1; disk <= 5; disk += 1) {
      await callCreateOnce(fixture, requestOf({ options: { volume_id: `disk-${disk}` } }));
      await fixture.time.sleep(4_000);
    }
    expect(inFlight.size).toBe(3);
    await fixture.time.sleep(60_000);
    await callCreateOnce(fixture, requestOf({ options: { volume_id: "disk-9" } }));
    expect(inFlight.size).toBe(1);
    expect([...inFlight.keys()].join()).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([
    ["behind", -3_600_000],
    ["ahead", 3_600_000],
  ])(
    "createOnce remembers a snapshot for 10 s, even if the wall clock of the next invocation is an hour %s",
    async (_direction, step) => {
      const fixture = createFixture({ listDelayMs: 60_000 });
      const { time } = fixture;
      const clock = { ...time, elapsed: () => time.now() - START };
      const shiftedClock = { ...clock, now: () => instant(time.now() + step) };
      const callWith = (virtualClock: typeof clock) => {
        const retryBudget = { time: virtualClock, deadline: instant(virtualClock.now() + 60_000) };
        return callCreateOnce(fixture, requestOf(), { retryBudget });
      };
      await callWith(clock);
      await time.sleep(10_000);
      expect(await callWith(shiftedClock)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
      await time.sleep(1);
      expect(await callWith(shiftedClock)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
    },
  );

  test("createOnce keeps no entry of a failed request in memory", async () => {
    const fixture = createFixture({ creates: [cloudError("AccessDenied")] });
    await callCreateOnce(fixture);
    expect(fixture.runContext.inFlight.size).toBe(0);
  });
});
