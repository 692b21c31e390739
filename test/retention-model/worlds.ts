/**
 * The state of the cloud at one time, as the checker sees it, and what is wrong with the deletion of a snapshot in that state.
 */
import { type Facts, holdOf, readFacts } from "./facts.ts";
import type { History, KnownPolicy, Row, Version } from "./history.ts";
import { findDuplicates, keptByRules } from "./retention-rules.ts";

/** The promises about a delete request that depend on the state of the cloud. */
export type WorldPromise =
  | "ours"
  | "held"
  | "settled"
  | "lastGood"
  | "lastOfDisk"
  | "minKeep"
  | "keptByRule"
  | "onlyDuplicates";

export interface WorldProblem {
  promise: WorldPromise;
  text: string;
}

/** How old a group without members must be before it may be deleted, in milliseconds. */
const EMPTY_GROUP_MS = 3_600_000;

const versionAt = ({ versions }: Row, time: number): Version | undefined => {
  for (let index = versions.length - 1; index >= 0; index -= 1)
    if ((versions[index] as Version).from <= time) return versions[index];
  return undefined;
};

/** The states of the cloud at different times, for one kind of snapshot at a time. */
export interface Worlds {
  /** Returns the times at which a row of a kind changed between two times, newest first, and `from`. */
  moments(kind: string, from: number, to: number): number[];
  /** Returns the facts about the rows of a kind that exist at a time, apart from the rows with the given ids. */
  read(kind: string, time: number, missing: ReadonlySet<string>): Facts[];
}

/** Reads the states of the cloud from a history, and remembers what it has read. */
export function createWorlds({ rows, policy }: History): Worlds {
  const byKind = new Map<string, Row[]>();
  for (const row of rows) byKind.set(row.kind, [...(byKind.get(row.kind) ?? []), row]);
  const changesOf = (kind: string): number[] => {
    const kinds = kind === "snapshot-group" ? [kind, "standard-snapshot"] : [kind];
    const times = kinds
      .flatMap((name) => byKind.get(name) ?? [])
      .flatMap(({ versions }) => versions.map(({ from }) => from));
    return [...new Set(times)].sort((a, b) => b - a);
  };
  const changes = new Map<string, number[]>();
  const changesIn = (kind: string): number[] => {
    const known = changes.get(kind) ?? changesOf(kind);
    changes.set(kind, known);
    return known;
  };
  const knownFacts = new Map<Version, Facts>();
  const factsOf = (kind: string, version: Version): Facts => {
    const facts = knownFacts.get(version) ?? readFacts(kind, version.raw ?? {}, [], policy);
    knownFacts.set(version, facts);
    return facts;
  };
  const NONE: ReadonlySet<string> = new Set();
  const readAt = (kind: string, time: number, missing: ReadonlySet<string>): Facts[] => {
    const existing = (name: string): Version[] => {
      const versions = (byKind.get(name) ?? []).map((row) => (missing.has(row.id) ? undefined : versionAt(row, time)));
      return versions.filter((version) => version?.raw !== undefined) as Version[];
    };
    if (kind !== "snapshot-group") return existing(kind).map((version) => factsOf(kind, version));
    const members = new Map<unknown, Facts[]>();
    for (const version of existing("standard-snapshot")) {
      const group = version.raw?.snapshot_group_id;
      const ofGroup = members.get(group) ?? [];
      ofGroup.push(factsOf("standard-snapshot", version));
      members.set(group, ofGroup);
    }
    return existing(kind).map(({ raw = {} }) => readFacts(kind, raw, members.get(raw.id) ?? [], policy));
  };
  const knownWorlds = new Map<string, Facts[]>();
  return {
    moments: (kind, from, to) => [...changesIn(kind).filter((time) => time > from && time <= to), from],
    read(kind, time, missing) {
      const isAboutMembers = kind === "snapshot-group" && [...missing].some((id) => factsByMember(byKind, id));
      if (isAboutMembers) return readAt(kind, time, missing);
      const key = `${kind} ${changesIn(kind).find((change) => change <= time)}`;
      const world = knownWorlds.get(key) ?? readAt(kind, time, NONE);
      knownWorlds.set(key, world);
      return missing.size === 0 ? world : world.filter(({ id }) => !missing.has(id));
    },
  };
}

const factsByMember = (byKind: ReadonlyMap<string, Row[]>, id: string): boolean =>
  (byKind.get("standard-snapshot") ?? []).some((row) => row.id === id);

/**
 * Returns what is wrong with the deletion of a snapshot in one state of the cloud. Returns nothing if the snapshot does not exist
 * in this state.
 *
 * @param world the rows of the kind of the snapshot
 * @param now the time of the delete request
 */
export function findWorldProblems(
  world: readonly Facts[],
  { kind, id }: { kind: string; id: string },
  policy: KnownPolicy,
  now: number,
): WorldProblem[] {
  const snapshot = world.find((facts) => facts.id === id);
  if (snapshot === undefined) return [];
  const problems: WorldProblem[] = [];
  const add = (promise: WorldPromise, text: string) => problems.push({ promise, text: `${kind} ${id}: ${text}` });
  const { marker, foreign } = snapshot;
  if (marker?.policy !== policy.policy) add("ours", `its marker names the policy ${marker?.policy}`);
  if (foreign !== undefined) add("ours", `it belongs to ${foreign}`);
  const hold = holdOf(snapshot, now);
  if (hold !== undefined) add("held", hold);
  const isNewAndEmpty = snapshot.isEmpty && now - (snapshot.time ?? now) < EMPTY_GROUP_MS;
  if (snapshot.isUnsettled || isNewAndEmpty) add("settled", "its status is neither good nor failed");
  if (problems.length > 0) return problems;

  // The content of a marker is a hash of the create options, so it identifies a resource that the row does not show.
  const resourceOf = ({ resource, marker: of }: Facts) => resource ?? `content ${of?.content}`;
  const ofPolicy = world.filter((facts) => facts.marker?.policy === policy.policy);
  const ofResource = ofPolicy.filter((facts) => resourceOf(facts) === resourceOf(snapshot));
  const others = ofResource.filter((facts) => facts !== snapshot);
  if (snapshot.isGood && !others.some(({ isGood, foreign: owner }) => isGood && !owner))
    add("lastGood", "it is the last good snapshot of its resource");
  const otherGroups = ofPolicy.filter((facts) => facts !== snapshot && facts.isGood);
  for (const member of snapshot.members) {
    const contains = ({ members }: Facts) => members.some(({ resource }) => resource === member.resource);
    if (member.isGood && member.resource && !otherGroups.some(contains))
      add("lastOfDisk", `it contains the last good snapshot of ${member.resource}`);
  }
  const duplicates = findDuplicates(ofResource, now);
  if (duplicates.has(id)) return problems;
  if (policy.retention === undefined) add("onlyDuplicates", "it is not a duplicate, and the policy has no retention");
  if (!snapshot.isGood || policy.retention === undefined) return problems;
  const good = ofResource
    .filter((facts) => facts.isGood && !facts.foreign && holdOf(facts, now) === undefined && !duplicates.has(facts.id))
    .sort((a, b) => Number(b.time) - Number(a.time) || (a.id < b.id ? 1 : -1));
  const newer = good.filter((facts) => facts !== snapshot && Number(facts.time) >= Number(snapshot.time));
  const minKeep = Math.max(1, policy.retention.min_keep ?? 1);
  if (newer.length < minKeep) add("minKeep", `it is among the ${minKeep} newest good ones: ${newer.length} are newer`);
  const rule = keptByRules(good, policy).get(id);
  if (rule !== undefined) add("keptByRule", `the rule ${rule} keeps it`);
  return problems;
}
