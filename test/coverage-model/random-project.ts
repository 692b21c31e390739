/** Creates random projects. Two projects with the same seed are equal. */
import { createRandom } from "../support/random.ts";
import {
  countSnapshots,
  familyOf,
  LISTS,
  type ListFault,
  type ListName,
  type Project,
  type ProjectList,
  type Raw,
} from "./project.ts";

const HOUR_MS = 3_600_000;

/** Statuses of snapshots: documented ones, failures, deletions and unknown ones. */
const EVS_STATUSES = ["available", "available", "available", "error", "creating", "deleting"];
const ODD_STATUSES = [
  "AVAILABLE",
  "avaialble",
  "rollbacking",
  "backing-up",
  "error_deleting",
  "error_creating",
  "Failed",
  "new",
  "",
  null,
  7,
  "deleted",
];
const DWS_STATUSES = ["AVAILABLE", "AVAILABLE", "UNAVAILABLE", "CREATING"];
const ODD_DWS_STATUSES = ["RESTORING", "available", "error", "DELETING", "", null];
const ODD_TIMES = [
  "1970-01-01T00:00:00Z",
  "0001-01-01T00:00:00",
  "2014-12-31T23:59:59Z",
  "yesterday",
  "",
  null,
  1_700_000_000,
  "2026-02-30T00:00:00Z",
  undefined,
];
const ODD_IDS = [undefined, null, "", "a b", "x".repeat(65), 12, "../secret"];
const NAMES = [
  "data",
  "by-hand",
  "nightly-1",
  "autobk_snapshot_9",
  " ManualBk_Snapshot_1",
  "autobk_snapshot",
  "\u202edata",
  "",
  undefined,
];
const LABELS = {
  "managed-by": "snapshot-functions",
  policy: "nightly",
  key: "0123456789abcdef".repeat(2),
  content: "01234567",
};
const TAG_SETS: Raw[] = [
  {},
  { backup: "daily" },
  { backup: "none" },
  { backup: "daily", team: "web" },
  { constructor: "x" },
];

/** The random choices of an project. */
interface Chance {
  below(count: number): number;
  isTrue(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
}

function createChance(seed: number): Chance {
  const random = createRandom(seed);
  const below = (count: number) => Math.floor(random() * count);
  return {
    below,
    isTrue: (probability) => random() < probability,
    pick: (items) => items[below(items.length)] as never,
  };
}

/** How odd an project is. */
interface Oddity {
  rows: number;
  lists: number;
  groups: number;
}

function oddityOf(seed: number): Oddity {
  switch (familyOf(seed)) {
    case "plain":
      return { rows: 0, lists: 0, groups: 0 };
    case "groups":
      return { rows: 0.05, lists: 0, groups: 0.7 };
    case "odd rows":
      return { rows: 0.3, lists: 0, groups: 0.3 };
    case "failing lists":
      return { rows: 0, lists: 0.5, groups: 0.3 };
    default:
      return { rows: 0.15, lists: 0.3, groups: 0.4 };
  }
}

export function createProject(seed: number): Project {
  const chance = createChance(seed * 31 + 7);
  const oddity = oddityOf(seed);
  const now = Date.parse("2026-11-28T02:00:00Z") + chance.below(30) * HOUR_MS + chance.below(1_000);
  const maxAgeHours = chance.pick([26, 26, 24, 1, 168, 26.05]);
  const time = () => randomTime(chance, now, maxAgeHours, oddity.rows);
  const disks = Array.from({ length: chance.below(5) }, (_, index) => `disk-${index}`);
  const clusters = Array.from({ length: chance.below(3) }, (_, index) => `cluster-${index}`);
  const groups = Array.from({ length: oddity.groups > 0 ? chance.below(4) : 0 }, (_, index) => `group-${index}`);
  let count = 0;
  const snapshotRow = (resourceField: string, resources: readonly string[]): Raw => {
    const id = `s${++count}-${seed}`;
    const ofDws = resourceField === "cluster_id";
    const isOdd = () => chance.isTrue(oddity.rows);
    const policy = chance.isTrue(0.4) ? LABELS : {};
    return {
      id: isOdd() && chance.isTrue(0.3) ? oddId(chance, id) : id,
      name: isOdd() ? chance.pick(NAMES) : `snapshot ${id}`,
      status: isOdd()
        ? chance.pick(ofDws ? ODD_DWS_STATUSES : ODD_STATUSES)
        : chance.pick(ofDws ? DWS_STATUSES : EVS_STATUSES),
      [resourceField]: resourceOf(chance, resources, isOdd()),
      [ofDws ? "started" : "created_at"]: time(),
      ...(chance.isTrue(0.1) && { snapshot_type: chance.pick(["auto", "copy", "user"]) }),
      ...(ofDws && { type: chance.pick(["MANUAL", "AUTO", "AUTOMATED"]) }),
      metadata: policy,
      tags: policy,
      // Rows without an id must differ.
      number: count,
    };
  };
  const rows: Record<ListName, Raw[]> = {
    disks: disks.map((id) => resourceRow(chance, id, oddity.rows)),
    clusters: clusters.map((id) => resourceRow(chance, id, oddity.rows)),
    snapshot: many(chance, 6, () => snapshotRow("volume_id", disks)),
    "standard-snapshot": many(chance, 14, () => ({
      ...snapshotRow("volume_id", disks),
      ...(chance.isTrue(oddity.groups) && {
        snapshot_group_id: chance.isTrue(0.05)
          ? chance.pick(["", null, 5, ["group-0"]])
          : chance.pick([...groups, ...groups, "group-gone"]),
        // Without more good members, hardly any group with several members would be good.
        ...(chance.isTrue(0.6) && { status: "available" }),
      }),
    })),
    "snapshot-group": groups.map((id) => ({ ...snapshotRow("server_id", ["server-1"]), id })),
    "cluster-snapshot": many(chance, 5, () => snapshotRow("cluster_id", clusters)),
  };
  for (const list of ["snapshot", "standard-snapshot"] as const)
    rows[list].push(...listAgain(chance, list, rows["standard-snapshot"], oddity.groups));
  const lists = Object.fromEntries(LISTS.map((name) => [name, createList(chance, name, rows[name], oddity.lists)]));
  const tagFilter = (): [string, string?][] => [
    chance.pick([["backup", "daily"], ["backup"], ["team", "web"], ["constructor"]] as [string, string?][]),
  ];
  return {
    seed,
    now: new Date(now).toISOString(),
    lists: lists as Project["lists"],
    maxAgeHours,
    types: chance.pick([["volume", "cluster"], ["volume", "cluster"], ["volume"], ["cluster"]]),
    tags: chance.isTrue(0.15) ? tagFilter() : [],
    excludeTags: chance.isTrue(0.3) ? tagFilter() : [],
    ...(chance.isTrue(0.6) && {
      deployedKinds: chance.pick([[], ["snapshot"], ["snapshot", "snapshot-group"], ["cluster-snapshot"]]),
    }),
  };
}

/** Returns copies of some rows, many of them with another status. EVS v2 can list the snapshots of EVS v5, too. */
const listAgain = (chance: Chance, list: ListName, rows: readonly Raw[], probability: number): Raw[] =>
  rows
    .filter(({ id }) => /^[\w-]{1,64}$/.test(String(id)) && typeof id === "string" && chance.isTrue(probability * 0.3))
    .map(({ snapshot_group_id, ...row }) => ({
      ...row,
      // Only EVS v5 knows groups.
      ...(list === "standard-snapshot" && chance.isTrue(0.8) && { snapshot_group_id }),
      ...(chance.isTrue(0.5) && { status: chance.pick([...EVS_STATUSES, "new"]) }),
    }));

const many = (chance: Chance, max: number, create: () => Raw): Raw[] =>
  Array.from({ length: chance.below(max) }, create);

const oddId = (chance: Chance, id: string): unknown => {
  const odd = chance.pick(ODD_IDS);
  // Two rows with the same id count as one row.
  return typeof odd === "string"
    ? `${odd}${id}!`
    : typeof odd === "number"
      ? odd + Number.parseInt(id.slice(1), 10)
      : odd;
};

function resourceOf(chance: Chance, resources: readonly string[], isOdd: boolean): unknown {
  if (isOdd && chance.isTrue(0.3)) return chance.pick([undefined, null, "", 5, "../disk-0", " disk-0 "]);
  const id = chance.isTrue(0.1) || resources.length === 0 ? `gone-${chance.below(3)}` : chance.pick(resources);
  return chance.isTrue(0.1) ? id.toUpperCase() : id;
}

function resourceRow(chance: Chance, id: string, odd: number): Raw {
  return {
    id: chance.isTrue(odd * 0.2) ? oddId(chance, `s10${id.at(-1)}`) : chance.isTrue(0.1) ? id.toUpperCase() : id,
    name: chance.isTrue(odd) ? chance.pick(NAMES) : `name of ${id}`,
    size: chance.isTrue(odd) ? chance.pick([null, "10", 10]) : 10,
    tags: chance.pick<unknown>([
      ...TAG_SETS,
      [{ key: "backup", value: "daily" }],
      ["backup=none"],
      null,
      "backup=daily",
    ]),
    // Rows without an id must differ.
    number: id,
    attachments: chance.pick<unknown>([[], [{ server_id: "server-1" }], null, [{ server_id: 4 }]]),
  };
}

/** Returns a creation time. Many are near the maximum age. */
function randomTime(chance: Chance, now: number, maxAgeHours: number, odd: number): unknown {
  if (chance.isTrue(odd * 0.5)) return chance.pick(ODD_TIMES);
  if (chance.isTrue(odd * 0.3)) return new Date(now + chance.pick([1, 0.5, 1.001, 2, 400]) * HOUR_MS).toISOString();
  const age = chance.isTrue(0.2)
    ? maxAgeHours * HOUR_MS + chance.pick([-1, 0, 1, -60_000, 60_000])
    : chance.below(maxAgeHours * 3 * HOUR_MS);
  const text = new Date(now - Math.round(age)).toISOString();
  return chance.pick([text, text, text.slice(0, -1), text.replace("Z", "+00:00"), text.replace("T", " ")]);
}

function createList(chance: Chance, name: ListName, rows: Raw[], faulty: number): ProjectList {
  const pageRows = chance.pick([1, 2, 3, 5, 1_000]);
  const isPaged = name !== "clusters" && name !== "cluster-snapshot";
  const fault = chance.isTrue(faulty)
    ? randomFault(chance, rows.length, isPaged && pageRows > 1 && countSnapshots(rows) > pageRows)
    : ({ type: "none" } as const);
  return { rows, pageRows, fault, hasCount: fault.type === "hidden" || chance.isTrue(0.5) };
}

function randomFault(chance: Chance, rows: number, canRepeat: boolean): ListFault {
  const type = chance.pick(["once", "error", "denied", "malformed", "hidden", "endless", "unsupported"] as const);
  switch (type) {
    case "hidden":
      return rows === 0 ? { type: "none" } : { type, from: chance.below(rows), count: 1 + chance.below(3) };
    case "endless":
      return canRepeat ? { type } : { type: "none" };
    case "unsupported":
      return { type };
    default:
      return { type, page: chance.below(3) };
  }
}
