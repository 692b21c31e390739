import { credibleTime, type Instant, MAX_CREATED_AHEAD_MS } from "../core/instant.ts";
import { boundText } from "../core/untrusted.ts";
import { type FoundSnapshot, type State, UNREADABLE } from "../snapshots/kinds/kind.ts";
import { combineStates } from "../snapshots/kinds/snapshot-group.ts";
import { BACKUP_NAME, foreignReason } from "../snapshots/ownership.ts";
import type { OrphanCollector } from "./orphans.ts";
import { meaningOf } from "./rules.ts";
import { addToSummary, MAX_NAME_LENGTH, orderOf, type SnapshotSummary } from "./snapshot-summary.ts";
import type { CoveredKind } from "./source.ts";

/** The kind that a member of a snapshot group has in a report. */
export const GROUP_KIND: CoveredKind = "snapshot-group";

/** The maximum number of characters of the name of a policy. The labels of this project allow fewer. */
const MAX_POLICY_LENGTH = 64;

/** Who created a snapshot. */
interface Maker {
  policy?: string;
  createdBy: string;
}

/** A snapshot group without its members. */
interface Group {
  found: Pick<FoundSnapshot, "id" | "name" | "status" | "created" | "resource">;
  state: State;
  maker: Maker;
}

/** A snapshot in the lists. It is judged after all lists were read. */
interface Item {
  kind: CoveredKind;
  found: Pick<FoundSnapshot, "id" | "name" | "status" | "created">;
  state: State;
  /** The summary of its resource, the id of a resource that is not in the list, or undefined if the row contains no id. */
  owner?: SnapshotSummary | string;
  groupId?: string;
  maker: Maker;
}

/** The snapshots whose rows do not contain the id of their resource. They can belong to any resource. */
export interface Unlocated {
  /** The kind and the id of the first of these snapshots. */
  first: string;
  count: number;
  /** The creation time of the newest of these snapshots. Infinity if a creation time is unknown. */
  newest: number;
}

/** Adds the snapshots of one type of resource to the summaries of their resources. */
export interface SnapshotFolder {
  /**
   * Keeps a snapshot from the list of its kind until `judge` is called. A snapshot that is listed several times, in one list or in
   * the lists of both EVS versions, counts once: in its worst state, and as a member of its group.
   */
  visit(kind: CoveredKind, found: FoundSnapshot): void;
  /**
   * Decides which of the visited snapshots are good, and adds them to the summaries of their resources. Call this function once,
   * after all lists were read.
   *
   * @param areMembersListed whether the list of standard snapshots is complete. Otherwise no group is good, because a failed
   *   member can be missing
   */
  judge(areMembersListed: boolean): Unlocated | undefined;
}

/** The states of a snapshot from the best to the worst, for a snapshot that is listed in several states. */
const FROM_BEST: readonly State[] = ["available", "creating", "deleting", "unknown", "failed"];

const isWorse = (one: { state: State }, other: { state: State }): boolean =>
  FROM_BEST.indexOf(one.state) > FROM_BEST.indexOf(other.state);

/**
 * @param summaryOf returns the summary of a resource by its id in lower case, or undefined if the resource is not in the list
 * @param summariesOf returns the summaries of the disks that are attached to a server
 * @param orphans receives the snapshots of resources that are not in the list
 */
export function createSnapshotFolder(
  summaryOf: (resource: string) => SnapshotSummary | undefined,
  summariesOf: (server: string) => readonly SnapshotSummary[],
  orphans: OrphanCollector,
  now: Instant,
): SnapshotFolder {
  // Each row without an id has a number as its key, because it can be any snapshot.
  const groups = new Map<string | number, Group>();
  const items = new Map<string | number, Item>();
  const makerOf = createMakerReader();

  /** Adds the failed and unknown groups without members as attempts for the disks that are attached to their servers. */
  const addGroupsWithoutMembers = (statesOf: ReadonlyMap<string, unknown>) => {
    for (const { found, state, maker } of groups.values()) {
      if (statesOf.has(found.id) || !["failed", "unknown"].includes(state)) continue;
      for (const summary of summariesOf(found.resource ?? ""))
        addToSummary(summary, { kind: GROUP_KIND, found, ...maker }, meaningOf(found, state, now), now);
    }
  };

  return {
    visit(kind, listed) {
      const { id, status, state, created, resource } = listed;
      const name = boundText(listed.name, MAX_NAME_LENGTH);
      const maker = makerOf(listed);
      if (kind === GROUP_KIND) {
        const key = id === UNREADABLE ? groups.size : id;
        const group = { found: { id, name, status, created, resource }, state, maker };
        const known = groups.get(key);
        if (known === undefined || isWorse(group, known)) groups.set(key, group);
        return;
      }
      const owner = resource && (summaryOf(resource) ?? resource);
      const key = id === UNREADABLE ? items.size : id;
      const item = { kind, found: { id, name, status, created }, state, owner, groupId: readGroupId(listed), maker };
      const known = items.get(key);
      items.set(key, known === undefined ? item : combineItems(known, item));
    },

    judge(areMembersListed) {
      const statesOf = collectStates(items.values());
      let unlocated: Unlocated | undefined;
      for (const item of items.values()) {
        const { found, groupId, owner } = item;
        const group = groupId === undefined ? undefined : groups.get(groupId);
        const states = groupId === undefined ? undefined : statesOf.get(groupId);
        const state = states ? stateOfMember(item, group, states, areMembersListed) : item.state;
        const meaning = isOfBackup(group) ? "ignored" : meaningOf(found, state, now);
        const kind = states ? GROUP_KIND : item.kind;
        if (typeof owner === "object") {
          const maker = states ? (group?.maker ?? UNKNOWN_MAKER) : item.maker;
          addToSummary(owner, { kind, found, groupId, ...maker }, meaning, now);
          continue;
        }
        if (meaning === "ignored" || item.state === "deleting") continue;
        if (owner === undefined) unlocated = addUnlocated(unlocated, kind, found, now);
        // If the group is missing, a backup or a deletion can explain its member.
        else if (!states || group) orphans.add({ kind, id: found.id, resourceId: owner, created: found.created });
      }
      addGroupsWithoutMembers(statesOf);
      return unlocated;
    },
  };
}

const isOfBackup = (group: Group | undefined): boolean => group !== undefined && BACKUP_NAME.test(group.found.name);

/** Returns the states of the members of each group. */
function collectStates(items: Iterable<Item>): Map<string, Set<State>> {
  const statesOf = new Map<string, Set<State>>();
  for (const { groupId, state } of items) {
    if (groupId === undefined) continue;
    const states = statesOf.get(groupId) ?? new Set();
    statesOf.set(groupId, states.add(state));
  }
  return statesOf;
}

function addUnlocated(
  known: Unlocated | undefined,
  kind: string,
  { id, created }: Item["found"],
  now: Instant,
): Unlocated {
  const unlocated = known ?? { first: `${kind} ${id}`, count: 0, newest: 0 };
  unlocated.count += 1;
  unlocated.newest = Math.max(unlocated.newest, orderOf(credibleTime(created, now, MAX_CREATED_AHEAD_MS)));
  return unlocated;
}

/**
 * Returns the id of the group of a snapshot. If the field contains anything but an id, the snapshot is the member of an unknown
 * group.
 */
function readGroupId({ raw }: FoundSnapshot): string | undefined {
  const id = raw.snapshot_group_id ?? "";
  return id === "" ? undefined : typeof id === "string" ? id : UNREADABLE;
}

/** How much the list of each kind says about a snapshot. Only the list of EVS v5 contains the group of a member. */
const DETAIL_OF: Record<CoveredKind, number> = {
  snapshot: 0,
  "standard-snapshot": 1,
  "snapshot-group": 1,
  "cluster-snapshot": 1,
};

/** Combines two rows with the same id. The lists of EVS v2 and v5 can contain the same snapshot, but only v5 returns its group. */
function combineItems(known: Item, other: Item): Item {
  const [first, second] = DETAIL_OF[other.kind] > DETAIL_OF[known.kind] ? [other, known] : [known, other];
  const { owner, groupId } = first;
  const worst = isWorse(second, first) ? second : first;
  return {
    ...first,
    state: worst.state,
    found: { ...first.found, status: worst.found.status },
    // Two disks contradict each other, so the snapshot can belong to any disk.
    owner: (second.owner ?? owner) === owner ? owner : undefined,
    groupId: first.kind === second.kind && second.groupId !== groupId ? UNREADABLE : groupId,
  };
}

const UNKNOWN_MAKER: Maker = { createdBy: "unknown" };

/** Returns the state that a member has for its disk: the state of its group with all its members. */
function stateOfMember(
  { state }: Item,
  group: Group | undefined,
  states: ReadonlySet<State>,
  areMembersListed: boolean,
): State {
  // While EVS deletes a group, the list of standard snapshots can still contain its members.
  if (group === undefined) return state === "deleting" ? state : "unknown";
  if (!areMembersListed) return group.state === "deleting" ? group.state : "unknown";
  return combineStates(group.state, states);
}

/** The maximum number of `Maker` objects that `createMakerReader` remembers and reuses. The limit bounds the memory of its map. */
const MAX_MAKERS = 1_000;

/**
 * Returns a function that returns who created a snapshot. It returns the same object for each snapshot of a policy, because a
 * project can have thousands of snapshots.
 */
function createMakerReader(): (found: FoundSnapshot) => Maker {
  const makers = new Map<string, Maker>();
  return (found) => {
    const foreign = foreignReason(found);
    // A label of this project proves nothing on a snapshot that another service created.
    const policy = foreign === undefined ? found.marker?.policy : undefined;
    const identity = `${policy} ${foreign}`;
    const known = makers.get(identity);
    if (known !== undefined) return known;
    const maker = createMaker(policy === undefined ? undefined : boundText(policy, MAX_POLICY_LENGTH), foreign);
    if (makers.size < MAX_MAKERS) makers.set(identity, maker);
    return maker;
  };
}

function createMaker(policy: string | undefined, foreign: string | undefined): Maker {
  if (policy !== undefined) return { policy, createdBy: `the policy ${policy}` };
  return { createdBy: foreign === undefined ? "a user" : `Huawei Cloud (${foreign})` };
}
