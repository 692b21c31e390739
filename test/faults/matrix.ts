/** Every fault by itself, for every kind and every trigger that can make it. */
import type { Fault } from "../../infra/local/cloud/index.ts";
import { type Crash, type Delivery, type FaultySite, openFaultySite } from "./faulty-environment.ts";
import { broken, duplicates, hidden, unfinished } from "./guarantees.ts";
import { CELLS, type Cell, CREATES, type Job, jobOf, LISTS, startsAnew } from "./jobs.ts";
import { RETRY_MS, shardsOf } from "./shards.ts";

const LIST_LAG_MS = 5_000;

/** What goes wrong, and where. */
interface Trouble {
  arrange(site: FaultySite, cell: Cell, job: Job): void;
  /** After the first delivery. */
  between?(site: FaultySite, cell: Cell): void;
  crash?: Crash;
  /** How many deliveries there are before the cloud is well again; default 1. */
  times?: number;
  /** The snapshots that are made end in an error state. */
  fails?: boolean;
  /** Default: every cell. */
  only?: (cell: Cell) => boolean;
}

/** A fault on the wire: when the snapshot is created, and when it is looked for. */
const onTheWire = (...faults: (Fault | ((site: FaultySite) => Fault))[]): Trouble[] =>
  faults.flatMap((fault) => {
    const faultOf = (site: FaultySite) => (typeof fault === "function" ? fault(site) : fault);
    return [
      { arrange: (site, { kind }) => void site.cloud.fault({ operation: CREATES[kind], nth: 1 }, faultOf(site)) },
      { arrange: (site, { kind }) => void site.cloud.fault({ operation: LISTS[kind], nth: 1 }, faultOf(site)) },
    ];
  });

/** A fault of every answer of the cloud but the topic's, for one delivery. */
const always = (...faults: Fault[]): Trouble[] =>
  faults.map((fault) => ({ arrange: ({ cloud }) => void cloud.fault({ operation: /^(?!lts)/ }, fault) }));

const ofTheTopic = (...faults: (Fault | ((site: FaultySite) => Fault))[]): Trouble[] =>
  faults.map((fault) => ({
    arrange: (site) =>
      void site.cloud.fault({ operation: "lts.reportLogs" }, typeof fault === "function" ? fault(site) : fault),
  }));

const before = { after: false } as const;
const after = { after: true } as const;

/** A row of the table: the ways in which a fault comes. */
export const FAULTS: Record<string, Trouble[]> = {
  "slow answer": onTheWire((site) => site.slow(9_000)),
  "answer too late": onTheWire((site) => site.slow(30_000)),
  "429": onTheWire(
    { type: "throttle" },
    { type: "throttle", retryAfter: 3 },
    { type: "throttle", window: "1 minute", limit: 60 },
  ),
  "429 without end": always({ type: "throttle" }),
  "5xx before the work": onTheWire(
    ...[500, 502, 503, 504].map((status): Fault => ({ type: "status", status, ...before })),
  ),
  "5xx after the work": onTheWire(
    ...[500, 502, 503, 504].map((status): Fault => ({ type: "status", status, ...after })),
  ),
  "5xx without end": always({ type: "status", status: 503, ...before }),
  "reset before the work": onTheWire({ type: "reset", ...before }),
  "reset after the work": onTheWire({ type: "reset", ...after }),
  "hang before the work": onTheWire({ type: "hang", ...before }),
  "hang after the work": onTheWire({ type: "hang", ...after }),
  "body cut off": onTheWire({ type: "cut", ...before }, { type: "cut", ...after }),
  "body not JSON": onTheWire(
    { type: "notJson", ...after },
    { type: "notJson", html: true, ...after },
    { type: "notJson", html: true, ...before },
  ),
  "body empty": onTheWire({ type: "emptyBody", ...after }, { type: "emptyBody", ...before }),
  redirect: onTheWire({ type: "redirect", location: "http://127.0.0.1:1/" }),
  "clock skew": onTheWire({ type: "clockSkew", ms: 3_600_000 }, { type: "clockSkew", ms: -3_600_000 }),
  "token refused": onTheWire({ type: "expiredToken" }),
  "token runs out in mid-run": [
    {
      arrange: ({ cloud }, { kind }) => {
        const { ak } = cloud.credentials;
        cloud.fault(
          { operation: LISTS[kind], nth: 1 },
          { type: "mutatePage", mutate: () => cloud.expireCredentials(ak) },
        );
      },
    },
  ],
  "list late, answer lost": ["reset", "hang", "cut"].map((type) => ({
    arrange: ({ cloud }, { kind }) => {
      cloud.listLagMs = LIST_LAG_MS;
      cloud.fault({ operation: CREATES[kind], nth: 1 }, { type, ...after } as Fault);
    },
  })),
  "pages change while they are read": [{ arrange: () => {}, between: manyOthers, times: 2, only: hasPages }],
  "ends in error": [{ arrange: ({ cloud }, _, { targets }) => endAll(cloud, targets, "error"), times: 2, fails: true }],
  "unknown status": [{ arrange: ({ cloud }, _, { targets }) => endAll(cloud, targets, "quantum"), times: 2 }],
  "stuck in creating": [{ arrange: ({ cloud }, _, { targets }) => endAll(cloud, targets, "stuck"), times: 2 }],
  "crash before the create": [1, 2, 3, 4].map((request) => ({ arrange: late, crash: { request, when: "before" } })),
  "crash after the create": [1, 2, 3, 4].map((request) => ({ arrange: late, crash: { request, when: "after" } })),
  "delivered five times": [{ arrange: late, times: 5 }],
  "topic slow": ofTheTopic(
    (site) => site.slow(1_500),
    (site) => site.slow(5_000),
    { type: "hang", ...before },
  ),
  "topic answers errors": ofTheTopic(
    { type: "status", status: 500, ...before },
    { type: "status", status: 503, ...after },
    { type: "answer", status: 200, body: '{"errorCode":"SVCSTG.ALS.200.500","error_msg":"no"}' },
    { type: "answer", status: 401, body: '{"errorCode":"SVCSTG.ALS.403.105","error_msg":"no"}' },
    { type: "reset", ...before },
    { type: "redirect", location: "http://127.0.0.1:1/" },
  ),
};

function late({ cloud }: FaultySite): void {
  cloud.listLagMs = LIST_LAG_MS;
}

function endAll(cloud: FaultySite["cloud"], targets: Job["targets"], ending: string): void {
  for (const { resource } of targets) cloud.endWith(resource, ending);
}

/** Who lists a whole project, of which each list has pages: not a disk's or server's own few, and not DWS's. */
function hasPages({ trigger, kind }: Cell): boolean {
  return ["timer", "shards", "gate"].includes(trigger) && kind !== "cluster-snapshot";
}

/**
 * A thousand others are newer than ours, which is on the second page then; one of the first page goes while the pages are
 * read, so that ours moves onto that.
 */
function manyOthers({ cloud, clock }: FaultySite, { kind }: Cell): void {
  clock.advance(1_000);
  const volume = cloud.addVolume().id;
  const cluster = cloud.addCluster().id;
  const others = Array.from({ length: 1_001 }, (_, index) => {
    const name = `other-${index}`;
    if (kind === "cluster-snapshot") return cloud.addSnapshot({ kind, name, clusterId: cluster }).id;
    if (kind === "snapshot-group") return cloud.addSnapshot({ kind, name, volumeIds: [volume] }).id;
    return cloud.addSnapshot({ kind, name, volumeId: volume }).id;
  });
  const gone = others.slice(500, 502);
  const mutate = () => cloud.removeSnapshot(gone.pop() ?? "");
  cloud.fault({ operation: LISTS[kind] }, { type: "mutatePage", mutate });
}

export interface Run extends Cell {
  broken: string[];
}

/**
 * Lets a fault happen to every cell, in each of its ways, or in two of them, which are others for each cell: one run each.
 */
export async function runsOf(fault: string, thorough: boolean): Promise<Run[]> {
  const runs: Run[] = [];
  for (const [place, cell] of CELLS.entries()) {
    const ways = (FAULTS[fault] ?? []).filter(({ only }) => only?.(cell) ?? true);
    const two = [2 * place, 2 * place + 1].map((way) => way % ways.length);
    const chosen = ways.filter((_, way) => thorough || two.includes(way));
    for (const trouble of chosen) runs.push({ ...cell, broken: await endure(trouble, cell) });
  }
  return runs;
}

/** Lets one trouble happen to one cell; what it broke, nothing where all held. */
async function endure({ arrange, between, crash, fails = false, times = 1 }: Trouble, cell: Cell): Promise<string[]> {
  const site = await openFaultySite();
  const { cloud, clock } = site;
  try {
    const job = jobOf(site, cell, 2);
    const found: string[] = [];
    const told: Delivery[] = [];
    const runShards = shardsOf(site, job, told, found);
    const deliver = async (planned?: Crash) => {
      const delivery = await site.instance().deliver(job.factory, job.event, { ...job.how, crash: planned });
      await runShards();
      found.push(...broken(site, job.targets, delivery, told), ...duplicates(site, job));
      told.push(delivery);
      return delivery;
    };
    arrange(site, cell, job);
    for (let count = 0; count < times; count += 1) {
      await deliver(crash);
      clock.advance(RETRY_MS);
      if (count === 0) between?.(site, cell);
    }
    cloud.clearFaults();
    cloud.addCredentials(cloud.credentials);
    let last = await deliver();
    for (let tries = 0; tries < 2 && last.ended?.error !== undefined; tries += 1) {
      clock.advance(RETRY_MS);
      last = await deliver();
    }
    return [...found, ...(fails && !startsAnew(cell) ? hidden(site, job, last) : unfinished(site, job, last))];
  } finally {
    await cloud.close();
  }
}
