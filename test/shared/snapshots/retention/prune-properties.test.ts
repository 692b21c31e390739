import fc from "fast-check";
import { expect, test } from "vitest";
import { before } from "../../../../shared/core/instant.ts";
import { prune } from "../../../../shared/snapshots/retention/prune.ts";
import { remainingIds } from "../../../support/daily-snapshots.ts";
import {
  cloudError,
  createFixture,
  FAILED,
  HOUR_MS,
  markerOf,
  START,
  snapshot,
  snapshotOf,
} from "../../../support/domain.ts";

test("prune deletes or records as failed exactly the snapshots that its dry run plans to delete, if deletions fail at random", async () => {
  const seed = fc.record({
    disk: fc.constantFrom("disk-1", "disk-2"),
    hours: fc.integer({ min: 1, max: 24 * 40 }),
    state: fc.constantFrom({}, {}, {}, {}, FAILED),
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
      expect(fixture.unbalancedRecords()).toBe(0);
    }),
    { numRuns: 300 },
  );
});
