/** Creates random scenarios. Two scenarios with the same seed are equal. */
import type { JsonObject } from "../../shared/core/json.ts";
import type { Retention } from "../../shared/snapshots/policy.ts";
import type { Kind as KindName } from "../support/kinds.ts";
import { createRandom } from "../support/random.ts";
import { addOddity, type Chance, createRow, HOUR_MS, withCopiedMarker } from "./random-rows.ts";
import {
  type Change,
  DELETE_FAULTS,
  type DeleteFault,
  type Family,
  familyOf,
  type ListFault,
  MAKE_ROOM_DISK,
  MAX_PER_DISK,
  type Scenario,
  type ScenarioRow,
} from "./scenario.ts";

const KINDS: readonly KindName[] = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];
/** The time zones of policies other than UTC. */
const ZONES = [
  ...["Europe/Berlin", "America/Los_Angeles", "America/St_Johns", "America/Santiago"],
  ...["Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"],
];
/** Times near which calendars are irregular: clock changes, a leap day, the first hour of a year, and an ordinary day. */
const STARTS = [
  ...["2026-03-29T03:30:00Z", "2026-10-25T03:30:00Z", "2026-04-05T06:00:00Z", "2024-02-29T12:00:00Z"],
  ...["2026-01-01T00:30:00Z", "2026-11-21T02:00:00Z"],
];
/** The distance between snapshots of one resource, in hours. */
const SPACINGS = [24, 24, 24, 12, 6, 1, 24 * 7, 24 * 31, 0.02];

function createChance(random: () => number): Chance {
  const between = (min: number, max: number) => min + Math.floor(random() * (max - min + 1));
  return {
    random,
    between,
    pick: (items) => items[Math.floor(random() * items.length)] as never,
    happens: (share) => random() < share,
  };
}

/** Returns the scenario of a seed. */
export function createScenario(seed: number, family: Family = familyOf(seed)): Scenario {
  const chance = createChance(createRandom(seed));
  const { pick, happens, random } = chance;
  const has = (one: Family) => family === one || family === "everything";
  const isMakeRoom = family === "make-room";
  const start = pick(STARTS);
  const rows = isMakeRoom ? fullDisk(chance, Date.parse(start)) : randomRows(chance, Date.parse(start), family);
  const retention = isMakeRoom || !happens(family === "duplicates" ? 0.5 : 0.1) ? randomRetention(chance) : undefined;
  const ids = rows.map(({ raw }) => raw.id);
  const isFaulty = isMakeRoom && happens(0.5);
  return {
    seed,
    mode: isMakeRoom ? "make-room" : "prune",
    start,
    policy: {
      policy: "nightly",
      // Other time zones than UTC are slow.
      time_zone: happens(0.2) ? pick(ZONES) : "UTC",
      ...(retention && { retention }),
      ...(happens(0.4) && { hold: randomHold(chance, rows) }),
      ...(happens(0.03) && !isMakeRoom && { dry_run: true }),
    },
    changes: has("changes") || isFaulty ? randomChanges(chance, rows) : [],
    deleteFaults: has("failures") || isFaulty ? randomDeleteFaults(chance, ids) : [],
    listFaults: has("lists") ? randomListFaults(chance, ids) : [],
    creates: isMakeRoom && happens(0.1) ? "unsupported" : "open",
    concurrency: pick([8, 8, 4, 1]),
    timeLimitMs: pick([60_000, 300_000, 900_000]),
    listMs: pick([10, 100, 1_000, 8_000]),
    listLagMs: pick([0, Math.round(random() * 5_000), 5_000]),
    deleteMs: pick([10, 100, 3_000]),
    removalMs: pick([0, 1_000, 20_000, 200_000]),
    removesMembers: happens(0.5),
    rows,
  };
}

function randomRetention({ between, happens }: Chance): Retention {
  const limits = { keep_last: 5, keep_within_days: 9, keep_daily: 9, keep_weekly: 6, keep_monthly: 6, keep_yearly: 4 };
  const retention: Retention = {};
  for (const [rule, max] of Object.entries(limits)) if (happens(0.3)) retention[rule as "keep_last"] = between(0, max);
  if (!Object.values(retention).some((count) => count > 0)) retention.keep_last = between(1, 5);
  if (happens(0.5)) retention.min_keep = between(1, 6);
  return retention;
}

/** Returns ids and names of snapshots as people write them, and some that do not exist. */
function randomHold({ pick, between, happens }: Chance, rows: readonly ScenarioRow[]): string[] {
  const hold: string[] = [];
  for (let count = between(1, 3); count > 0 && rows.length > 0; count -= 1) {
    const { raw } = pick(rows);
    const text = happens(0.5) ? raw.id : String(raw.name ?? raw.id);
    const spellings = [text, `${text} `, ` ${text}\t`, text.toUpperCase(), text.normalize("NFD"), "no-such-snapshot"];
    hold.push(pick(spellings));
  }
  return hold;
}

/** Returns snapshots of one to three kinds. Each resource has 1 to 40 snapshots, and the scenario about 100 at most. */
function randomRows(chance: Chance, start: number, family: Family): ScenarioRow[] {
  const { pick, between, happens, random } = chance;
  const rows: ScenarioRow[] = [];
  const duplicates = family === "duplicates" ? 0.5 : 0.08;
  for (let kinds = pick([1, 1, 2, 3]); kinds > 0; kinds -= 1) {
    const kind = pick(KINDS);
    for (let resources = pick([1, 1, 2]); resources > 0; resources -= 1) {
      // Small numbers of snapshots are as likely as large ones.
      const count = rows.length > 60 ? 3 : Math.round(40 ** random());
      const resource = `${kind === "cluster-snapshot" ? "cluster" : kind === "snapshot-group" ? "server" : "disk"}-${between(0, 3)}`;
      const spacing = pick(SPACINGS) * HOUR_MS;
      let previous: ScenarioRow[] = [];
      for (let index = 0; index < count; index += 1) {
        const age = happens(0.1) ? random() * 800 * 24 * HOUR_MS : (index + random() * 0.2) * spacing;
        let made = createRow(chance, kind, `${kind[0]}${rows.length}`, resource, start - age);
        if (previous.length > 0 && happens(duplicates)) made = withCopiedMarker(chance, made, previous);
        previous = made;
        rows.push(...(happens(0.3) ? addOddity(chance, made, start) : made));
      }
    }
  }
  return rows;
}

/** Returns the snapshots of a disk that has about the maximum number of legacy snapshots. */
function fullDisk(chance: Chance, start: number): ScenarioRow[] {
  const { between, happens, random, pick } = chance;
  const rows: ScenarioRow[] = [];
  const count = MAX_PER_DISK + pick([-1, 0, 0, 0, 0, 1]);
  const spacing = pick(SPACINGS) * HOUR_MS;
  for (let index = 0; index < count; index += 1) {
    const made = createRow(chance, "snapshot", `s${index}`, MAKE_ROOM_DISK, start - (index + random()) * spacing);
    rows.push(...(happens(0.3) ? addOddity(chance, made, start) : made));
  }
  for (let index = between(0, 3); index > 0; index -= 1)
    rows.push(...createRow(chance, "snapshot", `t${index}`, "disk-1", start - index * HOUR_MS));
  return rows;
}

/** Changes to a row: what a user or the service does during a run. */
const CHANGES: (JsonObject | undefined)[] = [
  undefined,
  undefined,
  ...["error", "error", "creating", "rollbacking", "available", "available", "deleting"].map((status) => ({ status })),
  { description: "hold: audit" },
  { created_at: null, started: null },
  { metadata: null, tags: null, description: null },
];
const HOLD = { hold: "true" };

function randomChanges({ pick, between, happens }: Chance, rows: ScenarioRow[]): Change[] {
  const changes: Change[] = [];
  for (let count = between(1, 6); count > 0 && rows.length > 0; count -= 1) {
    const row = pick(rows);
    const after = pick(["list", "list", "delete", "delete", "ms"] as const);
    const change = { id: row.raw.id, after, count: after === "ms" ? between(1, 90_000) : between(1, 6) };
    if (happens(0.15) && row.raw.status === "available" && !changes.some(({ id }) => id === row.raw.id)) {
      row.isAbsent = true;
      changes.push({ ...change, set: {} });
    } else if (happens(0.25)) {
      const field = row.kind === "snapshot" ? "metadata" : "tags";
      const set = { [field]: { ...Object(row.raw[field]), ...HOLD } };
      changes.push({ ...change, set: row.kind === "cluster-snapshot" ? { description: "hold" } : set });
    } else {
      const set = pick(CHANGES);
      changes.push(set === undefined ? change : { ...change, set });
    }
  }
  return changes;
}

function randomDeleteFaults({ pick, between, happens }: Chance, ids: readonly string[]): DeleteFault[] {
  const share = pick([0.1, 0.3, 1]);
  const types = happens(0.5) ? [pick(DELETE_FAULTS)] : DELETE_FAULTS;
  return ids
    .filter(() => happens(share))
    .map((id) => {
      const type = pick(types) as string;
      return {
        id,
        type,
        times: pick([1, 1, 2, 5]),
        ...(type === "other" && { other: ids[between(0, ids.length - 1)] }),
      };
    });
}

function randomListFaults({ pick, between, happens, random }: Chance, ids: readonly string[]): ListFault[] {
  const faults: ListFault[] = [];
  for (let count = between(1, 3); count > 0; count -= 1) {
    const type = pick(["throttled", "unreachable", "unsupported", "omits", "omits", "omits"] as const);
    const share = random() * 0.3;
    faults.push({
      nth: between(1, 7),
      type,
      ...(type === "omits" && { ids: ids.filter(() => happens(share)) }),
    });
  }
  return faults;
}
