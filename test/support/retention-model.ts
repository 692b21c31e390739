/** Generates random snapshots and policies, and predicts with a naive model which snapshots a policy keeps. */
import fc from "fast-check";
import { instant } from "../../shared/core/instant.ts";
import { createWallTimeConverter } from "../../shared/core/time-zone.ts";
import type { FoundSnapshot, State } from "../../shared/snapshots/kinds/kind.ts";
import type { Retention } from "../../shared/snapshots/policy.ts";
import { keepsSomething, planRetention, type Verdict } from "../../shared/snapshots/retention/plan.ts";
import { DAY_MS, MINUTE_MS } from "./virtual-clock.ts";

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
const CLOCKS = new Map(ZONES.map((zone) => [zone, createWallTimeConverter(zone)]));
const clockOf = (zone: string) => CLOCKS.get(zone) ?? createWallTimeConverter(zone);

/** Times near which a calendar is irregular: clock changes, a leap day, the end of a year, and a skipped day. */
const IRREGULAR_TIMES = [
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

/** Generates times near the irregular times, and up to 800 days before. */
export const randomTime = fc
  .tuple(
    fc.constantFrom(...IRREGULAR_TIMES),
    fc.oneof(
      fc.integer({ min: -90, max: 90 }).map((minutes) => minutes * MINUTE_MS),
      fc.integer({ min: -72, max: 72 }).map((hours) => hours * 60 * MINUTE_MS),
      fc.integer({ min: -800, max: 0 }).map((days) => days * DAY_MS),
    ),
  )
  .map(([base, offset]) => base + offset);

/** Changes to a snapshot for which the decision of `planRetention` is `held`. */
const HOLD_REASONS: Partial<FoundSnapshot>[] = [
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

const randomState = fc.oneof(
  { weight: 8, arbitrary: fc.constant<State>("available") },
  { weight: 2, arbitrary: fc.constant<State>("failed") },
  { weight: 2, arbitrary: fc.constantFrom<State>("creating", "deleting", "unknown") },
);

/** Generates members of a snapshot group. Groups have different disks. A member can be failed, or have the label `hold`. */
const randomMembers = fc.uniqueArray(
  fc.record({
    disk: fc.constantFrom("a", "b", "c", "d"),
    state: fc.constantFrom<State>("available", "available", "available", "failed"),
    held: fc.option(fc.constant({ labels: { hold: "true" } }), { freq: 20, nil: undefined }),
  }),
  { selector: ({ disk }) => disk, maxLength: 4 },
);

/** Generates snapshots of one resource. A few snapshots share an idempotency key or a creation time. */
export const randomSnapshots = fc
  .array(
    fc.record({
      time: randomTime,
      state: randomState,
      key: fc.integer({ min: 0, max: 30 }),
      held: fc.option(fc.constantFrom(...HOLD_REASONS), { freq: 7, nil: undefined }),
      members: fc.option(randomMembers, { freq: 2, nil: undefined }),
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
        members: members?.map(({ disk, state: memberState, held }) => ({
          ...{ id: `s${index}-${disk}`, name: "", resource: disk, status: memberState, labels: {}, raw: {}, ...held },
          // In an available group, all members are available.
          state: state === "available" ? "available" : memberState,
        })),
        ...held,
      }),
    ),
  );

export const GOOD = { name: "", status: "", state: "available", labels: {}, raw: {} } as const;
/** Generates 40 arrays with the disk ids of a snapshot group, or an empty array if the snapshots are not groups. */
export const randomGroupDisks = fc.oneof(
  fc.constant<string[][]>([]),
  fc.array(fc.subarray(["a", "b", "c", "d"]), { minLength: 40, maxLength: 40 }),
);

const randomCount = (max: number) => fc.option(fc.integer({ min: 0, max }), { nil: undefined });
export const randomRetention = fc
  .record({
    keep_last: randomCount(5),
    keep_within_days: randomCount(9),
    keep_daily: randomCount(9),
    keep_weekly: randomCount(6),
    keep_monthly: randomCount(6),
    keep_yearly: randomCount(4),
    min_keep: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  })
  .filter(keepsSomething);
export const randomZone = fc.constantFrom(...ZONES);
/** Generates up to three snapshot ids for the policy field `hold`. */
export const randomHold = fc.uniqueArray(
  fc.integer({ min: 0, max: 29 }).map((index) => `s${index}`),
  { maxLength: 3 },
);

export interface Policy {
  retention: Retention;
  zone: string;
  hold: string[];
}
export const randomPolicy: fc.Arbitrary<Policy> = fc.record({
  retention: randomRetention,
  zone: randomZone,
  hold: randomHold,
});

export const planFor = (found: readonly FoundSnapshot[], { retention, zone, hold }: Policy): Verdict[] =>
  planRetention(found, { retention, toWallTime: clockOf(zone), hold });

/** Returns the ids of the snapshots with the given decision in a retention plan. */
export const idsWith = (plan: readonly Verdict[], decision: Verdict["decision"]) =>
  plan.filter((verdict) => verdict.decision === decision).map(({ snapshot }) => snapshot.id);

export const withoutIds = (found: readonly FoundSnapshot[], ids: readonly string[]) =>
  found.filter(({ id }) => !ids.includes(id));

const FORMATS = new Map(
  ZONES.map((zone) => [
    zone,
    new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }),
  ]),
);
/** Formats a time in a zone, such as `2026-11-21 02:00:00`. */
const formatIn = (zone: string, time: number | undefined) => FORMATS.get(zone)?.format(time) ?? "";
export const dateIn = (zone: string, time: number | undefined) => formatIn(zone, time).slice(0, 10);

/** Maps each rule to a function that returns the name of the day, week, month or year of a date. */
export const PERIOD_NAMES: Record<string, (date: string) => string> = {
  keep_daily: (date) => date,
  keep_weekly: (date) => {
    // A week is named by the date of its Thursday.
    const day = new Date(`${date}T00:00:00Z`);
    day.setUTCDate(day.getUTCDate() + 4 - (day.getUTCDay() || 7));
    return day.toISOString().slice(0, 10);
  },
  keep_monthly: (date) => date.slice(0, 7),
  keep_yearly: (date) => date.slice(0, 4),
};

/** Returns the id of each disk whose member in a group is available. */
export const availableDisks = ({ members = [] }: FoundSnapshot): string[] =>
  members.filter(({ state }) => state === "available").map(({ resource }) => resource ?? "");

/**
 * Returns the rules that keep each snapshot, by snapshot id. Works with sets and formatted dates instead of calendar
 * arithmetic. Expects available snapshots with different creation times.
 */
export function keptByNaiveModel(
  good: readonly FoundSnapshot[],
  retention: Retention,
  zone: string,
): Map<string, Set<string>> {
  const kept = new Map<string, Set<string>>();
  const keep = (id: string, rule: string) => kept.set(id, (kept.get(id) ?? new Set()).add(rule));
  const at = (found: FoundSnapshot) => Number(found.created);
  const newestFirst = good.toSorted((a, b) => at(b) - at(a));
  const [newest, oldest] = [newestFirst[0], newestFirst.at(-1)];
  const countNewer = (found: FoundSnapshot) => newestFirst.indexOf(found);
  if (newest === undefined || oldest === undefined) return kept;

  for (const found of good) if (countNewer(found) < (retention.keep_last ?? 0)) keep(found.id, "keep_last");
  const wallTime = (found: FoundSnapshot) => Date.parse(`${formatIn(zone, at(found))}Z`);
  const since = wallTime(newest) - (retention.keep_within_days ?? 0) * DAY_MS;
  for (const found of retention.keep_within_days ? good : []) {
    const sameOrNewer = good.filter((other) => at(other) >= at(found));
    if (sameOrNewer.every((other) => wallTime(other) > since)) keep(found.id, "keep_within_days");
  }

  for (const [rule, nameOf] of Object.entries(PERIOD_NAMES)) {
    const limit = retention[rule as keyof Retention] ?? 0;
    const periodOf = (found: FoundSnapshot) => nameOf(dateIn(zone, at(found)));
    const newestOfPeriods = good.filter(
      (found) => !good.some((other) => at(other) > at(found) && periodOf(other) === periodOf(found)),
    );
    for (const found of newestOfPeriods) {
      if (newestOfPeriods.filter((other) => at(other) > at(found)).length < limit) keep(found.id, rule);
    }
    if (limit > newestOfPeriods.length && !newestOfPeriods.includes(oldest)) keep(oldest.id, `oldest ${rule}`);
  }
  for (const found of good) {
    if (countNewer(found) < Math.max(1, retention.min_keep ?? 1) && !kept.get(found.id)?.size)
      keep(found.id, "min_keep");
  }
  const byRules = new Set(kept.keys());
  for (const found of good) {
    const lastDisks = availableDisks(found).filter(
      (disk) => !good.some((other) => at(other) > at(found) && availableDisks(other).includes(disk)),
    );
    if (lastDisks.length > 0 && !byRules.has(found.id))
      keep(found.id, `the last good one of disk ${lastDisks.join(" and ")}`);
  }
  return kept;
}
