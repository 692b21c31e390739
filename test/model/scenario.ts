/** Random scenarios: several deliveries of one event, and how the cloud behaves during them. */
import type { KindName } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { createRandom } from "../support/random.ts";

/** What the cloud does wrong with one create request. */
export type CreateFault = "none" | "lost" | "late" | "refused" | "unconnected" | "busy";

/** A scenario. It consists of plain data, so it can be printed and repeated. */
export interface Scenario {
  seed: number;
  kind: KindName;
  targets: number;
  /** The maximum number of targets of one invocation. */
  shardSize: number;
  concurrency: number;
  /** The time limit of each invocation in milliseconds. */
  timeLimitMs: number;
  /** When each delivery of the event starts, in milliseconds after the first. */
  deliveries: { offsetMs: number; skewMs: number }[];
  /** How long an asynchronous invocation waits before it starts, in milliseconds. */
  invokeMs: number;
  listMs: number;
  /** The maximum time until list responses show a new snapshot, in milliseconds. */
  listLagMs: number;
  order: "newest" | "oldest" | "random";
  /** How many other snapshots the project has. */
  otherSnapshots: number;
  createMs: number;
  /** The maximum number of create requests per second, for all processes together. 0: no limit. */
  createsPerSecond: number;
  /** The share of create requests with a fault, from 0 to 1, and the faults that occur. */
  faultRate: number;
  faults: CreateFault[];
  /** The number of targets, from the first one, that stay busy until the end. */
  busyTargets: number;
  /** The number of the call at which a process is killed, for each process in the order of their start. 0: never. */
  killAtCall: number[];
}

const KINDS: KindName[] = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];

/**
 * Returns the scenario of a seed.
 *
 * @param isCalm true for a scenario without throttling, faults and killed processes, and with calls of at most 0.5 s
 */
export function createScenario(seed: number, isCalm: boolean): Scenario {
  const random = createRandom(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const between = (min: number, max: number) => Math.round(min + random() * (max - min));
  /** Returns a number between two limits. Small numbers are as likely as large ones. */
  const scaled = (min: number, max: number) => Math.round(min * (max / min) ** random());
  const kind = pick(KINDS);
  const targets = random() < 0.2 ? between(1, 8) : between(9, 40);
  const count = pick([2, 2, 2, 3]);
  const deliveries = Array.from({ length: count }, (_, index) => ({
    offsetMs: index === 0 ? 0 : pick([0, scaled(1, 600_000), scaled(100, 20_000)]),
    skewMs: pick([0, between(-300_000, 300_000)]),
  }));
  return {
    seed,
    kind,
    targets,
    shardSize: pick([500, 500, 20, 12]),
    concurrency: pick([8, 8, 4, 1]),
    timeLimitMs: pick([60_000, 300_000, 900_000]),
    deliveries,
    invokeMs: scaled(10, 5_000),
    listMs: isCalm ? scaled(10, 500) : scaled(10, 8_000),
    listLagMs: pick([0, between(0, 5_000), 5_000]),
    order: pick(["newest", "newest", "oldest", "random"]),
    otherSnapshots: pick([0, 5, 250]),
    createMs: isCalm ? scaled(10, 500) : scaled(10, 3_000),
    createsPerSecond: isCalm ? 0 : pick([0, 1, 3, 10]),
    faultRate: isCalm ? 0 : pick([0, 0.05, 0.3]),
    faults: isCalm
      ? []
      : pick<CreateFault[]>([
          ["lost"],
          ["late"],
          ["refused"],
          ["unconnected"],
          ["busy"],
          ["lost", "late", "refused", "unconnected", "busy"],
        ]),
    busyTargets: isCalm ? 0 : pick([0, 0, 2, 16]),
    killAtCall: isCalm || random() < 0.5 ? [] : Array.from({ length: count }, () => pick([0, between(1, 60)])),
  };
}
