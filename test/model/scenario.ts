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

/** What goes wrong in the scenarios of a family. The other families do not have this fault. */
export const FAMILIES = ["calm", "slow", "throttled", "rejected", "late", "killed", "everything"] as const;
export type Family = (typeof FAMILIES)[number];

const KINDS: KindName[] = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];

/** The faults of create requests in the scenarios of each family. */
const FAULTS: Record<Family, readonly CreateFault[]> = {
  calm: [],
  slow: [],
  throttled: [],
  rejected: ["refused", "unconnected", "busy"],
  late: ["lost", "late"],
  killed: [],
  everything: ["lost", "late", "refused", "unconnected", "busy"],
};

/** Returns the family of a seed. */
export const familyOf = (seed: number): Family => FAMILIES[seed % FAMILIES.length] as Family;

/** Returns the scenario of a seed. The calls of a calm scenario take at most 0.5 s. */
export function createScenario(seed: number, family = familyOf(seed)): Scenario {
  const random = createRandom(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const between = (min: number, max: number) => Math.round(min + random() * (max - min));
  /** Returns a number between two limits. Small numbers are as likely as large ones. */
  const scaled = (min: number, max: number) => Math.round(min * (max / min) ** random());
  const isCalm = family === "calm";
  const has = (one: Family) => family === one || family === "everything";
  const count = pick([2, 2, 2, 3]);
  return {
    seed,
    kind: pick(KINDS),
    targets: random() < 0.2 ? between(1, 8) : between(9, 40),
    shardSize: pick([500, 500, 20, 12]),
    concurrency: pick([8, 8, 4, 1]),
    timeLimitMs: pick([60_000, 300_000, 900_000]),
    deliveries: Array.from({ length: count }, (_, index) => ({
      offsetMs: index === 0 ? 0 : pick([0, scaled(1, 600_000), scaled(100, 20_000)]),
      skewMs: pick([0, between(-300_000, 300_000)]),
    })),
    invokeMs: scaled(10, 5_000),
    listMs: scaled(10, isCalm ? 500 : 8_000),
    listLagMs: pick([0, between(0, 5_000), 5_000]),
    order: pick(["newest", "newest", "oldest", "random"]),
    otherSnapshots: pick([0, 5, 250]),
    createMs: scaled(10, isCalm ? 500 : 3_000),
    createsPerSecond: has("throttled") ? pick([1, 3, 10]) : 0,
    faultRate: FAULTS[family].length === 0 ? 0 : pick([0.05, 0.3]),
    faults: [...FAULTS[family]],
    busyTargets: has("rejected") ? pick([0, 2, 16]) : 0,
    killAtCall: has("killed") ? Array.from({ length: count }, () => pick([0, between(1, 60)])) : [],
  };
}
