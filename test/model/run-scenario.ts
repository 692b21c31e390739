/** Runs the deliveries of a scenario, each in a process of its own, with the code of scheduled-snapshots. */
import { runSchedule } from "../../functions/scheduled-snapshots/run-schedule.ts";
import { asSnapshotError } from "../../shared/core/errors.ts";
import { after, instant } from "../../shared/core/instant.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import { raceDeadline } from "../../shared/core/retry.ts";
import { createRateLimiter } from "../../shared/huaweicloud/http/rate-limiter.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import type { Policy } from "../../shared/snapshots/policy.ts";
import type { EndFields, TargetFields } from "../../shared/snapshots/reporting.ts";
import { createRandom } from "../support/random.ts";
import { createModelCloud, type ModelCloud } from "./model-cloud.ts";
import type { Scenario } from "./scenario.ts";
import { createSimulation, NEVER } from "./simulation.ts";

/** The start of a simulation. Any fixed time works. */
const START = Date.parse("2026-11-21T02:00:00Z");
/** The time that the middlewares reserve for the response and for the delivery of records, in milliseconds. */
const RESERVE_MS = 2_250;

/** A result record that a process wrote, with the time of the cloud. */
export interface ModelRecord {
  resource: string;
  outcome: EndFields["outcome"];
  at: number;
}

/** What happened in one process: a delivery of the event or a shard. */
export interface ProcessResult {
  /** The number of the delivery to which the process belongs, from 0. */
  delivery: number;
  isShard: boolean;
  isKilled: boolean;
  resources: string[];
  records: ModelRecord[];
  notices: string[];
  startedAt: number;
  /** When the response to the first list request arrived, and how long the request took. Undefined without a list request. */
  firstLook?: { at: number; durationMs: number };
}

export interface ScenarioResult {
  scenario: Scenario;
  cloud: ModelCloud;
  processes: ProcessResult[];
  endedAt: number;
}

export const resourceName = (index: number): string => `disk-${String(index).padStart(4, "0")}`;

/** Runs a scenario in virtual time. */
export async function runScenario(scenario: Scenario): Promise<ScenarioResult> {
  const random = createRandom(scenario.seed * 7 + 1);
  const simulation = createSimulation(START);
  const processes: ProcessResult[] = [];
  const calls: number[] = [];
  const handles: ReturnType<typeof simulation.startProcess>[] = [];
  const kind = KINDS[scenario.kind];
  const countCall = async (number: number) => {
    calls[number] = (calls[number] ?? 0) + 1;
    if (calls[number] === scenario.killAtCall[number]) {
      handles[number]?.kill();
      (processes[number] as ProcessResult).isKilled = true;
    }
    if (handles[number]?.isKilled()) await NEVER;
  };
  const cloud = createModelCloud(scenario, simulation, random, countCall);

  const startProcess = async (delivery: number, skewMs: number, event: JsonObject): Promise<void> => {
    const number = processes.length;
    const handle = simulation.startProcess(skewMs, random);
    handles.push(handle);
    const { time } = handle;
    const policy = JSON.parse(String(event.user_event)) as Policy;
    const resources = (policy.targets[0]?.[kind.target.idsField] ?? []) as string[];
    const result: ProcessResult = {
      delivery,
      isShard: "shard" in event,
      isKilled: false,
      resources,
      records: [],
      notices: [],
      startedAt: simulation.now(),
    };
    processes.push(result);
    const limiter = createRateLimiter(time);
    const open = new Set<(end: EndFields) => void>();
    const openRecord = ({ resource_id = "" }: TargetFields) => {
      const complete = ({ outcome }: EndFields) => {
        if (open.delete(complete) && !handle.isKilled())
          result.records.push({ resource: resource_id, outcome, at: simulation.now() });
      };
      open.add(complete);
      return complete;
    };
    const deadline = after(time.now(), scenario.timeLimitMs - RESERVE_MS);
    const variables = (name: string) =>
      ({ SHARD_SIZE: String(scenario.shardSize), MAX_CONCURRENCY: String(scenario.concurrency), REGION: "region-1" })[
        name
      ];
    const invocation = {
      records: {
        openRecord,
        addNotice: (notice: string) => void result.notices.push(notice),
        get hasFailed() {
          return result.records.some(({ outcome }) => outcome === "failed");
        },
      },
      variables,
      connection: { projectId: "project-1", limiter },
      retryBudget: { time, deadline },
      platform: {},
      functionName: "scheduled-snapshots",
      runtime: { inFlight: new Map() },
      summary: {},
    } as unknown as Invocation;
    const service = cloud.serviceFor(
      kind,
      number,
      handle,
      limiter,
      simulation.now() + scenario.timeLimitMs - RESERVE_MS,
    );
    const services = {
      cloud: () => service,
      async invoke(_: string, shardEvent: JsonObject) {
        await countCall(number);
        void simulation.sleep(scenario.invokeMs).then(() => startProcess(delivery, skewMs, shardEvent));
        return `invocation-${processes.length}`;
      },
    };
    const outOfTime = () => new Error("The invocation's time ran out.");
    const timer = { body: policy, time: instant(START), event } as Parameters<typeof runSchedule>[0];
    const run = raceDeadline(
      runSchedule(timer, invocation, services),
      time,
      after(deadline, 100),
      outOfTime as never,
    ).catch(asSnapshotError);
    await run;
    for (const complete of open) complete({ outcome: "failed" });
  };

  const event = {
    user_event: JSON.stringify({
      policy: "nightly",
      targets: [
        {
          kind: scenario.kind,
          [kind.target.idsField]: Array.from({ length: scenario.targets }, (_, i) => resourceName(i)),
        },
      ],
    }),
  };
  for (const [index, { offsetMs, skewMs }] of scenario.deliveries.entries())
    void simulation.sleep(offsetMs).then(() => startProcess(index, skewMs, event));
  await simulation.run();
  for (const [number, process] of processes.entries()) {
    const first = cloud.lists.find((list) => list.process === number);
    if (first !== undefined) process.firstLook = { at: first.sentAt, durationMs: first.answeredAt - first.sentAt };
  }
  return { scenario, cloud, processes, endedAt: simulation.now() };
}
