/** Simulates a policy day by day, with the retention code of prune-snapshots. */
import { nextRun } from "../../../shared/core/cron.ts";
import { instant } from "../../../shared/core/instant.ts";
import { createWallTimeConverter } from "../../../shared/core/time-zone.ts";
import type { FoundSnapshot } from "../../../shared/snapshots/kinds/kind.ts";
import { planRetention, type Verdict } from "../../../shared/snapshots/retention/plan.ts";
import { type PrunePolicy, toRetentionOptions } from "../../../shared/snapshots/retention/prune.ts";

/** The names of the retention rules. The tables and the SVG picture that `npm run simulate` writes have the rules in this order. */
export const RULES = [
  "keep_last",
  "keep_within_days",
  "keep_daily",
  "keep_weekly",
  "keep_monthly",
  "keep_yearly",
  "min_keep",
] as const;
export type RetentionRule = (typeof RULES)[number];

/** When the simulation creates snapshots and when it prunes them. */
export interface SimulationPlan {
  /** When the first snapshot is created, in epoch milliseconds. */
  from: number;
  /** The number of days in the policy's time zone. */
  days: number;
  everyHours: number;
  /**
   * When prune-snapshots runs: a cron expression with six fields, or an interval such as `12h` or `2d`, counted from `from`. The time zone
   * of a cron expression is the policy's, unless the expression begins with `CRON_TZ`. Default: `DEFAULT_PRUNE_EVERY`.
   */
  pruneEvery?: string;
}

/** The schedule of prune-snapshots that Terraform sets if a policy has no `prune_schedule` (infra/terraform/triggers.tf). */
export const DEFAULT_PRUNE_EVERY = "CRON_TZ=UTC 0 40 3 * * *";

/** How many snapshots a resource can have at the same time. */
export interface Capacity {
  max: number;
  /** Whether scheduled-snapshots makes room (`make_room`) after a create request failed because the resource is full. */
  makesRoom: boolean;
}

export interface RetainedSnapshot {
  /** When the snapshot was created, in epoch milliseconds. */
  created: number;
  /** The creation date in the policy's time zone, such as `2026-11-21`. */
  day: string;
  /** The rules that retain the snapshot. Empty if the policy has no retention, or if the next prune run deletes the snapshot. */
  rules: RetentionRule[];
}

/** The result of one simulated day in the policy's time zone. */
export interface SimulatedDay {
  day: string;
  created: number;
  deleted: number;
  /** The number of create requests that fail with QuotaExceeded, because the resource is full. */
  failed: number;
  /** The snapshots that exist at the end of the day, oldest first. */
  retained: RetainedSnapshot[];
  /** The maximum number of snapshots that exist at the same time on this day. */
  peak: number;
}

const HOUR_MS = 3_600_000;
const UNITS = { m: 60_000, h: HOUR_MS, d: 24 * HOUR_MS };

/**
 * Returns a function that returns the time of the first prune run after a given time, in epoch milliseconds.
 *
 * @returns undefined if `pruneEvery` is neither a cron expression nor a duration
 */
export function readPruneEvery(
  { from, pruneEvery = DEFAULT_PRUNE_EVERY }: Pick<SimulationPlan, "from" | "pruneEvery">,
  zone = "UTC",
): ((time: number) => number) | undefined {
  const [, count, unit] = /^([1-9]\d{0,5})([mhd])$/.exec(pruneEvery) ?? [];
  if (count !== undefined) {
    const everyMs = Number(count) * UNITS[unit as keyof typeof UNITS];
    return (time) => from + Math.max(1, Math.floor((time - from) / everyMs) + 1) * everyMs;
  }
  if (nextRun(pruneEvery, instant(from), zone) === undefined) return undefined;
  return (time) => nextRun(pruneEvery, instant(time), zone) ?? Number.POSITIVE_INFINITY;
}

/**
 * Simulates a policy for one resource. Creates a snapshot at a fixed interval. At each prune run, deletes the snapshots that the
 * policy no longer retains. If a create request and a prune run have the same time, the snapshot is created first. Without a
 * retention, the policy retains every snapshot, because the simulation creates no duplicates. Returns the result of each day.
 *
 * @param capacity if the resource has the maximum number of snapshots, a create request fails. With `makesRoom`, the oldest
 *   snapshot that the policy no longer retains is deleted first, and the create request fails only if there is none. Default: no
 *   maximum
 * @throws RangeError if `pruneEvery` is neither a cron expression nor a duration
 */
export function simulate(policy: PrunePolicy, plan: SimulationPlan, capacity?: Capacity): SimulatedDay[] {
  const { from, days, everyHours } = plan;
  const { max, makesRoom } = capacity ?? { max: Number.POSITIVE_INFINITY, makesRoom: false };
  const toWallTime = createWallTimeConverter(policy.time_zone ?? "UTC");
  const nextPrune = readPruneEvery(plan, policy.time_zone);
  if (nextPrune === undefined) throw new RangeError(`expected a cron expression or a duration, got ${plan.pruneEvery}`);
  const options = policy.retention === undefined ? undefined : toRetentionOptions(policy);
  const planFor: (snapshots: FoundSnapshot[]) => Verdict[] =
    options === undefined ? keepAll : (snapshots) => planRetention(snapshots, options);
  const dayOf = (time: number) => toDay(toWallTime(instant(time)));
  const lastDay = toDay(toWallTime(instant(from)) + (days - 1) * UNITS.d);
  const result: SimulatedDay[] = [];
  let existing: FoundSnapshot[] = [];
  let today = startDay(dayOf(from), existing);
  const endDay = () => {
    today.retained = planFor(existing)
      .reverse()
      .map(({ snapshot: { created = 0 }, decision, rule }) => ({
        created,
        day: dayOf(created),
        rules: decision === "deleted" ? [] : rulesIn(rule),
      }));
    result.push(today);
  };
  const advanceTo = (day: string) => {
    while (today.day !== day) {
      endDay();
      today = startDay(toDay(Date.parse(today.day) + UNITS.d), existing);
    }
  };
  const prune = () => {
    const kept = planFor(existing).filter(({ decision }) => decision !== "deleted");
    today.deleted += existing.length - kept.length;
    existing = kept.reverse().map(({ snapshot }) => snapshot);
  };
  const hasRoom = () => {
    if (existing.length < max) return true;
    const oldest = makesRoom ? planFor(existing).findLast(({ decision }) => decision === "deleted") : undefined;
    if (oldest === undefined) return false;
    existing = existing.filter((snapshot) => snapshot !== oldest.snapshot);
    today.deleted += 1;
    return true;
  };
  const create = (time: number) => {
    if (!hasRoom()) {
      today.failed += 1;
      return;
    }
    existing = [...existing, snapshotAt(time)];
    today.created += 1;
    today.peak = Math.max(today.peak, existing.length);
  };
  let createTime = from;
  let pruneTime = nextPrune(from - 1);
  for (;;) {
    const time = Math.min(createTime, pruneTime);
    if (dayOf(time) > lastDay) break;
    advanceTo(dayOf(time));
    if (time === createTime) {
      create(time);
      createTime += everyHours * HOUR_MS;
    } else {
      prune();
      pruneTime = nextPrune(time);
    }
  }
  advanceTo(lastDay);
  endDay();
  return result;
}

const toDay = (wallTime: number): string => new Date(wallTime).toISOString().slice(0, 10);

const startDay = (day: string, existing: readonly FoundSnapshot[]): SimulatedDay => ({
  day,
  created: 0,
  deleted: 0,
  failed: 0,
  retained: [],
  peak: existing.length,
});

const keepAll = (snapshots: FoundSnapshot[]): Verdict[] =>
  snapshots.map((snapshot) => ({ snapshot, decision: "kept" as const, rule: "" })).reverse();

const snapshotAt = (time: number): FoundSnapshot => ({
  id: new Date(time).toISOString(),
  name: "",
  status: "available",
  state: "available",
  created: instant(time),
  labels: {},
  raw: {},
});

const rulesIn = (rule: string): RetentionRule[] => RULES.filter((name) => rule.split(/,? /).includes(name));
