/** Random snapshots and policies, and a naive model of retention. */
import fc from "fast-check";
import { instant } from "../../shared/core/instant.ts";
import { wallClockOf } from "../../shared/core/time-zone.ts";
import type { FoundSnapshot, State } from "../../shared/snapshots/kinds/kind.ts";
import type { Retention } from "../../shared/snapshots/policy.ts";
import { keepsSomething, planRetention, type Verdict } from "../../shared/snapshots/retention/plan.ts";

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

export const ZONES = [
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
export const CLOCKS = new Map(ZONES.map((zone) => [zone, wallClockOf(zone)]));
export const clockOf = (zone: string) => CLOCKS.get(zone) ?? wallClockOf(zone);

/** Moments near which calendars are irregular: changes of clocks, years and zones. */
export const MOMENTS = [
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

export const moment = fc
  .tuple(
    fc.constantFrom(...MOMENTS),
    fc.oneof(
      fc.integer({ min: -90, max: 90 }).map((minutes) => minutes * MINUTE_MS),
      fc.integer({ min: -72, max: 72 }).map((hours) => hours * 60 * MINUTE_MS),
      fc.integer({ min: -800, max: 0 }).map((days) => days * DAY_MS),
    ),
  )
  .map(([base, offset]) => base + offset);

export const HELD: Partial<FoundSnapshot>[] = [
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

export const state = fc.oneof(
  { weight: 8, arbitrary: fc.constant<State>("available") },
  { weight: 2, arbitrary: fc.constant<State>("failed") },
  { weight: 2, arbitrary: fc.constantFrom<State>("creating", "deleting", "unknown") },
);

/** Members of a group. Servers gain and lose disks, and members fail or are held. */
export const members = fc.uniqueArray(
  fc.record({
    disk: fc.constantFrom("a", "b", "c", "d"),
    state: fc.constantFrom<State>("available", "available", "available", "failed"),
    held: fc.option(fc.constant({ labels: { hold: "true" } }), { freq: 20, nil: undefined }),
  }),
  { selector: ({ disk }) => disk, maxLength: 4 },
);

/** Snapshots of one resource. A few are duplicates with the same key, or have the same time. */
export const snapshots = fc
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

export const GOOD = { name: "", status: "", state: "available", labels: {}, raw: {} } as const;
/** The disks of each group. Without disks, the snapshots are no groups. */
export const groups = fc.oneof(
  fc.constant<string[][]>([]),
  fc.array(fc.subarray(["a", "b", "c", "d"]), { minLength: 40, maxLength: 40 }),
);

export const count = (max: number) => fc.option(fc.integer({ min: 0, max }), { nil: undefined });
export const retention = fc
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
export const zone = fc.constantFrom(...ZONES);
export const hold = fc.uniqueArray(
  fc.integer({ min: 0, max: 29 }).map((index) => `s${index}`),
  { maxLength: 3 },
);

export interface Policy {
  retention: Retention;
  zone: string;
  hold: string[];
}
export const policy: fc.Arbitrary<Policy> = fc.record({ retention, zone, hold });

export const planned = (found: readonly FoundSnapshot[], { retention, zone, hold }: Policy): Verdict[] =>
  planRetention(found, { retention, wallClock: clockOf(zone), hold });
export const ids = (plan: readonly Verdict[], decision: Verdict["decision"]) =>
  plan.filter((one) => one.decision === decision).map(({ snapshot }) => snapshot.id);
export const without = (found: readonly FoundSnapshot[], gone: readonly string[]) =>
  found.filter(({ id }) => !gone.includes(id));

export const FORMATS = new Map(
  ZONES.map((zone) => [
    zone,
    new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }),
  ]),
);
/** Formats a moment in a zone, such as `2026-11-21 02:00:00`. */
export const shown = (zone: string, time: number | undefined) => FORMATS.get(zone)?.format(time) ?? "";
export const dateIn = (zone: string, time: number | undefined) => shown(zone, time).slice(0, 10);

/** Maps each rule to a function that names the period of a moment. */
export const NAMES: Record<string, (date: string) => string> = {
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
export const disksOf = ({ members = [] }: FoundSnapshot): string[] =>
  members.filter(({ state }) => state === "available").map(({ resource }) => resource ?? "");

/** Returns the rules that keep each snapshot by id. All snapshots are good and have different times. */
export function keptByModel(
  good: readonly FoundSnapshot[],
  retention: Retention,
  zone: string,
): Map<string, Set<string>> {
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
