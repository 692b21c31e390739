/** Runs each fault alone, for every combination of a trigger and a kind of snapshot. */
import type { Fault } from "../../infra/local/cloud/index.ts";
import { addResource, addSnapshot, KIND_FACTS } from "../support/kinds.ts";
import { type Crash, createFaultyEnvironment, type Delivery, type FaultyEnvironment } from "./faulty-environment.ts";
import { findBrokenGuarantees, findDuplicates, findHiddenFailure, findUnfinished } from "./guarantees.ts";
import { CELLS, type Cell, createJob, type Job, retriesFailed } from "./jobs.ts";
import { queueShards, RETRY_MS } from "./shards.ts";

const LIST_LAG_MS = 5_000;

/** One variant of a fault. */
interface FaultCase {
  arrange(environment: FaultyEnvironment, cell: Cell, job: Job): void;
  /** Called after the first delivery. */
  between?(environment: FaultyEnvironment, cell: Cell): void;
  crash?: Crash;
  /** The number of deliveries under the fault. Default: 1. */
  times?: number;
  /** True if the fault makes every created snapshot fail. Default: false. */
  fails?: boolean;
  /** Returns whether the variant applies to a cell. Default: it applies to every cell. */
  only?: (cell: Cell) => boolean;
}

/** Returns two variants of each fault: for the first create request, and for the first list request. */
const onFirstRequest = (...faults: (Fault | ((environment: FaultyEnvironment) => Fault))[]): FaultCase[] =>
  faults.flatMap((fault) => {
    const faultOf = (environment: FaultyEnvironment) => (typeof fault === "function" ? fault(environment) : fault);
    return [
      {
        arrange: (environment, { kind }) =>
          void environment.cloud.fault({ operation: KIND_FACTS[kind].create, nth: 1 }, faultOf(environment)),
      },
      {
        arrange: (environment, { kind }) =>
          void environment.cloud.fault({ operation: KIND_FACTS[kind].list, nth: 1 }, faultOf(environment)),
      },
    ];
  });

/** Returns a variant of each fault for every request except those to LTS. */
const onEveryRequest = (...faults: Fault[]): FaultCase[] =>
  faults.map((fault) => ({ arrange: ({ cloud }) => void cloud.fault({ operation: /^(?!lts)/ }, fault) }));

/** Returns a variant of each fault for the requests that send result records to LTS. */
const onLogRequests = (...faults: (Fault | ((environment: FaultyEnvironment) => Fault))[]): FaultCase[] =>
  faults.map((fault) => ({
    arrange: (environment) =>
      void environment.cloud.fault(
        { operation: "lts.reportLogs" },
        typeof fault === "function" ? fault(environment) : fault,
      ),
  }));

const before = { after: false } as const;
const after = { after: true } as const;

/** Maps the name of each fault to its variants. */
export const FAULTS: Record<string, FaultCase[]> = {
  "slow response": onFirstRequest((environment) => environment.delayResponse(9_000)),
  "response after the timeout": onFirstRequest((environment) => environment.delayResponse(30_000)),
  "429": onFirstRequest(
    { type: "throttle" },
    { type: "throttle", retryAfter: 3 },
    { type: "throttle", window: "1 minute", limit: 60 },
  ),
  "429 to every request": onEveryRequest({ type: "throttle" }),
  "5xx before processing": onFirstRequest(
    ...[500, 502, 503, 504].map((status): Fault => ({ type: "status", status, ...before })),
  ),
  "5xx after processing": onFirstRequest(
    ...[500, 502, 503, 504].map((status): Fault => ({ type: "status", status, ...after })),
  ),
  "5xx to every request": onEveryRequest({ type: "status", status: 503, ...before }),
  "reset before processing": onFirstRequest({ type: "reset", ...before }),
  "reset after processing": onFirstRequest({ type: "reset", ...after }),
  "hang before processing": onFirstRequest({ type: "hang", ...before }),
  "hang after processing": onFirstRequest({ type: "hang", ...after }),
  "body cut off": onFirstRequest({ type: "cut", ...before }, { type: "cut", ...after }),
  "body not JSON": onFirstRequest(
    { type: "notJson", ...after },
    { type: "notJson", html: true, ...after },
    { type: "notJson", html: true, ...before },
  ),
  "body empty": onFirstRequest({ type: "emptyBody", ...after }, { type: "emptyBody", ...before }),
  redirect: onFirstRequest({ type: "redirect", location: "http://127.0.0.1:1/" }),
  "clock skew": onFirstRequest({ type: "clockSkew", ms: 3_600_000 }, { type: "clockSkew", ms: -3_600_000 }),
  "token rejected": onFirstRequest({ type: "expiredToken" }),
  "token expires during the run": [
    {
      arrange: ({ cloud }, { kind }) => {
        const { ak } = cloud.credentials;
        cloud.fault(
          { operation: KIND_FACTS[kind].list, nth: 1 },
          { type: "mutatePage", mutate: () => cloud.expireCredentials(ak) },
        );
      },
    },
  ],
  "create response lost, new snapshots listed late": ["reset", "hang", "cut"].map((type) => ({
    arrange: ({ cloud }, { kind }) => {
      cloud.listLagMs = LIST_LAG_MS;
      cloud.fault({ operation: KIND_FACTS[kind].create, nth: 1 }, { type, ...after } as Fault);
    },
  })),
  "pages change between list requests": [
    { arrange: () => {}, between: moveOwnSnapshotToFirstPage, times: 2, only: hasPages },
  ],
  "snapshot fails": [
    { arrange: ({ cloud }, _, { targets }) => endCreationsWith(cloud, targets, "error"), times: 2, fails: true },
  ],
  "snapshot with an unknown status": [
    { arrange: ({ cloud }, _, { targets }) => endCreationsWith(cloud, targets, "quantum"), times: 2 },
  ],
  "snapshot stuck in creating": [
    { arrange: ({ cloud }, _, { targets }) => endCreationsWith(cloud, targets, "stuck"), times: 2 },
  ],
  "crash before the create": [1, 2, 3, 4].map((request) => ({
    arrange: delayLists,
    crash: { request, when: "before" },
  })),
  "crash after the create": [1, 2, 3, 4].map((request) => ({ arrange: delayLists, crash: { request, when: "after" } })),
  "delivered five times": [{ arrange: delayLists, times: 5 }],
  "topic slow": onLogRequests(
    (environment) => environment.delayResponse(1_500),
    (environment) => environment.delayResponse(5_000),
    { type: "hang", ...before },
  ),
  "topic returns errors": onLogRequests(
    { type: "status", status: 500, ...before },
    { type: "status", status: 503, ...after },
    { type: "answer", status: 200, body: '{"errorCode":"SVCSTG.ALS.200.500","error_msg":"no"}' },
    { type: "answer", status: 401, body: '{"errorCode":"SVCSTG.ALS.403.105","error_msg":"no"}' },
    { type: "reset", ...before },
    { type: "redirect", location: "http://127.0.0.1:1/" },
  ),
};

function delayLists({ cloud }: FaultyEnvironment): void {
  cloud.listLagMs = LIST_LAG_MS;
}

function endCreationsWith(cloud: FaultyEnvironment["cloud"], targets: Job["targets"], ending: string): void {
  for (const { resource } of targets) cloud.endWith(resource, ending);
}

/** Returns whether the function lists snapshots in pages. It does not for one disk or server, or in DWS. */
function hasPages({ trigger, kind }: Cell): boolean {
  return ["timer", "shards", "gate"].includes(trigger) && kind !== "cluster-snapshot";
}

/**
 * Adds 1,001 newer snapshots, so the function's own snapshot is on the second page. Between the two list requests a snapshot of
 * the first page is removed, so the function's own snapshot moves to the first page.
 */
function moveOwnSnapshotToFirstPage({ cloud, clock }: FaultyEnvironment, { kind }: Cell): void {
  clock.advance(1_000);
  const { id } = addResource(cloud, kind, { diskCount: 1 });
  const others = Array.from(
    { length: 1_001 },
    (_, index) => addSnapshot(cloud, kind, id, { name: `other-${index}` }).id,
  );
  const removed = others.slice(500, 502);
  const mutate = () => cloud.removeSnapshot(removed.pop() ?? "");
  cloud.fault({ operation: KIND_FACTS[kind].list }, { type: "mutatePage", mutate });
}

export interface Run extends Cell {
  broken: string[];
}

/** Runs a fault for every cell: all variants of the fault if `thorough`, otherwise two variants that differ between cells. */
export async function runFault(fault: string, thorough: boolean): Promise<Run[]> {
  const runs: Run[] = [];
  for (const [index, cell] of CELLS.entries()) {
    const variants = (FAULTS[fault] ?? []).filter(({ only }) => only?.(cell) ?? true);
    const two = [2 * index, 2 * index + 1].map((number) => number % variants.length);
    const chosen = variants.filter((_, number) => thorough || two.includes(number));
    for (const faultCase of chosen) runs.push({ ...cell, broken: await runFaultCase(faultCase, cell) });
  }
  return runs;
}

/** Runs one variant of a fault for one cell. Returns a description of each guarantee that the function broke. */
async function runFaultCase(
  { arrange, between, crash, fails = false, times = 1 }: FaultCase,
  cell: Cell,
): Promise<string[]> {
  const environment = await createFaultyEnvironment();
  const { cloud, clock } = environment;
  try {
    const job = createJob(environment, cell, 2);
    const found: string[] = [];
    const deliveries: Delivery[] = [];
    const runShards = queueShards(environment, job, deliveries, found);
    const deliver = async (planned?: Crash) => {
      const delivery = await environment
        .instance()
        .deliver(job.factory, job.event, { ...job.invocation, crash: planned });
      await runShards();
      found.push(
        ...findBrokenGuarantees(environment, job.targets, delivery, deliveries),
        ...findDuplicates(environment, job),
      );
      deliveries.push(delivery);
      return delivery;
    };
    arrange(environment, cell, job);
    for (let count = 0; count < times; count += 1) {
      await deliver(crash);
      clock.advance(RETRY_MS);
      if (count === 0) between?.(environment, cell);
    }
    cloud.clearFaults();
    cloud.addCredentials(cloud.credentials);
    let last = await deliver();
    for (let tries = 0; tries < 2 && last.invoked?.error !== undefined; tries += 1) {
      clock.advance(RETRY_MS);
      last = await deliver();
    }
    return [
      ...found,
      ...(fails && !retriesFailed(cell)
        ? findHiddenFailure(environment, job, last)
        : findUnfinished(environment, job, last)),
    ];
  } finally {
    await cloud.close();
  }
}
