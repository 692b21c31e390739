import { describe, expect, test } from "vitest";
import { type Instant, instant } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import {
  CREATING,
  createFixture,
  DAY_MS,
  DELETING,
  FAILED,
  HOUR_MS,
  snapshot,
  UNKNOWN,
} from "../../../support/domain.ts";
import { AVAILABLE, becomes, call, DISK_1, DISK_2, gate, moment, snapshotCreatedFor } from "../../../support/gate.ts";

describe("passGate with a deployment_id that was used before", () => {
  const old = (changes: Partial<FoundSnapshot> = {}) =>
    snapshotCreatedFor(DISK_1, "a", { created: moment(-HOUR_MS - 1), ...changes });

  test("passGate refuses a deployment_id with an old snapshot, creates nothing, and writes a record for each target", async () => {
    const { error, asked, fixture } = await gate([old()], [DISK_1, DISK_2], { maxAgeMs: HOUR_MS });
    expect(error).toMatchObject({
      reason: "Conflict",
      message:
        'deployment_id: expected a deployment in progress, got "release-7", whose snapshot a is older than max_age_minutes. Use a new deployment_id, or raise max_age_minutes.',
    });
    expect(asked).toEqual(["listAll snapshot"]);
    expect(fixture.time.seconds()).toBe(0);
  });

  test("passGate refuses a deployment_id if one of its snapshots has no creation time or an impossible one", async () => {
    for (const created of [undefined, moment(16 * 60_000), instant(0), instant(Date.UTC(2014, 11, 31))]) {
      for (const changes of [{}, UNKNOWN]) {
        const { error, asked } = await gate([old({ created, ...changes })], [DISK_1], { maxAgeMs: Infinity });
        expect(error).toMatchObject({
          reason: "Conflict",
          message: expect.stringContaining("Use a new deployment_id."),
        });
        expect(asked).toEqual(["listAll snapshot"]);
      }
      const young = await gate([old({ created, ...CREATING })], [DISK_1], { maxAgeMs: Infinity });
      expect(young.short).toEqual(["a existing"]);
      const going = await gate([old({ created, ...DELETING })], [DISK_1], { maxAgeMs: Infinity });
      expect(going.short).toEqual(["made-1 accepted"]);
    }
  });

  test("passGate names the creation time of a refused snapshot and what to do", async () => {
    const message = async (created: Instant | undefined) => (await gate([old({ created })])).error?.message;
    expect(await message(undefined)).toBe(
      'deployment_id: expected a deployment in progress, got "release-7", whose snapshot a has no readable creation time, so its age is unknown. Use a new deployment_id. If new snapshots have no time either, set "wait_seconds" in the call that creates them.',
    );
    expect(await message(instant(0))).toContain("has the creation time 1970-01-01T00:00:00.000Z, so its age");
  });

  test("passGate trusts the age of a snapshot that it created, unless the list shows that it is older than an hour", async () => {
    const ends = async (created: Instant | undefined, maxAgeMs: number) => {
      const fixture = createFixture();
      becomes(fixture, 1, { ...AVAILABLE, created });
      return call(fixture, [DISK_1], { waitUntil: moment(5_000), maxAgeMs });
    };
    for (const created of [undefined, moment(DAY_MS), moment(-HOUR_MS + 5_000)]) {
      expect((await ends(created, 60_000)).short).toEqual(["made-1 available"]);
    }
    expect((await ends(moment(-HOUR_MS), 60_000)).error).toMatchObject({ reason: "Conflict" });
  });

  test("passGate refuses a deployment_id during the wait, after it has written a record for each target", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(DISK_1, "a", { ...CREATING, created: undefined }));
    fixture.cloud.always("listAll", () => {
      const found = fixture.cloud.of(snapshot).map((one) => (one.id === "a" ? { ...one, ...AVAILABLE } : one));
      if (fixture.time.seconds() >= 1) fixture.cloud.snapshots.set("snapshot", found);
    });
    const { error } = await call(fixture, [DISK_1, DISK_2], { waitUntil: moment(40_000) });
    expect(error).toMatchObject({ reason: "Conflict" });
    expect(fixture.outcomes()).toEqual(["a failed: Conflict", "made-1 accepted"]);
    expect(fixture.time.seconds()).toBe(2);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("passGate accepts a snapshot of exactly the maximum age and ignores the age of a failed snapshot", async () => {
    const { short } = await gate([old({ created: moment(-HOUR_MS) })], [DISK_1], { maxAgeMs: HOUR_MS });
    expect(short).toEqual(["a available"]);
    const again = await gate([old(FAILED)], [DISK_1], { maxAgeMs: HOUR_MS, retryFailed: true });
    expect(again.short).toEqual(["made-1 accepted"]);
  });
});
