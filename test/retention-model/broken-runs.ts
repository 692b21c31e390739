/** Planners that send wrong requests or write wrong records, with one deliberate fault each. The checker must report each of them. */
import type { Kind } from "../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { prune } from "../../shared/snapshots/retention/prune.ts";
import type { RunContext } from "../../shared/snapshots/run-context.ts";
import { applying, type BrokenPlanner, pair } from "./broken-planners.ts";
import { type ApplyPolicy, createWithRoom } from "./run-scenario.ts";
import { groupOf, rowOf, scenarioOf } from "./small-scenarios.ts";

const { snapshot, "standard-snapshot": standard, "snapshot-group": group } = KINDS;

/** Returns a planner whose requests, announcements or records have a fault. */
const withContext =
  (change: (runContext: RunContext) => Partial<RunContext>): ApplyPolicy =>
  (policy, runContext) =>
    prune(policy, { ...runContext, ...change(runContext) });

/** Returns a planner that deletes the snapshots with the given ids after one list request, and writes a record for each. */
const deleting =
  (kind: Kind, ids: readonly string[], delayMs = 0): ApplyPolicy =>
  async (_, { cloud, report, announceDeletions, retryBudget }) => {
    await cloud(kind).listAll(() => {});
    announceDeletions(ids.map((id) => ({ kind: kind.name, snapshot_id: id, rule: "" })));
    await retryBudget.time.sleep(delayMs);
    for (const id of ids) {
      await cloud(kind).remove(id);
      report({ action: "prune", kind: kind.name, snapshot_id: id })({ outcome: "deleted" });
    }
  };

const fullDisk = Array.from({ length: 7 }, (_, day) => rowOf("snapshot", `s${day}`, 24 * (day + 1)));

/** Planners with a fault in their requests, announcements or records. */
export const BROKEN_RUNS: BrokenPlanner[] = [
  {
    fault: "the planner does not announce its deletions",
    promise: "announced",
    scenario: scenarioOf(pair()),
    apply: withContext(() => ({ announceDeletions() {} })),
  },
  {
    fault: "the planner repeats a rejected delete request without another list request",
    promise: "renewed",
    scenario: scenarioOf(pair(), {}, { deleteFaults: [{ id: "old", type: "busy", times: 1 }] }),
    apply: async (policy, runContext) =>
      deleting(snapshot, ["old"])(policy, runContext).catch(() => runContext.cloud(snapshot).remove("old")),
  },
  {
    fault: "the planner does not list a group again before it deletes the group",
    promise: "reread",
    scenario: scenarioOf([...groupOf("new", 24, ["a"]), ...groupOf("old", 48, ["a"])]),
    apply: deleting(group, ["old"]),
  },
  {
    fault: "the planner assumes without a check that an accepted delete request was executed",
    promise: "deleted",
    scenario: scenarioOf(pair(), {}, { deleteFaults: [{ id: "old", type: "acknowledged", times: 1 }] }),
    apply: deleting(snapshot, ["old"]),
  },
  {
    fault: "the planner writes no records",
    promise: "recorded",
    scenario: scenarioOf(pair()),
    apply: withContext(() => ({ report: () => () => {} })),
  },
  {
    fault: "the planner writes two records for a snapshot",
    promise: "recorded",
    scenario: scenarioOf(pair({}, "standard-snapshot")),
    apply: async (policy, runContext) => {
      await deleting(standard, ["old"])(policy, runContext);
      runContext.report({ action: "prune", kind: standard.name, snapshot_id: "old" })({ outcome: "deleted" });
    },
  },
  {
    fault: "the planner records a deleted snapshot as kept",
    promise: "recorded",
    scenario: scenarioOf(pair()),
    apply: withContext(({ report }) => ({
      report: (target) => {
        const complete = report(target);
        return (end) => complete({ ...end, outcome: "kept" });
      },
    })),
  },
  {
    fault: "the planner deletes snapshots in a dry run",
    promise: "dryRun",
    scenario: scenarioOf(pair()),
    apply: applying(() => ({ dry_run: false })),
  },
  {
    fault: "the planner plans fewer deletions in a dry run than it executes",
    promise: "dryRun",
    scenario: scenarioOf(pair()),
    apply: applying(({ dry_run }) => ({ retention: { keep_last: dry_run ? 2 : 1 } })),
  },
  {
    fault: "make_room deletes a snapshot before EVS rejects the create request",
    promise: "room",
    scenario: scenarioOf(fullDisk, {}, { mode: "make-room" }),
    apply: async (policy, runContext) => {
      await deleting(snapshot, ["s6"])(policy, runContext);
      await createWithRoom(policy, runContext);
    },
  },
  {
    fault: "make_room deletes two snapshots after one rejection",
    promise: "room",
    scenario: scenarioOf(fullDisk, {}, { mode: "make-room" }),
    apply: async (policy, runContext) => {
      await runContext
        .cloud(snapshot)
        .create({ volume_id: "disk-0" })
        .catch(() => {});
      await deleting(snapshot, ["s5", "s6"])(policy, runContext);
    },
  },
  {
    fault: "the planner sends a delete request after the deadline",
    promise: "inTime",
    scenario: scenarioOf(pair(), {}, { timeLimitMs: 60_000 }),
    apply: deleting(snapshot, ["old"], 61_000),
  },
  {
    fault: "the planner throws an error",
    promise: "ends",
    scenario: scenarioOf(pair()),
    apply: () => Promise.reject(new Error("no plan")),
  },
  {
    fault: "the planner never ends",
    promise: "ends",
    scenario: scenarioOf(pair()),
    apply: () => new Promise(() => {}),
  },
];
