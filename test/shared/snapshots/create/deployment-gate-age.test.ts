import { describe, expect, test } from "vitest";
import { type Instant, instant } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import {
  CREATING,
  changeSnapshot,
  createFixture,
  DAY_MS,
  DELETING,
  FAILED,
  HOUR_MS,
  snapshot,
  startPlus,
  UNKNOWN,
} from "../../../support/domain.ts";
import {
  AVAILABLE,
  callGate,
  callGateWith,
  changeFromSecond,
  DISK_1,
  DISK_2,
  snapshotCreatedFor,
} from "../../../support/pass-gate.ts";

describe("passGate with a deployment_id that was used before", () => {
  const oldSnapshot = (changes: Partial<FoundSnapshot> = {}) =>
    snapshotCreatedFor(DISK_1, "a", { created: startPlus(-HOUR_MS - 1), ...changes });

  test("passGate returns Conflict and creates nothing if a snapshot of the deployment_id is older than max_age_minutes", async () => {
    const { error, requests, fixture } = await callGateWith([oldSnapshot()], [DISK_1, DISK_2], { maxAgeMs: HOUR_MS });
    expect(error).toMatchObject({
      reason: "Conflict",
      message:
        'deployment_id: expected a deployment in progress, got "release-7", whose snapshot a is older than max_age_minutes. Use a new deployment_id, or raise max_age_minutes.',
    });
    expect(requests).toEqual(["listAll snapshot"]);
    expect(fixture.time.seconds()).toBe(0);
  });

  test("passGate returns Conflict if a snapshot of the deployment_id has no creation time, or a time before 2015 or in the future", async () => {
    for (const created of [undefined, startPlus(16 * 60_000), instant(0), instant(Date.UTC(2014, 11, 31))]) {
      for (const changes of [{}, UNKNOWN]) {
        const { error, requests } = await callGateWith([oldSnapshot({ created, ...changes })], [DISK_1], {
          maxAgeMs: Infinity,
        });
        expect(error).toMatchObject({
          reason: "Conflict",
          message: expect.stringContaining("Use a new deployment_id."),
        });
        expect(requests).toEqual(["listAll snapshot"]);
      }
      const creating = await callGateWith([oldSnapshot({ created, ...CREATING })], [DISK_1], { maxAgeMs: Infinity });
      expect(creating.outcomes).toEqual(["a existing"]);
      const deleting = await callGateWith([oldSnapshot({ created, ...DELETING })], [DISK_1], { maxAgeMs: Infinity });
      expect(deleting.outcomes).toEqual(["made-1 accepted"]);
    }
  });

  test("passGate names the implausible creation time in the Conflict message and advises to use a new deployment_id", async () => {
    const message = async (created: Instant | undefined) =>
      (await callGateWith([oldSnapshot({ created })])).error?.message;
    expect(await message(undefined)).toBe(
      'deployment_id: expected a deployment in progress, got "release-7", whose snapshot a has no readable creation time, so its age is unknown. Use a new deployment_id. If new snapshots have no time either, set "wait_seconds" in the call that creates them.',
    );
    expect(await message(instant(0))).toContain("has the creation time 1970-01-01T00:00:00.000Z, so its age");
  });

  test("passGate accepts any listed creation time of a snapshot that it has just created, unless the time is an hour ago or more", async () => {
    const callWithListedTime = async (created: Instant | undefined, maxAgeMs: number) => {
      const fixture = createFixture();
      changeFromSecond(fixture, 1, { ...AVAILABLE, created });
      return callGate(fixture, [DISK_1], { waitUntil: startPlus(5_000), maxAgeMs });
    };
    for (const created of [undefined, startPlus(DAY_MS), startPlus(-HOUR_MS + 5_000)]) {
      expect((await callWithListedTime(created, 60_000)).outcomes).toEqual(["made-1 available"]);
    }
    expect((await callWithListedTime(startPlus(-HOUR_MS), 60_000)).error).toMatchObject({ reason: "Conflict" });
  });

  test("passGate returns Conflict during the wait if a snapshot without a creation time becomes available, after it has written all records", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a", { ...CREATING, created: undefined }));
    fixture.cloud.onEveryCall("listAll", () => {
      if (fixture.time.seconds() >= 1) changeSnapshot(fixture.cloud, snapshot, "a", AVAILABLE);
    });
    const { error } = await callGate(fixture, [DISK_1, DISK_2], { waitUntil: startPlus(40_000) });
    expect(error).toMatchObject({ reason: "Conflict" });
    expect(fixture.outcomes()).toEqual(["a failed: Conflict", "made-1 accepted"]);
    expect(fixture.time.seconds()).toBe(2);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("passGate accepts a snapshot that is exactly max_age_minutes old, and ignores the age of a failed snapshot", async () => {
    const { outcomes } = await callGateWith([oldSnapshot({ created: startPlus(-HOUR_MS) })], [DISK_1], {
      maxAgeMs: HOUR_MS,
    });
    expect(outcomes).toEqual(["a available"]);
    const again = await callGateWith([oldSnapshot(FAILED)], [DISK_1], { maxAgeMs: HOUR_MS, retryFailed: true });
    expect(again.outcomes).toEqual(["made-1 accepted"]);
  });
});
