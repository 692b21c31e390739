import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { after, before } from "../../../../shared/core/instant.ts";
import { prune, toRetentionOptions } from "../../../../shared/snapshots/retention/prune.ts";
import {
  dailySnapshots,
  deleteCalls,
  keepLast,
  outcomesOfPrune,
  remainingIds,
} from "../../../support/daily-snapshots.ts";
import {
  cloudError,
  cluster,
  createFixture,
  DAY_MS,
  HOUR_MS,
  markerOf,
  START,
  STATUS,
  snapshot,
  snapshotOf,
  standard,
} from "../../../support/domain.ts";

describe("prune", () => {
  test("prune applies the retention to each resource's snapshots of the policy, and ignores other policies' snapshots", async () => {
    const fixture = createFixture();
    const other = snapshotOf("x", "disk-1", { marker: markerOf("x", { policy: "weekly" }) });
    const unmarked = snapshotOf("y", "disk-1", { marker: undefined });
    fixture.cloud.add(
      snapshot,
      ...dailySnapshots("disk-1", "a", "b"),
      ...dailySnapshots("disk-2", "c", "d"),
      other,
      unmarked,
    );
    fixture.cloud.add(cluster, ...dailySnapshots("cluster-1", "e", "f"));
    expect(await prune(keepLast(1), fixture.runContext)).toBe(6);
    expect(fixture.outcomes()).toEqual([
      "a kept: keep_last",
      "c kept: keep_last",
      "e kept: keep_last",
      "b deleted: kept by no rule",
      "d deleted: kept by no rule",
      "f deleted: kept by no rule",
    ]);
    expect(remainingIds(fixture)).toEqual(["a", "c", "x", "y"]);
    expect(fixture.records[3]).toEqual({
      action: "prune",
      kind: "snapshot",
      resource_id: "disk-1",
      name: "nightly-b",
      snapshot_id: "b",
      policy: "nightly",
      outcome: "deleted",
      rule: "kept by no rule",
    });
  });

  test("prune rejects a retention without a keep rule above 0 and sends no list request", async () => {
    for (const retention of [{}, { keep_last: 0 }, { min_keep: 3 }]) {
      const fixture = createFixture();
      await expect(prune({ policy: "nightly", retention }, fixture.runContext)).rejects.toMatchObject({
        reason: "InvalidRequest",
        message:
          "retention: expected at least one of keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly above 0, got none. Prune would delete all but min_keep snapshots.",
      });
      expect(fixture.cloud.calls).toEqual([]);
    }
  });

  test("toRetentionOptions returns UTC and an empty hold if the policy has neither a time zone nor a hold", () => {
    const options = toRetentionOptions(keepLast(1));
    expect(options.hold).toEqual([]);
    expect(options.toWallTime(START)).toBe(START);
    expect(toRetentionOptions({ ...keepLast(1), time_zone: "Asia/Shanghai", hold: ["a"] }).toWallTime(START)).toBe(
      START + 8 * HOUR_MS,
    );
  });

  test("prune keeps the snapshots whose ids are in the hold field of the policy", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b", "c"));
    expect(await outcomesOfPrune(fixture, { ...keepLast(1), hold: ["B"] })).toEqual([
      "a kept: keep_last",
      "b held: held by the policy",
      "c deleted: kept by no rule",
    ]);
  });

  test("prune holds a snapshot with a creation time in the future and applies the retention to the other snapshots", async () => {
    const fixture = createFixture();
    const future = snapshotOf("f", "disk-1", { created: after(START, 365 * DAY_MS) });
    fixture.cloud.add(snapshot, future, ...dailySnapshots("disk-1", "a", "b", "c"));
    expect(await outcomesOfPrune(fixture, { policy: "nightly", retention: { keep_within_days: 2 } })).toEqual([
      "f held: its creation time is in the future",
      "a kept: keep_within_days",
      "b kept: keep_within_days",
      "c deleted: kept by no rule",
    ]);
  });

  test("prune with dry_run deletes nothing and writes a planned record for each snapshot", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b"));
    expect(await prune({ ...keepLast(1), dry_run: true }, fixture.runContext)).toBe(2);
    expect(fixture.outcomes()).toEqual(["a planned: keep_last: kept", "b planned: kept by no rule: deleted"]);
    expect(deleteCalls(fixture)).toEqual([]);
  });

  test("prune writes a failed record for a kind whose list request fails, and prunes the other kinds", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("listAll", undefined, cloudError("AccessDenied"));
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b"));
    expect(await prune(keepLast(1), fixture.runContext)).toBe(2);
    expect(fixture.records.filter(({ outcome }) => outcome === "failed")).toMatchObject([
      { action: "prune", policy: "nightly", kind: standard.name },
    ]);
    expect(remainingIds(fixture)).toEqual(["a"]);
  });
});

describe("the announcement of deletions", () => {
  test("prune announces nothing if it plans no deletion or runs with dry_run", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a"));
    await prune(keepLast(1), fixture.runContext);
    fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b").slice(1));
    await prune({ ...keepLast(1), dry_run: true }, fixture.runContext);
    expect(fixture.announced).toEqual([]);
  });
});

test("prune adds a notice with the entries of the policy's hold that match no existing snapshot", async () => {
  const fixture = createFixture();
  const other = snapshotOf("x", "disk-1", { marker: markerOf("x", { policy: "weekly" }) });
  fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a"), other);
  fixture.cloud.add(cluster, ...dailySnapshots("cluster-1", "e"));
  await prune({ ...keepLast(1), hold: [" A ", "nightly-e", "x", "y", "weekly z"] }, fixture.runContext);
  expect(fixture.notices).toEqual([
    'hold: expected ids or names of existing snapshots, got "y", "weekly z". Correct or remove them.',
  ]);
  const unheld = createFixture();
  unheld.cloud.add(snapshot, ...dailySnapshots("disk-1", "a"));
  await prune(keepLast(1), unheld.runContext);
  await prune({ ...keepLast(1), hold: ["a"] }, unheld.runContext);
  expect(unheld.notices).toEqual([]);
});

test("prune sends at most three delete requests at a time if the concurrency is 3", async () => {
  const fixture = createFixture({ concurrency: 3, seconds: 600 });
  fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b", "c", "d", "e"));
  fixture.cloud.onEveryCall("remove", () => fixture.time.sleep(1_000));
  await prune(keepLast(1), fixture.runContext);
  expect(deleteCalls(fixture).map((call) => call.split(" ")[0])).toEqual(["0", "0", "0", "1"]);
});

test("prune deletes a failed snapshot once a newer good one exists", async () => {
  const fixture = createFixture();
  fixture.cloud.add(
    snapshot,
    ...dailySnapshots("disk-1", "a"),
    snapshotOf("f", "disk-1", { ...STATUS.failed, created: before(START, 1) }),
  );
  expect(await outcomesOfPrune(fixture)).toEqual([
    "a kept: keep_last",
    "f deleted: failed, and a newer good snapshot exists",
  ]);
});

test("prune deletes or records as failed exactly the snapshots that its dry run plans to delete, if deletions fail at random", async () => {
  const seed = fc.record({
    disk: fc.constantFrom("disk-1", "disk-2"),
    hours: fc.integer({ min: 1, max: 24 * 40 }),
    state: fc.constantFrom({}, {}, {}, {}, STATUS.failed),
    key: fc.constantFrom("", "", "", "once", "twice"),
  });
  const retention = fc.record(
    {
      keep_last: fc.integer({ min: 1, max: 3 }),
      keep_within_days: fc.nat(4),
      keep_daily: fc.nat(5),
      keep_weekly: fc.nat(4),
      keep_monthly: fc.nat(2),
      min_keep: fc.integer({ min: 1, max: 3 }),
    },
    { requiredKeys: ["keep_last"] },
  );
  const failures = fc.array(
    fc.constantFrom(undefined, undefined, undefined, "Busy", "Throttled", "CloudError", "Unreachable", "lost"),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(seed, { maxLength: 25 }), retention, failures, async (seeds, rules, reasons) => {
      const fixture = createFixture({ seconds: 3_600, concurrency: 3, random: () => 0.5 });
      const found = seeds.map(({ disk, hours, state, key }, index) =>
        snapshotOf(`s${index}`, disk, {
          created: before(START, hours * HOUR_MS),
          marker: markerOf(key || `${index}`),
          ...state,
        }),
      );
      fixture.cloud.add(snapshot, ...found);
      const policy = { policy: "nightly", retention: rules };
      await prune({ ...policy, dry_run: true }, fixture.runContext);
      const planned = fixture.records.filter(({ detail }) => detail === "deleted");
      fixture.records.length = 0;
      fixture.cloud.onNextCalls(
        "remove",
        ...reasons.map((reason) => {
          if (reason === "lost") return { afterwards: cloudError("Unreachable") };
          return reason === undefined ? undefined : cloudError(reason);
        }),
      );
      await prune(policy, fixture.runContext);
      const idsWith = (...outcomes: string[]) =>
        fixture.records.filter(({ outcome }) => outcomes.includes(outcome)).map(({ snapshot_id }) => snapshot_id);
      // A deletion that fails four times is recorded as failed and left for the next run.
      const missing = planned.filter(({ snapshot_id }) => !idsWith("deleted", "failed").includes(snapshot_id));
      // Once the older duplicate is deleted, a new plan can keep the younger duplicate.
      expect(missing.filter(({ rule }) => !rule?.startsWith("twin"))).toEqual([]);
      expect(idsWith("deleted", "failed").length + missing.length).toBe(planned.length);
      expect(remainingIds(fixture)).toEqual(found.map(({ id }) => id).filter((id) => !idsWith("deleted").includes(id)));
    }),
    { numRuns: 300 },
  );
});
