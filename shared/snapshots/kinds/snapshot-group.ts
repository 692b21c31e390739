import { credibleTime, type Instant } from "../../core/instant.ts";
import { textAt } from "../../core/json.ts";
import { LISTED_AFTER_MS } from "../../core/retry.ts";
import type { AttachedDisk } from "../ports.ts";
import { evsStateOf, markEvs, readEvs } from "./evs-fields.ts";
import type { FoundSnapshot, Kind, State } from "./kind.ts";

/**
 * Defines EVS v5 snapshot consistency groups (SOURCES.md#evs-groups-create) of all disks of one server, or of individual disks. The marker is in
 * `tags`. The API does not return the disks of a group (SOURCES.md#evs-groups-hide-members), so the marker identifies a group without a server.
 */
export const snapshotGroup = {
  name: "snapshot-group",
  envelope: "snapshot_group",
  acceptedStatus: 202,
  stuckAfterMinutes: 60,
  uniqueNames: false,
  hasMembers: true,
  target: {
    idsField: "server_ids",
    idOption: "server_id",
    defaults: { incremental: false, instant_access: false },
    description: { "x-max-bytes": 255 },
  },
  resourceOf: ({ server_id: server, volume_ids: volumes }) => {
    const ids = typeof server === "string" ? [server] : Array.isArray(volumes) ? volumes : [];
    return ids
      .map((id) => String(id).toLowerCase())
      .sort()
      .join(",");
  },
  mark: markEvs("tags"),
  read: readEvs({ labels: "tags", resource: "server_id" }),
  createdId: (response) => textAt(response, "snapshot_group_id"),
  answer: ({ id }) => ({ snapshot_group_id: id }),
} as const satisfies Kind;

/**
 * Adds members to a group and derives the state of the group from them. A group is available only if it and all its members
 * are available, because it is UNCONFIRMED whether the status of a group changes when a member fails (SOURCES.md#evs-groups-status). A group without members
 * is still being created. A member in an unknown state makes an available group unknown.
 *
 * This function cannot detect a deleted member, because the API does not return the disks of a group. `compareWithDisks`
 * detects it. Retention counts a group only for the disks of its remaining members.
 */
export function groupWith(group: FoundSnapshot, members: readonly FoundSnapshot[]): FoundSnapshot {
  return { ...group, members, state: stateWith(group.state, new Set(members.map(({ state }) => state))) };
}

function stateWith(own: State, ofMembers: ReadonlySet<State>): State {
  if (own === "deleting") return own;
  if (ofMembers.has("failed")) return "failed";
  if (own !== "available") return own;
  if (ofMembers.has("deleting") || ofMembers.has("unknown")) return "unknown";
  return ofMembers.has("creating") || ofMembers.size === 0 ? "creating" : "available";
}

/** Returns whether a group seems to be finished, so its members can be compared with the disks that it should have. */
export const seemsComplete = ({ state, status, members = [] }: FoundSnapshot): boolean =>
  evsStateOf(status) === "available" && (state === "available" || members.length === 0);

/**
 * Compares the members of a group with the disks that it should contain. A group that lacks a member is `creating` for the
 * first 6 seconds, because a list can show a member late, and then `failed`. If there are no disks to compare with, the group
 * is `unknown`. Disks that were attached after the creation of the group are ignored.
 *
 * @param disks the disks in the request, or the disks of the server. A disk without a credible time of attachment must be in
 *   the group.
 * @param created when the group was created, or undefined if that is unknown
 * @returns the group with its state, and with `stateDetail` if the state changed
 */
export function compareWithDisks(
  group: FoundSnapshot,
  disks: readonly AttachedDisk[],
  now: Instant,
  created: Instant | undefined,
): FoundSnapshot {
  const expected = disks.filter(({ attachedAt }) => {
    const since = credibleTime(attachedAt, now);
    return since === undefined || created === undefined || since <= created;
  });
  if (expected.length === 0) {
    return { ...group, state: "unknown", stateDetail: "the list of disks shows none that its server had by then" };
  }
  const covered = new Set(group.members?.map(({ resource }) => resource));
  const missing = expected.filter(({ id }) => !covered.has(id.toLowerCase()));
  if (missing.length === 0) return group;
  return {
    ...group,
    state: created !== undefined && now - created < LISTED_AFTER_MS ? "creating" : "failed",
    stateDetail: missing.map(({ id }) => `the member for disk ${id} is missing`).join(", "),
  };
}
