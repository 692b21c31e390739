import { instant } from "../../shared/core/instant.ts";
import { wallClockOf } from "../../shared/core/time-zone.ts";
import type { FoundSnapshot } from "../../shared/snapshots/kinds/kind.ts";
import type { Retention } from "../../shared/snapshots/policy.ts";
import { planRetention } from "../../shared/snapshots/retention/plan.ts";

export const DAY_MS = 86_400_000;
export const START = Date.parse("2026-11-21T02:00:00Z");

/** Returns a good snapshot of the disk of the given age in days. */
export const good = (id: string, days: number, changes: Partial<FoundSnapshot> = {}): FoundSnapshot => ({
  id,
  name: `nightly-${id}`,
  resource: "disk",
  status: "available",
  state: "available",
  created: instant(START - days * DAY_MS),
  labels: {},
  raw: {},
  marker: { policy: "nightly", idempotencyKey: id.padStart(32, "0"), requestHash: "01234567" },
  ...changes,
});
export const failed = (id: string, days: number, changes: Partial<FoundSnapshot> = {}) =>
  good(id, days, { state: "failed", status: "error", ...changes });

/** Returns the verdicts as `id decision: rule`, newest first. */
export const plan = (
  found: FoundSnapshot[],
  retention: Retention,
  { zone = "UTC", hold = [] as string[], now = undefined as number | undefined } = {},
) =>
  planRetention(found, {
    retention,
    wallClock: wallClockOf(zone),
    hold,
    now: now === undefined ? undefined : instant(now),
  }).map(({ snapshot, decision, rule }) => `${snapshot.id} ${decision}: ${rule}`);
