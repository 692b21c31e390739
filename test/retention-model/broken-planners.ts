/** Planners that delete the wrong snapshots, with one deliberate fault each. The checker must report each of them. */
import { instant } from "../../shared/core/instant.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import { type FoundSnapshot, type Kind, stateOf } from "../../shared/snapshots/kinds/kind.ts";
import { type PrunePolicy, prune } from "../../shared/snapshots/retention/prune.ts";
import type { PromiseName } from "./check-promises.ts";
import type { ApplyPolicy } from "./run-scenario.ts";
import type { Scenario, ScenarioRow } from "./scenario.ts";
import { groupOf, hoursAgo, labelsOf, rowOf, scenarioOf } from "./small-scenarios.ts";

/** A planner with a fault, and a scenario in which the fault breaks a promise. */
export interface BrokenPlanner {
  /** What the planner does wrong, as a clause such as "it ignores the policy's hold". */
  fault: string;
  promise: PromiseName;
  scenario: Scenario;
  apply: ApplyPolicy;
}

/** Returns a planner that sees each listed snapshot, and each listed member of a group, with changes. */
const seeing =
  (change: (found: FoundSnapshot) => Partial<FoundSnapshot>): ApplyPolicy =>
  (policy, runContext) => {
    const changed = (found: FoundSnapshot) => ({ ...found, ...change(found) });
    const cloud = (kind: Kind) => {
      const service = runContext.cloud(kind);
      const { membersOf } = service;
      return {
        ...service,
        ...(membersOf && { membersOf: async (id: string) => (await membersOf(id)).map(changed) }),
        listAll: (visit: (found: FoundSnapshot) => void) => service.listAll((found) => visit(changed(found))),
        listFor: async (options: JsonObject) => (await service.listFor(options)).map(changed),
      };
    };
    return prune(policy, { ...runContext, cloud });
  };

/** Returns a planner that applies another policy than it was given. */
export const applying =
  (change: (policy: PrunePolicy) => Partial<PrunePolicy>): ApplyPolicy =>
  (policy, runContext) =>
    prune({ ...policy, ...change(policy) }, runContext);

/** Returns two snapshots of a disk. Retention keeps the newer one and deletes the older one, `old`. */
export const pair = (
  changes: ScenarioRow["raw"] | object = {},
  kind: ScenarioRow["kind"] = "snapshot",
): ScenarioRow[] => [rowOf(kind, "new", 24), rowOf(kind, "old", 48, { ...changes })];
const MARKER = { policy: "nightly", idempotencyKey: "0".repeat(32), requestHash: "01234567" };
const HOLD = labelsOf("old", { hold: "true" });
/** Returns two snapshots of one create request, which were created 5 hours ago. */
const twins = (older: object = {}, younger: object = {}): ScenarioRow[] => [
  rowOf("snapshot", "first", 5, { metadata: labelsOf("twin"), ...older }),
  rowOf("snapshot", "second", 4.9, { metadata: labelsOf("twin"), ...younger }),
];
const WITHOUT_RETENTION = { retention: undefined };
/** Returns the time that is as far after noon of 1 November 2026 as the given time is before it. */
const mirrored = (created = instant(0)) => ({ created: instant(2 * Date.parse("2026-11-01T12:00:00Z") - created) });
/** Planners with a fault in what they see or in the policy that they apply. */
export const BROKEN_PLANS: BrokenPlanner[] = [
  {
    fault: 'the planner ignores the policy field "hold"',
    promise: "held",
    scenario: scenarioOf(pair(), { hold: ["old"] }),
    apply: applying(() => ({ hold: [] })),
  },
  {
    fault: 'the planner ignores the label "hold"',
    promise: "held",
    scenario: scenarioOf(pair({ metadata: HOLD })),
    apply: seeing(() => ({ labels: {} })),
  },
  {
    fault: "the planner ignores a hold in the description",
    promise: "held",
    scenario: scenarioOf(pair({ description: "hold: audit" })),
    apply: seeing(() => ({ description: undefined })),
  },
  {
    fault: 'the planner ignores the label "hold" of a group member',
    promise: "held",
    scenario: scenarioOf([...groupOf("new", 24, ["a"]), ...groupOf("old", 48, ["a"], { tags: { hold: "yes" } })]),
    apply: seeing(({ members }) => ({ labels: {}, members: members?.map((member) => ({ ...member, labels: {} })) })),
  },
  {
    fault: "the planner treats an unreadable creation time as an old one",
    promise: "held",
    scenario: scenarioOf(pair({ created_at: "1970-01-01T00:00:00Z" })),
    apply: seeing(({ id }) => (id === "old" ? { created: instant(Date.parse(hoursAgo(48))) } : {})),
  },
  {
    fault: "the planner treats a creation time in the future as an old one",
    promise: "held",
    scenario: scenarioOf(pair({ created_at: hoursAgo(-48) })),
    apply: seeing(({ id }) => (id === "old" ? { created: instant(Date.parse(hoursAgo(48))) } : {})),
  },
  {
    fault: "the planner does not recognize the name of a backup",
    promise: "ours",
    scenario: scenarioOf(pair({ name: "manualbk_snapshot_old" })),
    apply: seeing(() => ({ name: "nightly" })),
  },
  {
    fault: "the planner does not recognize a member of a group",
    promise: "ours",
    scenario: scenarioOf(pair({ snapshot_group_id: "g" }, "standard-snapshot")),
    apply: seeing(() => ({ raw: {}, marker: MARKER })),
  },
  {
    fault: "the planner does not recognize a snapshot that EVS created itself",
    promise: "ours",
    scenario: scenarioOf(pair({ snapshot_type: "auto" }, "standard-snapshot")),
    apply: seeing(() => ({ raw: {} })),
  },
  {
    fault: "the planner does not recognize an automated DWS snapshot",
    promise: "ours",
    scenario: scenarioOf(pair({ type: "AUTOMATED" }, "cluster-snapshot")),
    apply: seeing(() => ({ raw: { type: "MANUAL" } })),
  },
  {
    fault: "the planner counts the snapshots of another policy as its own",
    promise: "ours",
    scenario: scenarioOf(pair({ metadata: labelsOf("old", { policy: "weekly" }) })),
    apply: seeing(({ marker }) => (marker ? { marker: { ...marker, policy: "nightly" } } : {})),
  },
  {
    fault: "the planner accepts a damaged marker",
    promise: "ours",
    scenario: scenarioOf(pair({ metadata: labelsOf("old", { content: "damaged" }) })),
    apply: seeing(() => ({ marker: MARKER })),
  },
  {
    fault: "the planner counts a snapshot in an unknown status as failed",
    promise: "settled",
    scenario: scenarioOf(pair({ status: "rollbacking" })),
    apply: seeing(({ status }) => ({
      state: stateOf(status === "rollbacking" ? "error" : status, new Map([["available", "available"]])),
    })),
  },
  {
    fault: "the planner counts a failed snapshot as good",
    promise: "lastGood",
    scenario: scenarioOf([rowOf("snapshot", "new", 24, { status: "error" }), rowOf("snapshot", "old", 48)]),
    apply: seeing(() => ({ state: "available" })),
  },
  {
    fault: "the planner counts a group with a failed member as good",
    promise: "lastGood",
    scenario: scenarioOf([...groupOf("new", 24, ["a", "b"], { status: "error" }), ...groupOf("old", 48, ["a", "b"])]),
    apply: seeing(({ members }) => ({
      state: "available",
      members: members?.map((one) => ({ ...one, state: "available" })),
    })),
  },
  {
    fault: "the planner assigns all snapshots to the same disk",
    promise: "lastGood",
    scenario: scenarioOf(pair({ volume_id: "disk-1" })),
    apply: seeing(() => ({ resource: "disk" })),
  },
  {
    fault: "the planner ignores the disks of groups",
    promise: "lastOfDisk",
    scenario: scenarioOf([...groupOf("new", 24, ["a"]), ...groupOf("old", 48, ["a", "b"])]),
    apply: seeing(({ members }) => ({ members: members?.map((member) => ({ ...member, resource: undefined })) })),
  },
  {
    fault: "the planner ignores min_keep",
    promise: "minKeep",
    scenario: scenarioOf(pair(), { retention: { keep_last: 1, min_keep: 2 } }),
    apply: applying(() => ({ retention: { keep_last: 1 } })),
  },
  {
    fault: "the planner treats the oldest snapshot as the newest",
    promise: "minKeep",
    scenario: scenarioOf(pair()),
    apply: seeing(({ created }) => mirrored(created)),
  },
  {
    fault: "the planner ignores the time zone",
    promise: "keptByRule",
    // In Berlin, the two newer snapshots were created on different days: at 23:30 and at 00:30.
    scenario: scenarioOf(
      [rowOf("snapshot", "new", 12.5), rowOf("snapshot", "old", 13.5), rowOf("snapshot", "third", 48)],
      {
        retention: { keep_daily: 2 },
        time_zone: "Europe/Berlin",
      },
    ),
    apply: applying(() => ({ time_zone: "UTC" })),
  },
  {
    fault: "the planner ignores a rule of the retention",
    promise: "keptByRule",
    scenario: scenarioOf(pair(), { retention: { keep_last: 1, keep_within_days: 3 } }),
    apply: applying(() => ({ retention: { keep_last: 1 } })),
  },
  {
    fault: "the planner applies a retention that the policy does not have",
    promise: "onlyDuplicates",
    scenario: scenarioOf(pair(), WITHOUT_RETENTION),
    apply: applying(() => ({ retention: { keep_last: 1 } })),
  },
  {
    fault: "the planner treats snapshots that were created 3 hours apart as duplicates",
    promise: "onlyDuplicates",
    scenario: scenarioOf(twins({ created_at: hoursAgo(8) }), WITHOUT_RETENTION),
    apply: seeing(({ id }) => ({ created: instant(Date.parse(hoursAgo(id === "first" ? 5 : 4.9))) })),
  },
  {
    fault: "the planner deletes a duplicate that is not an hour old",
    promise: "onlyDuplicates",
    scenario: scenarioOf(twins({ created_at: hoursAgo(0.9) }, { created_at: hoursAgo(0.5) }), WITHOUT_RETENTION),
    apply: seeing(({ created = 0 }) => ({ created: instant(created - 7_200_000) })),
  },
  {
    fault: "the planner treats a snapshot whose name was not generated as a duplicate",
    promise: "onlyDuplicates",
    scenario: scenarioOf(twins({}, { name: "before-the-update" }), WITHOUT_RETENTION),
    apply: seeing(() => ({ name: "nightly" })),
  },
  {
    fault: "the planner deletes the older of two duplicates",
    promise: "onlyDuplicates",
    scenario: scenarioOf(twins(), WITHOUT_RETENTION),
    apply: seeing(({ created }) => mirrored(created)),
  },
];
