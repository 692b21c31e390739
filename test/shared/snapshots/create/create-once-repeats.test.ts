import { describe, expect, test } from "vitest";
import { instant } from "../../../../shared/core/instant.ts";
import { createOnce } from "../../../../shared/snapshots/create/create-once.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey } from "../../../../shared/snapshots/marker.ts";
import {
  cloudError,
  createFixture,
  FAILED,
  group,
  lostResponse,
  START,
  snapshot,
  snapshotOf,
} from "../../../support/domain.ts";
import { ask, CREATE, LOOK, moment, request } from "../../../support/requests.ts";

describe("createOnce with concurrent requests in one instance", () => {
  test("createOnce waits for a concurrent equal request and returns its snapshot", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 2_000;
    const [first, second] = await Promise.all([ask(fixture), ask(fixture)]);
    expect(first).toMatchObject({ outcome: "accepted", snapshotId: "made-1", attempts: 1 });
    expect(second).toEqual({ ...first, outcome: "existing", attempts: 0 });
    expect(fixture.cloud.requests()).toEqual([LOOK, CREATE]);
    // The request that waited leaves no timer behind.
    expect(fixture.time.asleep()).toBe(0);
    expect(fixture.time.seconds()).toBe(2);
  });

  test("createOnce reports a conflict with a concurrent request that has the same key and other options", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 2_000;
    const other = request({ options: { volume_id: "disk-1", force: false } });
    const [, second] = await Promise.all([ask(fixture), ask(fixture, other)]);
    expect(second).toMatchObject({
      reason: "Conflict",
      message: expect.stringContaining("with the same key created snapshot made-1"),
    });
    expect(fixture.cloud.of(snapshot)).toHaveLength(1);
  });

  test("createOnce does not wait for a concurrent request of another project, kind, disk or key", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 2_000;
    await Promise.all([
      ask(fixture),
      ask(fixture, request({ projectId: "project-2" })),
      ask(fixture, request({ options: { volume_id: "disk-2" } })),
      ask(fixture, request({ idempotencyKey: deriveKey("other") })),
      ask(fixture, request({ kind: group, options: { server_id: "disk-1" } })),
    ]);
    expect(fixture.cloud.calls.filter((call) => call.startsWith("0 s create"))).toHaveLength(5);
  });

  test("createOnce lists the snapshots itself if the concurrent request failed", async () => {
    const fixture = createFixture();
    fixture.cloud.at("create", async () => {
      await fixture.time.sleep(1_000);
      throw cloudError("AccessDenied");
    });
    const [first, second] = await Promise.all([ask(fixture), ask(fixture)]);
    expect(first).toMatchObject({ reason: "AccessDenied" });
    expect(second).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
    expect(fixture.cloud.calls).toEqual([`0 s ${LOOK}`, `0 s ${CREATE}`, `1 s ${LOOK}`, `1 s ${CREATE}`]);
  });

  test("createOnce waits until a list must show the result if the outcome of the concurrent request is unknown", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 5_000;
    const impatient = { ...fixture.runContext.retryBudget, deadline: moment(3_000) };
    fixture.cloud.at("create", { afterwards: lostResponse() });
    const first = createOnce(request(), fixture.cloud.service(snapshot), impatient, fixture.runContext.inFlight).catch(
      (error) => error,
    );
    const second = ask(fixture);
    expect(await first).toMatchObject({ reason: "OutcomeUnknown" });
    expect(await second).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(fixture.cloud.calls.at(-1)).toBe(`8 s ${LOOK}`);
    expect(fixture.cloud.of(snapshot)).toHaveLength(1);
  });

  test("createOnce does not wait for a concurrent request beyond its own deadline", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 30_000;
    const impatient = { ...fixture.runContext.retryBudget, deadline: moment(5_000) };
    const first = ask(fixture);
    const error = await createOnce(
      request(),
      fixture.cloud.service(snapshot),
      impatient,
      fixture.runContext.inFlight,
    ).catch((thrown) => thrown);
    expect(error).toMatchObject({
      reason: "DeadlineExceeded",
      message: "The same request is still in progress, and the time ran out.",
    });
    expect(fixture.time.seconds()).toBe(5);
    expect(await first).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce does not wait for a concurrent request if its own deadline has passed", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 30_000;
    const late = { ...fixture.runContext.retryBudget, deadline: moment(-1_000) };
    const first = ask(fixture);
    const second = createOnce(request(), fixture.cloud.service(snapshot), late, fixture.runContext.inFlight).catch(
      (thrown) => thrown,
    );
    expect(await second).toMatchObject({ reason: "DeadlineExceeded" });
    expect(fixture.time.seconds()).toBe(0);
    await first;
  });
});

describe("createOnce after a recent request", () => {
  test("createOnce remembers a new snapshot for 10 s although no list shows it", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotOf("other", "disk-1"));
    fixture.cloud.lateMs = 60_000;
    await ask(fixture);
    await fixture.time.sleep(10_000);
    expect(await ask(fixture)).toEqual({
      outcome: "existing",
      snapshotId: "made-1",
      name: "",
      status: 202,
      body: expect.stringContaining('"id":"made-1"'),
      attempts: 0,
      state: "creating",
    });
    const later = createFixture();
    later.cloud.lateMs = 60_000;
    await ask(later);
    await later.time.sleep(10_001);
    expect(await ask(later)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("createOnce returns a remembered snapshot in the format of the API's create response", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 60_000;
    const asked = request({ options: { volume_id: "disk-1", name: "release" } });
    await ask(fixture, asked);
    const { name, body } = await ask(fixture, asked);
    expect(name).toBe("release");
    expect(JSON.parse(body)).toEqual({
      snapshot: { id: "made-1", name: "release", volume_id: "disk-1", status: "creating" },
    });
  });

  test("createOnce reports a conflict if a remembered snapshot was created with other options", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 60_000;
    await ask(fixture);
    expect(await ask(fixture, request({ options: { volume_id: "disk-1", force: false } }))).toMatchObject({
      reason: "Conflict",
      message: expect.stringContaining("with the same key created snapshot made-1"),
    });
  });

  test("createOnce remembers a new snapshot for no more than 10 s, whatever requests with the same key come meanwhile", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 60_000;
    await ask(fixture);
    for (const options of [{ volume_id: "disk-1", force: false }, { volume_id: "disk-1" }]) {
      await fixture.time.sleep(4_000);
      await ask(fixture, request({ options }));
    }
    expect(await ask(fixture)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    await fixture.time.sleep(2_001);
    expect(await ask(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("createOnce prefers the state in the list to the remembered snapshot", async () => {
    const fixture = createFixture();
    await ask(fixture);
    const [made] = fixture.cloud.of(snapshot);
    fixture.cloud.snapshots.set("snapshot", [{ ...(made as FoundSnapshot), ...FAILED }]);
    expect(await ask(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("createOnce removes remembered snapshots from memory after 10 s", async () => {
    const fixture = createFixture({ seconds: 600 });
    const inFlight = fixture.runContext.inFlight;
    for (let disk = 1; disk <= 5; disk += 1) {
      await ask(fixture, request({ options: { volume_id: `disk-${disk}` } }));
      await fixture.time.sleep(4_000);
    }
    expect(inFlight.size).toBe(3);
    await fixture.time.sleep(60_000);
    await ask(fixture, request({ options: { volume_id: "disk-9" } }));
    expect(inFlight.size).toBe(1);
    expect([...inFlight.keys()].join()).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([-3_600_000, 3_600_000])(
    "createOnce remembers a snapshot for 10 s although the clock of the next invocation differs by %d ms",
    async (step) => {
      const fixture = createFixture();
      fixture.cloud.lateMs = 60_000;
      const { time } = fixture;
      const clock = { ...time, elapsed: () => time.now() - START };
      const later = { ...clock, now: () => instant(time.now() + step) };
      const askAt = (times: typeof clock) => {
        const retryBudget = { time: times, deadline: instant(times.now() + 60_000) };
        return createOnce(request(), fixture.cloud.service(snapshot), retryBudget, fixture.runContext.inFlight);
      };
      await askAt(clock);
      await time.sleep(10_000);
      expect(await askAt(later)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
      await time.sleep(1);
      expect(await askAt(later)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
    },
  );

  test("createOnce remembers nothing of a failed request", async () => {
    const fixture = createFixture();
    fixture.cloud.at("create", cloudError("AccessDenied"));
    await ask(fixture);
    expect(fixture.runContext.inFlight.size).toBe(0);
  });
});
