/** Tests properties of plans for random snapshots, policies and zones. `RUNS=10000` sets the number of runs per property. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../../../shared/core/instant.ts";
import { wallClockOf } from "../../../../shared/core/time-zone.ts";
import type { FoundSnapshot, State } from "../../../../shared/snapshots/kinds/kind.ts";
import type { Retention } from "../../../../shared/snapshots/policy.ts";
import { keepsSomething, planRetention, type Verdict } from "../../../../shared/snapshots/retention/plan.ts";

const RUNS = Number(process.env.RUNS ?? 400);
const SETTINGS = { numRuns: RUNS };
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

// Generators

const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/Los_Angeles",
  "America/St_Johns",
  "America/Santiago",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "Pacific/Apia",
];
const CLOCKS = new Map(ZONES.map((zone) => [zone, wallClockOf(zone)]));
const clockOf = (zone: string) => CLOCKS.get(zone) ?? wallClockOf(zone);

/** Moments near which calendars are irregular: changes of clocks, years and zones. */
const MOMENTS = [
  "2026-03-29T01:00:00Z",
  "2026-10-25T01:00:00Z",
  "2026-04-05T03:00:00Z",
  "2006-10-29T02:31:00Z",
  "2011-12-30T10:00:00Z",
  "2026-02-15T02:00:00Z",
  "2024-02-29T12:00:00Z",
  "2025-12-31T23:59:00Z",
  "2026-11-21T02:00:00Z",
].map((text) => Date.parse(text));

const moment = fc
  .tuple(
    fc.constantFrom(...MOMENTS),
    fc.oneof(
      fc.integer({ min: -90, max: 90 }).map((minutes) => minutes * MINUTE_MS),
      fc.integer({ min: -72, max: 72 }).map((hours) => hours * 60 * MINUTE_MS),
      fc.integer({ min: -800, max: 0 }).map((days) => days * DAY_MS),
    ),
  )
  .map(([base, offset]) => base + offset);

const HELD: Partial<FoundSnapshot>[] = [
  { labels: { hold: "true" } },
  { labels: { hold: "" } },
  { description: "hold: before the migration" },
  { name: "autobk_snapshot_x" },
  { labels: { __system__enableActive: "true" } },
  { raw: { type: "AUTO" } },
  { raw: { snapshot_type: "auto" } },
  { raw: { snapshot_type: "copy" } },
  { raw: { snapshot_group_id: "b0b44f93-9db3-4e0b-9a4e-ae36c1a6cd3c" } },
  { created: undefined },
];

const state = fc.oneof(
  { weight: 8, arbitrary: fc.constant<State>("available") },
  { weight: 2, arbitrary: fc.constant<State>("failed") },
  { weight: 2, arbitrary: fc.constantFrom<State>("creating", "deleting", "unknown") },
);

/** Members of a group. Servers gain and lose disks, and members fail or are held. */
const members = fc.uniqueArray(
  fc.record({
    disk: fc.constantFrom("a", "b", "c", "d"),
    state: fc.constantFrom<State>("available", "available", "available", "failed"),
    held: fc.option(fc.constant({ labels: { hold: "true" } }), { freq: 20, nil: undefined }),
  }),
  { selector: ({ disk }) => disk, maxLength: 4 },
);

/** Snapshots of one resource. A few are duplicates with the same key, or have the same time. */
const snapshots = fc
  .array(
    fc.record({
      time: moment,
      state,
      key: fc.integer({ min: 0, max: 30 }),
      held: fc.option(fc.constantFrom(...HELD), { freq: 7, nil: undefined }),
      members: fc.option(members, { freq: 2, nil: undefined }),
    }),
    { maxLength: 30 },
  )
  .map((rows) =>
    rows.map(
      ({ time, state, key, held, members }, index): FoundSnapshot => ({
        id: `s${index}`,
        name: "nightly",
        resource: "disk",
        status: state,
        state,
        created: instant(time),
        labels: {},
        raw: {},
        marker: {
          policy: "nightly",
          idempotencyKey: String(key < 25 ? 100 + index : key).padStart(32, "0"),
          requestHash: "00000000",
        },
        members: members?.map(({ disk, state: its, held }) => ({
          ...{ id: `s${index}-${disk}`, name: "", resource: disk, status: its, labels: {}, raw: {}, ...held },
          // An available group has no failed member.
          state: state === "available" ? "available" : its,
        })),
        ...held,
      }),
    ),
  );

const GOOD = { name: "", status: "", state: "available", labels: {}, raw: {} } as const;
/** The disks of each group. Without disks, the snapshots are no groups. */
const groups = fc.oneof(
  fc.constant<string[][]>([]),
  fc.array(fc.subarray(["a", "b", "c", "d"]), { minLength: 40, maxLength: 40 }),
);

const count = (max: number) => fc.option(fc.integer({ min: 0, max }), { nil: undefined });
const retention = fc
  .record({
    keep_last: count(5),
    keep_within_days: count(9),
    keep_daily: count(9),
    keep_weekly: count(6),
    keep_monthly: count(6),
    keep_yearly: count(4),
    min_keep: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  })
  .filter(keepsSomething);
const zone = fc.constantFrom(...ZONES);
const hold = fc.uniqueArray(
  fc.integer({ min: 0, max: 29 }).map((index) => `s${index}`),
  { maxLength: 3 },
);

interface Policy {
  retention: Retention;
  zone: string;
  hold: string[];
}
const policy: fc.Arbitrary<Policy> = fc.record({ retention, zone, hold });

const planned = (found: readonly FoundSnapshot[], { retention, zone, hold }: Policy): Verdict[] =>
  planRetention(found, { retention, wallClock: clockOf(zone), hold });
const ids = (plan: readonly Verdict[], decision: Verdict["decision"]) =>
  plan.filter((one) => one.decision === decision).map(({ snapshot }) => snapshot.id);
const without = (found: readonly FoundSnapshot[], gone: readonly string[]) =>
  found.filter(({ id }) => !gone.includes(id));

// A naive model that works with sets and formatted dates

const FORMATS = new Map(
  ZONES.map((zone) => [
    zone,
    new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }),
  ]),
);
/** Formats a moment in a zone, such as `2026-11-21 02:00:00`. */
const shown = (zone: string, time: number | undefined) => FORMATS.get(zone)?.format(time) ?? "";
const dateIn = (zone: string, time: number | undefined) => shown(zone, time).slice(0, 10);

/** Maps each rule to a function that names the period of a moment. */
const NAMES: Record<string, (date: string) => string> = {
  keep_daily: (date) => date,
  keep_weekly: (date) => {
    // The date of its Thursday names a week.
    const day = new Date(`${date}T00:00:00Z`);
    day.setUTCDate(day.getUTCDate() + 4 - (day.getUTCDay() || 7));
    return day.toISOString().slice(0, 10);
  },
  keep_monthly: (date) => date.slice(0, 7),
  keep_yearly: (date) => date.slice(0, 4),
};

/** Returns the disks of which a snapshot is good. */
const disksOf = ({ members = [] }: FoundSnapshot): string[] =>
  members.filter(({ state }) => state === "available").map(({ resource }) => resource ?? "");

/** Returns the rules that keep each snapshot by id. All snapshots are good and have different times. */
function keptByModel(good: readonly FoundSnapshot[], retention: Retention, zone: string): Map<string, Set<string>> {
  const kept = new Map<string, Set<string>>();
  const keep = (id: string, rule: string) => kept.set(id, (kept.get(id) ?? new Set()).add(rule));
  const at = (one: FoundSnapshot) => Number(one.created);
  const newest = good.reduce<FoundSnapshot | undefined>((a, b) => (a && at(a) > at(b) ? a : b), undefined);
  const oldest = good.reduce<FoundSnapshot | undefined>((a, b) => (a && at(a) < at(b) ? a : b), undefined);
  const newer = (one: FoundSnapshot) => good.filter((other) => at(other) > at(one)).length;
  if (newest === undefined || oldest === undefined) return kept;

  for (const one of good) if (newer(one) < (retention.keep_last ?? 0)) keep(one.id, "keep_last");
  const wall = (one: FoundSnapshot) => Date.parse(`${shown(zone, at(one))}Z`);
  const since = wall(newest) - (retention.keep_within_days ?? 0) * DAY_MS;
  for (const one of retention.keep_within_days ? good : []) {
    const all = good.filter((other) => at(other) >= at(one));
    if (all.every((other) => wall(other) > since)) keep(one.id, "keep_within_days");
  }

  for (const [rule, nameOf] of Object.entries(NAMES)) {
    const asked = retention[rule as keyof Retention] ?? 0;
    const periodOf = (one: FoundSnapshot) => nameOf(dateIn(zone, at(one)));
    const first = good.filter((one) => !good.some((other) => at(other) > at(one) && periodOf(other) === periodOf(one)));
    for (const one of first) {
      if (first.filter((other) => at(other) > at(one)).length < asked) keep(one.id, rule);
    }
    if (asked > first.length && !first.includes(oldest)) keep(oldest.id, `oldest ${rule}`);
  }
  for (const one of good) {
    if (newer(one) < Math.max(1, retention.min_keep ?? 1) && !kept.get(one.id)?.size) keep(one.id, "min_keep");
  }
  const byRules = new Set(kept.keys());
  for (const one of good) {
    const last = disksOf(one).filter(
      (disk) => !good.some((other) => at(other) > at(one) && disksOf(other).includes(disk)),
    );
    if (last.length > 0 && !byRules.has(one.id)) keep(one.id, `the last good one of disk ${last.join(" and ")}`);
  }
  return kept;
}

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
