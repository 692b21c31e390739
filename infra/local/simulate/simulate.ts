/** Simulates a policy day by day, with the retention code of prune-snapshots. */
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

/** When and how often the simulation creates a snapshot. */
export interface SimulationPlan {
  /** When the first snapshot is created, in epoch milliseconds. */
  from: number;
  days: number;
  everyHours: number;
}

export interface RetainedSnapshot {
  /** The creation date in the policy's time zone, such as `2026-11-21`. */
  day: string;
  rules: RetentionRule[];
}

/** The result of one simulated day. */
export interface SimulatedDay {
  day: string;
  created: number;
  deleted: number;
  /** The snapshots that exist at the end of the day, oldest first. */
  retained: RetainedSnapshot[];
}

const HOUR_MS = 3_600_000;

/**
 * Simulates a policy for one resource. Creates a snapshot at a fixed interval. After each creation, deletes the snapshots that
 * the policy no longer retains. Without a retention, the policy retains every snapshot, because the simulation creates no
 * duplicates. Returns the result of each day.
 */
export function simulate(policy: PrunePolicy, { from, days, everyHours }: SimulationPlan): SimulatedDay[] {
  const toWallTime = createWallTimeConverter(policy.time_zone ?? "UTC");
  const options = policy.retention === undefined ? undefined : toRetentionOptions(policy);
  const planFor: (snapshots: FoundSnapshot[]) => Verdict[] =
    options === undefined ? keepAll : (snapshots) => planRetention(snapshots, options);
  const dayOf = (time: number) => new Date(toWallTime(instant(time))).toISOString().slice(0, 10);
  const result: SimulatedDay[] = [];
  let existing: FoundSnapshot[] = [];
  for (let time = from; time < from + days * 24 * HOUR_MS; time += everyHours * HOUR_MS) {
    const plan = planFor([...existing, snapshotAt(time)]);
    const kept = plan.filter(({ decision }) => decision !== "deleted").reverse();
    existing = kept.map(({ snapshot }) => snapshot);
    const retained = kept.map(({ snapshot, rule }) => ({ day: dayOf(snapshot.created ?? 0), rules: rulesIn(rule) }));
    const deleted = plan.length - kept.length;
    const today = result.at(-1);
    if (today?.day === dayOf(time)) {
      Object.assign(today, { created: today.created + 1, deleted: today.deleted + deleted, retained });
    } else {
      result.push({ day: dayOf(time), created: 1, deleted, retained });
    }
  }
  return result;
}

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
