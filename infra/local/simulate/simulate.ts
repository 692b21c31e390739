/** What a policy would hold on each day, if every snapshot succeeded: by the same retention that prune-snapshots uses. */
import { instant } from "../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../shared/snapshots/kinds/kind.ts";
import { planRetention } from "../../../shared/snapshots/retention/plan.ts";
import { type PrunePolicy, retentionOf } from "../../../shared/snapshots/retention/prune.ts";

/** The rules in the order of a policy; what keeps the oldest beside a rule counts as that rule. */
export const RULES = [
  "keep_last",
  "keep_within_days",
  "keep_daily",
  "keep_weekly",
  "keep_monthly",
  "keep_yearly",
  "min_keep",
] as const;
export type Rule = (typeof RULES)[number];

export interface Plan {
  /** The first snapshot, in milliseconds since 1970. */
  from: number;
  days: number;
  everyHours: number;
}

export interface Held {
  /** The day on which it was taken, `2026-11-21`, in the policy's zone. */
  day: string;
  rules: Rule[];
}

export interface Day {
  day: string;
  taken: number;
  deleted: number;
  /** At the end of the day, oldest first. */
  held: Held[];
}

const HOUR_MS = 3_600_000;

/** Takes a snapshot of one resource every so many hours, prunes after each, and tells of each day. */
export function simulate(policy: PrunePolicy, { from, days, everyHours }: Plan): Day[] {
  const options = retentionOf(policy);
  const dayOf = (time: number) => new Date(options.wallClock(instant(time))).toISOString().slice(0, 10);
  const told: Day[] = [];
  let there: FoundSnapshot[] = [];
  for (let time = from; time < from + days * 24 * HOUR_MS; time += everyHours * HOUR_MS) {
    const plan = planRetention([...there, snapshotAt(time)], options);
    const kept = plan.filter(({ decision }) => decision !== "deleted").reverse();
    there = kept.map(({ snapshot }) => snapshot);
    const held = kept.map(({ snapshot, rule }) => ({ day: dayOf(snapshot.created ?? 0), rules: rulesIn(rule) }));
    const deleted = plan.length - kept.length;
    const today = told.at(-1);
    if (today?.day === dayOf(time)) {
      Object.assign(today, { taken: today.taken + 1, deleted: today.deleted + deleted, held });
    } else {
      told.push({ day: dayOf(time), taken: 1, deleted, held });
    }
  }
  return told;
}

const snapshotAt = (time: number): FoundSnapshot => ({
  id: new Date(time).toISOString(),
  name: "",
  status: "available",
  state: "available",
  created: instant(time),
  labels: {},
  raw: {},
});

const rulesIn = (rule: string): Rule[] => RULES.filter((one) => rule.split(/,? /).includes(one));
