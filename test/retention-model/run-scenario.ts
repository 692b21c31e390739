/** Applies the policy of a scenario with the code of prune-snapshots, or of create functions with `make_room`, in virtual time. */
import { asSnapshotError } from "../../shared/core/errors.ts";
import { after } from "../../shared/core/instant.ts";
import { createOnce } from "../../shared/snapshots/create/create-once.ts";
import { snapshotKind } from "../../shared/snapshots/kinds/snapshot.ts";
import type { SnapshotService } from "../../shared/snapshots/ports.ts";
import type { EndFields, TargetFields } from "../../shared/snapshots/reporting.ts";
import { makeRoomBy } from "../../shared/snapshots/retention/make-room.ts";
import { type PrunePolicy, prune } from "../../shared/snapshots/retention/prune.ts";
import type { RunContext } from "../../shared/snapshots/run-context.ts";
import { createSimulation } from "../model/simulation.ts";
import { createRandom } from "../support/random.ts";
import { type BrokenPromise, checkPromises } from "./check-promises.ts";
import type { History } from "./history.ts";
import { isCalm, MAKE_ROOM_DISK, type Scenario } from "./scenario.ts";
import { createScenarioCloud } from "./scenario-cloud.ts";

/** The time that the middlewares reserve for the response and for the delivery of records, in milliseconds. */
const RESERVE_MS = 2_250;

/** Applies a policy. The tests of the checker pass functions that break a promise. */
export type ApplyPolicy = (policy: PrunePolicy, runContext: RunContext) => Promise<unknown>;

/** Creates a snapshot of a full disk, with the code of the create functions. */
export const createWithRoom: ApplyPolicy = (policy, runContext) =>
  createOnce(
    {
      kind: snapshotKind,
      options: { volume_id: MAKE_ROOM_DISK, force: true },
      idempotencyKey: "f".repeat(32),
      projectId: "project-1",
      policy: policy.policy,
      label: policy.policy,
      makeRoom: makeRoomBy(policy, runContext),
    },
    runContext.cloud(snapshotKind),
    runContext.retryBudget,
    runContext.inFlight,
  );

/** Applies the policy of a scenario once. Returns what happened. */
export async function applyOnce(scenario: Scenario, apply: ApplyPolicy): Promise<History> {
  const random = createRandom(scenario.seed * 7 + 1);
  const start = Date.parse(scenario.start);
  const simulation = createSimulation(start);
  const deadline = start + scenario.timeLimitMs - RESERVE_MS;
  const cloud = createScenarioCloud(scenario, simulation, random, deadline);
  const { time } = simulation.startProcess(0, random);
  const announcements: History["announcements"] = [];
  const records: History["records"] = [];
  const services = new Map<string, SnapshotService>();
  const runContext: RunContext = {
    cloud(kind) {
      const service = services.get(kind.name) ?? cloud.serviceFor(kind);
      services.set(kind.name, service);
      return service;
    },
    retryBudget: { time, deadline: after(time.now(), scenario.timeLimitMs - RESERVE_MS) },
    report: ({ kind, snapshot_id }: TargetFields) => {
      let isOpen = true;
      return ({ outcome, detail }: EndFields) => {
        if (isOpen) records.push({ at: simulation.now(), kind, id: snapshot_id, outcome, detail });
        isOpen = false;
      };
    },
    addNotice() {},
    announceDeletions: (deletions) =>
      void announcements.push({ at: simulation.now(), ids: deletions.map(({ snapshot_id }) => snapshot_id) }),
    inFlight: new Map(),
    concurrency: scenario.concurrency,
  };
  let end: History["end"] = { type: "hangs" };
  void apply(scenario.policy, runContext).then(
    () => {
      end = { type: "done" };
    },
    (thrown) => {
      end = { type: "threw", message: asSnapshotError(thrown).message };
    },
  );
  await simulation.run();
  return {
    policy: scenario.policy,
    mode: scenario.mode,
    isCalm: isCalm(scenario),
    start,
    deadline,
    listLagMs: scenario.listLagMs,
    rows: cloud.rows,
    lists: cloud.lists,
    deletes: cloud.deletes,
    creates: cloud.creates,
    announcements,
    records,
    end,
  };
}

export interface ScenarioResult {
  history: History;
  broken: BrokenPromise[];
}

/** Applies the policy of a scenario, and checks the promises. If the scenario is calm, compares the run with its dry run. */
export async function runScenario(
  scenario: Scenario,
  apply: ApplyPolicy = scenario.mode === "prune" ? prune : createWithRoom,
): Promise<ScenarioResult> {
  const history = await applyOnce(scenario, apply);
  const broken = checkPromises(history);
  if (isCalm(scenario) && scenario.mode === "prune" && !scenario.policy.dry_run) {
    const dryRun = await applyOnce({ ...scenario, policy: { ...scenario.policy, dry_run: true } }, apply);
    broken.push(...checkPromises(dryRun), ...compareWithDryRun(history, dryRun));
  }
  return { history, broken };
}

/** How long before the deadline a run stops to delete snapshots and to confirm deletions, in milliseconds. Lists take up to 8 s. */
const LAST_WORK_MS = 45_000;

/** Compares what a run recorded with what its dry run planned. Without a retention, the records name only deletions. */
export function compareWithDryRun({ records, deletes, deadline }: History, dryRun: History): BrokenPromise[] {
  const linesOf = (outcomes: (string | undefined)[][]) => outcomes.map((fields) => fields.join(" ")).sort();
  const planned = linesOf(dryRun.records.map(({ id, detail }) => [id, detail]));
  const done = linesOf(records.map(({ id, outcome }) => [id, outcome]));
  const deletions = new Set(dryRun.records.filter(({ detail }) => detail === "deleted").map(({ id }) => id));
  const unplanned = deletes.map(({ id }) => id).filter((id) => !deletions.has(id));
  const broken: BrokenPromise[] = [];
  const add = (text: string) => broken.push({ promise: "dryRun", text });
  if (unplanned.length > 0) add(`the dry run did not plan to delete ${unplanned}`);
  const endedAt = Math.max(...records.map(({ at }) => at));
  // If the time runs out, the run does not delete every snapshot, or cannot confirm that it did.
  if (planned.join() !== done.join() && endedAt < deadline - LAST_WORK_MS) add(`planned ${planned}, but did ${done}`);
  return broken;
}

/** Returns the promises that a scenario breaks. */
export const findBroken = async (scenario: Scenario, apply?: ApplyPolicy): Promise<BrokenPromise[]> =>
  (await runScenario(scenario, apply)).broken;
