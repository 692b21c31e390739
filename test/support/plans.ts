/** Snapshots of one disk, and their retention plans. */
import { instant } from "../../shared/core/instant.ts";
import { createWallTimeConverter } from "../../shared/core/time-zone.ts";
import type { FoundSnapshot } from "../../shared/snapshots/kinds/kind.ts";
import type { Retention } from "../../shared/snapshots/policy.ts";
import { planRetention } from "../../shared/snapshots/retention/plan.ts";
import { DAY_MS, START, STATUS } from "./domain.ts";

/** Returns an available snapshot of the disk that was created `days` before the start of the test. */
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

/** Returns a failed snapshot of the disk that was created `days` before the start of the test. */
export const failed = (id: string, days: number, changes: Partial<FoundSnapshot> = {}) =>
  good(id, days, { ...STATUS.failed, ...changes });

/** Plans the retention of the snapshots and returns a line for each, such as `a kept: keep_last`, newest first. */
export const plan = (
  found: FoundSnapshot[],
  retention: Retention,
  { zone = "UTC", hold = [] as string[], now = undefined as number | undefined } = {},
) =>
  planRetention(found, {
    retention,
    toWallTime: createWallTimeConverter(zone),
    hold,
    now: now === undefined ? undefined : instant(now),
  }).map(({ snapshot, decision, rule }) => `${snapshot.id} ${decision}: ${rule}`);
