/** Tests planRetention with random snapshots, policies and time zones. `RUNS=10000` sets the number of runs per test. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import type { Retention } from "../../../../shared/snapshots/policy.ts";
import type { Verdict } from "../../../../shared/snapshots/retention/plan.ts";
import {
  availableDisks,
  dateIn,
  GOOD,
  idsWith,
  keptByNaiveModel,
  PERIOD_NAMES,
  type Policy,
  planFor,
  randomGroupDisks,
  randomHold,
  randomPolicy,
  randomRetention,
  randomSnapshots,
  randomTime,
  randomZone,
  withoutIds,
} from "../../../support/retention-model.ts";

const RUNS = Number(process.env.RUNS ?? 400);
const SETTINGS = { numRuns: RUNS };

/** Runs the check with random snapshots and policies. */
const forAnyPlan = (check: (found: FoundSnapshot[], policy: Policy) => void) =>
  fc.assert(fc.property(randomSnapshots, randomPolicy, check), SETTINGS);

describe(`planRetention with random snapshots and policies (${RUNS} runs each)`, { timeout: 600_000 }, () => {
  test("planRetention keeps the same snapshots as a naive model of the calendar, by the same rules", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(randomTime, { maxLength: 40 }),
        randomRetention,
        randomZone,
        randomGroupDisks,
        (times, retention, zone, groups) => {
          const good = times.map((time, index): FoundSnapshot => {
            const created = instant(time);
            const members = groups[index]?.map((disk) => ({ ...GOOD, id: `s${index}-${disk}`, resource: disk }));
            return { ...GOOD, id: `s${index}`, created, members };
          });
          const plan = planFor(good, { retention, zone, hold: [] });
          const kept = plan.filter(({ decision }) => decision === "kept");
          expect(new Map(kept.map(({ snapshot, rule }) => [snapshot.id, new Set(rule.split(", "))]))).toEqual(
            keptByNaiveModel(good, retention, zone),
          );
        },
      ),
      SETTINGS,
    );
  });

  test("planRetention keeps at least min_keep available snapshots, or all of them if fewer exist", () => {
    forAnyPlan((found, policy) => {
      const good = found.filter(({ state }) => state === "available");
      const left = withoutIds(good, idsWith(planFor(found, policy), "deleted"));
      expect(left.length).toBeGreaterThanOrEqual(Math.min(good.length, policy.retention.min_keep ?? 1));
    });
  });

  test("planRetention never deletes the last available snapshot of a disk, even if it is a member of a group", () => {
    forAnyPlan((found, policy) => {
      const left = withoutIds(found, idsWith(planFor(found, policy), "deleted"));
      const before = new Set(found.filter(({ state }) => state !== "deleting").flatMap(availableDisks));
      expect([...before].filter((disk) => !left.flatMap(availableDisks).includes(disk))).toEqual([]);
    });
  });

  test("planRetention keeps the newest available snapshot that is not held", () => {
    forAnyPlan((found, policy) => {
      const plan = planFor(found, policy);
      const held = idsWith(plan, "held");
      const available = found.filter(({ state }) => state === "available");
      // Skips runs with duplicates, because planRetention deletes a younger duplicate even if it is the newest snapshot.
      fc.pre(new Set(available.map(({ marker }) => marker?.idempotencyKey)).size === available.length);
      const good = available.filter(({ id }) => !held.includes(id));
      fc.pre(good.length > 0);
      const newest = Math.max(...good.map(({ created }) => created ?? 0));
      const kept = plan.filter(({ decision, snapshot }) => decision === "kept" && snapshot.state === "available");
      expect(Math.max(...kept.map(({ snapshot }) => snapshot.created ?? 0))).toBe(newest);
    });
  });

  test("planRetention deletes nothing in a second run with the same policy, and keeps each snapshot by the same rule", () => {
    forAnyPlan((found, policy) => {
      const first = planFor(found, policy);
      const second = planFor(withoutIds(found, idsWith(first, "deleted")), policy);
      expect(second).toEqual(first.filter(({ decision }) => decision !== "deleted"));
    });
  });

  test("planRetention deletes no additional snapshot if keep rules or min_keep are raised, or if more snapshots are held", () => {
    const randomIncrease = fc.record({
      keep_last: fc.nat(3),
      keep_within_days: fc.nat(5),
      keep_daily: fc.nat(3),
      keep_weekly: fc.nat(3),
      keep_monthly: fc.nat(3),
      keep_yearly: fc.nat(3),
      min_keep: fc.nat(3),
    });
    fc.assert(
      fc.property(randomSnapshots, randomPolicy, randomIncrease, randomHold, (found, policy, more, holdMore) => {
        const wider = Object.fromEntries(
          Object.entries(more).map(([rule, further]) => [
            rule,
            (policy.retention[rule as keyof Retention] ?? (rule === "min_keep" ? 1 : 0)) + further,
          ]),
        );
        const narrow = idsWith(planFor(found, policy), "deleted");
        const wide = idsWith(
          planFor(found, { ...policy, retention: wider, hold: [...policy.hold, ...holdMore] }),
          "deleted",
        );
        expect(wide.filter((id) => !narrow.includes(id))).toEqual([]);
      }),
      SETTINGS,
    );
  });

  test("planRetention never deletes held or pending snapshots, and deletes a failed snapshot only if a newer available snapshot remains", () => {
    forAnyPlan((found, policy) => {
      const plan = planFor(found, policy);
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
          const newer = kept.filter((found) => found.state === "available" && (found.created ?? 0) > (created ?? 0));
          expect(newer.length).toBeGreaterThan(0);
        }
      }
    });
  });

  test("planRetention returns the same verdict for each snapshot in whichever order the snapshots are listed", () => {
    const shuffled = randomSnapshots.chain((found) =>
      fc.tuple(fc.constant(found), fc.shuffledSubarray(found, { minLength: found.length })),
    );
    fc.assert(
      fc.property(shuffled, randomPolicy, ([found, other], policy) => {
        const plan = planFor(found, policy);
        expect(plan.map(({ snapshot }) => snapshot.id).sort()).toEqual(found.map(({ id }) => id).sort());
        expect(planFor(other, policy)).toEqual(plan);
      }),
      SETTINGS,
    );
  });

  test("planRetention returns the same verdicts for available snapshots if failed, unknown and pending snapshots are added", () => {
    forAnyPlan((found, policy) => {
      const ofGood = (plan: Verdict[]) => plan.filter(({ snapshot }) => snapshot.state === "available");
      const good = found.filter(({ state }) => state === "available");
      expect(planFor(good, policy)).toEqual(ofGood(planFor(found, policy)));
    });
  });

  test("planRetention keeps exactly one snapshot per day, week, month and year across clock changes", () => {
    fc.assert(
      fc.property(fc.array(randomTime, { maxLength: 40 }), randomZone, (times, zone) => {
        const found = times.map((time, index): FoundSnapshot => {
          const created = instant(time);
          return { id: `s${index}`, name: "", status: "", state: "available", created, labels: {}, raw: {} };
        });
        const all = { keep_daily: 99, keep_weekly: 99, keep_monthly: 99, keep_yearly: 99 };
        const plan = planFor(found, { retention: all, zone, hold: [] });
        for (const [rule, nameOf] of Object.entries(PERIOD_NAMES)) {
          const kept = plan
            .filter(({ rule: keptBy }) => keptBy.split(", ").includes(rule))
            .map(({ snapshot }) => snapshot.created);
          const periods = kept.map((time) => nameOf(dateIn(zone, time)));
          expect(new Set(periods).size).toBe(periods.length);
          expect(new Set(periods)).toEqual(new Set(times.map((time) => nameOf(dateIn(zone, time)))));
        }
      }),
      SETTINGS,
    );
  });

  test("planRetention deletes nothing in the second of two runs with the same new time zone, and keeps min_keep snapshots in all runs", () => {
    fc.assert(
      fc.property(randomSnapshots, randomPolicy, randomZone, (found, policy, other) => {
        let left = found;
        const steps = [policy.zone, other, other, policy.zone, policy.zone];
        const deletions = steps.map((zone) => {
          const gone = idsWith(planFor(left, { ...policy, zone }), "deleted");
          left = withoutIds(left, gone);
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
