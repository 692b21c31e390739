/** Creates small scenarios for the tests of the checker: snapshots of one disk, server or cluster, without faults. */
import type { JsonObject } from "../../shared/core/json.ts";
import type { PrunePolicy } from "../../shared/snapshots/retention/prune.ts";
import type { Kind as KindName } from "../support/kinds.ts";
import type { Scenario, ScenarioRow } from "./scenario.ts";

export const START = "2026-11-21T12:00:00Z";
const HOUR_MS = 3_600_000;

/** Returns a time before the start of the run, as EVS and DWS format it. */
export const hoursAgo = (hours: number): string => new Date(Date.parse(START) - hours * HOUR_MS).toISOString();

/** Returns the labels of a snapshot of the policy `nightly`. Snapshots with the same key are duplicates. */
export const labelsOf = (key: string, changes: Record<string, string> = {}) => ({
  "managed-by": "snapshot-functions",
  policy: "nightly",
  key: Buffer.from(key).toString("hex").padEnd(32, "0").slice(0, 32),
  content: "01234567",
  ...changes,
});

/** Returns an available snapshot of the policy `nightly`. `changes` replaces fields of the row. */
export function rowOf(kind: KindName, id: string, hours: number, changes: JsonObject = {}): ScenarioRow {
  const created = hoursAgo(hours);
  const labels = labelsOf(id);
  const common = { id, name: "nightly", status: "available", created_at: created, description: null };
  const text = Object.entries(labels).map(([label, value]) => `${label}:${value}`);
  const raw = {
    snapshot: { ...common, volume_id: "disk-0", metadata: labels },
    "standard-snapshot": { ...common, volume_id: "disk-0", tags: labels },
    "snapshot-group": { ...common, server_id: "server-0", tags: labels },
    "cluster-snapshot": {
      ...{ id, name: id, status: "AVAILABLE", cluster_id: "cluster-0", started: created },
      ...{ description: text.join(" "), type: "MANUAL" },
    },
  }[kind];
  return { kind, raw: { ...raw, ...changes } };
}

/** Returns a snapshot group with one available member per disk. `changes` replaces fields of the last member. */
export function groupOf(id: string, hours: number, disks: readonly string[], changes: JsonObject = {}): ScenarioRow[] {
  const members = disks.map((disk, index): ScenarioRow => {
    const raw = { id: `${id}-${disk}`, name: "", status: "available", created_at: hoursAgo(hours), volume_id: disk };
    const isLast = index === disks.length - 1;
    return { kind: "standard-snapshot", raw: { ...raw, snapshot_group_id: id, tags: {}, ...(isLast ? changes : {}) } };
  });
  return [rowOf("snapshot-group", id, hours), ...members];
}

/** Returns a scenario in which nothing goes wrong. The policy keeps the newest snapshot of each resource. */
export const scenarioOf = (
  rows: ScenarioRow[],
  policy: Partial<PrunePolicy> = {},
  changes: Partial<Scenario> = {},
): Scenario => ({
  seed: 1,
  mode: "prune",
  start: START,
  policy: { policy: "nightly", retention: { keep_last: 1 }, ...policy },
  rows,
  changes: [],
  deleteFaults: [],
  listFaults: [],
  creates: "open",
  concurrency: 4,
  timeLimitMs: 300_000,
  listMs: 100,
  listLagMs: 0,
  deleteMs: 100,
  removalMs: 1_000,
  removesMembers: true,
  ...changes,
});
