/** Tests properties of plans for random snapshots, policies and zones. `RUNS=10000` sets the number of runs per property. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import type { Retention } from "../../../../shared/snapshots/policy.ts";
import type { Verdict } from "../../../../shared/snapshots/retention/plan.ts";
import {
  dateIn,
  disksOf,
  GOOD,
  groups,
  hold,
  ids,
  keptByModel,
  moment,
  NAMES,
  planned,
  policy,
  retention,
  snapshots,
  without,
  zone,
} from "../../../support/retention-model.ts";

const RUNS = Number(process.env.RUNS ?? 400);
const SETTINGS = { numRuns: RUNS };

describe(`planRetention for random snapshots and policies (${RUNS} runs each)`, { timeout: 600_000 }, () => {
  test("planRetention keeps the snapshots that a naive calendar keeps, by the same rules", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(moment, { maxLength: 40 }),
        retention,
        zone,
        groups,
        (times, retention, zone, groups) => {
          const good = times.map((time, index): FoundSnapshot => {
            const created = instant(time);
            const members = groups[index]?.map((disk) => ({ ...GOOD, id: `s${index}-${disk}`, resource: disk }));
            return { ...GOOD, id: `s${index}`, created, members };
          });
          const plan = planned(good, { retention, zone, hold: [] });
          const kept = plan.filter(({ decision }) => decision === "kept");
          expect(new Map(kept.map(({ snapshot, rule }) => [snapshot.id, new Set(rule.split(", "))]))).toEqual(
            keptByModel(good, retention, zone),
          );
        },
      ),
      SETTINGS,
    );
  });

  test("planRetention keeps at least min_keep good snapshots, and always the last one", () => {
    fc.assert(
      fc.property(snapshots, policy, (found, policy) => {
        const good = found.filter(({ state }) => state === "available");
        const left = without(good, ids(planned(found, policy), "deleted"));
        expect(left.length).toBeGreaterThanOrEqual(Math.min(good.length, policy.retention.min_keep ?? 1));
      }),
      SETTINGS,
    );
  });

  test("planRetention never deletes the last good snapshot of a disk, in whichever group", () => {
    fc.assert(
      fc.property(snapshots, policy, (found, policy) => {
        const left = without(found, ids(planned(found, policy), "deleted"));
        const before = new Set(found.filter(({ state }) => state !== "deleting").flatMap(disksOf));
        expect([...before].filter((disk) => !left.flatMap(disksOf).includes(disk))).toEqual([]);
      }),
      SETTINGS,
    );
  });

  test("planRetention keeps the newest good snapshot that is not held", () => {
    fc.assert(
      fc.property(snapshots, policy, (found, policy) => {
        const plan = planned(found, policy);
        const held = ids(plan, "held");
        const available = found.filter(({ state }) => state === "available");
        // The older snapshot counts instead of its duplicate.
        fc.pre(new Set(available.map(({ marker }) => marker?.idempotencyKey)).size === available.length);
        const good = available.filter(({ id }) => !held.includes(id));
        fc.pre(good.length > 0);
        const newest = Math.max(...good.map(({ created }) => created ?? 0));
        const kept = plan.filter(({ decision, snapshot }) => decision === "kept" && snapshot.state === "available");
        expect(Math.max(...kept.map(({ snapshot }) => snapshot.created ?? 0))).toBe(newest);
      }),
      SETTINGS,
    );
  });

  test("planRetention deletes nothing in a second run and keeps the snapshots by the same rules", () => {
    fc.assert(
      fc.property(snapshots, policy, (found, policy) => {
        const first = planned(found, policy);
        const second = planned(without(found, ids(first, "deleted")), policy);
        expect(second).toEqual(first.filter(({ decision }) => decision !== "deleted"));
      }),
      SETTINGS,
    );
  });

  test("planRetention deletes a subset if the policy keeps more", () => {
    const more = fc.record({
      keep_last: fc.nat(3),
      keep_within_days: fc.nat(5),
      keep_daily: fc.nat(3),
      keep_weekly: fc.nat(3),
      keep_monthly: fc.nat(3),
      keep_yearly: fc.nat(3),
      min_keep: fc.nat(3),
    });
    fc.assert(
      fc.property(snapshots, policy, more, hold, (found, policy, more, holdMore) => {
        const wider = Object.fromEntries(
          Object.entries(more).map(([rule, further]) => [
            rule,
            (policy.retention[rule as keyof Retention] ?? (rule === "min_keep" ? 1 : 0)) + further,
          ]),
        );
        const narrow = ids(planned(found, policy), "deleted");
        const wide = ids(
          planned(found, { ...policy, retention: wider, hold: [...policy.hold, ...holdMore] }),
          "deleted",
        );
        expect(wide.filter((id) => !narrow.includes(id))).toEqual([]);
      }),
      SETTINGS,
    );
  });

  test("planRetention never deletes held or pending snapshots, and deletes failed ones only for a newer good one", () => {
    fc.assert(
      fc.property(snapshots, policy, (found, policy) => {
        const plan = planned(found, policy);
        const kept = plan.filter(({ decision }) => decision !== "deleted").map(({ snapshot }) => snapshot);
        for (const { snapshot, decision } of plan) {
          const { id, labels, description = "", created } = snapshot;
          if (policy.hold.includes(id) || "hold" in labels || description.startsWith("hold") || created === undefined) {
            expect(decision).toBe("held");
          }
          if (decision !== "deleted") continue;
          expect(["available", "failed"]).toContain(snapshot.state);
          expect({ ...labels, ...snapshot.raw, name: snapshot.name }).toEqual({ name: "nightly" });
          if (snapshot.state === "failed") {
            const newer = kept.filter((one) => one.state === "available" && (one.created ?? 0) > (created ?? 0));
            expect(newer.length).toBeGreaterThan(0);
          }
        }
      }),
      SETTINGS,
    );
  });

  test("planRetention returns one verdict per snapshot, independent of the order of the list", () => {
    const shuffled = snapshots.chain((found) =>
      fc.tuple(fc.constant(found), fc.shuffledSubarray(found, { minLength: found.length })),
    );
    fc.assert(
      fc.property(shuffled, policy, ([found, other], policy) => {
        const plan = planned(found, policy);
        expect(plan.map(({ snapshot }) => snapshot.id).sort()).toEqual(found.map(({ id }) => id).sort());
        expect(planned(other, policy)).toEqual(plan);
      }),
      SETTINGS,
    );
  });

  test("planRetention decides the same about good snapshots if failed, unknown and pending ones are added", () => {
    fc.assert(
      fc.property(snapshots, policy, (found, policy) => {
        const ofGood = (plan: Verdict[]) => plan.filter(({ snapshot }) => snapshot.state === "available");
        const good = found.filter(({ state }) => state === "available");
        expect(planned(good, policy)).toEqual(ofGood(planned(found, policy)));
      }),
      SETTINGS,
    );
  });

  test("planRetention never divides a day, week, month or year at a change of the clocks", () => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 40 }), zone, (times, zone) => {
        const found = times.map((time, index): FoundSnapshot => {
          const created = instant(time);
          return { id: `s${index}`, name: "", status: "", state: "available", created, labels: {}, raw: {} };
        });
        const all = { keep_daily: 99, keep_weekly: 99, keep_monthly: 99, keep_yearly: 99 };
        const plan = planned(found, { retention: all, zone, hold: [] });
        for (const [rule, nameOf] of Object.entries(NAMES)) {
          const kept = plan
            .filter((one) => one.rule.split(", ").includes(rule))
            .map(({ snapshot }) => snapshot.created);
          const periods = kept.map((time) => nameOf(dateIn(zone, time)));
          expect(new Set(periods).size).toBe(periods.length);
          expect(new Set(periods)).toEqual(new Set(times.map((time) => nameOf(dateIn(zone, time)))));
        }
      }),
      SETTINGS,
    );
  });

  test("planRetention of each zone decides when a policy changes its zone, and a repeated run deletes nothing", () => {
    fc.assert(
      fc.property(snapshots, policy, zone, (found, policy, other) => {
        let left = found;
        const steps = [policy.zone, other, other, policy.zone, policy.zone];
        const deletions = steps.map((zone) => {
          const gone = ids(planned(left, { ...policy, zone }), "deleted");
          left = without(left, gone);
          return gone.length;
        });
        expect([deletions[2], deletions[4]]).toEqual([0, 0]);
        const good = (list: FoundSnapshot[]) => list.filter(({ state }) => state === "available").length;
        expect(good(left)).toBeGreaterThanOrEqual(Math.min(good(found), policy.retention.min_keep ?? 1));
      }),
      SETTINGS,
    );
  });
});
