/** Tests one fault at a time, with every combination of a trigger and a kind of snapshot. */
import type { Fault } from "../../infra/local/cloud/index.ts";
import { addResource, addSnapshot, KIND_FACTS } from "../support/kinds.ts";
import { type Crash, createFaultyEnvironment, type Delivery, type FaultyEnvironment } from "./faulty-environment.ts";
import { findBrokenGuarantees, findDuplicates, findHiddenFailure, findUnfinished } from "./guarantees.ts";
import { CELLS, type Cell, createJob, type Job, retriesFailed } from "./jobs.ts";
import { queueShards, RETRY_MS } from "./shards.ts";

const LIST_LAG_MS = 5_000;

/** A variant of a fault: how the test prepares the embedded cloud, and how often it delivers the event. */
interface FaultCase {
  arrange(environment: FaultyEnvironment, cell: Cell, job: Job): void;
  /** Changes the embedded cloud after the first delivery. */
  between?(environment: FaultyEnvironment, cell: Cell): void;
  crash?: Crash;
  /** How often the event is delivered while the fault is active. Default: once. */
  times?: number;
  /** True if the fault makes every created snapshot fail. Default: false. */
  fails?: boolean;
  /** Returns whether the variant applies to a combination of a trigger and a kind. Default: always true. */
  only?: (cell: Cell) => boolean;
}

/** Returns two variants of each fault. One affects the first create request, the other affects the first list request. */
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

/** Returns one variant of each fault. It affects every request except the requests to LTS. */
const onEveryRequest = (...faults: Fault[]): FaultCase[] =>
  faults.map((fault) => ({ arrange: ({ cloud }) => void cloud.fault({ operation: /^(?!lts)/ }, fault) }));

/** Returns one variant of each fault. It affects the requests that send result records to LTS. */
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

/** Maps a description of each fault to its variants. */
export const FAULTS: Record<string, FaultCase[]> = {
  "a response takes 9 s": onFirstRequest((environment) => environment.delayResponse(9_000)),
  "a response arrives after the timeout of its request": onFirstRequest((environment) =>
    environment.delayResponse(30_000),
  ),
  "a request gets the HTTP status 429": onFirstRequest(
    { type: "throttle" },
    { type: "throttle", retryAfter: 3 },
    { type: "throttle", window: "1 minute", limit: 60 },
  ),
  "every request gets the HTTP status 429": onEveryRequest({ type: "throttle" }),
  "a request gets an HTTP status 5xx and is not processed": onFirstRequest(
    ...[500, 502, 503, 504].map((status): Fault => ({ type: "status", status, ...before })),
  ),
  "a request gets an HTTP status 5xx but is processed": onFirstRequest(
    ...[500, 502, 503, 504].map((status): Fault => ({ type: "status", status, ...after })),
  ),
  "every request gets the HTTP status 503": onEveryRequest({ type: "status", status: 503, ...before }),
  "the connection is reset and the request is not processed": onFirstRequest({ type: "reset", ...before }),
  "the connection is reset but the request is processed": onFirstRequest({ type: "reset", ...after }),
  "a request gets no response and is not processed": onFirstRequest({ type: "hang", ...before }),
  "a request gets no response but is processed": onFirstRequest({ type: "hang", ...after }),
  "a response body is incomplete": onFirstRequest({ type: "cut", ...before }, { type: "cut", ...after }),
  "a response body is not JSON": onFirstRequest(
    { type: "notJson", ...after },
    { type: "notJson", html: true, ...after },
    { type: "notJson", html: true, ...before },
  ),
  "a response body is empty": onFirstRequest({ type: "emptyBody", ...after }, { type: "emptyBody", ...before }),
  "a request gets a redirect": onFirstRequest({ type: "redirect", location: "http://127.0.0.1:1/" }),
  "the clocks of the function and of the gateway differ by one hour": onFirstRequest(
    { type: "clockSkew", ms: 3_600_000 },
    { type: "clockSkew", ms: -3_600_000 },
  ),
  "the gateway rejects the token of a request": onFirstRequest({ type: "expiredToken" }),
  "the caller's token expires during the run": [
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
  "a create response is lost and list responses omit the snapshot for 5 s": ["reset", "hang", "cut"].map((type) => ({
    arrange: ({ cloud }, { kind }) => {
      cloud.listLagMs = LIST_LAG_MS;
      cloud.fault({ operation: KIND_FACTS[kind].create, nth: 1 }, { type, ...after } as Fault);
    },
  })),
  "another snapshot is deleted while the function reads a list page by page": [
    { arrange: () => {}, between: moveOwnSnapshotToFirstPage, times: 2, only: hasPages },
  ],
  "the created snapshot fails": [
    { arrange: ({ cloud }, _, { targets }) => endCreationsWith(cloud, targets, "error"), times: 2, fails: true },
  ],
  "the created snapshot has an unknown status": [
    { arrange: ({ cloud }, _, { targets }) => endCreationsWith(cloud, targets, "quantum"), times: 2 },
  ],
  'the created snapshot stays in the status "creating"': [
    { arrange: ({ cloud }, _, { targets }) => endCreationsWith(cloud, targets, "stuck"), times: 2 },
  ],
  "the instance crashes before a request": [1, 2, 3, 4].map((request) => ({
    arrange: delayLists,
    crash: { request, when: "before" },
  })),
  "the instance crashes after a request": [1, 2, 3, 4].map((request) => ({
    arrange: delayLists,
    crash: { request, when: "after" },
  })),
  "the event is delivered five times": [{ arrange: delayLists, times: 5 }],
  "the logging topic responds slowly": onLogRequests(
    (environment) => environment.delayResponse(1_500),
    (environment) => environment.delayResponse(5_000),
    { type: "hang", ...before },
  ),
  "the logging topic responds with errors": onLogRequests(
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

/**
 * Returns whether the function reads lists of snapshots page by page. Timers, shards and the deployment gate do, except in DWS.
 */
function hasPages({ trigger, kind }: Cell): boolean {
  return ["timer", "shards", "gate"].includes(trigger) && kind !== "cluster-snapshot";
}

/**
 * Adds 1,001 newer snapshots, so the function's own snapshot is on the second page of the list. After the function read the first
 * page, the embedded cloud deletes a newer snapshot. The function's own snapshot is then no longer on the second page.
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

/**
 * Tests a fault with every trigger and kind of snapshot. If `thorough`, tests all variants of the fault, otherwise two variants.
 */
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

/** Tests one variant of a fault with one trigger and kind. Returns a description of each guarantee that the function broke. */
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
