import type { Instant } from "../core/instant.ts";
import { boundText } from "../core/untrusted.ts";
import type { FoundSnapshot, Kind, State } from "../snapshots/kinds/kind.ts";
import { combineStates } from "../snapshots/kinds/snapshot-group.ts";
import { BACKUP_NAME, foreignReason, groupIdOf } from "../snapshots/ownership.ts";
import type { OrphanCollector } from "./orphans.ts";
import { meaningOf } from "./rules.ts";
import type { CoveredKind } from "./source.ts";
import { addToTally, MAX_NAME_LENGTH, type Tally } from "./tally.ts";

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
  state: State;
  isOfBackup: boolean;
  maker: Maker;
}

/** A member of a snapshot group. It is judged when the state of its group is known. */
type Member = Pick<FoundSnapshot, "id" | "name" | "status" | "state" | "created"> & { tally: Tally | undefined };

/** Adds the snapshots of one type of resource to the tallies of their resources, one snapshot at a time. */
export interface SnapshotFolder {
  /** Adds a snapshot from the list of its kind. Keeps the members of groups until `judgeMembers` is called. */
  visit(kind: Kind, found: FoundSnapshot): void;
  /**
   * Adds the members of all groups. Must be called after all lists were read.
   *
   * @param areListed whether the list of standard snapshots is complete. Otherwise no group is good, because a failed member
   *   can be missing
   */
  judgeMembers(areListed: boolean): void;
  /** The first snapshot whose row does not contain the id of its resource. It can belong to any resource. */
  unlocated?: { kind: string; id: string };
}

/**
 * @param tallyOf returns the tally of a resource by its id in lower case, or undefined if the resource is not in the list
 * @param orphans receives the snapshots of resources that are not in the list
 */
export function createSnapshotFolder(
  tallyOf: (resource: string) => Tally | undefined,
  orphans: OrphanCollector,
  now: Instant,
): SnapshotFolder {
  const groups = new Map<string, Group>();
  const membersOf = new Map<string, Member[]>();
  const makerOf = createMakerReader();

  const visitGroup = (found: FoundSnapshot) =>
    void groups.set(found.id, {
      state: found.state,
      isOfBackup: BACKUP_NAME.test(found.name),
      maker: makerOf(found),
    });

  const folder: SnapshotFolder = {
    visit(kind, found) {
      if (kind.hasMembers) return visitGroup(found);
      const groupId = groupIdOf(found);
      const { id, name, status, state, created } = found;
      // DWS clusters can have an empty id.
      const resource = found.resource || undefined;
      const tally = resource === undefined ? undefined : tallyOf(resource);
      if (tally === undefined && state !== "deleting" && !BACKUP_NAME.test(name)) {
        const place = { kind: groupId === undefined ? kind.name : GROUP_KIND, id };
        if (resource === undefined) folder.unlocated ??= place;
        else orphans.add({ ...place, resourceId: resource, created });
      }
      if (groupId === undefined) {
        if (tally === undefined) return;
        addToTally(tally, { kind: kind.name, found, ...makerOf(found) }, meaningOf(found, state, now), now);
        return;
      }
      const member = { id, name: boundText(name, MAX_NAME_LENGTH), status, state, created, tally };
      const members = membersOf.get(groupId);
      if (members === undefined) membersOf.set(groupId, [member]);
      else members.push(member);
    },

    judgeMembers(areListed) {
      for (const [groupId, members] of membersOf) {
        const group = groups.get(groupId);
        for (const member of members) {
          const { tally } = member;
          if (tally === undefined) continue;
          const state = stateOfMember(member, group, members, areListed);
          const meaning = group?.isOfBackup ? "ignored" : meaningOf(member, state, now);
          const maker = group?.maker ?? UNKNOWN_MAKER;
          addToTally(tally, { kind: GROUP_KIND, found: member, groupId, ...maker }, meaning, now);
        }
      }
    },
  };
  return folder;
}

const UNKNOWN_MAKER: Maker = { createdBy: "unknown" };

/** Returns the state that a member has for its disk: the state of its group with all its members. */
function stateOfMember(
  { state }: Member,
  group: Group | undefined,
  members: readonly Member[],
  areListed: boolean,
): State {
  // While EVS deletes a group, the list of standard snapshots can still contain its members.
  if (group === undefined) return state === "deleting" ? state : "unknown";
  if (!areListed) return group.state === "deleting" ? group.state : "unknown";
  return combineStates(group.state, new Set(members.map((member) => member.state)));
}

/** The maximum number of different makers that are kept to save memory. */
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
