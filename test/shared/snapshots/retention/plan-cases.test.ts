/**
 * Tests that planRetention keeps the same snapshots as restic's `forget`, by the same rules. Each file in `cases` contains
 * snapshots, a retention, and the snapshots to keep, starting with the newest one. Each snapshot comes with the rules that keep
 * the snapshot. restic's name of the rule `keep_daily` is `daily snapshot`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { instant } from "../../../../shared/core/instant.ts";
import { createWallTimeConverter } from "../../../../shared/core/time-zone.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import type { Retention } from "../../../../shared/snapshots/policy.ts";
import { planRetention } from "../../../../shared/snapshots/retention/plan.ts";

interface Case {
  what: string;
  retention: Retention;
  time_zone?: string;
  snapshots: string[] | { from: string; to: string; every_hours: number };
  kept: Record<string, string[]>;
}

const HOUR_MS = 3_600_000;

function timesOf(snapshots: Case["snapshots"]): number[] {
  if (Array.isArray(snapshots)) return snapshots.map((text) => Date.parse(text));
  const { from, to, every_hours } = snapshots;
  const count = (Date.parse(to) - Date.parse(from)) / (every_hours * HOUR_MS) + 1;
  return Array.from({ length: count }, (_, index) => Date.parse(from) + index * every_hours * HOUR_MS);
}

const snapshotOf = (time: number, index: number): FoundSnapshot => ({
  id: `snapshot-${index}`,
  name: "nightly",
  resource: "disk",
  status: "available",
  state: "available",
  created: instant(time),
  labels: {},
  raw: {},
});

const FOLDER = join(import.meta.dirname, "cases");
const cases = readdirSync(FOLDER).map((file): [string, Case] => [
  file,
  JSON.parse(readFileSync(join(FOLDER, file), "utf8")),
]);

test("the folder of planRetention's worked cases contains at least 35 files", () =>
  expect(cases.length).toBeGreaterThanOrEqual(35));

test.each(cases.map(([file, example]) => [file, example.what, example] as const))(
  "planRetention keeps the same snapshots as restic in %s: %s",
  (_file, _what, { retention, time_zone = "UTC", snapshots, kept }) => {
    const times = timesOf(snapshots);
    expect(times.every(Number.isInteger)).toBe(true);
    const found = times.map(snapshotOf);
    const plan = planRetention(found, { retention, toWallTime: createWallTimeConverter(time_zone), hold: [] });
    const keptWithRules = plan
      .filter(({ decision }) => decision === "kept")
      .map(({ snapshot, rule }) => [new Date(snapshot.created ?? 0).toISOString(), rule.split(", ")]);
    expect(keptWithRules).toEqual(Object.entries(kept).map(([time, rules]) => [new Date(time).toISOString(), rules]));
    // The plan deletes every snapshot that it does not keep.
    expect(plan.filter(({ decision }) => decision === "deleted")).toHaveLength(found.length - keptWithRules.length);
  },
);
